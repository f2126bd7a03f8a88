//! When the steps of rollouts landed, in true time.

use crate::sim::trace::{Fact, What};
use evenkeel::api::Key;
use evenkeel::core::record::{Record, Rollout};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A step as it landed.
pub struct Landed<'a> {
    pub rollout: &'a Rollout,
    /// As it is written down.
    pub mark: Timestamp,
    /// In true time.
    pub at: Timestamp,
}

/// When the current step, or the new state of a procedure, came to be there.
pub fn mark(rollout: &Rollout) -> Option<Timestamp> {
    if rollout.is_procedure() {
        return rollout.since.get("serving").copied();
    }
    rollout.landed_at
}

/// A record, what was known before it, and the landing that its gates are about.
pub struct Moment<'a> {
    pub index: usize,
    pub record: &'a Record,
    pub before: Option<&'a Record>,
    pub landed: Option<Landed<'a>>,
}

impl Moment<'_> {
    pub fn rollout_before(&self) -> Option<&Rollout> {
        self.before?.rollout.as_ref()
    }
}

/// Goes through all records; a landing is as old as when it was first written down, by the clock
/// of the operator that did.
pub fn moments(trace: &[Fact]) -> Vec<Moment<'_>> {
    let mut last: BTreeMap<&Key, &Record> = BTreeMap::new();
    let mut landed: BTreeMap<&Key, Landed<'_>> = BTreeMap::new();
    let mut skew = SignedDuration::ZERO;
    let mut life = 0;
    let mut lives: BTreeMap<&Key, usize> = BTreeMap::new();
    let mut moments = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let record: &Record = match &fact.what {
            What::Start { skew: seconds, .. } => {
                skew = SignedDuration::from_secs(*seconds);
                life = index;
                continue;
            }
            What::Forget(key) => {
                last.remove(key);
                landed.remove(key);
                continue;
            }
            What::Begin { record, .. }
            | What::Finish { record, .. }
            | What::Commit { record, .. } => record,
            _ => continue,
        };
        let known = landed.remove(&record.key);
        let now = record.rollout.as_ref().and_then(|rollout| {
            let mark = mark(rollout)?;
            let same = |known: &Landed<'_>| {
                let step = same_step(known.rollout, rollout);
                // Another operator may have moved the mark with its clock.
                step && (known.mark == mark || lives.get(&record.key) != Some(&life))
            };
            let at = match known.filter(same) {
                Some(known) => known.at,
                None => mark - skew,
            };
            Some(Landed { rollout, mark, at })
        });
        let copy = now.as_ref().map(|now| Landed {
            rollout: now.rollout,
            mark: now.mark,
            at: now.at,
        });
        if let Some(copy) = copy {
            landed.insert(&record.key, copy);
        }
        lives.insert(&record.key, life);
        moments.push(Moment {
            index,
            record,
            before: last.insert(&record.key, record),
            landed: now,
        });
    }
    moments
}

pub fn same_step(one: &Rollout, other: &Rollout) -> bool {
    same_attempt(one, other) && one.step == other.step
}

pub fn same_attempt(one: &Rollout, other: &Rollout) -> bool {
    one.digest == other.digest && one.started_at == other.started_at && one.purpose == other.purpose
}
