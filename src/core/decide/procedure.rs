//! Running a procedure: the gates and the record are those of every rollout, the next call comes
//! from the kind.

use super::rollout::position;
use super::step::step_timeout;
use super::{Desired, Effect, Flow, Run, Verdict, stop};
use crate::api::status::{ChangeStatus, Mutability, Outcome, RollbackScope};
use crate::api::{HumanDuration, Reason};
use crate::core::conditions::Situation;
use crate::core::digest;
use crate::core::fields::{self, Fields};
use crate::core::observed::{Lifecycle, Present};
use crate::core::plan::{Action, Plan};
use crate::core::procedure::{Call, Next, Procedure, Scene};
use crate::core::record::{Intent, Purpose, Rollout, Sealed, Stage, Step, Write};
use crate::core::steps;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often to look while GCP works.
const WAIT: Duration = Duration::from_secs(15);

impl<'a> Run<'a> {
    /// One round of a procedure. `seen`: what was read of its objects.
    pub(super) fn proceed(
        &mut self,
        desired: &Desired<'a>,
        seen: Option<&'a Present>,
    ) -> Flow<Verdict> {
        let present = seen.filter(|seen| (self.input.rules.exists)(seen));
        if let Some(present) = present {
            self.take_over(desired, present)?;
        }
        self.supersede(desired);
        self.leave_plain_rollout();
        let Some(procedure) = self.look(desired, seen) else {
            return stop(self.soon(Situation::Progressing("planning again".to_owned()), 0));
        };
        self.record.object.clone_from(&procedure.object);
        if procedure.next == Next::Done {
            if self.record.rollout.is_none() && self.was_left_unproved(desired) {
                let live = present.map(|present| &present.fields);
                let prior =
                    live.map_or_else(Fields::new, |live| fields::restrict(live, desired.fields));
                self.prove_procedure(desired, prior);
            }
            let none = Fields::new();
            self.conclude_failure(desired, present.map_or(&none, |present| &present.fields))?;
            self.end_procedure(desired)?;
            self.record.owned = true;
            return Flow::Continue(self.up_to_date(desired));
        }
        let plan = procedure_plan(desired.digest, desired.fields, present, &procedure);
        self.plan = Some(plan.clone());
        self.compare(desired, &plan);
        if self.record.rollout.is_none() {
            self.refuse_held(desired)?;
            self.apply_gates(desired, &plan)?;
            let prior =
                present.map_or_else(Fields::new, |p| fields::restrict(&p.fields, desired.fields));
            self.open(
                desired,
                Purpose::Apply,
                plan.steps.clone(),
                prior,
                plan.summary(),
            );
        }
        if procedure.next == Next::Look {
            // A view without the users would take the marks away that they hold.
            self.want_fresh("looking at who uses it")?;
        }
        self.keep_place(&procedure);
        if !matches!(procedure.next, Next::Wait { .. } | Next::Hold { .. }) {
            self.verify_serving(desired)?;
        }
        let none = Fields::new();
        self.conclude_failure(desired, present.map_or(&none, |present| &present.fields))?;
        self.take_procedure_step(desired, present, procedure.next)
    }

    /// What the kind's procedure makes of it; `None`: plain calls do.
    pub(super) fn look(
        &self,
        desired: &Desired<'a>,
        present: Option<&Present>,
    ) -> Option<Procedure> {
        let procedures = self.input.rules.procedures?;
        let none = BTreeMap::new();
        let since = self
            .record
            .rollout
            .as_ref()
            .map_or(&none, |rollout| &rollout.since);
        let policy = &desired.declared.policy;
        let bake = policy
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.bake)
            .unwrap_or_default();
        let nothing = Fields::new();
        let applied = self.record.last_good.as_ref();
        (procedures.change)(&Scene {
            name: &self.record.key.name,
            declared: desired.fields,
            resource: &desired.declared.resource,
            adopted: self.record.adopted,
            live: present,
            since,
            adopt: policy.adopt,
            attempt: self.record.attempt(),
            failed: self.record.failures(desired.digest),
            applied: applied.map_or(&nothing, |good| &good.fields),
            bake: bake.0,
            now: self.input.now,
        })
    }

    /// The procedure has nothing left to do.
    fn end_procedure(&mut self, desired: &Desired<'a>) -> Flow {
        if self.record.rollout.is_some() {
            // The end is told on a fresh read, like every other step.
            self.want_fresh("reading the result back")?;
            self.verify_serving(desired)?;
            self.record.rollout = None;
            self.close_history(Outcome::Succeeded);
            self.normal("RolloutSucceeded", "every step is done");
        }
        Flow::Continue(())
    }

    /// A procedure was under way, and plain calls do now.
    pub(super) fn leave_procedure(&mut self, desired: &Desired<'a>, present: &Present) -> Flow {
        if !self.in_procedure() {
            return Flow::Continue(());
        }
        self.supersede(desired);
        self.conclude_failure(desired, &present.fields)?;
        self.end_procedure(desired)
    }

    pub(super) fn in_procedure(&self) -> bool {
        self.record
            .rollout
            .as_ref()
            .is_some_and(Rollout::is_procedure)
    }

    /// A procedure takes over from plain steps.
    fn leave_plain_rollout(&mut self) {
        if self.record.rollout.is_some() && !self.in_procedure() {
            self.record.rollout = None;
            self.close_history(Outcome::Superseded);
        }
    }

    /// Moves the rollout to where the procedure stands, and remembers since when its marks hold.
    fn keep_place(&mut self, procedure: &Procedure) {
        let now = self.input.now;
        let Some(rollout) = self.record.rollout.as_mut() else {
            return;
        };
        rollout.steps = procedure.steps.iter().cloned().map(Step::Named).collect();
        if rollout.step != procedure.at {
            rollout.step = procedure.at;
            rollout.step_started_at = now;
            rollout.bake_until = None;
            self.record.retry = None;
        }
        let Some(rollout) = self.record.rollout.as_mut() else {
            return;
        };
        rollout
            .since
            .retain(|mark, _| procedure.marks.contains(mark));
        for mark in &procedure.marks {
            rollout.since.entry(mark.clone()).or_insert(now);
        }
    }

    fn take_procedure_step(
        &mut self,
        desired: &Desired<'a>,
        present: Option<&'a Present>,
        next: Next,
    ) -> Flow<Verdict> {
        let Some(rollout) = self.record.rollout.clone() else {
            return stop(self.soon(Situation::Progressing("planning again".to_owned()), 1));
        };
        let place = position(&rollout);
        let own = match &next {
            Next::Wait { limit, .. } => *limit,
            _ => None,
        };
        let limit = step_timeout(
            desired.declared.policy.rollout.as_ref(),
            own.unwrap_or(self.input.timing.step_timeout),
        );
        match next {
            Next::Done | Next::Look => stop(self.soon(Situation::Progressing(place), 1)),
            Next::Broken { reason, message } => {
                self.want_fresh("checking before giving up")?;
                self.fail_step(reason, &message);
                stop(self.soon(Situation::Progressing(message), 0))
            }
            Next::Hold { message, until } => {
                let text = format!("{place}: {message}");
                stop(Verdict::until(Situation::Baking(text), until))
            }
            Next::Wait { message, .. } if self.is_late(limit) => {
                let text = format!("not done within {}: {message}", HumanDuration(limit));
                self.fail_step(Reason::DeadlineExceeded, &text);
                stop(self.soon(Situation::Progressing(text), 0))
            }
            Next::Wait { message, .. } => {
                let text = format!("{place}: {message}");
                let again = self.after(WAIT);
                stop(Verdict::until(Situation::Progressing(text), again))
            }
            Next::Call(call) => {
                let step = rollout.steps.get(rollout.step).map(steps::describe);
                let text = format!("{place}: {}", step.unwrap_or_default());
                self.refuse_read_only(desired, &text)?;
                self.await_start(self.turn().or_else(|| self.referrer()))?;
                if let Some(rollout) = self.record.rollout.clone() {
                    self.measure_before(&rollout)?;
                }
                if self.is_late(limit) {
                    let last = self.record.retry.as_ref();
                    let last =
                        last.map_or_else(String::new, |retry| format!("; last: {}", retry.fault));
                    let text = format!("not done within {}{last}", HumanDuration(limit));
                    self.fail_step(Reason::DeadlineExceeded, &text);
                    return stop(self.soon(Situation::Progressing(text), 0));
                }
                self.make_call(desired, present, *call, text)
            }
        }
    }

    /// A call may change what refers to the resource: not while that is being changed, or must
    /// not be.
    fn referrer(&self) -> Option<Verdict> {
        let situation = Situation::WaitingForDependency(self.input.busy_referrer?.to_owned());
        Some(Verdict::until(situation, self.after(WAIT)))
    }

    pub(super) fn write_of(&self, call: Call) -> Write {
        Write {
            intent: Intent {
                id: format!("{}-{}", self.record.name, self.record.sends + 1),
                key: self.record.key.clone(),
                verb: call.verb,
                object: Some(call.object),
                mask: Vec::new(),
                body: call.body,
                sealed: Sealed::default(),
                prepared_at: self.input.now,
                request: None,
            },
            before: call.before,
            after: call.after,
            stage: Stage::Prepared,
            unclear_since: None,
        }
    }

    fn make_call(
        &mut self,
        desired: &Desired<'a>,
        present: Option<&'a Present>,
        call: Call,
        text: String,
    ) -> Flow<Verdict> {
        self.await_retry()?;
        self.want_fresh("reading the live state before the step")?;
        self.refuse_missing()?;
        if present.is_some_and(|present| present.lifecycle != Lifecycle::Ready) {
            return stop(self.soon(Situation::WaitingForOperation(text), 5));
        }
        let write = self.write_of(call);
        self.refuse_loop(desired, &write)?;
        self.record.sends += 1;
        let revision = self.save_first(desired, present);
        self.normal("StepStarted", &text);
        self.record.write = Some(write);
        Flow::Continue(Verdict::act(
            Situation::Progressing(text),
            Effect::Send(revision),
        ))
    }
}

/// The plan of a procedure: its steps from here on, and the declared fields that differ.
pub fn procedure_plan(
    content: &str,
    declared: &Fields,
    present: Option<&Present>,
    procedure: &Procedure,
) -> Plan {
    let none = Fields::new();
    let live = present.map_or(&none, |present| &present.fields);
    let changes: Vec<ChangeStatus> = fields::diff(declared, live)
        .into_iter()
        .map(|difference| ChangeStatus {
            field: difference.field,
            from: difference.from,
            to: difference.to,
            mutability: Mutability::Reversible,
            disruption: None,
            blocked: None,
        })
        .collect();
    let ahead = procedure.steps.iter().skip(procedure.at).cloned();
    let steps: Vec<Step> = ahead.map(Step::Named).collect();
    let restricted = fields::restrict(live, declared);
    Plan {
        digest: digest::of(&json!({
            "content": content, "live": digest::to_value(&restricted),
            "steps": digest::to_value(&steps),
        })),
        action: if present.is_none() {
            Action::Create
        } else {
            Action::Update
        },
        rollback: if present.is_none() {
            RollbackScope::None
        } else {
            RollbackScope::Full
        },
        disruptive: false,
        changes,
        steps,
    }
}
