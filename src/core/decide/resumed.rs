//! Times in the record that another run, or a pause, has made untrue.

use crate::core::error::{Fault, FaultKind};
use crate::core::record::{Record, Stage, Step};
use jiff::{SignedDuration, Timestamp};

/// The record as a new process takes it over. Its clock may differ from that of the last one, and
/// nobody knows how long there was none.
#[must_use]
pub fn resumed(mut record: Record, now: Timestamp) -> Record {
    set_back(&mut record, now);
    restart_step(&mut record, now);
    if let Some(write) = record.write.as_mut() {
        match &mut write.stage {
            // A request of the last process may still be under way, whatever the clocks say.
            Stage::Unclear { since, .. } => *since = now,
            Stage::Prepared => {
                write.stage = Stage::Unclear {
                    since: now,
                    fault: restarted(),
                };
            }
            Stage::Accepted { .. } | Stage::Finished { .. } => {}
        }
        write.unclear_since = write.unclear_since.map(|_| now);
    }
    record
}

fn restarted() -> Fault {
    Fault {
        kind: FaultKind::Unclear,
        http: 0,
        code: "RESTARTED".to_owned(),
        message: "evenkeel stopped between writing the call down and its answer".to_owned(),
    }
}

/// A step that has not been tried yet starts anew: time in which nothing could be sent is not the
/// step's.
pub(super) fn restart_step(record: &mut Record, now: Timestamp) {
    let waits = record.write.is_none();
    let Some(rollout) = record.rollout.as_mut().filter(|_| waits) else {
        return;
    };
    let step = rollout.steps.get(rollout.step);
    let acts = matches!(step, Some(Step::Set(_) | Step::Create(_) | Step::Named(_)));
    if rollout.bake_until.is_none() && acts {
        rollout.step_started_at = now;
    }
}

/// Where the clock was set back, what is past must not lie ahead: all times move with it.
fn set_back(record: &mut Record, now: Timestamp) {
    let Some(ahead) = past(record).max().filter(|latest| *latest > now) else {
        return;
    };
    let by = ahead.duration_since(now);
    let back = |at: &mut Timestamp| *at = earlier(*at, by);
    record.settled_at.iter_mut().for_each(back);
    record
        .retry
        .iter_mut()
        .for_each(|retry| back(&mut retry.not_before));
    record
        .repeated
        .iter_mut()
        .for_each(|repeated| back(&mut repeated.last));
    if let Some(rollout) = record.rollout.as_mut() {
        back(&mut rollout.step_started_at);
        rollout.bake_until.iter_mut().for_each(back);
        rollout.landed_at.iter_mut().for_each(back);
        rollout.since.values_mut().for_each(back);
    }
    if let Some(write) = record.write.as_mut() {
        match &mut write.stage {
            Stage::Unclear { since, .. } => back(since),
            Stage::Finished { at } => back(at),
            Stage::Prepared | Stage::Accepted { .. } => {}
        }
    }
}

/// Every moment in the record that was past when it was written.
fn past(record: &Record) -> impl Iterator<Item = Timestamp> {
    let rollout = record
        .rollout
        .as_ref()
        .map(|rollout| rollout.step_started_at);
    let marks = record
        .rollout
        .iter()
        .flat_map(|rollout| rollout.since.values().chain(&rollout.landed_at));
    let stage = record.write.as_ref().and_then(|write| match &write.stage {
        Stage::Unclear { since: at, .. } | Stage::Finished { at } => Some(*at),
        Stage::Prepared | Stage::Accepted { .. } => None,
    });
    let repeated = record.repeated.as_ref().map(|repeated| repeated.last);
    let shown = record
        .status
        .conditions
        .iter()
        .map(|c| c.last_transition_time)
        .max();
    [record.settled_at, rollout, stage, repeated, shown]
        .into_iter()
        .flatten()
        .chain(marks.copied())
}

/// `at - by`, without overflow.
pub(crate) fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
