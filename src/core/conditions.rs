//! Conditions from one fact: the situation a resource is in. Ready is derived, never set by hand.

use super::error::Fault;
use crate::api::condition::MESSAGE_LIMIT;
use crate::api::{Condition, ConditionStatus, ConditionType, Reason};
use jiff::Timestamp;

/// What is said of a resource before the first look at it.
pub const NOT_READ_YET: &str = "not read yet";

/// Where a resource stands. Each situation says why nothing more is being done.
#[derive(Debug, Clone, PartialEq)]
pub enum Situation {
    UpToDate,
    /// A write or its operation is under way.
    Progressing(String),
    Baking(String),
    AwaitingApproval(String),
    AwaitingPromotion(String),
    /// Something that the resource refers to is not ready.
    WaitingForDependency(String),
    /// A freeze window holds.
    WaitingForWindow(String),
    /// GCP is busy with the resource on somebody else's behalf.
    WaitingForOperation(String),
    /// A call failed in a way that is no verdict.
    Retrying {
        fault: Fault,
        until: Timestamp,
    },
    /// There is something to do, and writes are off.
    Suspended(String),
    /// Drift that is only reported.
    Drifted(String),
    /// GCP cannot be read.
    Unreadable(String),
    Deleting(String),
    WaitingForBudget(String),
    InUse(String),
    /// Needs a person or new content.
    Stalled {
        reason: Reason,
        message: String,
    },
    /// The manifest is gone and the resource was left in place.
    Released(String),
}

/// How live relates to declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftFact {
    None,
    /// The fields that differ though this content was reached before.
    Drifted(String),
    /// Not known, or the difference is an edit that is being applied.
    Unknown,
}

struct Ready {
    status: ConditionStatus,
    reason: Reason,
    message: String,
    /// Work is under way or will go on by itself.
    reconciling: bool,
    stalled: bool,
}

impl Situation {
    fn ready(&self) -> Ready {
        use ConditionStatus::{False, True, Unknown};
        let row = |status, reason, message: &str, reconciling, stalled| Ready {
            status,
            reason,
            message: message.to_owned(),
            reconciling,
            stalled,
        };
        match self {
            Situation::UpToDate => {
                row(True, Reason::UpToDate, "live equals declared", false, false)
            }
            Situation::Progressing(m) => row(False, Reason::Progressing, m, true, false),
            Situation::Baking(m) => row(False, Reason::Baking, m, true, false),
            Situation::AwaitingApproval(m) => row(False, Reason::AwaitingApproval, m, false, false),
            Situation::AwaitingPromotion(m) => {
                row(False, Reason::AwaitingPromotion, m, false, false)
            }
            Situation::WaitingForDependency(m) => {
                row(False, Reason::WaitingForDependency, m, false, false)
            }
            Situation::WaitingForWindow(m) => row(False, Reason::WaitingForWindow, m, false, false),
            Situation::WaitingForOperation(m) => {
                row(False, Reason::WaitingForOperation, m, true, false)
            }
            Situation::Retrying { fault, until } => {
                let text = format!("{fault}; next try after {until:.0}");
                row(False, Reason::Retrying, &text, true, false)
            }
            Situation::Suspended(m) | Situation::Released(m) => {
                row(Unknown, Reason::Suspended, m, false, false)
            }
            Situation::Drifted(m) => row(False, Reason::Drifted, m, false, false),
            Situation::Unreadable(m) => row(Unknown, Reason::Error, m, true, false),
            Situation::Deleting(m) => row(False, Reason::Deleting, m, true, false),
            Situation::WaitingForBudget(m) => row(False, Reason::WaitingForBudget, m, false, false),
            Situation::InUse(m) => row(False, Reason::InUse, m, false, false),
            Situation::Stalled { reason, message } => row(False, *reason, message, false, true),
        }
    }

    /// The Ready reason, for tables and metrics.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.ready().reason
    }

    /// The message behind Ready.
    #[must_use]
    pub fn message(&self) -> String {
        self.ready().message
    }
}

/// What only some resources have.
pub type Own = (ConditionType, ConditionStatus, Reason, String);

/// The conditions of a situation. `lastTransitionTime` is kept where the status did not flip.
#[must_use]
pub fn compute(
    old: &[Condition],
    situation: &Situation,
    drift: &DriftFact,
    own: Vec<Own>,
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    let ready = situation.ready();
    let mut wanted = vec![(
        ConditionType::Ready,
        ready.status,
        ready.reason,
        ready.message.clone(),
    )];
    if ready.reconciling {
        let fact = (
            ConditionType::Reconciling,
            ConditionStatus::True,
            ready.reason,
        );
        wanted.push((fact.0, fact.1, fact.2, ready.message.clone()));
    }
    if ready.stalled {
        wanted.push((
            ConditionType::Stalled,
            ConditionStatus::True,
            ready.reason,
            ready.message,
        ));
    }
    wanted.push(match drift {
        DriftFact::None => (
            ConditionType::Drifted,
            ConditionStatus::False,
            Reason::NoDrift,
            "no managed field differs".to_owned(),
        ),
        DriftFact::Drifted(fields) => (
            ConditionType::Drifted,
            ConditionStatus::True,
            Reason::Drifted,
            fields.clone(),
        ),
        DriftFact::Unknown => (
            ConditionType::Drifted,
            ConditionStatus::Unknown,
            ready.reason,
            "not comparable yet".to_owned(),
        ),
    });
    wanted.extend(own);
    wanted
        .into_iter()
        .map(|(kind, status, reason, message)| {
            let since = old
                .iter()
                .find(|condition| condition.kind == kind && condition.status == status)
                .map_or(now, |condition| condition.last_transition_time);
            Condition {
                kind,
                status,
                reason,
                message: bounded(message),
                last_transition_time: since,
                observed_generation: generation,
            }
        })
        .collect()
}

/// Cuts a message at the limit, on a character boundary.
#[must_use]
pub fn bounded(mut message: String) -> String {
    if message.len() > MESSAGE_LIMIT {
        let mut end = MESSAGE_LIMIT - '…'.len_utf8();
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn transition_time_moves_only_when_the_status_flips() {
        let first = compute(
            &[],
            &Situation::Baking("a".into()),
            &DriftFact::Unknown,
            Vec::new(),
            1,
            at(10),
        );
        let second = compute(
            &first,
            &Situation::Progressing("b".into()),
            &DriftFact::Unknown,
            Vec::new(),
            1,
            at(20),
        );
        assert_eq!(second[0].last_transition_time, at(10), "still False");
        assert_eq!(second[0].reason, Reason::Progressing);
        let third = compute(
            &second,
            &Situation::UpToDate,
            &DriftFact::None,
            Vec::new(),
            1,
            at(30),
        );
        assert_eq!(third[0].last_transition_time, at(30));
        assert!(third.iter().all(|c| c.kind != ConditionType::Reconciling));
        let again = compute(
            &third,
            &Situation::UpToDate,
            &DriftFact::None,
            Vec::new(),
            1,
            at(40),
        );
        assert_eq!(third, again, "a no-op changes nothing");
    }

    #[test]
    fn messages_are_bounded_on_a_boundary() {
        let long = bounded("ä".repeat(2000));
        assert!(long.len() <= MESSAGE_LIMIT && long.ends_with('…'));
    }
}
