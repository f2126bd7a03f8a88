//! Checks of managed resources: what was last read of one, as a sample.

use super::Engine;
use super::checks::Probe;
use crate::api::probe::ResourceProbe;
use crate::api::{CheckSpec, ConditionStatus, ConditionType, Document, Key, Source, Status};
use crate::core::check::{Criteria, ProberError, ProberFault, Sample, Value, Window};
use crate::core::observed::{Live, Present};
use crate::kinds;
use jiff::Timestamp;
use serde_json::Value as Json;
use std::collections::BTreeMap;

impl Engine {
    /// A probe of a managed resource; `None` for a check of anything else.
    pub(super) fn resource_probe(&self, check: &Document<CheckSpec>) -> Option<Probe> {
        let Some(Source::Resource(resource)) = check.spec.source() else {
            return None;
        };
        let now = self.shared.now();
        let failed = |text: String| Probe {
            since: now,
            outcome: Err(ProberError::new(ProberFault::Unavailable, text)),
        };
        let Some(memory) = self.managed(resource).and_then(|key| self.memory.get(key)) else {
            return Some(failed("not read yet".to_owned()));
        };
        let status = Some(&memory.record.status);
        match resource_window(&check.spec, &memory.observed.live, status, now) {
            Ok(window) => Some(Probe {
                since: memory.observed.at,
                outcome: Ok(window),
            }),
            Err(why) => Some(failed(why)),
        }
    }

    fn managed(&self, resource: &ResourceProbe) -> Option<&Key> {
        let named = self.wanted.iter().find(|(key, wanted)| {
            key.kind == resource.kind && wanted.declared.name == resource.name
        });
        named.map(|(key, _)| key)
    }
}

/// What a check of a managed resource asks about, of what was read of it and, where an operator has
/// looked at it, of its status.
///
/// # Errors
/// Why it was not read.
pub fn resource_window(
    spec: &CheckSpec,
    read: &Live,
    status: Option<&Status>,
    now: Timestamp,
) -> Result<Window, String> {
    let Some(Source::Resource(resource)) = spec.source() else {
        return Err("no check of a resource".to_owned());
    };
    let mut values = status.map(conditions).unwrap_or_default();
    match read {
        Live::Unknown(None) => return Err("not read yet".to_owned()),
        Live::Unknown(Some(fault)) => return Err(fault.to_string()),
        Live::Absent => {
            values.insert("exists".to_owned(), false.into());
        }
        Live::Present(present) => {
            values.insert("exists".to_owned(), true.into());
            values.extend(live(resource, present, now));
        }
    }
    Ok(window(spec, &values))
}

/// Only what the check asks about: a status shows no more of a resource than it has to.
fn window(spec: &CheckSpec, values: &BTreeMap<String, Value>) -> Window {
    let asked = Criteria::of(spec).ok().into_iter();
    let asked = asked.flat_map(|criteria| criteria.expect.into_iter().chain(criteria.warn));
    let mut sample = Sample::new();
    for expression in asked {
        if let Some(value) = values.get(&expression.field) {
            sample.set(&expression.field, value.clone());
        }
    }
    let mut window = Window::new();
    if !sample.values.is_empty() {
        window.push(sample);
    }
    window
}

/// `ready`, `stalled`, `drifted`: the conditions that the operator set.
fn conditions(status: &Status) -> BTreeMap<String, Value> {
    let holds = |kind: ConditionType| {
        let condition = status.condition(kind);
        condition.is_some_and(|condition| condition.status == ConditionStatus::True)
    };
    [
        ("ready", ConditionType::Ready),
        ("stalled", ConditionType::Stalled),
        ("drifted", ConditionType::Drifted),
    ]
    .map(|(field, kind)| (field.to_owned(), holds(kind).into()))
    .into()
}

/// Live fields, the lifecycle, what is left of its time, and what the kind makes of them.
fn live(resource: &ResourceProbe, present: &Present, now: Timestamp) -> BTreeMap<String, Value> {
    let derived = kinds::of(resource.kind).derived(present);
    let fields = present.fields.iter().chain(&derived);
    let mut values: BTreeMap<String, Value> = fields
        .filter_map(|(path, json)| Some((field(path), value(json)?)))
        .collect();
    if !present.state.is_empty() {
        values.insert("state".to_owned(), present.state.as_str().into());
    }
    if let Some(expiry) = &present.expiry {
        let left = expiry.at.duration_since(now).as_secs_f64();
        values.insert("expiry".to_owned(), left.into());
    }
    values
}

/// `template.containers[app].env[DB_TIMEOUT].value` as `template.containers.app.env.DB_TIMEOUT.value`.
fn field(path: &str) -> String {
    let path = path.replace('[', ".").replace(']', "");
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '_'
        }
    };
    path.chars().map(plain).collect()
}

/// Google writes large integers as text, and times as `600s`.
fn value(json: &Json) -> Option<Value> {
    match json {
        Json::Bool(flag) => Some((*flag).into()),
        Json::Number(number) => Some(number.as_f64()?.into()),
        Json::String(text) => {
            let number = text.strip_suffix('s').unwrap_or(text).parse::<f64>();
            Some(match number {
                Ok(number) if text.starts_with(|c: char| c.is_ascii_digit()) => number.into(),
                _ => text.as_str().into(),
            })
        }
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
