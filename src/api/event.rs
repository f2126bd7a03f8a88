//! Events: what happened to a resource, one line each.

use super::Key;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub at: Timestamp,
    pub key: Key,
    pub severity: Severity,
    /// Stable word, such as `StepLanded`.
    pub reason: String,
    pub message: String,
}

/// Kubernetes' two types of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    Normal,
    Warning,
}
