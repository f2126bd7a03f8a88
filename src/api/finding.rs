//! What a rule of a kind has to say about a manifest, before anybody knows the line it stands on.

use serde::{Deserialize, Serialize};

/// Whether a finding stops the set from loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that a kind's rules found in a declared resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Where in the manifest: `spec.resource.maxInstances`, `spec.rollout.steps[0].set`.
    pub path: String,
    /// What is wrong, with the value.
    pub message: String,
    /// The limit, and who set it.
    pub limit: Option<String>,
    /// The way out.
    pub help: String,
    pub severity: Severity,
}
