//! Leave to write: owned, not switched off, decided on what is declared now, approved, and not
//! refused before.

use super::{Call, Violation, calls, handled, seconds, violation};
use crate::sim::trace::{Fact, What};
use evenkeel::api::envelope::Approval;
use evenkeel::api::{Declared, Key};
use evenkeel::core::digest;
use evenkeel::core::record::{Purpose, Record, Verb};
use evenkeel::core::token::Ask;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A pass may have started on the manifest before the last one, and reads may be slow.
const STALE_FOR: i64 = 300;

/// Nothing is written to a resource that evenkeel neither created nor was told to adopt.
pub fn owned(trace: &[Fact]) -> Vec<Violation> {
    let mut ours: BTreeSet<&Key> = BTreeSet::new();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Declare(set) => {
                ours.extend(set.iter().filter(|d| d.policy.adopt).map(|d| &d.key));
            }
            What::Landed { key, entry, .. } if entry.landed && entry.method == "POST" => {
                ours.insert(key);
            }
            What::Sent(sent) if sent.verb != Verb::Create && !ours.contains(&sent.key) => {
                let text = format!("{} is not ours", sent.key);
                broken.push(violation(
                    "only owned resources are written to",
                    index,
                    text,
                ));
            }
            _ => {}
        }
    }
    broken
}

/// What a call was decided on: the declaration whose digest the record on disk names.
pub fn basis<'a>(trace: &'a [Fact], call: &Call<'_>) -> Option<(usize, &'a Declared)> {
    let (begun, record) = call.begun?;
    let facts = trace[..begun].iter().enumerate().rev();
    facts
        .filter_map(|(index, fact)| match &fact.what {
            What::Declare(set) => {
                let declared = set.iter().find(|declared| declared.key == *call.key())?;
                Some((index, declared))
            }
            _ => None,
        })
        .find(|(_, declared)| digest::spec(declared) == record.spec_digest)
}

/// Nothing is written while suspended, or after a pause was handled.
pub fn switched_off(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for call in calls(trace) {
        let Some((begun, _)) = call.begun else {
            continue;
        };
        if call.removes() {
            continue;
        }
        if basis(trace, &call).is_some_and(|(_, declared)| declared.policy.suspend) {
            let text = format!("{} is suspended", call.key());
            broken.push(violation("nothing is written while suspended", begun, text));
        }
        if paused(trace, call.key(), begun) {
            let text = format!("{} is paused", call.key());
            broken.push(violation("nothing is written while paused", begun, text));
        }
    }
    broken
}

/// Whether the last handled switch before this fact is a pause.
pub fn paused(trace: &[Fact], key: &Key, before: usize) -> bool {
    let asks = asks(trace, key);
    let mut paused = false;
    let forgotten = trace[..before]
        .iter()
        .rposition(|fact| matches!(&fact.what, What::Forget(other) if other == key));
    for (_, id) in handled(trace).filter(|(at, _)| *at <= before && Some(*at) > forgotten) {
        match asks.get(id) {
            Some(Ask::Pause) => paused = true,
            Some(Ask::Resume) => paused = false,
            _ => {}
        }
    }
    paused
}

/// Whether one of these requests is of the kind.
pub fn among(trace: &[Fact], key: &Key, ids: &[String], kind: fn(&Ask) -> bool) -> bool {
    !ids.is_empty() && {
        let asks = asks(trace, key);
        ids.iter().any(|id| {
            let ask = asks.get(id.as_str());
            ask.is_some_and(|ask| kind(ask)) || kind(&Ask::Retry) && with_its_phase(trace, id)
        })
    }
}

/// Whether a request is to try a resource again because somebody said so of its phase.
fn with_its_phase(trace: &[Fact], request: &str) -> bool {
    trace.iter().any(|fact| match &fact.what {
        What::AskedPhase { id, name, ask } => {
            *ask == Ask::Retry && request.starts_with(&format!("{name}@{id}@"))
        }
        _ => false,
    })
}

/// What was asked about a resource, by id.
pub fn asks<'a>(trace: &'a [Fact], key: &Key) -> BTreeMap<&'a str, &'a Ask> {
    let asked = trace.iter().filter_map(|fact| match &fact.what {
        What::Asked { id, key: of, ask } if of == key => Some((id.as_str(), ask)),
        _ => None,
    });
    asked.collect()
}

/// A write is decided on what is declared now, not on what was long ago.
pub fn current(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for call in calls(trace) {
        let Some((begun, _)) = call.begun.filter(|_| !call.removes()) else {
            continue;
        };
        let Some((at, _)) = basis(trace, &call) else {
            let text = format!("{}: nobody declared this", call.key());
            broken.push(violation("only what is declared is written", begun, text));
            continue;
        };
        let replaced = trace[at + 1..begun]
            .iter()
            .find(|fact| matches!(&fact.what, What::Declare(_)));
        if let Some(replaced) = replaced.filter(|f| seconds(f.at, trace[begun].at) > STALE_FOR) {
            let text = format!("{}: replaced at {:.0}", call.key(), replaced.at);
            broken.push(violation("no write on an old manifest", begun, text));
        }
    }
    broken
}

/// With `approval: Manual` an attempt starts after a person approved a plan of this resource, one
/// approval for each attempt.
pub fn approved(trace: &[Fact]) -> Vec<Violation> {
    let mut spent: BTreeMap<&Key, usize> = BTreeMap::new();
    let mut opened: BTreeMap<&Key, (Timestamp, bool)> = BTreeMap::new();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let (record, revision) = match &fact.what {
            What::Begin {
                record, revision, ..
            } => (record, revision.is_some()),
            What::Commit { record, .. } => (record, false),
            _ => continue,
        };
        let Some(rollout) = &record.rollout else {
            continue;
        };
        // What was asked for when it was opened counts: settings may change while it runs.
        let known = opened.get(&record.key).copied();
        let (_, manual) = known
            .filter(|(started, _)| *started == rollout.started_at)
            .unwrap_or_else(|| (rollout.started_at, asks_first(&trace[..index], record)));
        opened.insert(&record.key, (rollout.started_at, manual));
        let first = revision && matches!(rollout.purpose, Purpose::Apply | Purpose::Drift);
        if !first || !manual {
            continue;
        }
        let asks = asks(trace, &record.key);
        let given = handled(trace)
            .filter(|(at, id)| *at <= index && matches!(asks.get(id), Some(Ask::Approve { .. })))
            .count();
        let used = spent.entry(&record.key).or_default();
        *used += 1;
        if *used > given {
            let text = format!("{}: attempt {used}, approvals {given}", record.key);
            broken.push(violation("no attempt without its approval", index, text));
        }
    }
    broken
}

/// Whether the content of a record is declared with `approval: Manual`.
fn asks_first(trace: &[Fact], record: &Record) -> bool {
    let declared = trace.iter().rev().find_map(|fact| match &fact.what {
        What::Declare(set) => set
            .iter()
            .find(|d| d.key == record.key && digest::spec(d) == record.spec_digest),
        _ => None,
    });
    let spec = declared.and_then(|declared| declared.policy.rollout.as_ref());
    spec.is_some_and(|spec| spec.approval == Approval::Manual)
}

/// After a refusal for good, that content is not written again until it changed or a person said
/// retry.
pub fn refused_once(trace: &[Fact]) -> Vec<Violation> {
    let mut refused: BTreeMap<&Key, &str> = BTreeMap::new();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Finish {
                record,
                refused: true,
            } => {
                if let Some(rollout) = &record.rollout {
                    refused.insert(&record.key, &rollout.digest);
                }
            }
            What::Forget(key) => {
                refused.remove(key);
            }
            What::Declare(set) => refused.retain(|key, digest| {
                set.iter()
                    .any(|d| d.key == **key && digest::desired(d) == *digest)
            }),
            What::Commit { record, handled }
            | What::Begin {
                record, handled, ..
            } => {
                let again = |ask: &Ask| matches!(ask, Ask::Retry | Ask::Undo { .. });
                if among(trace, &record.key, handled, again) {
                    refused.remove(&record.key);
                }
                let begins = matches!(&fact.what, What::Begin { .. });
                let again = record.rollout.as_ref().is_some_and(|rollout| {
                    matches!(rollout.purpose, Purpose::Apply | Purpose::Drift)
                        && refused.get(&record.key) == Some(&rollout.digest.as_str())
                });
                if begins && again {
                    let text = format!("{} was refused before", record.key);
                    broken.push(violation(
                        "a refused content is not written again",
                        index,
                        text,
                    ));
                }
            }
            _ => {}
        }
    }
    broken
}

/// Held content is observed only, but for the way back.
pub fn held(trace: &[Fact]) -> Vec<Violation> {
    let mut held: BTreeMap<&Key, &str> = BTreeMap::new();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Begin {
                record, handled, ..
            }
            | What::Commit { record, handled } => {
                if among(trace, &record.key, handled, |ask| *ask == Ask::Retry) {
                    held.remove(&record.key);
                }
                let goes = record.rollout.as_ref().filter(|rollout| {
                    matches!(rollout.purpose, Purpose::Apply | Purpose::Drift)
                        && held.get(&record.key) == Some(&rollout.digest.as_str())
                });
                if goes.is_some() && matches!(&fact.what, What::Begin { .. }) {
                    let text = format!("{} is held", record.key);
                    broken.push(violation("held content is not written", index, text));
                }
                if let Some(hold) = &record.held {
                    held.insert(&record.key, &hold.digest);
                }
            }
            What::Forget(key) => {
                held.remove(key);
            }
            What::Declare(set) => held.retain(|key, digest| {
                set.iter()
                    .any(|d| d.key == **key && digest::desired(d) == *digest)
            }),
            _ => {}
        }
    }
    broken
}
