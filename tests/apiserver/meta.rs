//! What the server itself keeps in `metadata`, and which parts of an object a write may touch.

use super::answer::{Cause, Refusal};
use super::resource::Resource;
use super::store::{Store, now};
use serde_json::{Value, json};

/// Set by the server alone.
const OURS: &[&str] = &[
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
    "namespace",
    "name",
];

fn is_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253 && name.chars().all(letters) && name.starts_with(ends) && name.ends_with(ends)
}

/// Makes the metadata of a new object. Gives its name.
pub(crate) fn born(
    store: &mut Store,
    resource: &Resource,
    namespace: &str,
    object: &mut Value,
) -> Result<String, Refusal> {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let mut name = object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let start = object["metadata"]["generateName"]
        .as_str()
        .unwrap_or_default();
    if name.is_empty() && !start.is_empty() {
        name = format!("{start}{}", store.suffix());
    }
    if name.is_empty() {
        let why = "Required value: name or generateName is required";
        let cause = Cause::new("FieldValueRequired", "metadata.name", why);
        return Err(Refusal::invalid(resource, "", &[cause]));
    }
    if !is_name(&name) {
        let why = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
                   characters, '-' or '.', and must start and end with an alphanumeric character";
        let cause = Cause::invalid("metadata.name", &json!(name).to_string(), why);
        return Err(Refusal::invalid(resource, &name, &[cause]));
    }
    let uid = store.uid();
    let meta = object["metadata"].as_object_mut().unwrap();
    for ours in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "generation",
    ] {
        meta.remove(ours);
    }
    meta.insert("name".into(), json!(name));
    meta.insert("uid".into(), json!(uid));
    meta.insert("creationTimestamp".into(), json!(now()));
    if resource.namespaced {
        meta.insert("namespace".into(), json!(namespace));
    } else {
        meta.remove("namespace");
    }
    if resource.has_generation() {
        meta.insert("generation".into(), json!(1));
    }
    if resource.is_namespace() {
        object["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!(name);
        object["spec"]["finalizers"] = json!(["kubernetes"]);
        object["status"] = json!({"phase": "Active"});
    }
    Ok(name)
}

/// The object after a write to itself or to its status: whatever the write may not touch is as it
/// was before.
pub(crate) fn kept(resource: &Resource, old: &Value, mut new: Value, status: bool) -> Value {
    if status {
        let (state, fields) = (
            new["status"].take(),
            new["metadata"]["managedFields"].take(),
        );
        let mut object = old.clone();
        object["status"] = state;
        if object["status"].is_null() {
            object.as_object_mut().unwrap().remove("status");
        }
        if fields.is_array() {
            object["metadata"]["managedFields"] = fields;
        }
        return object;
    }
    if !new["metadata"].is_object() {
        new["metadata"] = json!({});
    }
    for ours in OURS {
        match old["metadata"].get(ours) {
            Some(value) => new["metadata"][*ours] = value.clone(),
            None => {
                new["metadata"].as_object_mut().unwrap().remove(*ours);
            }
        }
    }
    if resource.status {
        match old.get("status") {
            Some(value) => new["status"] = value.clone(),
            None => {
                new.as_object_mut().unwrap().remove("status");
            }
        }
    }
    new
}

/// Counts a change, once all is filled in and cut off.
pub(crate) fn count(resource: &Resource, old: &Value, new: &mut Value) {
    if resource.has_generation() && changed(resource, old, new) {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0);
        new["metadata"]["generation"] = json!(generation + 1);
    }
}

/// Whether something changed that counts: everything but metadata and, where it is a subresource,
/// status.
fn changed(resource: &Resource, old: &Value, new: &Value) -> bool {
    let counted = |object: &Value| {
        let mut object = object.clone();
        let map = object.as_object_mut().unwrap();
        map.remove("metadata");
        if resource.status {
            map.remove("status");
        }
        object
    };
    counted(old) != counted(new)
}

/// Rules of Kubernetes for an update of metadata.
pub(crate) fn check(resource: &Resource, old: &Value, new: &Value) -> Result<(), Refusal> {
    let name = old["metadata"]["name"].as_str().unwrap_or_default();
    let finalizers = |object: &Value| -> Vec<Value> {
        let list = object["metadata"]["finalizers"].as_array();
        list.cloned().unwrap_or_default()
    };
    let leaving = old["metadata"]["deletionTimestamp"].is_string();
    let before = finalizers(old);
    let added: Vec<_> = finalizers(new)
        .into_iter()
        .filter(|f| !before.contains(f))
        .collect();
    if leaving && !added.is_empty() {
        let why = "Forbidden: no new finalizers can be added if the object is being deleted";
        let cause = Cause::new("FieldValueForbidden", "metadata.finalizers", why);
        return Err(Refusal::invalid(resource, name, &[cause]));
    }
    Ok(())
}

/// True when nothing holds an object that is being deleted.
pub(crate) fn may_go(object: &Value) -> bool {
    let held = object["metadata"]["finalizers"].as_array();
    let spec = object["spec"]["finalizers"].as_array();
    let is_namespace = object["kind"] == "Namespace";
    object["metadata"]["deletionTimestamp"].is_string()
        && held.is_none_or(Vec::is_empty)
        && (!is_namespace || spec.is_none_or(Vec::is_empty))
}
