//! Calls: written down first, saved first, one at a time, none twice.

use super::{Call, Violation, calls, violation};
use crate::sim::body;
use crate::sim::kinds::run_service::SECRET;
use crate::sim::trace::{Fact, Sent, What};
use crate::sim::world::object_in;
use evenkeel::api::Key;
use evenkeel::core::record::{Intent, Purpose, Verb};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// No mutating request without an intent of its own that was on disk before it, in the same life.
pub fn intent_first(trace: &[Fact]) -> Vec<Violation> {
    let mut open: BTreeMap<&Key, &Intent> = BTreeMap::new();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Start { .. } => open.clear(),
            What::Begin { record, .. } => {
                let Some(write) = &record.write else { continue };
                open.insert(&record.key, &write.intent);
            }
            What::Sent(sent) => match open.remove(&sent.key) {
                Some(intent) if agrees(intent, sent) => {}
                Some(intent) => {
                    let text = format!("intended {intent:?}, sent {sent:?}");
                    broken.push(violation("the call is the one written down", index, text));
                }
                None => {
                    let text = format!("no intent for {sent:?}");
                    broken.push(violation("an intent on disk before each call", index, text));
                }
            },
            _ => {}
        }
    }
    broken
}

fn agrees(intent: &Intent, sent: &Sent) -> bool {
    let mask: BTreeSet<_> = intent.mask.iter().collect();
    let named = intent.object.as_ref();
    // The call of a procedure has its mask from its body, which is whole.
    let masked = named.is_some() && mask.is_empty() || mask == sent.mask.iter().collect();
    intent.verb == sent.verb
        && masked
        && named.is_none_or(|object| sent.object.ends_with(object))
        && written(&intent.body, &sent.body)
}

/// The body as it was written down: the name of a new resource may be added on the way, and a
/// secret takes the place of its reference.
fn written(intended: &Value, sent: &Value) -> bool {
    let mut sent = sent.clone();
    let named = intended.get("name").is_some();
    if let Some(body) = sent.as_object_mut().filter(|_| !named) {
        body.remove("name");
    }
    if let Some(own) = sent.get_mut("selfManaged").and_then(Value::as_object_mut) {
        own.remove("privateKey");
        own.insert(
            "privateKeyRef".to_owned(),
            intended["selfManaged"]["privateKeyRef"].clone(),
        );
    }
    without_secret(&mut sent);
    sent == *intended
}

/// Literal secrets are not written down.
fn without_secret(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(SECRET) => "[redacted]".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(without_secret),
        Value::Object(object) => object.values_mut().for_each(without_secret),
        _ => {}
    }
}

/// Before the first write of an attempt, and before each delete, the prior state is on disk.
pub fn saved_first(trace: &[Fact]) -> Vec<Violation> {
    let mut saved: BTreeSet<(&Key, i64)> = BTreeSet::new();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let What::Begin {
            record, revision, ..
        } = &fact.what
        else {
            continue;
        };
        let Some(write) = &record.write else { continue };
        if let Some(revision) = revision {
            saved.insert((&record.key, revision.number));
            if revision.raw.is_null() && write.intent.verb != Verb::Create {
                let text = format!("revision {} is empty", revision.number);
                broken.push(violation("the saved state is what GCP said", index, text));
            }
        }
        let number = match (&record.rollout, write.intent.verb) {
            (Some(rollout), _) => rollout.revision,
            (None, Verb::Delete) => revision.as_ref().map_or(0, |revision| revision.number),
            (None, _) => 0,
        };
        if !saved.contains(&(&record.key, number)) {
            let text = format!("nothing saved for {}", record.key);
            broken.push(violation("a revision before the first write", index, text));
        }
    }
    broken
}

/// Never two calls of ours under way on one resource, and none into an operation of ours.
pub fn one_at_a_time(trace: &[Fact]) -> Vec<Violation> {
    let all = calls(trace);
    let mut broken = Vec::new();
    for (index, call) in all.iter().enumerate() {
        let until = call.landed.map_or(call.sent_at, |(at, _)| at);
        let next = all[index + 1..]
            .iter()
            .find(|other| other.key() == call.key());
        if next.is_some_and(|next| next.sent_at < until) {
            let text = format!("{} while call {} was under way", call.key(), call.sent.call);
            broken.push(violation("one call at a time", until, text));
        }
        if let Some((at, entry)) = call.landed.filter(|_| call.busy)
            && last_writer(trace, call, at) == Some(call.key())
        {
            let text = format!("{} {} while {:?}", entry.method, entry.path, entry.state);
            broken.push(violation(
                "no call into a running operation of ours",
                at,
                text,
            ));
        }
    }
    broken
}

/// Who started the operation that runs on the object: us, for this key, or somebody else.
fn last_writer<'a>(trace: &'a [Fact], call: &Call<'_>, at: usize) -> Option<&'a Key> {
    trace[..at].iter().rev().find_map(|fact| match &fact.what {
        What::Landed { key, entry, .. } if entry.landed => {
            (object_in(entry)? == call.sent.object).then_some(Some(key))
        }
        What::Foreign { key, entry } => {
            let same = key == call.key() || object_in(entry)? == call.sent.object;
            same.then_some(None)
        }
        _ => None,
    })?
}

/// No patch that changes nothing: it would be a repetition.
pub fn none_repeated(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for call in calls(trace) {
        let Some((at, entry)) = call.accepted() else {
            continue;
        };
        let Some(before) = &entry.before else {
            continue;
        };
        let changes = !body::holds(before, &body::content(&call.sent.body));
        let back = call
            .begun
            .and_then(|(_, record)| record.rollout.as_ref())
            .is_some_and(|rollout| matches!(rollout.purpose, Purpose::Undo { .. }));
        if call.is(Verb::Patch) && !changes && !back && !call.raced(trace, at) {
            let text = format!("{} {} equals live", call.key(), call.sent.body);
            broken.push(violation("no step is repeated", at, text));
        }
    }
    broken
}
