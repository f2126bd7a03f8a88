//! Rollouts: start, step, bake, finish, fail, go back.

use super::HISTORY_LIMIT;
use super::outcome::is_about_others;
use super::{Desired, Flow, Run, Verdict, later, stop};
use crate::api::Reason;
use crate::api::envelope::RolloutSpec;
use crate::api::status::{HistoryEntry, Outcome};
use crate::core::conditions::Situation;
use crate::core::digest;
use crate::core::fields::{self, Fields};
use crate::core::observed::{Lifecycle, Present};
use crate::core::plan::{Action, Plan};
use crate::core::record::{Purpose, Rollout, Step};
use crate::core::steps;
use serde_json::{Value, json};
use std::time::Duration;

impl<'a> Run<'a> {
    /// New content, or new rollout settings, end the rollout that runs. Its call was settled
    /// before; the next plan starts from live.
    pub(super) fn supersede(&mut self, desired: &Desired<'a>) {
        let Some(rollout) = &self.record.rollout else {
            return;
        };
        let what = if rollout.digest != desired.digest {
            "new content"
        } else if rollout.purpose == Purpose::Apply
            // What was refused stays refused, whatever the settings.
            && rollout.failure.is_none()
            && rollout.strategy != strategy(desired.declared.policy.rollout.as_ref())
        {
            "new rollout settings"
        } else if matches!(rollout.purpose, Purpose::Apply | Purpose::Drift)
            && rollout.failure.is_none()
            && !rollout.resolved.is_empty()
            && rollout.resolved != digest::fields(desired.fields)
        {
            "another name of what it refers to"
        } else {
            return;
        };
        let at = position(rollout);
        self.record.rollout = None;
        // What the former content lacked says nothing about this one.
        self.record.retry = self
            .record
            .retry
            .take()
            .filter(|retry| !is_about_others(&retry.fault));
        self.close_history(Outcome::Superseded);
        self.normal(
            "Superseded",
            &format!("{what} arrived at {at}; planning again from live"),
        );
    }

    pub(super) fn start(&mut self, desired: &Desired<'a>, plan: &Plan, present: Option<&Present>) {
        let drift = plan.action == Action::Update && self.reached(desired);
        let prior =
            present.map_or_else(Fields::new, |p| fields::restrict(&p.fields, desired.fields));
        let steps = if drift {
            steps::single(&fields::diff(desired.fields, &prior))
        } else {
            plan.steps.clone()
        };
        let purpose = if drift {
            Purpose::Drift
        } else {
            Purpose::Apply
        };
        self.open(desired, purpose, steps, prior, plan.summary());
    }

    /// Opens a rollout and its line of history.
    pub(super) fn open(
        &mut self,
        desired: &Desired<'a>,
        purpose: Purpose,
        steps: Vec<Step>,
        prior: Fields,
        summary: String,
    ) {
        let now = self.input.now;
        let attempts = self
            .record
            .history
            .iter()
            .filter(|h| h.digest == desired.digest)
            .count();
        let started = match purpose {
            Purpose::Apply => format!("{} step(s): {summary}", steps.len()),
            Purpose::Drift => format!("correcting drift: {summary}"),
            Purpose::Rollback { to, .. } => format!("going back to revision {to}: {summary}"),
            Purpose::Undo { to } => format!("undo to revision {to}: {summary}"),
        };
        self.record.rollout = Some(Rollout {
            digest: desired.digest.to_owned(),
            strategy: strategy(desired.declared.policy.rollout.as_ref()),
            resolved: digest::fields(desired.fields),
            source: desired.declared.origin.revision.clone(),
            purpose,
            attempt: u32::try_from(attempts)
                .unwrap_or(u32::MAX)
                .saturating_add(1),
            revision: 0,
            steps,
            step: 0,
            step_started_at: now,
            bake_until: None,
            expected: prior.clone(),
            prior,
            late: Fields::new(),
            started_at: now,
            failure: None,
            hindered: false,
            since: std::collections::BTreeMap::new(),
            gates: Vec::new(),
            landed_at: None,
        });
        self.record.approved = None;
        if purpose == Purpose::Apply {
            self.record.verified = None;
        }
        self.record.history.push(HistoryEntry {
            revision: self.record.revision + 1,
            digest: desired.digest.to_owned(),
            source: desired.declared.origin.revision.clone(),
            summary,
            outcome: Outcome::Running,
            started_at: now,
            finished_at: None,
        });
        let excess = self.record.history.len().saturating_sub(HISTORY_LIMIT);
        self.record.history.drain(..excess);
        self.normal("RolloutStarted", &started);
    }

    pub(super) fn close_history(&mut self, outcome: Outcome) {
        let now = self.input.now;
        if let Some(entry) = self
            .record
            .history
            .last_mut()
            .filter(|entry| entry.outcome == Outcome::Running)
        {
            entry.outcome = outcome;
            entry.finished_at = Some(now);
        }
    }

    pub(super) fn carry_on(
        &mut self,
        desired: &Desired<'a>,
        present: &'a Present,
    ) -> Flow<Verdict> {
        let plan = self.plan_for(desired, Some(&present.fields));
        if !self.undoing() {
            self.compare(desired, &plan);
            self.fail_unhealthy(present)?;
        }
        self.carry_on_with(desired, Some(present))
    }

    /// What the current step wrote is live, and the resource does not work with it.
    fn fail_unhealthy(&mut self, present: &Present) -> Flow {
        if present.lifecycle != Lifecycle::Unhealthy {
            return Flow::Continue(());
        }
        let landed = self.record.rollout.as_ref().is_some_and(|rollout| {
            rollout.failure.is_none()
                && match rollout.steps.get(rollout.step) {
                    Some(Step::Set(wanted) | Step::Create(wanted)) => {
                        fields::diff(wanted, &present.fields).is_empty()
                    }
                    Some(Step::Pause(_) | Step::PauseManual) => true,
                    Some(Step::Named(_)) | None => false,
                }
        });
        if landed {
            self.want_fresh("checking a resource that does not work")?;
            self.fail_step(Reason::ResourceFailed, &present.state);
        }
        Flow::Continue(())
    }

    /// One round of the running rollout. `None`: the resource is still to be created.
    pub(super) fn carry_on_with(
        &mut self,
        desired: &Desired<'a>,
        present: Option<&'a Present>,
    ) -> Flow<Verdict> {
        let empty = Fields::new();
        let live = present.map_or(&empty, |present| &present.fields);
        self.conclude_failure(desired, live)?;
        self.refuse_foreign(desired, live, present.is_some())?;
        loop {
            let Some(rollout) = self.record.rollout.clone() else {
                return self.after_rollout(desired, live);
            };
            let Some(step) = rollout.steps.get(rollout.step) else {
                self.finish(&rollout);
                continue;
            };
            if let Some(until) = rollout.bake_until {
                self.verify(desired, &rollout, until)?;
                self.advance();
                continue;
            }
            if !self.undoing() && self.skip_to_the_end(desired, &rollout, live) {
                continue;
            }
            match step {
                Step::Pause(millis) => {
                    let until = later(rollout.step_started_at, Duration::from_millis(*millis));
                    if until > self.input.now {
                        let text = format!("{}: pause until {until:.0}", position(&rollout));
                        return stop(Verdict::until(Situation::Baking(text), until));
                    }
                    self.advance();
                }
                Step::PauseManual => {
                    let text = format!("{}: `evenkeel rollout resume` goes on", position(&rollout));
                    return stop(Verdict::rest(Situation::AwaitingPromotion(text)));
                }
                Step::Set(wanted) if fields::diff(wanted, live).is_empty() => self.landed(),
                Step::Create(_) if present.is_some() => self.landed(),
                Step::Set(_) | Step::Create(_) | Step::Named(_) => {
                    return self.take_step(desired, &rollout, step, present);
                }
            }
        }
    }

    /// Somebody else has brought live to where the remaining steps lead: only the last bake is left.
    fn skip_to_the_end(&mut self, desired: &Desired<'_>, rollout: &Rollout, live: &Fields) -> bool {
        let last = rollout.steps.len() - 1;
        let mut goal = desired.fields.clone();
        for step in &rollout.steps[rollout.step..] {
            match step {
                Step::Set(fields) => goal.extend(fields.clone()),
                Step::Pause(_) | Step::PauseManual => {}
                Step::Create(_) | Step::Named(_) => return false,
            }
        }
        if rollout.step == last || !fields::diff(&goal, live).is_empty() {
            return false;
        }
        let text = format!("{}: live is as declared already", position(rollout));
        if let Some(rollout) = self.record.rollout.as_mut() {
            rollout.step = last;
            rollout.step_started_at = self.input.now;
        }
        self.normal("StepsSkipped", &text);
        true
    }

    pub(super) fn advance(&mut self) {
        let now = self.input.now;
        if let Some(rollout) = self.record.rollout.as_mut() {
            rollout.step += 1;
            rollout.step_started_at = now;
            rollout.bake_until = None;
            rollout.landed_at = None;
            // The way back is judged by what was before the change.
            if matches!(rollout.purpose, Purpose::Apply | Purpose::Drift) {
                rollout.gates.clear();
            }
        }
    }

    fn finish(&mut self, rollout: &Rollout) {
        self.record.rollout = None;
        match rollout.purpose {
            Purpose::Apply | Purpose::Drift => {
                self.close_history(Outcome::Succeeded);
                self.normal(
                    "RolloutSucceeded",
                    &format!("all {} step(s) landed", rollout.steps.len()),
                );
            }
            Purpose::Undo { to } => self.went_back(to, None),
            Purpose::Rollback { to, because } => self.went_back(to, Some(because)),
        }
    }

    fn after_rollout(&mut self, desired: &Desired<'a>, live: &Fields) -> Flow<Verdict> {
        let plan = self.plan_for(desired, Some(live));
        if plan.changes.is_empty() {
            return Flow::Continue(self.up_to_date(desired));
        }
        self.refuse_held(desired)?;
        // Something is still different: the next decision plans anew.
        stop(self.soon(
            Situation::Progressing(format!("still differs: {}", plan.summary())),
            1,
        ))
    }
}

/// `step 2/5`.
pub(super) fn position(rollout: &Rollout) -> String {
    format!(
        "step {}/{}",
        (rollout.step + 1).min(rollout.steps.len()),
        rollout.steps.len()
    )
}

/// Digest of the settings that steps are made from.
fn strategy(spec: Option<&RolloutSpec>) -> String {
    digest::of(&match spec {
        Some(spec) => json!({"maxStep": spec.max_step, "steps": digest::to_value(&spec.steps)}),
        None => Value::Null,
    })
}

/// What makes two changes the same change.
pub(super) fn change_digest(before: &Fields, after: &Fields) -> String {
    let after: Fields = after
        .iter()
        .filter(|(f, v)| before.get(*f) != Some(v))
        .map(|(f, v)| (f.clone(), v.clone()))
        .collect();
    let before = fields::restrict(before, &after);
    digest::of(&json!({"before": digest::to_value(&before), "after": digest::to_value(&after)}))
}
