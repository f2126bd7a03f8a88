//! An attempt: look first, then let the resources change, then prove it.

use super::stand::Stand;
use super::{Attempt, Failed, Member, Reached, Run};
use crate::api::event::Severity;
use crate::api::{Approval, ConditionStatus, ConditionType, Reason};
use crate::core::check::HoldReason;
use crate::core::conditions::bounded;
use crate::core::decide::later;
use crate::core::digest;
use crate::core::gate::{self, Look, Outcome};
use crate::core::record::Record;
use std::time::Duration;

/// How long the exit criteria may take where nothing else says so.
const VERIFY: Duration = Duration::from_mins(30);

impl Run<'_> {
    /// Brings the phase about: look first, then let the resources change, then prove it.
    pub(super) fn advance(&mut self, content: String) -> Stand {
        let now = self.scene.now;
        if self.record.attempt.is_none() {
            self.record.attempt = Some(Attempt {
                content: content.clone(),
                started_at: now,
                gates: Vec::new(),
                measured: false,
                landed_at: None,
                marks: self.marks(),
            });
        }
        self.note_turns();
        if let Some(stand) = self.await_approval() {
            return stand;
        }
        if let Some(stand) = self.measure() {
            return stand;
        }
        if let Some(stand) = self.stalled_member(&content) {
            return stand;
        }
        if let Some((member, why)) = self.unready() {
            if let Some(attempt) = self.record.attempt.as_mut() {
                attempt.landed_at = None;
            }
            return Stand::new(Reason::Progressing, format!("{member}: {why}"));
        }
        self.prove(content)
    }

    fn await_approval(&mut self) -> Option<Stand> {
        let plan = self.plan();
        self.record.plan = None;
        let measured = self
            .record
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.measured);
        let asked = self.scene.spec.approval == Approval::Manual;
        if !asked || measured || self.record.approved.as_deref() == Some(&plan) {
            return None;
        }
        let text = format!(
            "approval: Manual. Look with `evenkeel plan`, then `evenkeel rollout approve phase/{}` \
             (plan {})",
            self.scene.name,
            digest::short(&plan)
        );
        self.record.plan = Some(plan);
        Some(Stand::new(Reason::AwaitingApproval, text).closed())
    }

    /// Monitors first: what the exit criteria say before anything changes.
    fn measure(&mut self) -> Option<Stand> {
        let attempt = self
            .record
            .attempt
            .as_mut()
            .filter(|attempt| !attempt.measured)?;
        let verify = &self.scene.spec.verify;
        match gate::baseline(
            verify,
            self.scene.gauges,
            attempt.started_at,
            self.scene.now,
        ) {
            Ok(gates) => {
                attempt.gates = gates;
                attempt.measured = true;
                let text = format!("{} resource(s)", self.scene.members.len());
                self.tell(Severity::Normal, "PhaseStarted", &text);
                None
            }
            Err(unmeasured) => {
                let stand = Stand::new(Reason::Progressing, unmeasured.message).closed();
                Some(stand.until(unmeasured.until))
            }
        }
    }

    /// A resource that needs a person ends the attempt.
    fn stalled_member(&mut self, content: &str) -> Option<Stand> {
        let stalled = self.scene.members.iter().find_map(|member| {
            let record = member
                .record
                .filter(|record| current(record, self.scene.source))?;
            // It is about to be tried again.
            if self.is_released(member) {
                return None;
            }
            let stalled = record.status.condition(ConditionType::Stalled)?;
            Some((named(member), stalled.reason, stalled.message.clone()))
        });
        let (member, reason, message) = stalled?;
        // What the gates of a resource leave open, its phase does not know better.
        let stays = reason == Reason::Inconclusive;
        let message = format!("{member} is stalled: {message}");
        Some(self.fail(content, reason, &message, stays))
    }

    /// The first member that is not Ready at this revision, and why.
    pub(super) fn unready(&self) -> Option<(String, String)> {
        self.scene.members.iter().find_map(|member| {
            let Some(record) = member
                .record
                .filter(|record| current(record, self.scene.source))
            else {
                return Some((named(member), "not looked at yet".to_owned()));
            };
            let ready = record.status.condition(ConditionType::Ready)?;
            (ready.status != ConditionStatus::True).then(|| {
                (
                    named(member),
                    format!("{}: {}", ready.reason, ready.message),
                )
            })
        })
    }

    /// All resources are Ready: the exit criteria, over the bake.
    fn prove(&mut self, content: String) -> Stand {
        let now = self.scene.now;
        let spec = self.scene.spec;
        let Some(attempt) = self.record.attempt.as_mut() else {
            return Stand::new(Reason::Progressing, "planning again");
        };
        let landed = *attempt.landed_at.get_or_insert(now);
        let bake_until = later(landed, spec.bake.map_or(Duration::ZERO, |bake| bake.0));
        let view = Look {
            landed,
            bake_until,
            deadline: later(landed, VERIFY).max(bake_until),
            last_step: true,
            going_back: false,
            now,
        };
        match gate::look(&mut attempt.gates, self.scene.gauges, view) {
            Outcome::Wait { message, until } => {
                let text = format!("all resources are Ready; {message}");
                Stand::new(Reason::Baking, text).until(until)
            }
            Outcome::Regression(text) => self.fail(&content, Reason::VerifyFailed, &text, false),
            Outcome::Hold(HoldReason::NotFixed, text) => {
                self.fail(&content, Reason::VerifyFailed, &text, true)
            }
            Outcome::Hold(HoldReason::Inconclusive, text) => {
                self.fail(&content, Reason::Inconclusive, &text, true)
            }
            Outcome::Passed(_) => {
                let numbers = gate::comparison(&attempt.gates, self.scene.gauges, landed);
                self.done(content, &numbers)
            }
        }
    }

    fn done(&mut self, content: String, numbers: &str) -> Stand {
        self.record.attempt = None;
        self.record.reached = Some(Reached {
            content,
            source: self.scene.source.to_owned(),
        });
        self.record.approved = None;
        let stand = self.ready(numbers);
        self.tell(Severity::Normal, "PhaseReady", &stand.message);
        stand
    }

    fn fail(&mut self, content: &str, reason: Reason, message: &str, stays: bool) -> Stand {
        let attempt = self.record.attempt.take();
        let (started_at, marks) = attempt.map_or_else(
            || (self.scene.now, Vec::new()),
            |attempt| (attempt.started_at, attempt.marks),
        );
        self.tell(Severity::Warning, "PhaseFailed", message);
        let failed = Failed {
            content: content.to_owned(),
            reason,
            message: bounded(message.to_owned()),
            started_at,
            marks,
            stays,
        };
        self.record.failed = Some(failed.clone());
        self.record.reached = None;
        self.failed(&failed)
    }
}

/// Decided on at this revision of the source.
fn current(record: &Record, source: &str) -> bool {
    record.status.source_revision == source
}

pub(super) fn named(member: &Member<'_>) -> String {
    let name = member
        .record
        .map_or(&member.key.name, |record| &record.name);
    format!("{}/{name}", member.key.kind.short_name())
}
