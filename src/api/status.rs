//! What the operator reports about one managed resource.

use super::{Condition, ConditionStatus, ConditionType, Reason, Saturation};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where [`Status::observed`] says when what the resource serves ends.
pub const EXPIRE_TIME: &str = "expireTime";

/// `status` of a managed kind. A no-op resync changes nothing in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The generation of the spec that the conditions are about.
    #[serde(default)]
    pub observed_generation: i64,
    /// The revision of the source that the spec came from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source_revision: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Live values of the managed fields, the lifecycle `state`, and when it ends (`expireTime`).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub observed: Map<String, Value>,
    /// Of a connector: how full it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturation: Option<Box<Saturation>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<RevisionRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldStatus>,
    /// The last five; the journal keeps twenty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,
    #[serde(default, skip_serializing_if = "LastHandled::is_empty")]
    pub last_handled: LastHandled,
}

impl Status {
    /// The condition of this type, if present.
    #[must_use]
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.kind == kind)
    }

    /// True when Ready is True.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.condition(ConditionType::Ready)
            .is_some_and(|c| c.status == ConditionStatus::True)
    }

    /// When what the resource serves ends by itself, such as a certificate.
    #[must_use]
    pub fn expire_time(&self) -> Option<Timestamp> {
        self.observed.get(EXPIRE_TIME)?.as_str()?.parse().ok()
    }

    /// True when a person or new content is needed.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.condition(ConditionType::Stalled).is_some()
    }
}

/// The plan that stands between live and declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStatus {
    /// What an approval is bound to: declared content, live values and steps.
    pub digest: String,
    pub changes: Vec<ChangeStatus>,
    pub rollback: RollbackScope,
    pub disruptive: bool,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeStatus {
    pub field: String,
    /// Live value; absent when the live resource has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub from: Option<Value>,
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub to: Value,
    pub mutability: Mutability,
    /// Why the change disturbs users of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruption: Option<String>,
    /// Why GCP will not make this change, and the way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
}

/// Whether a field can go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mutability {
    /// Goes both ways in place.
    Reversible,
    /// Only grows in place.
    GrowOnly,
    /// Can be set, cannot be read back.
    WriteOnly,
    /// Set once, at creation.
    Immutable,
}

/// How much of a plan can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RollbackScope {
    Full,
    Partial,
    None,
}

/// Where a rollout stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    pub attempt: u32,
    /// 1-based.
    pub step: usize,
    pub steps: usize,
    /// What the current step does.
    pub doing: String,
    pub step_started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake_until: Option<Timestamp>,
    /// The running GCP operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The checks that the step is judged by, from right before it on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<StepCheck>,
}

/// A check that a step is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepCheck {
    /// `metadata.name` of the Check.
    pub name: String,
    /// What it said right before the step: `Failing: connect.max 7.2s`.
    pub baseline: String,
    /// What it says since the step landed: `Passing: connect.max 41ms, want < 5s (baseline 7.2s)`.
    /// Absent before its first probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// Probes since the step landed, up to the verdict; at most 10.
    pub samples: u32,
}

/// A saved state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionRef {
    pub revision: i64,
    pub digest: String,
}

/// Content that is observed only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldStatus {
    pub digest: String,
    pub reason: Reason,
    pub since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<i64>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Outcome {
    Running,
    Succeeded,
    Superseded,
    Failed,
    RolledBack,
    Aborted,
}

/// One attempt, in the past or under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The revision saved before the attempt's first write.
    pub revision: i64,
    /// The declared content it went for.
    pub digest: String,
    pub source: String,
    /// What it did, such as `minInstances 2 -> 5, maxInstances 3 -> 10`.
    pub summary: String,
    pub outcome: Outcome,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// Tokens of runtime intent that were acted on; each acts once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastHandled {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<String>,
}

impl LastHandled {
    /// True when no token was ever handled.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == LastHandled::default()
    }
}
