//! Status: well formed, and honest about when things changed.

use super::{Violation, records, seconds, violation};
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

/// Nobody is told that a resource is gone while it is there, but for reads that are late by a
/// little.
pub fn never_gone(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let What::Shown {
            key,
            status,
            exists: true,
        } = &fact.what
        else {
            continue;
        };
        let gone = ["the resource does not exist", "is gone from GCP"];
        // What an operator shows before it has read anything is what the last one knew.
        let start = trace[..index]
            .iter()
            .rposition(|fact| matches!(fact.what, What::Start { .. }));
        let since = &trace[start.unwrap_or(0)..index];
        if !since
            .iter()
            .any(|fact| matches!(fact.what, What::Read { .. }))
        {
            continue;
        }
        let says = status
            .conditions
            .iter()
            .filter(|condition| !condition.message.starts_with("phase "))
            .find(|condition| gone.iter().any(|words| condition.message.contains(words)));
        let created = trace[..index]
            .iter()
            .rev()
            .take_while(|f| seconds(f.at, fact.at) < 60);
        let new = created.into_iter().any(|fact| match &fact.what {
            What::Landed { key: of, .. } | What::Foreign { key: of, .. } => of == key,
            _ => false,
        });
        if let Some(condition) = says.filter(|_| !new) {
            let text = format!("{key}: {}", condition.message);
            broken.push(violation(
                "nothing is called gone that is there",
                index,
                text,
            ));
        }
    }
    broken
}

/// Whether a status says Ready.
pub fn is_ready(status: &Status) -> bool {
    status
        .condition(ConditionType::Ready)
        .is_some_and(|c| c.status == ConditionStatus::True)
}
