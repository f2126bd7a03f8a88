//! The whole report, for people and for programs.

use super::symptom::{component, side};
use super::{Diagnosis, State, Symptom, diagnose};
use crate::api::{CheckSpec, NoData};
use crate::core::check::{Evaluation, Measured, NoVerdict, Verdict, words};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A check as it stands.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub name: &'a str,
    pub spec: &'a CheckSpec,
    pub verdict: Verdict,
    pub warning: bool,
    /// The newest probe; `None` before the first one.
    pub last: Option<&'a Evaluation>,
}

/// The health of everything that is looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    pub at: Timestamp,
    /// The worst of all.
    pub state: State,
    /// Where the fault lies; absent while nothing is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// By name.
    pub components: Vec<ComponentHealth>,
}

/// One part of the system.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentHealth {
    pub component: String,
    /// The worst of its checks.
    pub state: State,
    pub checks: Vec<CheckHealth>,
    /// Managed resources that are not well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Symptom>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckHealth {
    pub name: String,
    /// What is measured: `http`, `tcp`, ...
    pub source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub state: State,
    /// What matters, in a line: what was missed, what is near, or all numbers.
    pub message: String,
    pub samples: u64,
    pub numbers: Vec<Number>,
    /// Why samples failed, such as `19 of 20: connect: refused`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
}

/// A number against its threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Number {
    #[serde(flatten)]
    pub measured: Measured,
    /// `connect.max 7.2s, want < 5s`.
    pub text: String,
}

/// The report of these checks, and of managed resources that are not well.
#[must_use]
pub fn report(looks: &[Look<'_>], resources: Vec<Symptom>, at: Timestamp) -> Health {
    let mut symptoms: Vec<_> = looks.iter().map(symptom).collect();
    symptoms.extend(resources.iter().cloned());
    let mut components: BTreeMap<String, ComponentHealth> = BTreeMap::new();
    for look in looks {
        let component = entry(&mut components, &component(look.spec));
        component.checks.push(check(look));
    }
    for resource in resources {
        let component = entry(&mut components, &resource.component);
        component.resources.push(resource);
    }
    let mut components: Vec<_> = components.into_values().collect();
    for component in &mut components {
        let checks = component.checks.iter().map(|check| check.state);
        let resources = component.resources.iter().map(|resource| resource.state);
        component.state = worst(checks.chain(resources));
    }
    Health {
        at,
        state: worst(components.iter().map(|component| component.state)),
        diagnosis: diagnose(&symptoms),
        components,
    }
}

fn entry<'a>(
    components: &'a mut BTreeMap<String, ComponentHealth>,
    name: &str,
) -> &'a mut ComponentHealth {
    let new = || ComponentHealth {
        component: name.to_owned(),
        state: State::Unknown,
        checks: Vec::new(),
        resources: Vec::new(),
    };
    components.entry(name.to_owned()).or_insert_with(new)
}

fn worst(states: impl Iterator<Item = State>) -> State {
    states.max().unwrap_or(State::Unknown)
}

fn symptom(look: &Look<'_>) -> Symptom {
    let (side, because) = side(look.spec, look.last);
    Symptom {
        object: format!("Check/{}", look.name),
        component: component(look.spec),
        state: state(look),
        side,
        because,
        numbers: message(look),
    }
}

/// Silence is what the check makes of it.
fn state(look: &Look<'_>) -> State {
    let unknown = look.last.and_then(|last| last.unknown.as_ref());
    let silent = matches!(unknown, Some(NoVerdict::NoSamples(_)));
    match (look.verdict, look.spec.no_data) {
        (Verdict::Passing, _) if look.warning => State::Warning,
        (Verdict::Passing, _) => State::Healthy,
        (Verdict::Failing, _) => State::Unhealthy,
        (Verdict::Unknown, NoData::Pass) if silent => State::Healthy,
        (Verdict::Unknown, NoData::Fail) if silent => State::Unhealthy,
        (Verdict::Unknown, _) => State::Unknown,
    }
}

fn check(look: &Look<'_>) -> CheckHealth {
    let spec = look.spec;
    let measured = look.last.map_or(&[][..], |last| &last.measured);
    let failures = look.last.map_or(&[][..], |last| &last.failures);
    CheckHealth {
        name: look.name.to_owned(),
        source: spec.source().map_or("", |source| source.as_str()),
        description: spec.description.clone(),
        state: state(look),
        message: message(look),
        samples: look.last.map_or(0, |last| last.samples),
        numbers: measured.iter().map(number).collect(),
        failures: failures.iter().map(ToString::to_string).collect(),
        remediation: spec.remediation.clone(),
        escalation: spec.escalation.clone(),
    }
}

pub(super) fn number(measured: &Measured) -> Number {
    Number {
        text: measured.text(None),
        measured: measured.clone(),
    }
}

fn message(look: &Look<'_>) -> String {
    let mut matter: Vec<_> = look.last.into_iter().flat_map(Evaluation::missed).collect();
    if matter.is_empty() && look.warning {
        matter.extend(look.last.into_iter().flat_map(Evaluation::warned));
    }
    let words = words(look.last, &matter);
    let told = look.last.is_some_and(|last| last.unknown.is_some());
    match look.verdict {
        Verdict::Unknown if !told => format!("no verdict yet: {words}"),
        _ => words,
    }
}
