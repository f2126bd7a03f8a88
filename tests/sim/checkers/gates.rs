//! Gates: what a rollout makes of its checks.

use super::landings::{Landed, moments, same_attempt, same_step};
use super::measured::{Measured, is_bad, is_good};
use super::{Violation, calls, records, violation};
use crate::sim::trace::{Fact, What};
use evenkeel::api::envelope::OnFailure;
use evenkeel::api::status::Outcome;
use evenkeel::api::{Key, NoData, Reason, VerifyMode};
use evenkeel::core::check::Verdict;
use evenkeel::core::digest;
use evenkeel::core::gate::Gate;
use evenkeel::core::record::{Purpose, Record, Rollout, Step};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// No verdict of a gate is made of samples that are older than its step, or of too few.
pub fn fresh(trace: &[Fact]) -> Vec<Violation> {
    let measured = Measured::of(trace);
    let mut broken = Vec::new();
    for moment in moments(trace) {
        let Some(landed) = &moment.landed else {
            continue;
        };
        for gate in &landed.rollout.gates {
            let before = moment
                .rollout_before()
                .filter(|before| same_step(before, landed.rollout))
                .and_then(|before| before.gates.iter().find(|old| old.check == gate.check));
            let told = before.is_some_and(|old| old.verdict == gate.verdict);
            if told || measured.supports(&gate.check, gate.verdict, landed.at, moment.index) {
                continue;
            }
            let text = format!(
                "{}: {} {:?} of a step that landed at {:.0}",
                moment.record.key, gate.check, gate.verdict, landed.at
            );
            broken.push(violation(
                "no verdict from samples older than the step",
                moment.index,
                text,
            ));
        }
    }
    broken
}

/// A step of content with gates has them once it landed.
pub fn set_up(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for moment in moments(trace) {
        let landed = moment.landed.as_ref().map(|landed| landed.rollout);
        let Some(rollout) = landed.filter(|rollout| {
            rollout.purpose == Purpose::Apply && !rollout.is_procedure() && rollout.gates.is_empty()
        }) else {
            continue;
        };
        let new = !moment
            .rollout_before()
            .is_some_and(|before| same_step(before, rollout) && before.landed_at.is_some());
        if new && declared_with(trace, moment.index, moment.record) {
            let text = format!("{}: no check is asked", moment.record.key);
            broken.push(violation("a step has its gates", moment.index, text));
        }
    }
    broken
}

/// A step is taken for landed no sooner than its call.
pub fn landed_first(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let calls = calls(trace);
    for moment in moments(trace) {
        let landed = moment.landed.as_ref();
        let Some(landed) = landed.filter(|landed| !landed.rollout.is_procedure()) else {
            continue;
        };
        let began = landed.rollout.started_at;
        let last = calls.iter().rev().find(|call| {
            let of = call.begun.and_then(|(_, record)| record.rollout.as_ref());
            *call.key() == moment.record.key
                && call.accepted().is_some_and(|(at, _)| at < moment.index)
                && of.is_some_and(|of| of.started_at == began && same_step(of, landed.rollout))
        });
        let arrived = last
            .and_then(|call| call.accepted())
            .map(|(at, _)| trace[at].at);
        if arrived.is_some_and(|arrived| arrived > landed.at + SignedDuration::from_secs(1)) {
            let text = format!("{} at {:.0}", moment.record.key, landed.at);
            broken.push(violation("a step lands after its call", moment.index, text));
        }
    }
    broken
}

/// Only measurements fail a step: no probe that could not be made, and no silence, but where the
/// check says so.
pub fn errors_never_fail(trace: &[Fact]) -> Vec<Violation> {
    let measured = Measured::of(trace);
    let mut broken = Vec::new();
    for moment in moments(trace) {
        let Some(rollout) = &moment.record.rollout else {
            continue;
        };
        // A procedure also fails by what its objects say, before it has any gates.
        if rollout.is_procedure() && rollout.gates.is_empty() {
            continue;
        }
        let failed = |rollout: &Rollout| {
            let failure = rollout.failure.as_ref();
            failure.is_some_and(|failure| failure.reason == Reason::VerifyFailed)
        };
        let before = moment.rollout_before();
        if !failed(rollout) || before.is_some_and(failed) {
            continue;
        }
        let at = moment.landed.as_ref().map(|landed| landed.at);
        let seen = |gate: &Gate| {
            let silent = || {
                at.is_some_and(|at| measured.silence(&gate.check, NoData::Fail, at, moment.index))
            };
            gate.mode == VerifyMode::Gate && (gate.verdict == Verdict::Failing || silent())
        };
        if !rollout.gates.iter().any(seen) {
            let text = format!("{}: {:?}", moment.record.key, rollout.failure);
            broken.push(violation(
                "a check fails by what it measured",
                moment.index,
                text,
            ));
        }
    }
    broken
}

/// Whether this gate lets its step pass.
fn passes(
    measured: &Measured<'_>,
    gate: &Gate,
    landed: &Landed<'_>,
    at: usize,
    last: bool,
) -> bool {
    let supports = |verdict| measured.supports(&gate.check, verdict, landed.at, at);
    let still_red = gate.baseline.verdict == Verdict::Failing && !last;
    gate.mode != VerifyMode::Gate
        || supports(Verdict::Passing)
        || still_red && supports(Verdict::Failing)
        || measured.silence(&gate.check, NoData::Pass, landed.at, at)
        || still_red && measured.silence(&gate.check, NoData::Fail, landed.at, at)
}

/// A step with gates is left behind only once they have passed.
pub fn errors_never_pass(trace: &[Fact]) -> Vec<Violation> {
    let measured = Measured::of(trace);
    let mut landed: BTreeMap<&Key, Landed<'_>> = BTreeMap::new();
    let mut broken = Vec::new();
    for moment in moments(trace) {
        let key = &moment.record.key;
        let left = landed.remove(key).filter(|left| {
            let acts = matches!(trace[moment.index].what, What::Begin { .. });
            left.rollout.purpose == Purpose::Apply && goes_on(moment.record, left.rollout, acts)
        });
        if let Some(left) = left {
            let rest = left.rollout.steps.iter().skip(left.rollout.step + 1);
            let last = !rest.clone().any(|step| matches!(step, Step::Set(_)));
            let closed = left
                .rollout
                .gates
                .iter()
                .find(|gate| !passes(&measured, gate, &left, moment.index, last));
            if let Some(gate) = closed {
                let text = format!(
                    "{key}: {} {:?}, landed at {:.0}",
                    gate.check, gate.baseline.verdict, left.at
                );
                broken.push(violation("a step passes its gates", moment.index, text));
            }
        }
        if let Some(now) = moment.landed {
            landed.insert(key, now);
        }
    }
    broken
}

/// The rollout has left this step behind, or is done.
fn goes_on(record: &Record, left: &Rollout, acts: bool) -> bool {
    match &record.rollout {
        // A procedure is judged before it takes the old away.
        Some(now) if left.is_procedure() => acts && same_attempt(now, left),
        Some(now) if same_attempt(now, left) => now.step > left.step,
        Some(_) => false,
        None => record.history.last().is_some_and(|entry| {
            entry.outcome == Outcome::Succeeded
                && entry.started_at == left.started_at
                && entry.digest == left.digest
        }),
    }
}

/// Content with gates that a rollout wrote counts as good only after that rollout has succeeded.
pub fn proved_first(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for moment in moments(trace) {
        let good = |record: &Record| record.last_good.as_ref().map(|good| good.at.digest.clone());
        let now = good(moment.record);
        if now.is_none() || moment.before.and_then(good) == now {
            continue;
        }
        let gated = declared_with(trace, moment.index, moment.record);
        let wrote = moment.record.history.last().is_some_and(|entry| {
            Some(&entry.digest) == now.as_ref()
                && entry.outcome == Outcome::Superseded
                && entry.revision <= moment.record.revision
        });
        if gated && wrote {
            let text = format!("{}: it was never proved", moment.record.key);
            broken.push(violation("what was written is proved", moment.index, text));
        }
    }
    broken
}

/// Whether the content of a record is declared with gates.
fn declared_with(trace: &[Fact], index: usize, record: &Record) -> bool {
    let found = trace[..index]
        .iter()
        .rev()
        .find_map(|fact| match &fact.what {
            What::Declare(set) => set
                .iter()
                .find(|d| d.key == record.key && digest::spec(d) == record.spec_digest),
            _ => None,
        });
    let spec = found.and_then(|declared| declared.policy.rollout.as_ref());
    spec.is_some_and(|spec| {
        spec.verify
            .iter()
            .any(|verify| verify.mode == VerifyMode::Gate)
    })
}

/// Nobody gives up on a check that was not asked since the step.
pub fn asked_first(trace: &[Fact]) -> Vec<Violation> {
    let measured = Measured::of(trace);
    let mut landed: BTreeMap<&Key, Landed<'_>> = BTreeMap::new();
    let mut broken = Vec::new();
    for moment in moments(trace) {
        let key = &moment.record.key;
        let held = |record: &Record| {
            let held = record.held.as_ref();
            held.filter(|held| held.reason == Reason::Inconclusive)
                .map(|held| held.since)
        };
        let now = held(moment.record);
        let before = landed.remove(key);
        if let Some(left) = before
            && now.is_some()
            && moment.before.and_then(held) != now
        {
            let gates = left.rollout.gates.iter();
            let asked = gates
                .filter(|gate| gate.mode == VerifyMode::Gate)
                .all(|gate| measured.asked(&gate.check, left.at, moment.index));
            if !asked {
                let text = format!("{key}: landed at {:.0}", left.at);
                broken.push(violation(
                    "a check is asked before it is given up",
                    moment.index,
                    text,
                ));
            }
        }
        if let Some(now) = moment.landed {
            landed.insert(key, now);
        }
    }
    broken
}

/// What could not be judged goes neither forward nor back.
pub fn unknown_stays(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for (index, record) in records(trace) {
        let back = record.rollout.as_ref().is_some_and(|rollout| {
            matches!(
                rollout.purpose,
                Purpose::Rollback {
                    because: Reason::Inconclusive,
                    ..
                }
            )
        });
        if back {
            let text = format!("{} goes back", record.key);
            broken.push(violation("what is unknown stays where it is", index, text));
        }
    }
    broken
}

/// A failed step of content that is declared to hold does not go back.
pub fn hold_holds(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for moment in moments(trace) {
        let opens = moment.record.rollout.as_ref().is_some_and(|rollout| {
            matches!(rollout.purpose, Purpose::Rollback { .. })
                && !moment
                    .rollout_before()
                    .is_some_and(|before| same_attempt(before, rollout))
        });
        if !opens {
            continue;
        }
        let declared = trace[..moment.index]
            .iter()
            .rev()
            .find_map(|fact| match &fact.what {
                What::Declare(set) => set.iter().find(|d| {
                    d.key == moment.record.key && digest::spec(d) == moment.record.spec_digest
                }),
                _ => None,
            });
        let spec = declared.and_then(|declared| declared.policy.rollout.as_ref());
        if spec.is_some_and(|spec| spec.on_failure == OnFailure::Hold) {
            let text = format!("{} goes back", moment.record.key);
            broken.push(violation(
                "onFailure: Hold stays where it is",
                moment.index,
                text,
            ));
        }
    }
    broken
}

/// Whether what a check measured from a fact on can have come to this reason.
pub fn excused(trace: &[Fact], check: &str, from: usize, reason: Reason) -> bool {
    let measured = Measured::of(trace);
    let readings: Vec<_> = measured.between(check, from, trace.len()).collect();
    let (bad, good) = (
        readings.iter().any(|reading| is_bad(reading)),
        readings.iter().any(|reading| is_good(reading)),
    );
    let unknown = readings
        .iter()
        .any(|reading| !is_bad(reading) && !is_good(reading));
    match reason {
        Reason::Inconclusive => unknown || bad && good,
        _ => bad,
    }
}
