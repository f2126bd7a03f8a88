//! What is remembered of a phase, so that it goes on after a kill.

use crate::api::phase::PhaseStatus;
use crate::api::{Condition, ConditionStatus, ConditionType, Key, Reason};
use crate::core::decide::earlier;
use crate::core::gate::Gate;
use crate::core::record::Record;
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
    /// What a retry of the phase releases, until each has taken that in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<Release>,
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
    /// Every resource as it was when the attempt began.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

/// A resource as it was when an attempt began, and when it changed in it. Clocks may be set back,
/// so neither is told by times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    pub key: Key,
    /// The newest revision then: what has a later one is of this attempt.
    pub revision: i64,
    /// Its place among those that this attempt changed, from 1 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<usize>,
}

/// A resource that is tried again with its phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    pub key: Key,
    /// Unique for the request and the resource, so that it acts once.
    pub id: String,
}

impl Release {
    /// The resource need not be told (any more): it is not held, or was tried again since.
    #[must_use]
    pub fn is_done(&self, record: &Record) -> bool {
        let told = record.status.last_handled.retry.as_ref() == Some(&self.id);
        told || record.held.is_none()
    }
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
    /// When the attempt began; tells it from others.
    pub started_at: Timestamp,
    /// What the attempt changed goes back, where that is asked for.
    #[serde(default)]
    pub marks: Vec<Mark>,
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

    /// The record as a new process takes it over: where the clock was set back, what is past must
    /// not lie ahead.
    #[must_use]
    pub fn resumed(mut self, now: Timestamp) -> Self {
        let shown = self.status.conditions.iter();
        let shown = shown.map(|condition| condition.last_transition_time);
        let attempt = self.attempt.iter();
        let times = attempt.flat_map(|at| [Some(at.started_at), at.landed_at]);
        let ahead = times.flatten().chain(shown).max();
        let Some(ahead) = ahead.filter(|latest| *latest > now) else {
            return self;
        };
        let by = ahead.duration_since(now);
        if let Some(attempt) = self.attempt.as_mut() {
            attempt.started_at = earlier(attempt.started_at, by);
            attempt.landed_at = attempt.landed_at.map(|at| earlier(at, by));
        }
        self
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
