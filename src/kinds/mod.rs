//! One file per managed kind: GCP body to fields and back, the table of fields, limits, lint.
//!
//! Adding a kind is one file here and one line in [`of`].

mod backend_service;
mod compute;
pub mod export;
mod health_check;
mod run_service;
mod secret;
mod sql_instance;
mod ssl_certificate;
mod tree;
mod vpc_access_connector;

pub use ssl_certificate::base_of as certificate_base;

pub use crate::api::Reference;
use crate::api::{Declared, Finding, Key, Kind};
use crate::core::fields::Fields;
use crate::core::observed::Present;
use crate::core::rules::Rules;
use export::{Export, Manifests};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What evenkeel knows of a kind.
pub trait ManagedKind: Send + Sync {
    /// The table for the core.
    fn rules(&self) -> &'static Rules;

    /// `spec.resource` in canonical form, with references to other manifests resolved.
    fn declared(&self, declared: &Declared, names: &dyn Names) -> Fields;

    /// The references to other manifests in `spec.resource`.
    fn references(&self, _: &Declared) -> Vec<Reference> {
        Vec::new()
    }

    /// A GCP reply in canonical form.
    fn live(&self, raw: Value) -> Present;

    /// What is live as `spec.resource`: declared, it is as live. References stay GCP names.
    fn export(&self, live: &Present, key: &Key) -> Export;

    /// Puts references to manifests in the place of GCP names, where there is a manifest.
    fn refer(&self, _: &mut Map<String, Value>, _: &Manifests) {}

    /// Whether GCP would take this manifest, as far as can be told without asking.
    fn check(&self, declared: &Declared) -> Vec<Finding>;

    /// A body of this kind without its secrets, as it may be stored.
    fn redact(&self, body: Value) -> Value {
        body
    }

    /// Derived numbers that help to judge a plan.
    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String>;
}

/// Finds the GCP resource behind a `metadata.name`.
pub trait Names {
    /// `None`: no such manifest in the set.
    fn key(&self, kind: Kind, name: &str) -> Option<Key>;
}

/// The names of a loaded set.
pub struct SetNames(BTreeMap<(Kind, String), Key>);

impl SetNames {
    /// The names that a set declares.
    #[must_use]
    pub fn of(set: &[Declared]) -> Self {
        SetNames(
            set.iter()
                .map(|d| ((d.key.kind, d.name.clone()), d.key.clone()))
                .collect(),
        )
    }
}

impl Names for SetNames {
    fn key(&self, kind: Kind, name: &str) -> Option<Key> {
        self.0.get(&(kind, name.to_owned())).cloned()
    }
}

/// The registry.
#[must_use]
pub fn of(kind: Kind) -> &'static dyn ManagedKind {
    match kind {
        Kind::SslCertificate => &ssl_certificate::SslCertificate,
        Kind::VpcAccessConnector => &vpc_access_connector::VpcAccessConnector,
        Kind::HealthCheck => &health_check::HealthCheck,
        Kind::BackendService => &backend_service::BackendService,
        Kind::RunService => &run_service::RunService,
        Kind::SqlInstance => &sql_instance::SqlInstance,
    }
}
