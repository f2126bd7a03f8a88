//! One step: the write it needs, the revision before it, and what follows when it landed.

use super::rollout::position;
use super::{Desired, Effect, Flow, Run, Verdict, later, stop};
use crate::api::envelope::RolloutSpec;
use crate::api::{HumanDuration, Reason};
use crate::core::conditions::Situation;
use crate::core::fields::{self, Fields};
use crate::core::observed::Present;
use crate::core::record::{Intent, Revision, Rollout, Sealed, Stage, Step, Verb, Write};
use crate::core::rules::Change;
use crate::core::steps;
use serde_json::Value;
use std::time::Duration;

impl<'a> Run<'a> {
    pub(super) fn take_step(
        &mut self,
        desired: &Desired<'a>,
        rollout: &Rollout,
        step: &Step,
        present: Option<&'a Present>,
    ) -> Flow<Verdict> {
        let limit = step_timeout(
            desired.declared.policy.rollout.as_ref(),
            self.input.timing.step_timeout,
        );
        // Going back honours suspend only: neither windows nor approvals stand in its way. A step that may not
        // start does not time out.
        self.refuse_read_only(
            desired,
            &format!("{}: {}", position(rollout), steps::describe(step)),
        )?;
        if !self.undoing() {
            self.await_turn()?;
        }
        self.measure_before(rollout)?;
        if self.is_late(limit) {
            let last = self
                .record
                .retry
                .as_ref()
                .map_or_else(String::new, |r| format!("; last: {}", r.fault));
            let message = format!("not done within {}{last}", HumanDuration(limit));
            self.fail_step(Reason::DeadlineExceeded, &message);
            return stop(self.soon(Situation::Progressing(message), 0));
        }
        self.await_retry()?;
        self.want_fresh("reading the live state before the step")?;
        self.refuse_missing()?;
        let write = self.write_for(desired, step, present);
        self.refuse_loop(desired, &write)?;
        self.record.sends += 1;
        let revision = self.save_first(desired, present);
        let text = format!("{}: {}", position(rollout), steps::describe(step));
        self.normal("StepStarted", &text);
        self.record.write = Some(write);
        Flow::Continue(Verdict::act(
            Situation::Progressing(text),
            Effect::Send(revision),
        ))
    }

    fn write_for(&self, desired: &Desired<'a>, step: &Step, present: Option<&Present>) -> Write {
        let rules = self.input.rules;
        let live = present.map(|present| &present.fields);
        let (verb, mut sent) = match step {
            Step::Create(fields) => (Verb::Create, fields.clone()),
            Step::Set(fields) => (Verb::Patch, fields.clone()),
            Step::Pause(_) | Step::PauseManual | Step::Named(_) => (Verb::Patch, Fields::new()),
        };
        if let (Verb::Patch, Some(live)) = (verb, live) {
            sent.retain(|field, value| !fields::same(value, live.get(field)));
            let companions: Vec<_> = sent
                .keys()
                .flat_map(|field| rules.companions(field))
                .collect();
            for field in companions {
                if let Some(value) = live.get(field) {
                    sent.entry(field.to_owned())
                        .or_insert_with(|| value.clone());
                }
            }
        }
        let before = live.map_or_else(Fields::new, |live| fields::restrict(live, &sent));
        let encoded = (rules.encode)(&Change {
            verb,
            fields: &sent,
            live: present,
            declared: Some(desired.declared),
        });
        Write {
            intent: Intent {
                id: format!("{}-{}", self.record.name, self.record.sends + 1),
                key: self.record.key.clone(),
                verb,
                object: present.and_then(|present| present.object.clone()),
                mask: encoded.mask,
                body: encoded.body,
                sealed: Sealed::default(),
                prepared_at: self.input.now,
                request: None,
            },
            before,
            after: sent,
            stage: Stage::Prepared,
            unclear_since: None,
        }
    }

    /// Before the first write of an attempt its prior state is saved, in the same transaction.
    pub(super) fn save_first(
        &mut self,
        desired: &Desired<'a>,
        present: Option<&Present>,
    ) -> Option<Box<Revision>> {
        let rollout = self
            .record
            .rollout
            .as_mut()
            .filter(|rollout| rollout.revision == 0)?;
        self.record.revision += 1;
        rollout.revision = self.record.revision;
        let number = self.record.revision;
        self.normal(
            "Saved",
            &format!("the state before this attempt is revision {number}"),
        );
        Some(Box::new(Revision {
            key: self.record.key.clone(),
            number: self.record.revision,
            digest: desired.digest.to_owned(),
            source: desired.declared.origin.revision.clone(),
            at: self.input.now,
            fields: present.map_or_else(Fields::new, |p| p.fields.clone()),
            raw: present.map_or(Value::Null, |p| p.raw.clone()),
        }))
    }

    /// The current step's fields are live: let it bake.
    pub(super) fn landed(&mut self) {
        let bake = self
            .policy()
            .and_then(|policy| policy.rollout.as_ref()?.bake)
            .unwrap_or_default();
        let now = self.input.now;
        self.record.retry = None;
        self.measure_late();
        let Some(rollout) = self.record.rollout.as_mut() else {
            return;
        };
        if let Some(Step::Set(fields) | Step::Create(fields)) = rollout.steps.get(rollout.step) {
            rollout.expected.extend(fields.clone());
        }
        rollout.bake_until = Some(later(now, bake.0));
        rollout.landed_at = Some(now);
        let text = match rollout.steps.get(rollout.step) {
            Some(step) => format!("{}: {}", position(rollout), steps::describe(step)),
            None => position(rollout),
        };
        self.normal("StepLanded", &text);
    }
}

impl Run<'_> {
    /// The step that is under way has had its time.
    pub(super) fn is_late(&self, limit: Duration) -> bool {
        let rollout = self.record.rollout.as_ref();
        rollout.is_some_and(|rollout| later(rollout.step_started_at, limit) <= self.input.now)
    }
}

pub(super) fn step_timeout(spec: Option<&RolloutSpec>, default: Duration) -> Duration {
    spec.and_then(|spec| spec.timeout)
        .map_or(default, |timeout| timeout.0)
}
