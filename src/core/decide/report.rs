//! The last stage: status from the situation.

use super::{Decision, Effect, Run, Verdict, settle};
use crate::api::status::{EXPIRE_TIME, HeldStatus, RolloutStatus};
use crate::api::{ConditionStatus, ConditionType, Reason};
use crate::core::conditions::{self, Own, Situation};
use crate::core::fields;
use crate::core::gate::Gate;
use crate::core::observed::Live;
use crate::core::plan::Plan;
use crate::core::saturation;
use crate::core::steps;

/// Attempts shown in status; the record keeps more.
const HISTORY_SHOWN: usize = 5;

impl Run<'_> {
    pub(super) fn conclude(mut self, verdict: Verdict) -> Decision {
        let looks = matches!(
            verdict.effect,
            Some(Effect::Observe | Effect::Poll(_) | Effect::FindOperations | Effect::FindUsers)
        );
        // A look leaves the status alone: it is followed by another decision at once.
        if !looks {
            self.report(&verdict.situation);
        }
        Decision {
            record: self.record,
            effect: verdict.effect,
            requeue: verdict.requeue,
            events: self.events,
            handled: self.handled,
            forget: verdict.forget,
            situation: verdict.situation,
        }
    }

    /// Why the end of what is served is near. What cannot be read now is as it was.
    fn expiring(&self) -> Option<(Reason, String)> {
        self.input.desired?;
        match &self.input.observed.live {
            Live::Present(present) => present.expiry.as_ref()?.warning(self.input.now),
            Live::Absent => None,
            Live::Unknown(_) => {
                let known = self.record.status.condition(ConditionType::Expiring)?;
                Some((known.reason, known.message.clone()))
            }
        }
    }

    /// How full it is. What was not measured now is as it was.
    fn saturated(&mut self) -> Option<(Reason, String)> {
        let gone = matches!(self.input.observed.live, Live::Absent);
        let status = &mut self.record.status;
        match self.input.saturation {
            _ if gone || self.input.desired.is_none() => status.saturation = None,
            Some(measured) => status.saturation = Some(Box::new(measured.clone())),
            None => {}
        }
        saturation::condition(status.saturation.as_deref()?)
    }

    /// An event for each threshold: the words of an expiry change there only, and the numbers of a
    /// saturation do not matter.
    fn tell(&mut self, own: &[Own]) {
        // What the checks say is told as it happens.
        let told = |(kind, ..): &&Own| *kind != ConditionType::Verified;
        for (kind, _, reason, message) in own.iter().filter(told) {
            let known = self.record.status.condition(*kind);
            let told = known.is_some_and(|known| match kind {
                ConditionType::Saturated => known.reason == *reason,
                _ => known.message == *message,
            });
            if !told {
                self.warn(reason.as_str(), message);
            }
        }
    }

    /// The conditions that only some resources have.
    fn own(&mut self, situation: &Situation) -> Vec<Own> {
        let expiring = self.expiring().map(|fact| (ConditionType::Expiring, fact));
        let saturated = self
            .saturated()
            .map(|fact| (ConditionType::Saturated, fact));
        let near = expiring.into_iter().chain(saturated);
        let near =
            near.map(|(kind, (reason, message))| (kind, ConditionStatus::True, reason, message));
        self.verified(situation).into_iter().chain(near).collect()
    }

    fn report(&mut self, situation: &Situation) {
        let generation = self.record.generation;
        let own = self.own(situation);
        self.tell(&own);
        let conditions = conditions::compute(
            &self.record.status.conditions,
            situation,
            &self.drift,
            own,
            generation,
            self.input.now,
        );
        let record = &mut self.record;
        let gcp_name = record
            .object
            .is_some()
            .then(|| record.gcp_name().to_owned());
        let status = &mut record.status;
        status.observed_generation = generation;
        status.conditions = conditions;
        if let Some(desired) = self.input.desired {
            status
                .source_revision
                .clone_from(&desired.declared.origin.revision);
            if let Live::Present(present) = &self.input.observed.live {
                let mut shown = fields::restrict(&present.fields, desired.fields);
                let besides = |field: &str| {
                    let mut begins = self.input.rules.shown.iter();
                    begins.any(|begin| field.starts_with(begin))
                };
                let besides = present.fields.iter().filter(|(field, _)| besides(field));
                shown.extend(besides.map(|(field, value)| (field.clone(), value.clone())));
                status.observed = fields::unflatten(&shown);
                // Some APIs have no word for the lifecycle.
                if !present.state.is_empty() {
                    let state = present.state.clone().into();
                    status.observed.insert("state".to_owned(), state);
                }
                if let Some(name) = gcp_name {
                    status.observed.insert("name".to_owned(), name.into());
                }
                if let Some(expiry) = &present.expiry {
                    let at = expiry.at.to_string().into();
                    status.observed.insert(EXPIRE_TIME.to_owned(), at);
                }
            }
        }
        if matches!(self.input.observed.live, Live::Absent) {
            status.observed.clear();
        }
        status.plan = self
            .plan
            .as_ref()
            .filter(|plan| !plan.is_empty())
            .map(Plan::status);
        status.rollout = record.rollout.as_ref().map(|rollout| RolloutStatus {
            attempt: rollout.attempt,
            step: (rollout.step + 1).min(rollout.steps.len()),
            steps: rollout.steps.len(),
            doing: rollout
                .steps
                .get(rollout.step)
                .map(steps::describe)
                .unwrap_or_default(),
            step_started_at: rollout.step_started_at,
            bake_until: rollout.bake_until,
            operation: settle::running_operation(record.write.as_ref()),
            checks: rollout.gates.iter().map(Gate::status).collect(),
        });
        status.last_good = record.last_good.as_ref().map(|good| good.at.clone());
        status.held = record.held.as_ref().map(|held| HeldStatus {
            digest: held.digest.clone(),
            reason: held.reason,
            since: held.since,
            rolled_back_to: held.rolled_back_to,
        });
        let shown = record.history.len().saturating_sub(HISTORY_SHOWN);
        status.history = record.history[shown..].to_vec();
    }
}
