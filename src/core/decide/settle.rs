//! Settling the one call that is under way: did it land, does it run, did it take?
//!
//! A finished operation is no success; the fields read back are.

use super::rollout::{change_digest, position};
use super::{Effect, Flow, LOOP_WINDOW, Run, Verdict, later, stalled, stop};
use crate::api::Reason;
use crate::core::backoff;
use crate::core::conditions::Situation;
use crate::core::error::{Fault, Next};
use crate::core::fields::{self, Fields};
use crate::core::observed::{Lifecycle, Live, Present};
use crate::core::record::{Repeated, Retry, Stage, Verb, Write};
use jiff::Timestamp;
use std::time::Duration;

/// Shortest and longest time between two polls of an operation.
const POLL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// The operation that runs for a write, if its name is known.
pub(super) fn running_operation(write: Option<&Write>) -> Option<String> {
    match &write?.stage {
        Stage::Accepted { operation } => Some(operation.clone()),
        Stage::Prepared | Stage::Unclear { .. } | Stage::Finished { .. } => None,
    }
}

impl Run<'_> {
    /// Continues when no call is under way any more.
    pub(super) fn settle(&mut self) -> Flow {
        let Some(write) = self.record.write.clone() else {
            return Flow::Continue(());
        };
        match write.stage.clone() {
            Stage::Prepared => self.recover(&write, write.intent.prepared_at),
            Stage::Unclear { since, .. } => self.recover(&write, since),
            Stage::Accepted { operation } => self.follow(&write, &operation),
            Stage::Finished { at } => self.read_back(&write, at),
        }
    }

    pub(super) fn doing(&self, write: &Write, what: &str) -> Situation {
        match (&self.record.rollout, write.intent.verb) {
            (_, Verb::Delete) => Situation::Deleting(what.to_owned()),
            (Some(rollout), _) => {
                let step = rollout
                    .steps
                    .get(rollout.step)
                    .map(super::super::steps::describe);
                let step = step.unwrap_or_default();
                Situation::Progressing(format!("{}: {step}: {what}", position(rollout)))
            }
            (None, _) => Situation::Progressing(what.to_owned()),
        }
    }

    fn follow(&mut self, write: &Write, name: &str) -> Flow {
        let doing = self.doing(write, "the operation runs");
        let operation = match self.input.operation {
            Some(Ok(operation)) if operation.name == name => operation,
            // GCP forgets operations after a while; the fields still tell.
            Some(Err(fault)) if fault.http == 404 => return self.finished(),
            Some(Err(fault)) => return stop(self.unreadable(fault)),
            None | Some(Ok(_)) => {
                return stop(Verdict::act(doing, Effect::Poll(name.to_owned())));
            }
        };
        if !operation.done {
            return stop(self.still_running(write, doing));
        }
        match &operation.error {
            None => self.finished(),
            Some(fault) => {
                self.wait_for_own(write)?;
                self.operation_failed(&fault.clone())
            }
        }
    }

    fn still_running(&self, write: &Write, doing: Situation) -> Verdict {
        let started = write.intent.prepared_at;
        let elapsed =
            Duration::try_from(self.input.now.duration_since(started)).unwrap_or_default();
        let wait = (elapsed / 10).clamp(POLL.0, POLL.1);
        let limit = self
            .policy()
            .and_then(|policy| policy.rollout.as_ref()?.timeout)
            .map_or(self.input.timing.step_timeout, |timeout| timeout.0);
        let situation = if elapsed > limit {
            let message = format!(
                "the operation runs longer than {}; GCP has no way to cancel it, so evenkeel waits",
                crate::api::HumanDuration(limit)
            );
            Situation::Stalled {
                reason: Reason::DeadlineExceeded,
                message,
            }
        } else {
            doing
        };
        Verdict::until(situation, self.after(wait))
    }

    /// The operation ended with an error: what its kind says, but the call itself is settled.
    fn operation_failed(&mut self, fault: &Fault) -> Flow {
        self.warn("OperationFailed", &fault.to_string());
        self.record.write = None;
        match fault.kind.behaviour().write {
            Next::Stall(reason) => self.failed(reason, &format!("GCP: {fault}")),
            Next::Retry | Next::Recover | Next::Wait | Next::Observe => {
                self.back_off(fault);
                Flow::Continue(())
            }
        }
    }

    pub(super) fn back_off(&mut self, fault: &Fault) {
        self.record.retry = Some(next_retry(
            self.record.retry.as_ref(),
            fault,
            self.input.now,
            self.input.jitter,
        ));
    }

    pub(super) fn finished(&mut self) -> Flow {
        let at = self.input.now;
        if let Some(write) = self.record.write.as_mut() {
            write.stage = Stage::Finished { at };
        }
        self.settle()
    }

    fn read_back(&mut self, write: &Write, at: Timestamp) -> Flow {
        let doing = self.doing(write, "reading the result back");
        if !self.input.observed.fresh {
            return stop(Verdict::act(doing, Effect::Observe));
        }
        let patience = later(at, self.input.timing.read_settle);
        match &self.input.observed.live {
            Live::Unknown(Some(fault)) => stop(self.unreadable(fault)),
            Live::Unknown(None) => stop(self.soon(doing, 1)),
            // With the last object of a procedure goes the resource, too.
            Live::Absent if write.intent.verb == Verb::Delete => self.deleted(),
            Live::Present(present) if took(write, present) => {
                self.took(write, present.lifecycle);
                Flow::Continue(())
            }
            Live::Present(present) if present.lifecycle == Lifecycle::Failed => {
                // The stage that looks at live says what to do about a broken resource.
                self.record.write = None;
                Flow::Continue(())
            }
            Live::Present(present)
                if matches!(present.lifecycle, Lifecycle::Busy | Lifecycle::Deleting) =>
            {
                stop(self.soon(doing, 2))
            }
            Live::Absent | Live::Present(_) if patience > self.input.now => {
                stop(self.soon(doing, 1))
            }
            Live::Absent | Live::Present(_) => {
                self.wait_for_own(write)?;
                self.did_not_take(write)
            }
        }
    }

    fn took(&mut self, write: &Write, lifecycle: Lifecycle) {
        self.count_repetition(write);
        self.record.write = None;
        self.record.owned = true;
        self.record.settled_at = Some(self.input.now);
        // A step whose result does not work fails where the rollout is carried on; going back is
        // about the fields alone.
        if lifecycle == Lifecycle::Unhealthy && !self.undoing() {
            return;
        }
        if self
            .record
            .rollout
            .as_ref()
            .is_some_and(|r| r.bake_until.is_none())
        {
            self.landed();
        }
    }

    /// The operation succeeded and the fields are not there.
    fn did_not_take(&mut self, write: &Write) -> Flow {
        self.count_repetition(write);
        self.record.write = None;
        self.record.settled_at = Some(self.input.now);
        if write.intent.verb == Verb::Delete {
            let text = "the delete finished and the resource is still there";
            return self.failed(Reason::AmbiguousOperation, text);
        }
        self.warn(
            "NoEffect",
            "the operation succeeded, and the live fields are not as written",
        );
        Flow::Continue(())
    }

    fn count_repetition(&mut self, write: &Write) {
        let digest = change_digest(&write.before, &write.after);
        let now = self.input.now;
        let count = match &self.record.repeated {
            Some(old) if old.digest == digest && later(old.last, LOOP_WINDOW) > now => {
                old.count + 1
            }
            _ => 1,
        };
        self.record.repeated = Some(Repeated {
            digest,
            count,
            last: now,
        });
    }

    fn deleted(&mut self) -> Flow {
        self.normal("Deleted", "the resource is gone");
        self.record.write = None;
        let text = "deleted".to_owned();
        if self.input.desired.is_some() {
            // The manifest came back meanwhile: it is created anew.
            self.record.last_good = None;
            return Flow::Continue(());
        }
        stop(Verdict {
            forget: true,
            ..Verdict::rest(Situation::Deleting(text))
        })
    }

    /// A failure for good: of a rollout's step, or of a delete.
    pub(super) fn failed(&mut self, reason: Reason, message: &str) -> Flow {
        if self.record.rollout.is_some() {
            self.fail_step(reason, message);
            return Flow::Continue(());
        }
        self.hold(super::removal::CONTENT, reason, message.to_owned(), None);
        stop(stalled(reason, message.to_owned()))
    }

    pub(super) fn unreadable(&self, fault: &Fault) -> Verdict {
        let retry = next_retry(
            self.record.retry.as_ref(),
            fault,
            self.input.now,
            self.input.jitter,
        );
        let situation = Situation::Retrying {
            fault: fault.clone(),
            until: retry.not_before,
        };
        Verdict::until(situation, retry.not_before)
    }
}

fn took(write: &Write, present: &Present) -> bool {
    matches!(present.lifecycle, Lifecycle::Ready | Lifecycle::Unhealthy)
        && landed(write, &present.fields)
}

/// The call deletes the resource itself, not one object of a procedure.
fn deletes_all(write: &Write) -> bool {
    write.intent.verb == Verb::Delete && write.intent.object.is_none()
}

/// The fields are as the call wanted them. The resource being there is no landed delete.
pub(super) fn landed(write: &Write, live: &Fields) -> bool {
    !deletes_all(write) && fields::diff(&write.after, live).is_empty()
}

/// The wait after one more failure.
pub(super) fn next_retry(old: Option<&Retry>, fault: &Fault, now: Timestamp, jitter: f64) -> Retry {
    let count = old.map_or(0, |retry| retry.count).saturating_add(1);
    let asked = match fault.kind {
        crate::core::error::FaultKind::Throttled { after } => after,
        crate::core::error::FaultKind::Busy | crate::core::error::FaultKind::InUse => {
            Some(Duration::from_secs(5))
        }
        _ => None,
    };
    let not_before = later(now, backoff::delay(count, jitter, asked));
    Retry {
        count,
        not_before,
        fault: fault.clone(),
    }
}
