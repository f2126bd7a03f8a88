//! After a failed step: hold the content, and go back where that is asked for and possible.

use super::rollout::position;
use super::{Desired, Flow, Run, stalled, stop};
use crate::api::Reason;
use crate::api::envelope::OnFailure;
use crate::api::status::Outcome;
use crate::core::fields::{self, Fields};
use crate::core::gate;
use crate::core::plan;
use crate::core::record::{Failure, Purpose, Rollout, Step};

/// How content that failed gets another chance.
pub(super) const WAY_OUT: &str =
    "Commit other content, or `evenkeel rollout retry` to send it again";

impl<'a> Run<'a> {
    /// Marks the current step as failed; what follows needs a fresh look at live.
    pub(super) fn fail_step(&mut self, reason: Reason, message: &str) {
        if let Some(rollout) = self.record.rollout.as_mut() {
            let message = format!("{}: {message}", position(rollout));
            rollout.failure = Some(Failure { reason, message });
        }
    }

    /// After a failed step: hold the content, and go back where that is asked for and possible.
    pub(super) fn conclude_failure(&mut self, desired: &Desired<'a>, live: &Fields) -> Flow {
        let Some(rollout) = self.record.rollout.clone() else {
            return Flow::Continue(());
        };
        let Some(failure) = rollout.failure.clone() else {
            return Flow::Continue(());
        };
        self.want_fresh("reading the live state after a failed step")?;
        self.record.rollout = None;
        self.record.retry = None;
        self.close_history(Outcome::Failed);
        if let Purpose::Rollback { .. } | Purpose::Undo { .. } = rollout.purpose {
            let message = format!("going back failed: {}", failure.message);
            self.hold(
                desired.digest,
                Reason::RollbackFailed,
                message.clone(),
                None,
            );
            return stop(stalled(Reason::RollbackFailed, message));
        }
        let message = format!("{}. {WAY_OUT}", failure.message);
        self.hold(desired.digest, failure.reason, message.clone(), None);
        // A procedure leaves the old state in place until the new one is proved.
        if !rollout.is_procedure() && self.may_go_back(desired, failure.reason) {
            self.go_back(desired, &rollout, failure.reason, live);
        }
        if self.record.rollout.is_some() {
            return Flow::Continue(());
        }
        stop(stalled(failure.reason, message))
    }

    fn may_go_back(&self, desired: &Desired<'_>, reason: Reason) -> bool {
        let on_failure = desired
            .declared
            .policy
            .rollout
            .as_ref()
            .map(|spec| spec.on_failure);
        on_failure.unwrap_or_default() == OnFailure::Rollback
            // A caller that may not write may not write back either.
            && reason != Reason::PermissionDenied
            && !self.record.has_gone_back(desired.digest)
    }

    fn go_back(&mut self, desired: &Desired<'a>, failed: &Rollout, because: Reason, live: &Fields) {
        let staging = self.input.rules.staging;
        let staged = staging.and_then(|staging| (staging.back)(&failed.steps, &failed.prior, live));
        let saved = staged.unwrap_or_else(|| self.saved(failed));
        let (back, stuck) = plan::way_back(self.input.rules, &saved, live);
        if !stuck.is_empty() {
            let texts: Vec<_> = stuck.iter().map(plan::change_text).collect();
            self.warn(
                "PartialRollback",
                &format!("cannot go back in place: {}", texts.join(", ")),
            );
        }
        if back.is_empty() {
            return;
        }
        self.record.go_back_from(desired.digest);
        let texts: Vec<_> = back.iter().map(plan::change_text).collect();
        let target = back
            .into_iter()
            .map(|change| (change.field, change.to))
            .collect();
        let purpose = Purpose::Rollback {
            to: failed.revision,
            because,
        };
        let now_live = fields::restrict(live, desired.fields);
        self.open(
            desired,
            purpose,
            vec![Step::Set(target)],
            now_live,
            texts.join(", "),
        );
        // Back to what was before the change, which need not be green.
        if let Some(rollout) = self.record.rollout.as_mut() {
            if let Some(Step::Set(fields)) = failed.steps.get(failed.step) {
                rollout.late.clone_from(fields);
            }
            rollout.gates = gate::again(&failed.gates);
        }
    }

    /// The last good values of the fields that were there when the rollout started.
    fn saved(&self, failed: &Rollout) -> Fields {
        let mut saved = failed.prior.clone();
        if let Some(good) = &self.record.last_good {
            saved.extend(good.fields.clone());
        }
        saved.retain(|field, _| failed.prior.contains_key(field));
        saved
    }

    pub(super) fn went_back(&mut self, to: i64, because: Option<Reason>) {
        self.close_history(if because.is_some() {
            Outcome::RolledBack
        } else {
            Outcome::Succeeded
        });
        let text = format!("went back to revision {to}, as far as fields go back");
        self.normal("RolledBack", &text);
        if let Some(held) = self.record.held.as_mut() {
            held.rolled_back_to = Some(to);
            held.reason = Reason::RolledBack;
            held.message = crate::core::conditions::bounded(format!("{text}. {}", held.message));
        }
    }
}
