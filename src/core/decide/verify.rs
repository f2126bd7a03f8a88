//! Verified steps: the checks before a step, and the judgement after it.

use super::rollback::WAY_OUT;
use super::rollout::position;
use super::step::step_timeout;
use super::{Desired, Flow, Run, Verdict, later, stalled, stop};
use crate::api::status::Outcome as Ended;
use crate::api::{ConditionStatus, ConditionType, Reason, Verify, VerifyMode};
use crate::core::check::HoldReason;
use crate::core::conditions::{Own, Situation, bounded};
use crate::core::fields;
use crate::core::gate::{self, Gate, Look, Outcome};
use crate::core::observed::Present;
use crate::core::procedure::SERVING;
use crate::core::record::{Purpose, Rollout, Step, Verified};
use jiff::Timestamp;

impl<'a> Run<'a> {
    /// The checks that judge this rollout: those of new content.
    fn verifies(&self, rollout: &Rollout) -> &'a [Verify] {
        let spec = self.policy().and_then(|policy| policy.rollout.as_ref());
        match rollout.purpose {
            Purpose::Apply => spec.map_or(&[], |spec| &spec.verify),
            Purpose::Drift | Purpose::Rollback { .. } | Purpose::Undo { .. } => &[],
        }
    }

    /// Right before a step: what its checks say now. The wait for that is not the step's own time.
    pub(super) fn measure_before(&mut self, rollout: &Rollout) -> Flow {
        let verify = self.verifies(rollout);
        if verify.is_empty() || !rollout.gates.is_empty() {
            return Flow::Continue(());
        }
        let since = rollout.step_started_at;
        match gate::baseline(verify, self.input.gauges, since, self.input.now) {
            Ok(gates) => {
                if let Some(rollout) = self.record.rollout.as_mut() {
                    rollout.gates = gates;
                    rollout.step_started_at = self.input.now;
                }
                Flow::Continue(())
            }
            Err(unmeasured) => {
                let text = format!("{}: {}", position(rollout), unmeasured.message);
                stop(Verdict::until(
                    Situation::Progressing(text),
                    unmeasured.until,
                ))
            }
        }
    }

    /// A step that landed without a write has had no baseline: what is known now has to do.
    pub(super) fn measure_late(&mut self) {
        let Some(rollout) = self.record.rollout.as_ref() else {
            return;
        };
        let verify = self.verifies(rollout);
        if verify.is_empty() || !rollout.gates.is_empty() {
            return;
        }
        let gates = gate::at_hand(verify, self.input.gauges);
        if let Some(rollout) = self.record.rollout.as_mut() {
            rollout.gates = gates;
        }
    }

    /// After a step has landed: continues once it has held for its bake and passed its gates.
    pub(super) fn verify(
        &mut self,
        desired: &Desired<'a>,
        rollout: &Rollout,
        bake_until: Timestamp,
    ) -> Flow {
        let landed = rollout.landed_at.unwrap_or(self.input.now);
        let later_steps = rollout.steps.iter().skip(rollout.step + 1);
        let last_step = !later_steps.clone().any(|step| matches!(step, Step::Set(_)));
        self.judge(desired, rollout, landed, bake_until, last_step)
    }

    /// The gates of a procedure: from when its new state serves, before the old one goes.
    pub(super) fn verify_serving(&mut self, desired: &Desired<'a>) -> Flow {
        let Some(rollout) = self.record.rollout.clone() else {
            return Flow::Continue(());
        };
        match rollout.since.get(SERVING) {
            // What has failed is not judged again.
            Some(serving) if !rollout.gates.is_empty() && rollout.failure.is_none() => {
                self.judge(desired, &rollout, *serving, self.input.now, true)
            }
            _ => Flow::Continue(()),
        }
    }

    fn judge(
        &mut self,
        desired: &Desired<'a>,
        rollout: &Rollout,
        landed: Timestamp,
        bake_until: Timestamp,
        last_step: bool,
    ) -> Flow {
        let spec = desired.declared.policy.rollout.as_ref();
        let limit = step_timeout(spec, self.input.timing.step_timeout);
        let going_back = self.undoing();
        let look = Look {
            landed,
            bake_until,
            deadline: later(rollout.step_started_at, limit).max(bake_until),
            last_step: last_step && !going_back,
            going_back,
            now: self.input.now,
        };
        let mut gates = self.gates_of(rollout);
        let outcome = gate::look(&mut gates, self.input.gauges, look);
        // A procedure may wait for long after its gates have passed.
        let news = !rollout.is_procedure() || gates != rollout.gates;
        if news && rollout.purpose == Purpose::Apply {
            let numbers = gate::comparison(&gates, self.input.gauges, landed);
            self.note_verdict(desired, &outcome, last_step, &numbers);
        }
        if let Some(rollout) = self.record.rollout.as_mut() {
            rollout.gates = gates;
        }
        match outcome {
            Outcome::Passed(fixed) => {
                if news {
                    self.tell_passed(rollout, landed, fixed);
                }
                Flow::Continue(())
            }
            Outcome::Wait { message, until } => {
                let text = format!("{} landed; {message}", position(rollout));
                stop(Verdict::until(Situation::Baking(text), until))
            }
            Outcome::Regression(text) => {
                self.fail_step(Reason::VerifyFailed, &text);
                stop(self.soon(Situation::Progressing(text), 0))
            }
            Outcome::Hold(_, text) if going_back => {
                self.warn("RollbackUnverified", &text);
                Flow::Continue(())
            }
            Outcome::Hold(reason, text) => self.hold_here(desired, rollout, reason, &text),
        }
    }

    /// What the condition Verified will say, also after the rollout.
    fn note_verdict(
        &mut self,
        desired: &Desired<'a>,
        outcome: &Outcome,
        last_step: bool,
        numbers: &str,
    ) {
        use ConditionStatus::{False, True, Unknown};
        let (status, reason, message) = match outcome {
            Outcome::Passed(_) if last_step => (True, Reason::ExpectationsMet, numbers),
            Outcome::Passed(_) | Outcome::Wait { .. } => return,
            Outcome::Regression(text) | Outcome::Hold(HoldReason::NotFixed, text) => {
                (False, Reason::VerifyFailed, text.as_str())
            }
            Outcome::Hold(HoldReason::Inconclusive, text) => {
                (Unknown, Reason::Inconclusive, text.as_str())
            }
        };
        self.record.verified = Some(Verified {
            digest: desired.digest.to_owned(),
            status,
            reason,
            message: bounded(message.to_owned()),
        });
    }

    /// The condition Verified: of the declared content, while its checks are asked and after that.
    pub(super) fn verified(&self, situation: &Situation) -> Option<Own> {
        let desired = self.input.desired?;
        let known = self.record.verified.as_ref();
        let known = known.filter(|verified| verified.digest == desired.digest);
        if let Some(Verified {
            status,
            reason,
            message,
            ..
        }) = known
        {
            return Some((ConditionType::Verified, *status, *reason, message.clone()));
        }
        let rollout = self.record.rollout.as_ref()?;
        let gates: Vec<_> = self.verifies(rollout).iter().map(|v| &*v.check).collect();
        (!gates.is_empty()).then(|| {
            let text = format!("not judged yet by {}", gates.join(", "));
            let (kind, unknown) = (ConditionType::Verified, ConditionStatus::Unknown);
            (kind, unknown, situation.reason(), text)
        })
    }

    fn tell_passed(&mut self, rollout: &Rollout, landed: Timestamp, fixed: Vec<String>) {
        for text in fixed {
            self.normal("CheckFixed", &format!("{}: {text}", position(rollout)));
        }
        let numbers = gate::comparison(&rollout.gates, self.input.gauges, landed);
        if !numbers.is_empty() {
            self.normal("StepMeasured", &format!("{}: {numbers}", position(rollout)));
        }
    }

    /// The gates of the step, as far as they are asked for now; what was added meanwhile is judged
    /// against what it says now.
    fn gates_of(&self, rollout: &Rollout) -> Vec<Gate> {
        if rollout.purpose != Purpose::Apply {
            return rollout.gates.clone();
        }
        let now = gate::at_hand(self.verifies(rollout), self.input.gauges);
        let known = |gate: Gate| {
            let mut gates = rollout.gates.iter();
            let before = gates.find(|before| before.check == gate.check);
            before.map_or(gate.clone(), |before| Gate {
                mode: gate.mode,
                ..before.clone()
            })
        };
        now.into_iter().map(known).collect()
    }

    /// What a procedure had brought about when it was left is judged before it counts.
    pub(super) fn prove_procedure(&mut self, desired: &Desired<'a>, prior: fields::Fields) {
        let text = "the checks of what serves already".to_owned();
        let steps = vec![Step::Named(text.clone())];
        self.open(desired, Purpose::Apply, steps, prior, text);
        let now = self.input.now;
        let spec = desired.declared.policy.rollout.as_ref();
        let verify = spec.map_or(&[][..], |spec| &spec.verify);
        let gates = gate::at_hand(verify, self.input.gauges);
        if let Some(rollout) = self.record.rollout.as_mut() {
            rollout.gates = gates;
            rollout.since.insert(SERVING.to_owned(), now);
        }
    }

    /// Neither forward nor back: the content is held as far as it came.
    fn hold_here(
        &mut self,
        desired: &Desired<'a>,
        rollout: &Rollout,
        reason: HoldReason,
        text: &str,
    ) -> Flow {
        let reason = match reason {
            HoldReason::Inconclusive => Reason::Inconclusive,
            HoldReason::NotFixed => Reason::VerifyFailed,
        };
        let message = format!("{}: {text}. {WAY_OUT}", position(rollout));
        self.record.rollout = None;
        self.record.retry = None;
        self.close_history(Ended::Failed);
        self.hold(desired.digest, reason, message.clone(), None);
        stop(stalled(reason, message))
    }

    /// A rollout of this very content was given up after it had written: the manifest went away and
    /// came back, or its settings changed.
    pub(super) fn was_left_unproved(&self, desired: &Desired<'_>) -> bool {
        let spec = desired.declared.policy.rollout.as_ref();
        let gated = spec.is_some_and(|spec| spec.verify.iter().any(|v| v.mode == VerifyMode::Gate));
        let last = self.record.history.last();
        let left = last.is_some_and(|entry| {
            entry.outcome == Ended::Superseded
                && entry.digest == desired.digest
                && entry.revision <= self.record.revision
        });
        gated && left && self.record.held.is_none() && !self.reached(desired)
    }

    /// Judges what is live already: a rollout of one step that has nothing to write.
    pub(super) fn prove(
        &mut self,
        desired: &Desired<'a>,
        present: &'a Present,
    ) -> Flow<super::Verdict> {
        let prior = fields::restrict(&present.fields, desired.fields);
        let steps = vec![Step::Set(desired.fields.clone())];
        let text = "the checks of what is live already".to_owned();
        self.open(desired, Purpose::Apply, steps, prior, text);
        self.carry_on_with(desired, Some(present))
    }

    /// Live is as declared, and the content was held because its checks did not pass.
    pub(super) fn unproved(&self, desired: &Desired<'_>) -> Option<Verdict> {
        let held = self.record.held.as_ref()?;
        let judged = matches!(held.reason, Reason::VerifyFailed | Reason::Inconclusive);
        let this = held.digest == desired.digest && judged;
        this.then(|| stalled(held.reason, held.message.clone()))
    }
}
