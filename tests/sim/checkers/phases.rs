//! Phases: one after the other, each proved, and what a failed one leads to.

use super::measured::Measured;
use super::permission::among;
use super::{Violation, handled, seconds, violation};
use crate::sim::set::Set;
use crate::sim::trace::{Fact, What};
use evenkeel::api::{
    Condition, ConditionStatus, ConditionType, Key, NoData, OnFailure, Reason, VerifyMode,
};
use evenkeel::core::check::Verdict;
use evenkeel::core::phase::{Attempt, PhaseRecord};
use evenkeel::core::record::{Purpose, Record, Rollout};
use evenkeel::core::token::Ask;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A pass may have been told before the phase was looked at, and reads may be slow.
const SLACK: i64 = 300;

fn ready(record: &PhaseRecord) -> bool {
    let ready = |c: &Condition| c.kind == ConditionType::Ready && c.status == ConditionStatus::True;
    record.status.conditions.iter().any(ready)
}

/// A rollout of declared content, not one that goes back.
fn goes_forward(record: &Record) -> bool {
    record
        .rollout
        .as_ref()
        .is_some_and(|rollout| matches!(rollout.purpose, Purpose::Apply | Purpose::Drift))
}

/// The states of a phase, with their places.
struct States<'a> {
    of: BTreeMap<&'a str, Vec<(usize, &'a PhaseRecord)>>,
}

impl<'a> States<'a> {
    fn of(trace: &'a [Fact]) -> States<'a> {
        let mut of: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (index, fact) in trace.iter().enumerate() {
            if let What::Phase { record, .. } = &fact.what {
                of.entry(&record.name).or_default().push((index, &**record));
            }
        }
        States { of }
    }

    /// Every state that a phase was in shortly before a fact, the newest first.
    fn lately(
        &self,
        trace: &'a [Fact],
        phase: &str,
        at: usize,
    ) -> impl Iterator<Item = &'a PhaseRecord> {
        let all = self.of.get(phase).map_or(&[][..], Vec::as_slice);
        let before = all.partition_point(|(index, _)| *index < at);
        let mut over = false;
        all[..before]
            .iter()
            .rev()
            .take_while(move |(index, _)| {
                let old = seconds(trace[*index].at, trace[at].at) > SLACK;
                !std::mem::replace(&mut over, old)
            })
            .map(|(_, record)| *record)
    }
}

/// The sets that a decision at a fact may have been made on, the newest first.
pub fn sets(trace: &[Fact], at: usize) -> impl Iterator<Item = &Set> {
    let mut over = false;
    trace[..at]
        .iter()
        .rev()
        .filter_map(|fact| match &fact.what {
            What::Declare(set) => Some((fact.at, &**set)),
            _ => None,
        })
        .take_while(move |(since, _)| {
            let old = seconds(*since, trace[at].at) > SLACK;
            !std::mem::replace(&mut over, old)
        })
        .map(|(_, set)| set)
}

/// No step starts before the phases that its own depends on were Ready at that revision, nor once
/// its phase has failed.
pub fn in_order(trace: &[Fact]) -> Vec<Violation> {
    let states = States::of(trace);
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let What::Begin { record, .. } = &fact.what else {
            continue;
        };
        if !goes_forward(record) {
            continue;
        }
        let all: Option<Vec<_>> = sets(trace, index)
            .map(|set| closed(trace, &states, set, &record.key, index))
            .collect();
        if let Some(why) = all.iter().flatten().next() {
            let text = format!("{}: {why}", record.key);
            broken.push(violation("a phase waits for its turn", index, text));
        }
    }
    broken
}

/// Why no step of this resource may start, by this set.
fn closed(trace: &[Fact], states: &States<'_>, set: &Set, key: &Key, at: usize) -> Option<String> {
    let declared = set.iter().find(|declared| declared.key == *key)?;
    let phase = set.phase_of(declared)?;
    let revision = &phase.origin.revision;
    let unready = phase.spec.depends_on.iter().find(|on| {
        let mut states = states.lately(trace, &on.name, at);
        !states.any(|state| ready(state) && state.status.source_revision == *revision)
    });
    if let Some(unready) = unready {
        return Some(format!("{} is not Ready at {revision}", unready.name));
    }
    let mut own = states.lately(trace, &phase.name, at).peekable();
    own.peek()?;
    let failed = own.all(|state| state.failed.is_some());
    failed.then(|| format!("{} has failed", phase.name))
}

/// A change of a phase's state, what it was before, and when its resources were all Ready, in true
/// time.
struct Moment<'a> {
    index: usize,
    record: &'a PhaseRecord,
    before: Option<&'a PhaseRecord>,
    landed: Option<Timestamp>,
}

fn moments(trace: &[Fact]) -> Vec<Moment<'_>> {
    let mut last: BTreeMap<&str, &PhaseRecord> = BTreeMap::new();
    let mut landed: BTreeMap<&str, (usize, Timestamp, Timestamp)> = BTreeMap::new();
    let (mut skew, mut life) = (SignedDuration::ZERO, 0);
    let mut moments = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        if let What::Start { skew: seconds, .. } = &fact.what {
            (skew, life) = (SignedDuration::from_secs(*seconds), index);
        }
        let What::Phase { record, .. } = &fact.what else {
            continue;
        };
        let name = record.name.as_str();
        let mark = |record: &PhaseRecord| record.attempt.as_ref().and_then(|a| a.landed_at);
        let known = landed.get(name).copied();
        let before = last.insert(name, record);
        // What ends an attempt is about its last landing.
        let at = match mark(record) {
            Some(mark) => match known {
                Some((of, old, at)) if old == mark || of != life => Some(at),
                _ => Some(mark - skew),
            },
            None => known.map(|(_, _, at)| at),
        };
        match (mark(record), at) {
            (Some(mark), Some(at)) => landed.insert(name, (life, mark, at)),
            _ => landed.remove(name),
        };
        moments.push(Moment {
            index,
            record,
            before,
            landed: at,
        });
    }
    moments
}

fn attempt<'a>(moment: &Moment<'a>) -> Option<&'a Attempt> {
    moment.before?.attempt.as_ref()
}

/// Exit criteria fail by what was measured since all resources were Ready.
pub fn errors_never_fail(trace: &[Fact]) -> Vec<Violation> {
    let measured = Measured::of(trace);
    let mut broken = Vec::new();
    for moment in moments(trace) {
        let failed = moment.record.failed.as_ref();
        let Some(failed) = failed.filter(|failed| {
            let old = moment.before.and_then(|before| before.failed.as_ref());
            failed.reason == Reason::VerifyFailed
                && !failed.message.contains("is stalled")
                && old != Some(failed)
        }) else {
            continue;
        };
        let from = moment.landed.unwrap_or(Timestamp::MIN);
        let red = |check: &str| {
            measured.supports(check, Verdict::Failing, from, moment.index)
                || measured.silence(check, NoData::Fail, from, moment.index)
        };
        let verify = sets(trace, moment.index)
            .filter_map(|set| set.phase(&moment.record.name))
            .flat_map(|phase| &phase.verify);
        let mut gates = verify.filter(|verify| verify.mode == VerifyMode::Gate);
        if !gates.any(|verify| red(&verify.check)) {
            let text = format!("{}: {}", moment.record.name, failed.message);
            broken.push(violation(
                "a phase fails by what was measured",
                moment.index,
                text,
            ));
        }
    }
    broken
}

/// A phase is proved by what was measured since all resources were Ready.
pub fn errors_never_pass(trace: &[Fact]) -> Vec<Violation> {
    let measured = Measured::of(trace);
    let mut broken = Vec::new();
    for moment in moments(trace) {
        let reached = |record: &PhaseRecord| record.reached.as_ref().map(|r| r.content.clone());
        let now = reached(moment.record);
        if now.is_none() || moment.before.and_then(reached) == now {
            continue;
        }
        let gates = attempt(&moment).map(|attempt| attempt.gates.as_slice());
        let from = moment.landed.unwrap_or(Timestamp::MAX);
        let open = gates.unwrap_or_default().iter().find(|gate| {
            let supports = |verdict| measured.supports(&gate.check, verdict, from, moment.index);
            let silent = || measured.silence(&gate.check, NoData::Pass, from, moment.index);
            gate.mode == VerifyMode::Gate && !supports(Verdict::Passing) && !silent()
        });
        if let Some(gate) = open {
            let text = format!("{}: {}", moment.record.name, gate.check);
            broken.push(violation(
                "a phase is proved by its criteria",
                moment.index,
                text,
            ));
        }
        if gates.is_none() {
            let sets = sets(trace, moment.index);
            let needs = sets
                .filter_map(|set| set.phase(&moment.record.name))
                .all(|phase| phase.verify.iter().any(|v| v.mode == VerifyMode::Gate));
            if needs {
                let text = format!("{}: no criteria were asked", moment.record.name);
                broken.push(violation(
                    "a phase is proved by its criteria",
                    moment.index,
                    text,
                ));
            }
        }
    }
    broken
}

/// A way back that nobody asked for: of a failed step, or of a failed phase.
fn automatic(trace: &[Fact], record: &Record, handled: &[String], rollout: &Rollout) -> bool {
    let asked = among(trace, &record.key, handled, |ask| {
        matches!(ask, Ask::Undo { .. })
    });
    match rollout.purpose {
        Purpose::Rollback { .. } => true,
        Purpose::Undo { .. } => !asked,
        Purpose::Apply | Purpose::Drift => false,
    }
}

/// Ways back as they are opened.
fn ways_back(trace: &[Fact]) -> Vec<(usize, &Record, &Rollout)> {
    let mut last: BTreeMap<&Key, Timestamp> = BTreeMap::new();
    let mut ways = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let (record, handled): (&Record, &[String]) = match &fact.what {
            What::Begin {
                record, handled, ..
            }
            | What::Commit { record, handled } => (record, handled),
            _ => continue,
        };
        let Some(rollout) = record.rollout.as_ref() else {
            continue;
        };
        let new = last.insert(&record.key, rollout.started_at) != Some(rollout.started_at);
        if new && automatic(trace, record, handled, rollout) {
            ways.push((index, record, rollout));
        }
    }
    ways
}

/// A phase's resources go back for what was measured or failed, never for what is unknown, and
/// only where that was asked for.
pub fn recalled_for_cause(trace: &[Fact]) -> Vec<Violation> {
    let states = States::of(trace);
    let mut broken = Vec::new();
    for (index, record, rollout) in ways_back(trace) {
        if !matches!(rollout.purpose, Purpose::Undo { .. }) {
            continue;
        }
        let causes: Vec<_> = sets(trace, index)
            .filter_map(|set| {
                let declared = set.iter().find(|declared| declared.key == record.key)?;
                set.phase_of(declared)
            })
            .filter(|phase| phase.spec.on_failure == OnFailure::Rollback)
            .flat_map(|phase| states.lately(trace, &phase.name, index))
            .filter_map(|state| state.failed.as_ref())
            .map(|failed| failed.reason)
            .collect();
        if causes.is_empty() || causes.iter().all(|reason| *reason == Reason::Inconclusive) {
            let text = format!("{} goes back: {causes:?}", record.key);
            broken.push(violation("a phase goes back for a cause", index, text));
        }
    }
    broken
}

/// At most one automatic way back for each content, whoever asks for it, until a person says retry.
pub fn one_way_back(trace: &[Fact]) -> Vec<Violation> {
    let mut seen: BTreeMap<(&Key, &str), BTreeSet<Timestamp>> = BTreeMap::new();
    let mut ways = ways_back(trace).into_iter().peekable();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Forget(key) => seen.retain(|(of, _), _| *of != key),
            What::Begin {
                record, handled, ..
            }
            | What::Commit { record, handled }
                if among(trace, &record.key, handled, |ask| *ask == Ask::Retry) =>
            {
                seen.retain(|(key, _), _| **key != record.key);
            }
            _ => {}
        }
        if let Some((_, record, rollout)) = ways.next_if(|(at, ..)| *at == index) {
            let all = seen.entry((&record.key, &rollout.digest)).or_default();
            if all.insert(rollout.started_at) && all.len() > 1 {
                let text = format!("{} went back {} times", record.key, all.len());
                broken.push(violation("one automatic rollback per content", index, text));
            }
        }
    }
    broken
}

/// Requests about phases act once as well.
pub fn once(trace: &[Fact]) -> Vec<Violation> {
    let mut seen: BTreeSet<&str> = handled(trace).map(|(_, id)| id).collect();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let What::Phase { handled, .. } = &fact.what else {
            continue;
        };
        for id in handled {
            if !seen.insert(id) {
                let text = format!("request {id} again");
                broken.push(violation("a request acts once", index, text));
            }
        }
    }
    broken
}
