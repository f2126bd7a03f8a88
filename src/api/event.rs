//! Events: what happened to a resource, a check or a phase, one line each.

use super::{DocumentKind, Key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    Resource(Key),
    /// By `metadata.name`; so is a phase.
    Check(String),
    Phase(String),
}

impl Subject {
    #[must_use]
    pub fn kind(&self) -> DocumentKind {
        match self {
            Subject::Resource(key) => DocumentKind::Managed(key.kind),
            Subject::Check(_) => DocumentKind::Check,
            Subject::Phase(_) => DocumentKind::Phase,
        }
    }

    /// The name in GCP, or `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Subject::Resource(key) => &key.name,
            Subject::Check(name) | Subject::Phase(name) => name,
        }
    }

    /// The managed resource it is about.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self {
            Subject::Resource(key) => Some(key),
            Subject::Check(_) | Subject::Phase(_) => None,
        }
    }
}

impl From<&Key> for Subject {
    fn from(key: &Key) -> Subject {
        Subject::Resource(key.clone())
    }
}

impl From<Key> for Subject {
    fn from(key: Key) -> Subject {
        Subject::Resource(key)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Resource(key) => key.fmt(f),
            Subject::Check(name) | Subject::Phase(name) => write!(f, "{}/{name}", self.kind()),
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub at: Timestamp,
    pub about: Subject,
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
