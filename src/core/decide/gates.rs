//! Everything that can stand between a difference and a write.

use super::outcome::is_about_others;
use super::rollout::{change_digest, position};
use super::{Desired, Effect, Flow, Hindrance, LOOP_LIMIT, LOOP_WINDOW, PAUSED, Run, Verdict};
use super::{later, stalled, stop};
use crate::api::Reason;
use crate::api::envelope::Approval;
use crate::api::status::Outcome;
use crate::core::conditions::Situation;
use crate::core::digest;
use crate::core::fields::{self, Fields};
use crate::core::observed::Present;
use crate::core::plan::{self, Action, Plan};
use crate::core::record::{Purpose, Step, Write};
use crate::core::steps;
use jiff::Timestamp;

/// Tries of a call that GCP answers with "not found" or "already exists": longer in all than reads
/// are late.
const MISSING_LIMIT: u32 = 8;

impl<'a> Run<'a> {
    /// There is a difference and no rollout: everything that can stand between it and a write.
    pub(super) fn apply(
        &mut self,
        desired: &Desired<'a>,
        plan: &Plan,
        present: Option<&'a Present>,
    ) -> Flow<Verdict> {
        self.apply_gates(desired, plan)?;
        self.start(desired, plan, present);
        self.carry_on_with(desired, present)
    }

    /// The gates in order: first what is for good, then what passes by itself.
    pub(super) fn apply_gates(&mut self, desired: &Desired<'a>, plan: &Plan) -> Flow {
        self.refuse_incomplete(desired, plan)?;
        refuse_blocked(plan)?;
        if self.observes_drift_only(desired) {
            let text = format!("drift: Observe; not written: {}", plan.summary());
            return stop(Verdict::rest(Situation::Drifted(text)));
        }
        self.refuse_read_only(desired, &plan.summary())?;
        self.await_turn()?;
        self.await_approval(desired, plan)?;
        self.await_retry()?;
        self.want_fresh("comparing with the live state")?;
        self.await_settled(&plan.summary())?;
        Flow::Continue(())
    }

    fn refuse_incomplete(&self, desired: &Desired<'a>, plan: &Plan) -> Flow {
        let missing = (self.input.rules.missing_for_create)(desired.fields);
        match missing.filter(|_| plan.action == Action::Create) {
            Some(what) => stop(stalled(
                Reason::InvalidSpec,
                format!("the resource does not exist, and to create it the manifest lacks {what}"),
            )),
            None => Flow::Continue(()),
        }
    }

    /// The same change, over and over: stop and say which fields.
    pub(super) fn refuse_loop(&mut self, desired: &Desired<'a>, write: &Write) -> Flow {
        let Some(repeated) = &self.record.repeated else {
            return Flow::Continue(());
        };
        let same = repeated.digest == change_digest(&write.before, &write.after);
        let recent = later(repeated.last, LOOP_WINDOW) > self.input.now;
        if !same || repeated.count < LOOP_LIMIT || !recent {
            return Flow::Continue(());
        }
        let changes: Vec<_> = fields::diff(&write.after, &write.before)
            .iter()
            .map(|d| {
                let from = d
                    .from
                    .as_ref()
                    .map_or_else(|| "unset".to_owned(), steps::plain);
                format!("{} {from} -> {}", d.field, steps::plain(&d.to))
            })
            .collect();
        let message = format!(
            "the same change was applied {LOOP_LIMIT} times and did not last: {}. Something else \
             sets these fields, or GCP does not keep them; leave them out of the manifest or find \
             the other writer, then `evenkeel rollout retry`",
            changes.join(", ")
        );
        self.record.rollout = None;
        self.close_history(Outcome::Failed);
        self.hold(desired.digest, Reason::DiffLoop, message.clone(), None);
        stop(stalled(Reason::DiffLoop, message))
    }

    pub(super) fn refuse_read_only(&self, desired: &Desired<'a>, summary: &str) -> Flow {
        let why = if let Some(why) = self.input.read_only {
            why.to_owned()
        } else if self.record.paused {
            PAUSED.to_owned()
        } else if desired.declared.policy.suspend {
            "spec.suspend is true".to_owned()
        } else {
            return Flow::Continue(());
        };
        stop(Verdict::rest(Situation::Suspended(format!(
            "{why}; waiting: {summary}"
        ))))
    }

    fn await_approval(&self, desired: &Desired<'a>, plan: &Plan) -> Flow {
        let spec = desired.declared.policy.rollout.as_ref();
        let manual = spec.is_some_and(|spec| spec.approval == Approval::Manual);
        let disruptive = plan.disruptive && !spec.is_some_and(|spec| spec.allow_disruptive);
        if !(manual || disruptive) || self.record.approved.as_deref() == Some(&plan.digest) {
            return Flow::Continue(());
        }
        let why = if disruptive {
            let texts: Vec<_> = plan
                .changes
                .iter()
                .filter_map(|c| c.disruption.clone())
                .collect();
            format!("disruptive ({})", texts.join("; "))
        } else {
            "approval: Manual".to_owned()
        };
        let message = format!(
            "{}: {why}. Look with `evenkeel plan`, then `evenkeel rollout approve {}/{}` (plan {})",
            plan.summary(),
            self.record.key.kind.short_name(),
            self.record.name,
            digest::short(&plan.digest),
        );
        stop(Verdict::rest(Situation::AwaitingApproval(message)))
    }

    /// What stands outside of the resource: references, phases, windows, budgets.
    pub(super) fn await_turn(&mut self) -> Flow {
        self.await_start(self.turn())
    }

    /// The time of a step begins when nothing outside of the resource hinders it any more.
    pub(super) fn await_start(&mut self, hindrance: Option<Verdict>) -> Flow {
        if let Some(rollout) = self.record.rollout.as_mut() {
            if rollout.hindered && hindrance.is_none() {
                rollout.step_started_at = self.input.now;
            }
            rollout.hindered = hindrance.is_some();
        }
        hindrance.map_or(Flow::Continue(()), stop)
    }

    pub(super) fn turn(&self) -> Option<Verdict> {
        Some(match self.input.hindrance?.clone() {
            Hindrance::Dependency(what) => Verdict::rest(Situation::WaitingForDependency(what)),
            Hindrance::Window(what, until) => {
                Verdict::until(Situation::WaitingForWindow(what), until)
            }
            Hindrance::Budget(what) => self.soon(Situation::WaitingForBudget(what), 5),
        })
    }

    pub(super) fn await_retry(&self) -> Flow {
        match &self.record.retry {
            Some(retry) if retry.not_before > self.input.now => {
                let fault = retry.fault.clone();
                let until = retry.not_before;
                stop(Verdict::until(Situation::Retrying { fault, until }, until))
            }
            _ => Flow::Continue(()),
        }
    }

    /// GCP keeps saying that something is missing, or taken, and it is not the resource itself.
    pub(super) fn refuse_missing(&mut self) -> Flow {
        let Some(retry) = self.record.retry.as_ref() else {
            return Flow::Continue(());
        };
        if retry.count < MISSING_LIMIT || !is_about_others(&retry.fault) {
            return Flow::Continue(());
        }
        let text = format!("GCP: {}", retry.fault);
        self.fail_step(Reason::InvalidSpec, &text);
        stop(self.soon(Situation::Progressing(text), 0))
    }

    /// Writes are decided on a fresh read only.
    pub(super) fn want_fresh(&self, doing: &str) -> Flow {
        if self.input.observed.fresh {
            return Flow::Continue(());
        }
        stop(Verdict::act(
            Situation::Progressing(doing.to_owned()),
            Effect::Observe,
        ))
    }

    /// Shortly after a write of ours, a differing read may just be late.
    pub(super) fn await_settled(&self, summary: &str) -> Flow {
        match self.settling_until() {
            Some(until) => {
                let text = format!("a change just landed; looking again before: {summary}");
                stop(Verdict::until(Situation::Progressing(text), until))
            }
            None => Flow::Continue(()),
        }
    }

    fn settling_until(&self) -> Option<Timestamp> {
        let until = later(self.record.settled_at?, self.input.timing.read_settle);
        (until > self.input.now).then_some(until)
    }

    /// The live state moved to where this rollout did not bring it.
    pub(super) fn refuse_foreign(
        &mut self,
        desired: &Desired<'a>,
        live: &Fields,
        exists: bool,
    ) -> Flow {
        let Some(rollout) = &self.record.rollout else {
            return Flow::Continue(());
        };
        let creating = matches!(rollout.steps.get(rollout.step), Some(Step::Create(_)));
        if fields::diff(&rollout.expected, live).is_empty() || (creating && !exists) {
            return Flow::Continue(());
        }
        // Where this very step leads: a call of ours did it, whatever its operation came to.
        let mut ahead = rollout.expected.clone();
        if let Some(Step::Set(wanted)) = rollout.steps.get(rollout.step) {
            ahead.extend(wanted.clone());
        }
        // A read that is late may show only now where the failed step led.
        let mut late = rollout.expected.clone();
        late.extend(rollout.late.clone());
        if [ahead, late]
            .iter()
            .any(|ours| fields::diff(ours, live).is_empty())
        {
            return Flow::Continue(());
        }
        // Already where the rollout leads: nothing is lost by going on.
        if !self.undoing() && fields::diff(desired.fields, live).is_empty() {
            return Flow::Continue(());
        }
        self.want_fresh("checking a change that evenkeel did not make")?;
        self.await_settled("the next step")?;
        let moved: Vec<_> = fields::diff(&rollout.expected, live)
            .iter()
            .map(|d| {
                let found = d
                    .from
                    .as_ref()
                    .map_or_else(|| "unset".to_owned(), steps::plain);
                format!("{} is {found}, was {}", d.field, steps::plain(&d.to))
            })
            .collect();
        let message = format!(
            "somebody else changed the resource during the rollout, at {}: {}. Nothing more is \
             written; `evenkeel rollout retry` plans again from the live state",
            position(rollout),
            moved.join(", ")
        );
        let drift = rollout.purpose == Purpose::Drift;
        self.record.rollout = None;
        self.close_history(Outcome::Failed);
        if drift {
            self.warn("ForeignChange", &message);
            return stop(self.soon(Situation::Progressing(message), 1));
        }
        self.hold(desired.digest, Reason::ForeignChange, message.clone(), None);
        stop(stalled(Reason::ForeignChange, message))
    }
}

/// A change that GCP does not make in place stops the whole plan, with the way out.
fn refuse_blocked(plan: &Plan) -> Flow {
    let texts: Vec<_> = plan
        .blocked()
        .map(|(change, why)| format!("{}: {why}", plan::change_text(change)))
        .collect();
    if texts.is_empty() {
        return Flow::Continue(());
    }
    let message = format!("nothing was written. {}", texts.join("; "));
    let irreversible = plan.blocked().any(|(change, _)| {
        plan::is_irreversible(change.mutability, change.from.as_ref(), &change.to)
    });
    let reason = if irreversible {
        Reason::IrreversibleChange
    } else {
        Reason::InvalidSpec
    };
    stop(stalled(reason, message))
}
