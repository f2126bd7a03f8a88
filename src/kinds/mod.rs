//! One file per managed kind: GCP body to fields and back, the table of fields, limits, lint.
//!
//! Adding a kind is one file here and one line in [`of`].

mod backend_service;
mod compute;
pub mod export;
mod health_check;
mod managed_certificate;
mod run_service;
mod secret;
mod sql_instance;
mod ssl_certificate;
mod suffix;
mod tree;
mod vpc_access_connector;

pub use health_check::base_of as health_check_base;
pub use managed_certificate::LABEL as certificate_label;
pub use suffix::base_of as certificate_base;

pub use crate::api::Reference;
use crate::api::{Declared, Finding, Key, Kind};
use crate::core::fields::Fields;
use crate::core::observed::Present;
use crate::core::rules::Rules;
use crate::core::saturation::Capacity;
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

    /// The managed resources that it refers to.
    fn needs(&self, declared: &Declared, names: &dyn Names) -> Vec<Key> {
        let references = self.references(declared).into_iter();
        references
            .filter_map(|to| names.key(to.kind, &to.name))
            .collect()
    }

    /// A GCP reply in canonical form.
    fn live(&self, raw: Value) -> Present;

    /// What checks can ask about beyond the fields.
    fn derived(&self, _: &Present) -> Fields {
        Fields::new()
    }

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

    /// What it can carry, for kinds that everything goes through.
    fn capacity(&self, _: &Present) -> Option<Capacity> {
        None
    }

    /// Derived numbers that help to judge a plan.
    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String>;
}

/// Finds the GCP resource behind a `metadata.name`.
pub trait Names {
    /// `None`: no such manifest in the set.
    fn key(&self, kind: Kind, name: &str) -> Option<Key>;

    /// Under which name GCP has a resource of the set now; `None`: the set does not declare it.
    fn current(&self, key: &Key) -> Option<Key>;
}

/// The names of a loaded set.
#[derive(Default)]
pub struct SetNames {
    keys: BTreeMap<(Kind, String), Key>,
    current: BTreeMap<Key, String>,
}

impl SetNames {
    /// The names that a set declares.
    #[must_use]
    pub fn of(set: &[Declared]) -> Self {
        let key = |one: &Declared| ((one.key.kind, one.name.clone()), one.key.clone());
        let current = |one: &Declared| (one.key.clone(), one.key.name.clone());
        SetNames {
            keys: set.iter().map(key).collect(),
            current: set.iter().map(current).collect(),
        }
    }

    /// GCP has a resource of the set under this name now.
    pub fn rename(&mut self, key: &Key, name: &str) {
        if let Some(current) = self.current.get_mut(key) {
            name.clone_into(current);
        }
    }
}

impl Names for SetNames {
    fn key(&self, kind: Kind, name: &str) -> Option<Key> {
        self.keys.get(&(kind, name.to_owned())).cloned()
    }

    fn current(&self, key: &Key) -> Option<Key> {
        let name = self.current.get(key)?.clone();
        Some(Key {
            name,
            ..key.clone()
        })
    }
}

/// The registry.
#[must_use]
pub fn of(kind: Kind) -> &'static dyn ManagedKind {
    match kind {
        Kind::ManagedCertificate => &managed_certificate::ManagedCertificate,
        Kind::SslCertificate => &ssl_certificate::SslCertificate,
        Kind::VpcAccessConnector => &vpc_access_connector::VpcAccessConnector,
        Kind::HealthCheck => &health_check::HealthCheck,
        Kind::BackendService => &backend_service::BackendService,
        Kind::RunService => &run_service::RunService,
        Kind::SqlInstance => &sql_instance::SqlInstance,
    }
}
