//! Verdicts: one automatic rollback for each content, and no loop without end.

use super::{Violation, calls, seconds, violation};
use crate::sim::body;
use crate::sim::checkers::permission::among;
use crate::sim::trace::{Fact, What};
use evenkeel::api::Key;
use evenkeel::core::digest;
use evenkeel::core::record::{Purpose, Verb};
use evenkeel::core::token::Ask;
use evenkeel::emulator::LogEntry;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The same change this often, with no other content or person between, is a loop.
const LOOP: usize = 3;

/// At most one automatic rollback for each content, until a person says retry.
pub fn one_rollback(trace: &[Fact]) -> Vec<Violation> {
    let mut seen: BTreeMap<(&Key, &str), BTreeSet<i64>> = BTreeMap::new();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let (record, handled) = match &fact.what {
            What::Begin {
                record, handled, ..
            }
            | What::Commit { record, handled } => (record, handled),
            What::Forget(key) => {
                seen.retain(|(of, _), _| *of != key);
                continue;
            }
            _ => continue,
        };
        if among(trace, &record.key, handled, |ask| *ask == Ask::Retry) {
            seen.retain(|(key, _), _| **key != record.key);
        }
        let Some(rollout) = record.rollout.as_ref() else {
            continue;
        };
        let begins = matches!(&fact.what, What::Begin { .. });
        if begins && matches!(rollout.purpose, Purpose::Rollback { .. }) {
            let all = seen.entry((&record.key, &rollout.digest)).or_default();
            if all.insert(rollout.revision) && all.len() > 1 {
                let text = format!("{} went back {} times", record.key, all.len());
                broken.push(violation("one automatic rollback per content", index, text));
            }
        }
    }
    broken
}

/// The same change is not made more than three times in an hour by itself.
pub fn no_loop(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let all = calls(trace);
    for (index, call) in all.iter().enumerate() {
        let Some((at, entry)) = call.accepted().filter(|_| call.is(Verb::Patch)) else {
            continue;
        };
        let wanted = body::content(&call.sent.body);
        let since = last_reset(trace, call.key(), at);
        let same = all[..index].iter().filter_map(|other| {
            let (then, old) = other.accepted()?;
            let equal = other.key() == call.key()
                && other.sent.object == call.sent.object
                && body::content(&other.sent.body) == wanted
                && part(old, &wanted) == part(entry, &wanted);
            let recent = then > since && seconds(trace[then].at, trace[at].at) < 3600;
            (equal && recent && !failed(old)).then_some(())
        });
        if same.count() >= LOOP && !failed(entry) {
            let text = format!("{} {}", call.key(), call.sent.body);
            broken.push(violation(
                "the same change stops after three times",
                at,
                text,
            ));
        }
    }
    broken
}

fn part(entry: &LogEntry, wanted: &Value) -> Map<String, Value> {
    body::part(entry.before.as_ref().unwrap_or(&Value::Null), wanted)
}

/// An operation that failed applied nothing.
pub fn failed(entry: &LogEntry) -> bool {
    let fails = ["failed operation", "refused operation", "broken connector"];
    entry
        .faults
        .iter()
        .any(|fault| fails.contains(&fault.as_str()))
}

/// Other content, or a person's retry, starts the count anew.
fn last_reset(trace: &[Fact], key: &Key, before: usize) -> usize {
    let mut digest_now = None;
    let mut reset = 0;
    for (index, fact) in trace[..before].iter().enumerate() {
        match &fact.what {
            What::Declare(set) => {
                let digest = set.iter().find(|d| d.key == *key).map(digest::desired);
                if digest != digest_now {
                    reset = index;
                }
                digest_now = digest;
            }
            What::Begin {
                record, handled, ..
            }
            | What::Commit { record, handled }
                if record.key == *key =>
            {
                let again = |ask: &Ask| matches!(ask, Ask::Retry | Ask::Undo { .. });
                if among(trace, key, handled, again) {
                    reset = index;
                }
            }
            _ => {}
        }
    }
    reset
}
