//! The backends of a backend service: told apart by group, merged into what others put there.

use crate::core::fields::{Difference, Fields};
use crate::core::items::{self, KeyedList};
use crate::kinds::compute;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const BACKENDS: KeyedList = KeyedList {
    path: "backends",
    key: "group",
    canonical: compute::short,
};

/// What a group can be.
pub(super) const COLLECTIONS: [&str; 2] = ["instanceGroups", "networkEndpointGroups"];

/// The way out where a health check meets backends that take none.
pub(super) const NO_HEALTH_CHECK: &str = "remove healthChecksRef (or set healthChecks: [] to take a \
     live one away), and use outlierDetection, which judges such backends by their answers";

/// Google's defaults (compute v1, Backend) in each live entry.
pub(super) fn fill(fields: &mut Fields) {
    let keys: BTreeSet<String> = fields
        .keys()
        .filter_map(|path| items::split(path))
        .map(|item| item.key.to_owned())
        .collect();
    for key in keys {
        let defaults = [
            ("capacityScaler", json!(1)),
            ("description", json!("")),
            ("failover", json!(false)),
        ];
        for (name, value) in defaults {
            let path = format!("{}[{key}].{name}", BACKENDS.path);
            fields.entry(path).or_insert(value);
        }
    }
}

/// All backends, live and declared, as they are sent.
pub(super) fn merged(live: &[Value], changes: &Fields) -> Option<Vec<Value>> {
    let mut list = BACKENDS.merge(live, changes)?;
    for entry in &mut list {
        // New entries have the short form; Google takes whole links only.
        let group = entry["group"].as_str().map(compute::full);
        if let Some(group) = group.filter(|_| !live.contains(entry)) {
            entry["group"] = group.into();
        }
    }
    Some(list)
}

/// Groups without health checks: the regional network endpoint groups (serverless, Private Service
/// Connect) and the global ones (internet).
pub(super) fn is_without_health(group: &str) -> bool {
    let short = compute::short(group);
    short.contains("/networkEndpointGroups/") && !short.contains("/zones/")
}

/// Whether a declared group must have a health check.
pub(super) fn need_health(fields: &Fields) -> bool {
    let mut groups = fields.keys().filter_map(|path| items::split(path));
    groups.any(|item| !is_without_health(item.key))
}

/// Whether these fields have backends, and all of them are without health checks.
pub(super) fn all_without_health<'a>(paths: impl Iterator<Item = &'a str>) -> bool {
    let mut groups = paths
        .filter_map(items::split)
        .map(|item| item.key)
        .peekable();
    groups.peek().is_some() && groups.all(is_without_health)
}

/// "Backend services with internet or serverless NEG backends must not have a health check"
/// (compute v1, `BackendService.healthChecks`). Google says so with a 400; the plan says it first.
pub(super) fn refuse(change: &Difference, after: &Fields) -> Option<String> {
    let checks = after.get("healthChecks").and_then(Value::as_array);
    if checks.is_none_or(Vec::is_empty) {
        return None;
    }
    let culprit = match items::split(&change.field) {
        Some(item) if item.field == BACKENDS.key => Some(item.key).filter(|g| is_without_health(g)),
        None if change.field == "healthChecks" => after
            .keys()
            .filter_map(|path| items::split(path))
            .map(|item| item.key)
            .find(|group| is_without_health(group)),
        _ => None,
    }?;
    Some(format!(
        "Google refuses a health check beside the backend {culprit}, a serverless or internet \
         network endpoint group: {NO_HEALTH_CHECK}"
    ))
}
