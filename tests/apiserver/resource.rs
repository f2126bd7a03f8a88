//! What is served: the kinds that Kubernetes brings along, and those of custom resources.

use serde_json::{Value, json};
use std::sync::Arc;

/// A column of `kubectl get`.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub name: String,
    pub kind: String,
    pub format: String,
    pub description: String,
    pub priority: i64,
    /// As in `.status.conditions[?(@.type=="Ready")].status`.
    pub path: String,
}

/// One kind at one version.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// `""` for the core.
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub namespaced: bool,
    /// Has a status subresource.
    pub status: bool,
    /// A PUT needs no resourceVersion.
    pub unconditional: bool,
    pub columns: Vec<Column>,
    /// The structural schema of a custom resource.
    pub schema: Option<Arc<Value>>,
}

impl Resource {
    fn builtin(group: &str, version: &str, kind: &str, plural: &str, short: &[&str]) -> Self {
        Resource {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            singular: kind.to_lowercase(),
            short_names: short.iter().map(|&name| name.to_owned()).collect(),
            categories: Vec::new(),
            namespaced: true,
            status: false,
            unconditional: matches!(group, "" | "apps" | "events.k8s.io"),
            columns: Vec::new(),
            schema: None,
        }
    }

    fn cluster_wide(mut self) -> Self {
        self.namespaced = false;
        self.status = true;
        self
    }

    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// As in `healthchecks.evenkeel.dev`; also the key in the store.
    pub fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// Where its objects are kept: the two kinds of events are one.
    pub fn shelf(&self) -> String {
        match self.qualified().as_str() {
            "events.events.k8s.io" => "events".into(),
            other => other.to_owned(),
        }
    }

    pub fn is_custom(&self) -> bool {
        self.schema.is_some()
    }

    pub fn is_crd(&self) -> bool {
        self.plural == "customresourcedefinitions"
    }

    pub fn is_namespace(&self) -> bool {
        self.group.is_empty() && self.plural == "namespaces"
    }

    /// Changes of `spec` count.
    pub fn has_generation(&self) -> bool {
        self.is_custom() || self.is_crd()
    }

    pub fn base_path(&self) -> String {
        match self.group.as_str() {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        }
    }

    pub fn gvk(&self) -> Value {
        json!({"group": self.group, "version": self.version, "kind": self.kind})
    }
}

/// What is there before any custom resource.
pub(crate) fn builtins() -> Vec<Resource> {
    let crd = "CustomResourceDefinition";
    let crds = "customresourcedefinitions";
    vec![
        Resource::builtin("", "v1", "Namespace", "namespaces", &["ns"]).cluster_wide(),
        Resource::builtin("", "v1", "ConfigMap", "configmaps", &["cm"]),
        Resource::builtin("", "v1", "Secret", "secrets", &[]),
        Resource::builtin("", "v1", "Event", "events", &["ev"]),
        Resource::builtin("events.k8s.io", "v1", "Event", "events", &["ev"]),
        Resource::builtin(
            "apps",
            "v1",
            "ControllerRevision",
            "controllerrevisions",
            &[],
        ),
        Resource::builtin("coordination.k8s.io", "v1", "Lease", "leases", &[]),
        Resource::builtin("apiextensions.k8s.io", "v1", crd, crds, &["crd", "crds"]).cluster_wide(),
    ]
}
