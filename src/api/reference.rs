//! A reference from one manifest to another.

use super::Kind;

/// A reference from one manifest to another, by `metadata.name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands: `spec.resource.healthChecksRef[0].name`.
    pub path: String,
    pub kind: Kind,
    pub name: String,
}
