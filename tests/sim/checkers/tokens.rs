//! Requests of people: each acts once, and none is lost.

use super::{Violation, handled, records, violation};
use crate::sim::checkers::permission::asks;
use crate::sim::checkers::steps::wanted;
use crate::sim::trace::{Fact, What};
use evenkeel::api::Key;
use evenkeel::core::record::{Rollout, Step};
use evenkeel::core::token::Ask;
use std::collections::{BTreeMap, BTreeSet};

/// No request is acted on twice, and none is acted on without being marked.
pub fn once(trace: &[Fact]) -> Vec<Violation> {
    let mut seen = BTreeSet::new();
    let mut broken = Vec::new();
    for (index, id) in handled(trace) {
        if !seen.insert(id) {
            let text = format!("request {id} again");
            broken.push(violation("a request acts once", index, text));
        }
    }
    let mut marks = handled(trace).peekable();
    let mut marked = BTreeSet::new();
    for (index, record) in records(trace) {
        while let Some((_, id)) = marks.next_if(|(at, _)| *at <= index) {
            marked.insert(id);
        }
        let last = &record.status.last_handled;
        let claims = [
            &last.retry,
            &last.approve,
            &last.promote,
            &last.abort,
            &last.rollback_to,
            &last.pause,
        ];
        let claimed = claims
            .into_iter()
            .flatten()
            .find(|id| !marked.contains(id.as_str()));
        if let Some(id) = claimed {
            let text = format!("request {id} has acted and is not marked");
            broken.push(violation(
                "a request is marked with its effect",
                index,
                text,
            ));
        }
    }
    broken
}

/// Somebody else has moved the resource during the rollout, and only the last step is left.
fn overtaken(trace: &[Fact], key: &Key, now: &Rollout) -> bool {
    let mut same = records(trace).filter(|(_, record)| {
        let rollout = record.rollout.as_ref();
        record.key == *key && rollout.is_some_and(|r| r.started_at == now.started_at)
    });
    let begun = same.next().map_or(0, |(index, _)| index);
    now.step + 1 == now.steps.len()
        && trace[begun..].iter().any(|fact| {
            matches!(&fact.what, What::Foreign { key: of, entry } if of == key && entry.landed)
        })
}

/// A manual pause ends with a request of its own, or where live is as declared already.
pub fn promotions(trace: &[Fact]) -> Vec<Violation> {
    let mut at: BTreeMap<&Key, &Rollout> = BTreeMap::new();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let (record, ids): (_, &[String]) = match &fact.what {
            What::Begin {
                record, handled, ..
            }
            | What::Commit { record, handled } => (record, handled),
            What::Finish { record, .. } => (record, &[]),
            _ => continue,
        };
        let asks = if ids.is_empty() {
            BTreeMap::new()
        } else {
            asks(trace, &record.key)
        };
        let given = ids
            .iter()
            .filter(|id| matches!(asks.get(id.as_str()), Some(Ask::Resume)))
            .count();
        let Some(now) = record.rollout.as_ref() else {
            at.remove(&record.key);
            continue;
        };
        if let Some(before) = at.insert(&record.key, now)
            && before.started_at == now.started_at
            && before.digest == now.digest
        {
            let passed = now.steps.iter().take(now.step).skip(before.step);
            let passed = passed
                .filter(|step| matches!(step, Step::PauseManual))
                .count();
            if passed > given && !overtaken(&trace[..index], &record.key, now) {
                let text = format!("{}: {passed} manual pauses, {given} requests", record.key);
                broken.push(violation("a manual pause waits for a person", index, text));
            }
        }
    }
    broken
}

/// In the end every request about a declared resource was handled.
pub fn none_lost(trace: &[Fact]) -> Vec<Violation> {
    let done: BTreeSet<_> = handled(trace).map(|(_, id)| id).collect();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let What::Verdict { key, truth, .. } = &fact.what else {
            continue;
        };
        if wanted(trace, key, index).is_none() {
            continue;
        }
        let before: BTreeSet<_> = trace[..index]
            .iter()
            .filter_map(|fact| match &fact.what {
                What::Asked { id, .. } => Some(id.as_str()),
                _ => None,
            })
            .collect();
        for (id, ask) in asks(trace, key) {
            // There is nothing to go back from where there is nothing.
            let waits = truth.is_none() && matches!(ask, Ask::Undo { .. });
            if before.contains(id) && !done.contains(id) && !waits {
                let text = format!("{key}: request {id} ({ask:?}) was never handled");
                broken.push(violation("no request is lost", index, text));
            }
        }
    }
    broken
}
