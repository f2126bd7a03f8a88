//! Calls: written down first, saved first, one at a time, none twice.

use super::{Violation, calls, raced, violation};
use crate::sim::trace::{Fact, Sent, What};
use evenkeel::api::Key;
use evenkeel::core::record::{Intent, Purpose, Verb};
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
    intent.verb == sent.verb && mask == sent.mask.iter().collect() && intent.body == sent.body
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
            (_, Verb::Delete) => revision.as_ref().map_or(0, |revision| revision.number),
            (Some(rollout), _) => rollout.revision,
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
        if let Some((at, entry)) = call.landed
            && matches!(
                entry.state.as_deref(),
                Some("UPDATING" | "CREATING" | "DELETING")
            )
            && !raced_for_long(trace, call.key(), at)
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

/// An operation that somebody else started may still run.
fn raced_for_long(trace: &[Fact], key: &Key, at: usize) -> bool {
    trace[..at].iter().rev().find_map(|fact| match &fact.what {
        What::Landed {
            key: other, entry, ..
        } if other == key && entry.landed => Some(false),
        What::Foreign { key: other, .. } if other == key => Some(true),
        _ => None,
    }) == Some(true)
}

/// No patch that changes nothing: it would be a repetition.
pub fn none_repeated(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for call in calls(trace) {
        let Some((at, entry)) = call.accepted() else {
            continue;
        };
        let (Some(before), Some(body)) = (&entry.before, call.sent.body.as_object()) else {
            continue;
        };
        let changes = body
            .iter()
            .any(|(field, value)| before.get(field) != Some(value));
        let back = call
            .begun
            .and_then(|(_, record)| record.rollout.as_ref())
            .is_some_and(|rollout| matches!(rollout.purpose, Purpose::Undo { .. }));
        if call.is(Verb::Patch) && !changes && !back && !raced(trace, call.key(), at) {
            let text = format!("{} {:?} equals live", call.key(), body);
            broken.push(violation("no step is repeated", at, text));
        }
    }
    broken
}
