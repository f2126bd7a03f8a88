//! Steps: none larger than allowed, and no field written that need not be.

use super::{Call, Violation, calls, violation};
use crate::sim::body;
use crate::sim::set::Set;
use crate::sim::trace::{Fact, What};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key};
use evenkeel::core::record::{Purpose, Verb};
use serde_json::Value;
use std::sync::Arc;

/// What was declared at a place when the call was written down, newest first, as far as the
/// decision may have been made on it.
fn declared<'a>(trace: &'a [Fact], call: &Call<'_>) -> Vec<&'a Declared> {
    let Some((begun, record)) = call.begun else {
        return Vec::new();
    };
    let sets = trace[..begun]
        .iter()
        .rev()
        .filter_map(|fact| match &fact.what {
            What::Declare(set) => Some(set),
            _ => None,
        });
    sets.filter_map(|set: &Arc<Set>| set.iter().find(|d| d.key == *call.key()))
        .filter(|declared| evenkeel::core::digest::spec(declared) == record.spec_digest)
        .take(1)
        .collect()
}

/// Each field moves by at most its `maxStep`, from where it truly is.
pub fn bounded(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for call in calls(trace).iter().filter(|call| call.is(Verb::Patch)) {
        let Some((at, entry)) = call.accepted() else {
            continue;
        };
        let applies = call
            .begun
            .and_then(|(_, record)| record.rollout.as_ref())
            .is_some_and(|rollout| rollout.purpose == Purpose::Apply);
        let Some(before) = entry.before.as_ref().filter(|_| applies) else {
            continue;
        };
        if call.raced(trace, at) {
            continue;
        }
        for declared in declared(trace, call) {
            let Some(spec) = &declared.policy.rollout else {
                continue;
            };
            for (field, most) in limits(spec) {
                let from = number(before, field).unwrap_or_default();
                let to = number(&call.sent.body, field).unwrap_or(from);
                if (to - from).abs() > most {
                    let text = format!("{} {field} {from} -> {to}, maxStep {most}", call.key());
                    broken.push(violation("no step is skipped", at, text));
                }
            }
        }
    }
    broken
}

fn limits(spec: &RolloutSpec) -> impl Iterator<Item = (&str, i64)> {
    let explicit = !spec.steps.is_empty();
    spec.max_step
        .iter()
        .filter(move |_| !explicit)
        .map(|(field, most)| (field.as_str(), *most))
}

/// A number at a path such as `settings.dataDiskSizeGb`; 64-bit ones travel as texts.
fn number(body: &Value, path: &str) -> Option<i64> {
    let way: Vec<_> = path.split('.').collect();
    let value = body::at(body, &way);
    let text = || value.as_str()?.parse().ok();
    value.as_i64().or_else(text)
}

/// A patch has the form that its API wants, and nothing in it that need not move.
pub fn narrow(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for call in calls(trace).iter().filter(|call| call.is(Verb::Patch)) {
        let sent = call.sent;
        let mut fail = |text: String| {
            let text = format!("{} {:?}: {text}", call.key(), sent.mask);
            let rule = "a patch is as narrow as can be";
            broken.push(violation(rule, call.sent_at, text));
        };
        if let Some(why) = call.kind().malformed(sent) {
            fail(why);
        }
        let landed = match call.kind().version() {
            Some(_) => call.accepted(),
            None => call.landed,
        };
        let before = landed.and_then(|(_, entry)| entry.before.as_ref());
        let idle = before.and_then(|before| call.kind().idle(sent, before));
        if let Some(part) = idle.filter(|_| !call.raced(trace, call.sent_at)) {
            fail(format!("{part} stays as it is: {before:?}"));
        }
    }
    broken
}

/// A patch carries the version that it was decided on, where there is one.
pub fn versioned(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for call in calls(trace).iter().filter(|call| call.is(Verb::Patch)) {
        let Some(way) = call.kind().version() else {
            continue;
        };
        let sent = body::at(&call.sent.body, way);
        let taken = call.accepted().and_then(|(_, entry)| entry.before.as_ref());
        let stale = taken.is_some_and(|before| body::at(before, way) != sent);
        if sent.is_null() || stale {
            let text = format!("{} sends {} {sent}", call.key(), way.join("."));
            let rule = "a change carries the version it was decided on";
            broken.push(violation(rule, call.sent_at, text));
        }
    }
    broken
}

/// The newest declaration of a resource before a fact, `None` where its manifest is gone.
pub fn wanted<'a>(trace: &'a [Fact], key: &Key, before: usize) -> Option<&'a Declared> {
    let set = trace[..before]
        .iter()
        .rev()
        .find_map(|fact| match &fact.what {
            What::Declare(set) => Some(set),
            _ => None,
        })?;
    set.iter().find(|declared| declared.key == *key)
}
