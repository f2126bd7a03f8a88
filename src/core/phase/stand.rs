//! Where a phase stands, and what is reported of it.

use super::{Recall, Run, Step};
use crate::api::event::Severity;
use crate::api::phase::PhaseStatus;
use crate::api::{Condition, ConditionStatus, ConditionType, Event, Reason, Subject};
use crate::core::conditions::bounded;
use jiff::Timestamp;

/// Where the phase stands.
pub(super) struct Stand {
    pub(super) status: ConditionStatus,
    pub(super) reason: Reason,
    pub(super) message: String,
    pub(super) closed: bool,
    pub(super) stalled: bool,
    pub(super) requeue: Option<Timestamp>,
    pub(super) recall: Option<Recall>,
}

impl Stand {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Stand {
        Stand {
            status: ConditionStatus::False,
            reason,
            message: message.into(),
            closed: false,
            stalled: false,
            requeue: None,
            recall: None,
        }
    }

    pub(super) fn closed(self) -> Stand {
        Stand {
            closed: true,
            ..self
        }
    }

    pub(super) fn until(self, at: Timestamp) -> Stand {
        Stand {
            requeue: Some(at),
            ..self
        }
    }
}

impl Run<'_> {
    pub(super) fn tell(&mut self, severity: Severity, reason: &str, message: &str) {
        self.events.push(Event {
            at: self.scene.now,
            about: Subject::Phase(self.scene.name.to_owned()),
            severity,
            reason: reason.to_owned(),
            message: bounded(message.to_owned()),
        });
    }

    pub(super) fn conclude(mut self, stand: Stand) -> Step {
        self.record.status = self.status(&stand);
        Step {
            closed: stand
                .closed
                .then(|| format!("phase {}: {}", self.scene.name, stand.message)),
            recall: stand.recall,
            requeue: stand.requeue,
            record: self.record,
            events: self.events,
            handled: self.handled,
        }
    }

    fn status(&self, stand: &Stand) -> PhaseStatus {
        let mut facts = vec![(ConditionType::Ready, stand.status)];
        if stand.stalled {
            facts.push((ConditionType::Stalled, ConditionStatus::True));
        }
        let old = &self.record.status.conditions;
        let conditions = facts.into_iter().map(|(kind, status)| {
            let same = |c: &&Condition| c.kind == kind && c.status == status;
            Condition {
                kind,
                status,
                reason: stand.reason,
                message: bounded(stand.message.clone()),
                last_transition_time: old
                    .iter()
                    .find(same)
                    .map_or(self.scene.now, |c| c.last_transition_time),
                observed_generation: self.record.generation,
            }
        });
        PhaseStatus {
            observed_generation: self.record.generation,
            source_revision: self.scene.source.to_owned(),
            conditions: conditions.collect(),
        }
    }
}
