//! What is remembered of a phase, so that it goes on after a kill.

use crate::api::phase::PhaseStatus;
use crate::api::{Condition, ConditionStatus, ConditionType, Reason};
use crate::core::gate::Gate;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is remembered of a phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseRecord {
    pub name: String,
    pub generation: i64,
    /// Digest of the spec.
    pub spec_digest: String,
    /// The content that is being brought about.
    pub attempt: Option<Attempt>,
    /// The content that was reached, and the revision of the source it was last seen Ready at.
    pub reached: Option<Reached>,
    /// A content that failed: nothing more starts until it changes or a person says retry.
    pub failed: Option<Failed>,
    /// The plan that waits for a person: digest of the plans of all members.
    pub plan: Option<String>,
    /// The plan that a person approved.
    pub approved: Option<String>,
    pub status: PhaseStatus,
}

/// A phase under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub content: String,
    pub started_at: Timestamp,
    /// What the exit criteria said before the first change; empty until they were asked.
    pub gates: Vec<Gate>,
    pub measured: bool,
    /// Since when every resource has been Ready.
    pub landed_at: Option<Timestamp>,
}

/// A phase that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reached {
    pub content: String,
    pub source: String,
}

/// A phase that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    pub content: String,
    pub reason: Reason,
    pub message: String,
    /// When the attempt began: what changed since then goes back, where that is asked for.
    pub started_at: Timestamp,
    /// Nothing shows that the change made it worse: it goes neither forward nor back.
    #[serde(default)]
    pub stays: bool,
}

impl PhaseRecord {
    #[must_use]
    pub fn new(name: &str) -> Self {
        PhaseRecord {
            name: name.to_owned(),
            ..PhaseRecord::default()
        }
    }

    /// Ready at this revision of the source.
    #[must_use]
    pub fn is_ready_at(&self, source: &str) -> bool {
        let ready = |c: &&Condition| c.kind == ConditionType::Ready;
        let ready = self.status.conditions.iter().find(ready);
        ready.is_some_and(|ready| ready.status == ConditionStatus::True)
            && self.status.source_revision == source
    }

    /// Nothing will happen by itself: Ready, stalled, or waiting for a person or another phase.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let ready = self
            .status
            .conditions
            .iter()
            .find(|c| c.kind == ConditionType::Ready);
        ready.is_some_and(|ready| !matches!(ready.reason, Reason::Progressing | Reason::Baking))
    }

    /// The Ready condition in a few words.
    #[must_use]
    pub fn ready_reason(&self) -> &'static str {
        let ready = self
            .status
            .conditions
            .iter()
            .find(|c| c.kind == ConditionType::Ready);
        ready.map_or("not looked at yet", |ready| ready.reason.as_str())
    }
}
