//! The envelope of every managed kind: identity, desired fields and how a change is made.
//!
//! Doc comments here become the descriptions in `crds/` and in the editor schemas.

use super::{HumanDuration, Verify};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A whole document as people write it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest<S> {
    pub api_version: String,
    pub kind: String,
    pub metadata: Metadata,
    pub spec: S,
}

/// The part of Kubernetes object metadata that evenkeel reads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Name of this object; also the GCP name unless `spec.resourceName` says otherwise.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// `spec` of a managed kind. `R` holds the desired GCP fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedSpec<R> {
    /// GCP project id. Immutable.
    #[schemars(regex(pattern = r"^[a-z][-a-z0-9:.]{4,61}[a-z0-9]$"))]
    pub project: String,
    /// GCP region, or `global`. Immutable.
    #[schemars(regex(pattern = r"^[a-z][-a-z0-9]{1,62}$"))]
    pub location: String,
    /// Name in GCP; by default `metadata.name`. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// Desired fields, under Google's own names. A field left out is not managed: never compared,
    /// never written.
    pub resource: R,
    /// How a change is made. Left out: one step, and the operation must succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutSpec>,
    /// What to do when the live state moves away from the manifest.
    #[serde(default)]
    pub drift: Drift,
    /// What to do when the manifest goes away.
    #[serde(default)]
    pub deletion: Deletion,
    /// Take over a resource that exists already. `false`: an existing one is left alone.
    #[serde(default)]
    pub adopt: bool,
    /// No writes; observing goes on.
    #[serde(default)]
    pub suspend: bool,
}

/// What happens to the live resource, apart from its desired fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    pub rollout: Option<RolloutSpec>,
    pub drift: Drift,
    pub deletion: Deletion,
    pub adopt: bool,
    pub suspend: bool,
}

/// How a change is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!(has(self.maxStep) && has(self.steps))",
     "message": "give maxStep (steps derived from the live value) or steps, not both"}
]))]
pub struct RolloutSpec {
    /// The largest change of a number in one step; steps are derived from the live value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(inner(range(min = 1)))]
    pub max_step: BTreeMap<String, i64>,
    /// Explicit steps instead of `maxStep`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub steps: Vec<StepSpec>,
    /// How long a step must hold before the next one starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<HumanDuration>,
    /// Checks that must pass after each step, and go on passing while it bakes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub verify: Vec<Verify>,
    /// Limit of one step, from its start. Default: 30m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HumanDuration>,
    /// What a failed step leads to.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// Whether a person must approve the plan first.
    #[serde(default)]
    pub approval: Approval,
    /// Disruptive changes need an approval unless this is true.
    #[serde(default)]
    pub allow_disruptive: bool,
}

/// One explicit step: `set`, `traffic` or `pause`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "[has(self.set), has(self.traffic), has(self.pause)].filter(one, one).size() == 1",
     "message": "a step is one of set, traffic and pause"}
]))]
pub struct StepSpec {
    /// Fields to bring to these values in this step, each on the way from the live value to the
    /// desired one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "open_object")]
    pub set: Option<serde_json::Map<String, serde_json::Value>>,
    /// `RunService` only: percent of the traffic that the new revision gets from this step on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub traffic: Option<i64>,
    /// A duration, or `manual`: wait for `evenkeel rollout resume`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^(manual|([0-9]+(ms|s|m|h|d))+)$"))]
    pub pause: Option<String>,
}

fn open_object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// What a failed step leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnFailure {
    /// Go back to the last good state, as far as fields can go back, then hold.
    #[default]
    Rollback,
    /// Stay where it is and hold.
    Hold,
}

/// Whether a person must approve the plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Approval {
    #[default]
    Auto,
    /// Wait for `evenkeel rollout approve`, bound to the plan's digest.
    Manual,
}

/// What to do when the live state moves away from the manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Drift {
    /// Bring it back.
    #[default]
    Enforce,
    /// Say so, write nothing.
    Observe,
}

/// What to do when the manifest goes away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Deletion {
    /// Leave the resource in GCP and forget it.
    #[default]
    Orphan,
    /// Delete it, within the operator's budget of deletes.
    Delete,
}
