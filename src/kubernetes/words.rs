//! Names that stand in the cluster: group, finalizer, annotations.

use crate::api::{API_VERSION, DocumentKind, GROUP, Kind, VERSION};
use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use serde_json::Value;
use std::fmt;

/// Who owns `status` among the field managers.
pub const MANAGER: &str = "evenkeel";
/// Keeps an object with `deletion: Delete` until its resource is gone.
pub const FINALIZER: &str = "evenkeel.dev/delete";
/// The revision of git that an object was applied from, where whoever applies it says so.
pub const SOURCE_REVISION: &str = "evenkeel.dev/source-revision";
/// Each new value makes everything be looked at again.
pub const RECONCILE: &str = "evenkeel.dev/reconcile-requested-at";
/// What each request of a person begins with.
pub const PREFIX: &str = "evenkeel.dev/";
/// The field of `status` that holds the last spec that loaded, while the present one does not.
pub const IN_FORCE: &str = "inForce";
/// The field of `status` that holds what the operator remembers.
pub const JOURNAL: &str = "journal";

/// An object of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    pub kind: DocumentKind,
    pub name: String,
}

impl ObjectId {
    #[must_use]
    pub fn new(kind: impl Into<DocumentKind>, name: &str) -> Self {
        ObjectId {
            kind: kind.into(),
            name: name.to_owned(),
        }
    }

    /// The managed kind, if it is one.
    #[must_use]
    pub fn managed(&self) -> Option<Kind> {
        match self.kind {
            DocumentKind::Managed(kind) => Some(kind),
            _ => None,
        }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// A kind as the client addresses it.
#[must_use]
pub fn resource(kind: DocumentKind) -> ApiResource {
    let gvk = GroupVersionKind::gvk(GROUP, VERSION, kind.as_str());
    ApiResource::from_gvk_with_plural(&gvk, kind.plural())
}

/// An annotation, where it says something.
#[must_use]
pub fn annotation<'a>(object: &'a DynamicObject, name: &str) -> Option<&'a str> {
    let annotations = object.metadata.annotations.as_ref()?;
    annotations
        .get(name)
        .map(String::as_str)
        .filter(|text| !text.is_empty())
}

/// True where the object keeps our finalizer.
#[must_use]
pub fn is_kept(object: &DynamicObject) -> bool {
    let finalizers = object.metadata.finalizers.iter().flatten();
    finalizers.into_iter().any(|name| name == FINALIZER)
}

/// True where somebody deleted it, and a finalizer keeps it.
#[must_use]
pub fn is_leaving(object: &DynamicObject) -> bool {
    object.metadata.deletion_timestamp.is_some()
}

/// `spec.deletion` says Delete.
#[must_use]
pub fn wants_delete(object: &DynamicObject) -> bool {
    object.data["spec"]["deletion"] == "Delete"
}

/// The object as a manifest: what people wrote, without what the server and evenkeel add.
#[must_use]
pub fn manifest(object: &DynamicObject, kind: DocumentKind) -> Value {
    serde_json::json!({
        "apiVersion": API_VERSION,
        "kind": kind.as_str(),
        "metadata": {
            "name": object.metadata.name,
            "labels": object.metadata.labels.clone().unwrap_or_default(),
        },
        "spec": object.data["spec"],
    })
}
