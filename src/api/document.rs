//! What a set holds besides managed resources: checks, phases and alerts.

use super::{Kind, Origin};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Everything that `kind:` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// A GCP resource.
    Managed(Kind),
    /// A measurement: a gate of rollouts, and a monitor between them.
    Check,
    /// A step of a larger plan, with exit criteria.
    Phase,
    /// Who is told about what.
    Alert,
}

impl DocumentKind {
    /// Every kind, in the order people read them.
    pub fn all() -> impl Iterator<Item = DocumentKind> {
        let managed = Kind::ALL.iter().map(|kind| DocumentKind::Managed(*kind));
        managed.chain([
            DocumentKind::Check,
            DocumentKind::Phase,
            DocumentKind::Alert,
        ])
    }

    /// The name used in `kind:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DocumentKind::Managed(kind) => kind.as_str(),
            DocumentKind::Check => "Check",
            DocumentKind::Phase => "Phase",
            DocumentKind::Alert => "Alert",
        }
    }

    /// Lower-case plural, as in `kubectl get checks`.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            DocumentKind::Managed(kind) => kind.plural(),
            DocumentKind::Check => "checks",
            DocumentKind::Phase => "phases",
            DocumentKind::Alert => "alerts",
        }
    }

    /// Short name for the command line.
    #[must_use]
    pub fn short_name(self) -> &'static str {
        match self {
            DocumentKind::Managed(kind) => kind.short_name(),
            DocumentKind::Check => "chk",
            DocumentKind::Phase => "ph",
            DocumentKind::Alert => "al",
        }
    }

    /// The kind of this exact name.
    #[must_use]
    pub fn named(text: &str) -> Option<DocumentKind> {
        DocumentKind::all().find(|kind| kind.as_str() == text)
    }
}

impl From<Kind> for DocumentKind {
    fn from(kind: Kind) -> DocumentKind {
        DocumentKind::Managed(kind)
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A Check, a Phase or an Alert as the source declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<S> {
    /// `metadata.name`: unique within its kind.
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub spec: S,
    pub origin: Origin,
}
