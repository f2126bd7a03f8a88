//! A call of unknown fate: a lost reply, or a process that died.

use super::settle::landed;
use super::{Effect, Flow, Run, Verdict, later, stop};
use crate::api::Reason;
use crate::core::fields::{self, Fields};
use crate::core::observed::{Lifecycle, Live, Operation, Present};
use crate::core::record::{Stage, Verb, Write};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// GCP's clock and ours may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

impl Run<'_> {
    /// Nobody knows whether the call landed: look at the operations and at the fields.
    pub(super) fn recover(&mut self, write: &Write, since: Timestamp) -> Flow {
        let doing = self.doing(write, "finding out whether the last call landed");
        if !self.input.observed.fresh {
            return stop(Verdict::act(doing, Effect::Observe));
        }
        let operations = match self.input.operations {
            None => return stop(Verdict::act(doing, Effect::FindOperations)),
            Some(Err(fault)) => return stop(self.unreadable(fault)),
            Some(Ok(operations)) => operations,
        };
        if let Some(operation) = self.ours(write, operations) {
            let name = operation.name.clone();
            self.normal("OperationAdopted", &format!("the call had landed: {name}"));
            // Without an id of the request its time is all that tells it.
            let unclear = write.intent.request.is_none().then_some(since);
            return self.accepted(name, unclear);
        }
        match &self.input.observed.live {
            Live::Unknown(_) => stop(self.soon(doing, 2)),
            Live::Absent if write.intent.verb == Verb::Create => {
                self.send_again_after(write, since, operations)
            }
            Live::Absent => {
                // It may have been somebody else's delete, with ours still on its way: nothing may
                // be created under it.
                self.wait_out(write, since)?;
                match write.intent.verb {
                    Verb::Delete => self.finished(),
                    Verb::Create | Verb::Patch => self.give_up("the resource is gone"),
                }
            }
            Live::Present(present) => self.recover_present(write, since, operations, present),
        }
    }

    fn recover_present(
        &mut self,
        write: &Write,
        since: Timestamp,
        operations: &[Operation],
        present: &Present,
    ) -> Flow {
        if matches!(present.lifecycle, Lifecycle::Busy | Lifecycle::Deleting) {
            let doing = self.doing(write, "GCP works on the resource");
            return stop(self.soon(doing, 2));
        }
        let now_live = fields::restrict(&present.fields, &write.after);
        match write.intent.verb {
            _ if landed(write, &present.fields) => {
                // Without an operation another's change may have done it, with ours still on its way.
                self.wait_out(write, since)?;
                self.finished()
            }
            Verb::Patch if now_live == write.before => {
                self.send_again_after(write, since, operations)
            }
            _ if write.intent.object.is_some() && now_live == write.before => {
                self.send_again_after(write, since, operations)
            }
            Verb::Delete => self.send_again_after(write, since, operations),
            Verb::Patch | Verb::Create => {
                self.wait_out(write, since)?;
                self.give_up(&format!(
                    "live is neither as before nor as wanted: {}",
                    list(&now_live)
                ))
            }
        }
    }

    /// The newest operation on this resource, if GCP took it after the call was written down.
    fn ours<'o>(&self, write: &Write, operations: &'o [Operation]) -> Option<&'o Operation> {
        let earliest = write
            .intent
            .prepared_at
            .saturating_sub(SKEW)
            .unwrap_or(Timestamp::MIN);
        self.newest(operations)
            .filter(|operation| operation.created.is_none_or(|created| created >= earliest))
    }

    /// The newest operation on this resource, if it is not the last one known. By GCP's clock
    /// alone: ours may be wrong by hours.
    fn newest<'o>(&self, operations: &'o [Operation]) -> Option<&'o Operation> {
        let known = self.record.last_operation.as_deref();
        let on_it = operations
            .iter()
            .filter(|operation| self.is_target(operation));
        on_it
            .max_by_key(|operation| operation.created)
            .filter(|operation| known != Some(&operation.name))
    }

    fn is_target(&self, operation: &Operation) -> bool {
        operation.target.as_deref() == Some(self.input.target)
    }

    /// Continues once no request of ours can be under way any more.
    fn wait_out(&self, write: &Write, since: Timestamp) -> Flow {
        let safe = later(since, self.input.timing.resend_after);
        if safe <= self.input.now {
            return Flow::Continue(());
        }
        let doing = self.doing(write, "no trace of the last call yet");
        let soon = later(self.input.now, Duration::from_secs(5));
        stop(Verdict::until(doing, safe.min(soon)))
    }

    /// The call did not land, as far as can be seen: send it again.
    fn send_again_after(
        &mut self,
        write: &Write,
        since: Timestamp,
        operations: &[Operation],
    ) -> Flow {
        self.wait_out(write, since)?;
        // Better to read somebody else's result back than to send a call twice.
        if let Some(operation) = self.newest(operations) {
            let name = operation.name.clone();
            self.normal(
                "OperationAdopted",
                &format!("the call may have landed: {name}"),
            );
            return self.accepted(name, None);
        }
        self.record.write = None;
        self.normal("NotLanded", "the last call left no trace; it is made anew");
        Flow::Continue(())
    }

    fn give_up(&mut self, what: &str) -> Flow {
        self.record.write = None;
        let message = format!("it cannot be told whether the last call landed: {what}");
        self.failed(Reason::AmbiguousOperation, &message)
    }

    fn accepted(&mut self, operation: String, unclear_since: Option<Timestamp>) -> Flow {
        if let Some(write) = self.record.write.as_mut() {
            self.record.last_operation = Some(operation.clone());
            write.stage = Stage::Accepted { operation };
            write.unclear_since = unclear_since;
        }
        self.settle()
    }

    /// The operation that was found may be another's and have come to nothing while ours is still on
    /// its way.
    pub(super) fn wait_for_own(&self, write: &Write) -> Flow {
        match write.unclear_since {
            Some(since) => self.wait_out(write, since),
            None => Flow::Continue(()),
        }
    }
}

fn list(fields: &Fields) -> String {
    let parts: Vec<_> = fields
        .iter()
        .map(|(f, v)| format!("{f} {}", super::super::steps::plain(v)))
        .collect();
    parts.join(", ")
}
