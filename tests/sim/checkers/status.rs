//! Status: well formed, and honest about when things changed.

use super::{Violation, records, violation};
use crate::sim::trace::{Fact, What};
use evenkeel::api::{ConditionStatus, ConditionType, Key, Status};
use std::collections::BTreeMap;

/// Exactly one Ready, no message over 1 KiB, not reconciling and stalled at once, each condition
/// once.
pub fn well_formed(trace: &[Fact]) -> Vec<Violation> {
    let shown = trace
        .iter()
        .enumerate()
        .filter_map(|(index, fact)| match &fact.what {
            What::Shown { status, .. } => Some((index, &**status)),
            _ => None,
        });
    shown
        .filter_map(|(index, status)| {
            let why = malformed(status)?;
            Some(violation("status is well formed", index, why))
        })
        .collect()
}

fn malformed(status: &Status) -> Option<String> {
    if status.conditions.is_empty() {
        // Announced, not looked at yet.
        return None;
    }
    let count = |kind| status.conditions.iter().filter(|c| c.kind == kind).count();
    if count(ConditionType::Ready) != 1 {
        return Some(format!("{} Ready conditions", count(ConditionType::Ready)));
    }
    if count(ConditionType::Reconciling) + count(ConditionType::Stalled) > 1 {
        return Some("reconciling and stalled".to_owned());
    }
    if count(ConditionType::Reconciling) + count(ConditionType::Stalled) > 0 && status.is_ready() {
        return Some("ready, and reconciling or stalled".to_owned());
    }
    let long = status.conditions.iter().find(|c| c.message.len() > 1024)?;
    Some(format!("a message of {} bytes", long.message.len()))
}

/// `lastTransitionTime` moves when the status flips and only then; the generation never falls.
pub fn transitions(trace: &[Fact]) -> Vec<Violation> {
    let mut last: BTreeMap<&Key, &Status> = BTreeMap::new();
    let mut broken = Vec::new();
    let mut forgets = trace
        .iter()
        .enumerate()
        .filter_map(|(index, fact)| match &fact.what {
            What::Forget(key) => Some((index, key)),
            _ => None,
        })
        .peekable();
    for (index, record) in records(trace) {
        while let Some((_, key)) = forgets.next_if(|(at, _)| *at < index) {
            last.remove(key);
        }
        if let Some(old) = last.insert(&record.key, &record.status) {
            let why = moved(old, &record.status);
            broken.extend(why.map(|why| {
                violation(
                    "transition times and generations",
                    index,
                    format!("{}: {why}", record.key),
                )
            }));
        }
    }
    broken
}

fn moved(old: &Status, new: &Status) -> Option<String> {
    if new.observed_generation < old.observed_generation {
        return Some(format!(
            "generation {} after {}",
            new.observed_generation, old.observed_generation
        ));
    }
    new.conditions.iter().find_map(|now| {
        let before = old.condition(now.kind)?;
        let flipped = before.status != now.status;
        let stamped = before.last_transition_time != now.last_transition_time;
        (stamped && !flipped).then(|| format!("{:?} did not flip", now.kind))
    })
}

/// Whether a status says Ready.
pub fn is_ready(status: &Status) -> bool {
    status
        .condition(ConditionType::Ready)
        .is_some_and(|c| c.status == ConditionStatus::True)
}
