//! Events are one kind in two shapes: that of the core, which is stored, and that of
//! `events.k8s.io`.

use super::resource::Resource;
use serde_json::{Value, json};

/// The name in the core, and in `events.k8s.io`.
const NAMES: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

fn is_new(resource: &Resource) -> bool {
    resource.group == "events.k8s.io"
}

fn renamed(object: &mut Value, pairs: impl Iterator<Item = (&'static str, &'static str)>) {
    let Some(map) = object.as_object_mut() else {
        return;
    };
    for (from, to) in pairs {
        if let Some(value) = map.remove(from) {
            map.insert(to.to_owned(), value);
        }
    }
}

/// From the shape of a request to the stored one.
pub(crate) fn stored(resource: &Resource, mut object: Value) -> Value {
    if is_new(resource) {
        renamed(&mut object, NAMES.iter().map(|(core, new)| (*new, *core)));
        object["apiVersion"] = json!("v1");
    }
    object
}

/// From the stored shape to that of a reply.
pub(crate) fn shown(resource: &Resource, mut object: Value) -> Value {
    if is_new(resource) {
        renamed(&mut object, NAMES.iter().copied());
        object["apiVersion"] = json!("events.k8s.io/v1");
    }
    object
}
