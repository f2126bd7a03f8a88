//! What survives a restart: the operator's memory of one resource.

use super::error::Fault;
use super::fields::Fields;
use super::gate::Gate;
use crate::api::status::{HistoryEntry, Outcome, RevisionRef};
use crate::api::{ConditionStatus, Deletion, Key, Reason, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Contents that went back and are remembered as such, so that memory stays bounded.
pub const WENT_BACK_LIMIT: usize = 50;

/// The memory of one resource. Written in one transaction with what happens around it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with a name of its own"
)]
pub struct Record {
    pub key: Key,
    /// `metadata.name`.
    pub name: String,
    /// Counts the changes of the spec.
    pub generation: i64,
    /// Digest of the whole spec, to count generations.
    pub spec_digest: String,
    /// Created or adopted by us. Nothing else is ever changed or deleted.
    pub owned: bool,
    /// Was there before and was taken over: of a kind of several objects, all of them.
    #[serde(default)]
    pub adopted: bool,
    /// What it refers to, for when the manifest is gone.
    #[serde(default)]
    pub needs: Vec<Key>,
    /// The object of GCP that it is now, `healthChecks/web-1f0c88aa`, where a procedure gave it
    /// another name than the key's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The declared deletion policy, for when the manifest is gone.
    pub deletion: Deletion,
    /// The newest revision number in use; 0 before the first.
    pub revision: i64,
    pub last_good: Option<LastGood>,
    pub held: Option<Held>,
    /// Paused by a person.
    pub paused: bool,
    /// The plan digest that a person approved.
    pub approved: Option<String>,
    pub rollout: Option<Rollout>,
    /// The one call that is not settled yet.
    pub write: Option<Write>,
    pub retry: Option<Retry>,
    pub repeated: Option<Repeated>,
    /// The digests that were rolled back automatically, newest last: once for each.
    #[serde(default)]
    pub went_back: Vec<String>,
    /// What the checks of its last rollout of declared content said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    /// The last request of its phase to go back: each acts once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled: Option<String>,
    /// Counts the calls ever written down, for their ids.
    pub sends: u64,
    /// The last operation that was ours, so that it is not taken for a newer one.
    pub last_operation: Option<String>,
    /// The manifest is gone and the resource was left in place.
    pub released: bool,
    /// When the last write was read back.
    pub settled_at: Option<Timestamp>,
    /// Newest last; at most twenty.
    pub history: Vec<HistoryEntry>,
    pub status: Status,
}

impl Record {
    /// The memory of a resource never seen before.
    #[must_use]
    pub fn new(key: Key, name: String) -> Self {
        Record {
            key,
            name,
            generation: 0,
            spec_digest: String::new(),
            owned: false,
            adopted: false,
            needs: Vec::new(),
            object: None,
            deletion: Deletion::Orphan,
            revision: 0,
            last_good: None,
            held: None,
            paused: false,
            approved: None,
            rollout: None,
            write: None,
            retry: None,
            repeated: None,
            went_back: Vec::new(),
            verified: None,
            recalled: None,
            sends: 0,
            last_operation: None,
            released: false,
            settled_at: None,
            history: Vec::new(),
            status: Status::default(),
        }
    }

    /// The number of the attempt that runs, or of the next one: that of the revision it saves first.
    #[must_use]
    pub fn attempt(&self) -> i64 {
        let saved = self.rollout.as_ref().map(|rollout| rollout.revision);
        let saved = saved.filter(|revision| *revision > 0);
        saved.unwrap_or(self.revision + 1)
    }

    /// How many attempts at this content have failed, as far as history goes.
    #[must_use]
    pub fn failures(&self, digest: &str) -> usize {
        let failed =
            |entry: &&HistoryEntry| entry.digest == digest && entry.outcome == Outcome::Failed;
        self.history.iter().filter(failed).count()
    }

    /// The content was rolled back before, and nobody said retry.
    #[must_use]
    pub fn has_gone_back(&self, digest: &str) -> bool {
        self.went_back.iter().any(|at| at == digest)
    }

    /// Remembers a rollback of this content. Beyond [`WENT_BACK_LIMIT`] the oldest is forgotten.
    pub fn go_back_from(&mut self, digest: &str) {
        self.went_back.retain(|at| at != digest);
        self.went_back.push(digest.to_owned());
        let excess = self.went_back.len().saturating_sub(WENT_BACK_LIMIT);
        self.went_back.drain(..excess);
    }

    /// The name under which GCP has it now.
    #[must_use]
    pub fn gcp_name(&self) -> &str {
        let object = self.object.as_deref();
        object.map_or(&self.key.name, |object| {
            object.rsplit('/').next().unwrap_or(object)
        })
    }
}

/// A state that was proved good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastGood {
    pub at: RevisionRef,
    pub fields: Fields,
}

/// Content that is observed only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    pub digest: String,
    pub reason: Reason,
    pub message: String,
    pub since: Timestamp,
    pub rolled_back_to: Option<i64>,
}

/// What checks said of a content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    pub digest: String,
    pub status: ConditionStatus,
    pub reason: Reason,
    pub message: String,
}

/// An attempt at one content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// Declared content it goes for.
    pub digest: String,
    /// Digest of the rollout settings its steps were made from.
    pub strategy: String,
    /// Digest of the declared fields, with the names of what they refer to.
    #[serde(default)]
    pub resolved: String,
    pub source: String,
    pub purpose: Purpose,
    pub attempt: u32,
    /// The revision saved before its first write; 0 until then.
    pub revision: i64,
    pub steps: Vec<Step>,
    /// Index of the current step.
    pub step: usize,
    pub step_started_at: Timestamp,
    /// Set once the step landed.
    pub bake_until: Option<Timestamp>,
    /// Managed fields when it started.
    pub prior: Fields,
    /// What they should be now: as at the start, then after each step.
    pub expected: Fields,
    pub started_at: Timestamp,
    /// Of a way back: where the failed step led, which may still come about.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub late: Fields,
    /// A step failed: what is left is to go back or to hold.
    pub failure: Option<Failure>,
    /// The step could not start for what is outside of the resource: its time has not begun.
    #[serde(default)]
    pub hindered: bool,
    /// Since when the marks of a procedure have held.
    #[serde(default)]
    pub since: BTreeMap<String, Timestamp>,
    /// The checks of the current step, with what they said before it. Empty until they were asked.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// When the current step landed.
    #[serde(default)]
    pub landed_at: Option<Timestamp>,
}

impl Rollout {
    /// Its steps are those of a procedure.
    #[must_use]
    pub fn is_procedure(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Named(_)))
    }
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub reason: Reason,
    pub message: String,
}

/// Why a rollout runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// New content.
    Apply,
    /// The live state moved away.
    Drift,
    /// A failed step: back to the last good state.
    Rollback {
        to: i64,
        /// Why, for the condition that stays.
        because: Reason,
    },
    /// A person asked for an older revision.
    Undo { to: i64 },
}

/// One step of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Bring these fields to these values, in one call.
    Set(Fields),
    /// Wait this many milliseconds.
    Pause(u64),
    /// Wait for a person.
    PauseManual,
    /// Create the resource with these fields.
    Create(Fields),
    /// A step of a procedure, in words.
    Named(String),
}

/// A mutating call, written down before it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Unique; derived from key, revision, step and count, never from chance.
    pub id: String,
    pub key: Key,
    pub verb: Verb,
    /// The object that a procedure calls, `sslCertificates/x`; `None`: the resource itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Field mask of a patch.
    pub mask: Vec<String>,
    /// Body of a create or patch, as GCP wants it; secrets in it are replaced once it is sealed.
    pub body: Value,
    /// The body with its secrets.
    #[serde(skip)]
    pub sealed: Sealed,
    /// By the clock of the process that wrote it down; a later clock does not change it.
    pub prepared_at: Timestamp,
    /// The id that the request brings along, in APIs that keep it: its operation is told by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl Intent {
    /// The body to send.
    #[must_use]
    pub fn payload(&self) -> &Value {
        self.sealed.0.as_ref().unwrap_or(&self.body)
    }

    /// Puts what may be stored in the place of the body, and keeps the body itself in memory.
    ///
    /// A restart loses it, which is harmless: a call is never repeated from the journal, only made
    /// anew from the manifest and a fresh read.
    pub fn seal(&mut self, stored: Value) {
        if stored != self.body {
            self.sealed = Sealed(Some(std::mem::replace(&mut self.body, stored)));
        }
    }
}

/// A body that is never written down.
#[derive(Clone, Default, PartialEq)]
pub struct Sealed(Option<Value>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Sealed" } else { "-" })
    }
}

/// The mutating verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    Create,
    Patch,
    Delete,
}

/// A call that is not settled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Write {
    pub intent: Intent,
    /// Managed fields before the call.
    pub before: Fields,
    /// Managed fields when it will have landed. Empty for a delete.
    pub after: Fields,
    pub stage: Stage,
    /// Its operation was found by time and told by no reply: as long as the request can be under way,
    /// counted from here, it may be somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unclear_since: Option<Timestamp>,
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Durable; whether it was sent is unknown (the process may have died).
    Prepared,
    /// Sent, and no reply that tells.
    Unclear { since: Timestamp, fault: Fault },
    /// GCP runs the operation.
    Accepted { operation: String },
    /// The operation finished; the fields are being read back.
    Finished { at: Timestamp },
}

/// Waiting after a failure that is no verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    pub count: u32,
    pub not_before: Timestamp,
    pub fault: Fault,
}

/// The same change made over and over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repeated {
    /// Digest of the change.
    pub digest: String,
    pub count: u32,
    pub last: Timestamp,
}

/// A saved prior state, with GCP's reply as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    pub key: Key,
    pub number: i64,
    /// Digest of the content that was about to be applied.
    pub digest: String,
    pub source: String,
    pub at: Timestamp,
    /// Managed fields at that moment.
    pub fields: Fields,
    /// The GET body; `null` when the resource did not exist.
    pub raw: Value,
}
