//! A manifest after loading: identity, desired fields as written, and where it came from.

use super::{Key, Policy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One managed resource as the source declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Declared {
    pub key: Key,
    /// `metadata.name`, the name people use.
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// `spec.resource` as written: an absent field, `null` and `0` stay three different things.
    pub resource: serde_json::Map<String, serde_json::Value>,
    pub policy: Policy,
    pub origin: Origin,
}

/// Where a manifest came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Path as the user gave it, or `<stdin>`.
    pub file: String,
    /// 1-based line of the document's first line.
    pub line: usize,
    /// The revision of the whole set, such as `files@sha256:1f0c…` or `main@sha1:…`.
    pub revision: String,
}
