//! One file per managed kind: GCP body to fields and back, the table of fields, limits, lint.
//!
//! Adding a kind is one file here and one line in [`of`].

mod vpc_access_connector;

use crate::api::{Declared, Finding, Kind};
use crate::core::fields::Fields;
use crate::core::observed::Present;
use crate::core::rules::Rules;
use serde_json::Value;

/// What evenkeel knows of a kind.
pub trait ManagedKind: Send + Sync {
    /// The table for the core.
    fn rules(&self) -> &'static Rules;

    /// `spec.resource` in canonical form.
    fn declared(&self, declared: &Declared) -> Fields;

    /// A GCP reply in canonical form.
    fn live(&self, raw: Value) -> Present;

    /// Whether GCP would take this manifest, as far as can be told without asking.
    fn check(&self, declared: &Declared) -> Vec<Finding>;

    /// Derived numbers that help to judge a plan.
    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String>;
}

/// The registry.
#[must_use]
pub fn of(kind: Kind) -> &'static dyn ManagedKind {
    match kind {
        Kind::VpcAccessConnector => &vpc_access_connector::VpcAccessConnector,
    }
}
