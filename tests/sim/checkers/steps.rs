//! Steps: none larger than allowed, and no field written that need not be.

use super::{Call, Violation, calls, raced, violation};
use crate::sim::trace::{Fact, What};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key};
use evenkeel::core::record::{Purpose, Verb};
use std::sync::Arc;

const PAIR: [&str; 2] = ["minInstances", "maxInstances"];

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
    sets.filter_map(|set: &Arc<Vec<Declared>>| set.iter().find(|d| d.key == *call.key()))
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
        if raced(trace, call.key(), at) {
            continue;
        }
        for declared in declared(trace, call) {
            let Some(spec) = &declared.policy.rollout else {
                continue;
            };
            for (field, most) in limits(spec) {
                let from = before[field].as_i64().unwrap_or_default();
                let to = call.sent.body[field].as_i64().unwrap_or(from);
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

/// The mask names the body's fields, both instance fields or none, and nothing that need not move.
pub fn narrow(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for call in calls(trace).iter().filter(|call| call.is(Verb::Patch)) {
        let sent = call.sent;
        let mut fail = |text: String| {
            let text = format!("{} {:?}: {text}", call.key(), sent.mask);
            broken.push(violation(
                "the mask is as narrow as can be",
                call.sent_at,
                text,
            ));
        };
        let has = |field: &str| sent.mask.iter().any(|masked| masked == field);
        if has(PAIR[0]) != has(PAIR[1]) {
            fail("one instance field without the other".to_owned());
        }
        let body: Vec<_> = sent
            .body
            .as_object()
            .into_iter()
            .flatten()
            .map(|(f, _)| f)
            .collect();
        if body.len() != sent.mask.len() || !body.iter().all(|field| has(field)) {
            fail(format!("the body has {body:?}"));
        }
        let Some(before) = call.landed.and_then(|(_, entry)| entry.before.as_ref()) else {
            continue;
        };
        let moves = |field: &str| sent.body[field] != before[field];
        let idle = sent.mask.iter().find(|field| {
            let pair = PAIR.contains(&field.as_str());
            !(moves(field) || pair && PAIR.iter().any(|other| moves(other)))
        });
        if let Some(field) = idle.filter(|_| !raced(trace, call.key(), call.sent_at)) {
            fail(format!("{field} stays {}", before[field.as_str()]));
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
