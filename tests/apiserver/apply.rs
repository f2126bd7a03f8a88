//! Server-side apply, and the owners of fields after every other write.
//!
//! Simplified: all managers speak the stored version, and a list without keys is one field.

use super::answer::Refusal;
use super::fields::{self, Fields};
use super::resource::Resource;
use super::store::now;
use serde_json::{Value, json};

/// What one manager holds.
struct Owner {
    manager: String,
    operation: String,
    subresource: String,
    time: Value,
    fields: Fields,
}

fn owners(object: &Value) -> Vec<Owner> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = object["metadata"]["managedFields"].as_array();
    entries
        .into_iter()
        .flatten()
        .map(|entry| Owner {
            manager: text(&entry["manager"]),
            operation: text(&entry["operation"]),
            subresource: text(&entry["subresource"]),
            time: entry["time"].clone(),
            fields: fields::from_v1(&entry["fieldsV1"]),
        })
        .collect()
}

fn keep(resource: &Resource, object: &mut Value, mut owners: Vec<Owner>) {
    owners.retain(|owner| !owner.fields.is_empty());
    let entries: Vec<_> = owners
        .iter()
        .map(|owner| {
            let mut entry = json!({
                "manager": owner.manager, "operation": owner.operation,
                "apiVersion": resource.api_version(), "time": owner.time,
                "fieldsType": "FieldsV1", "fieldsV1": fields::to_v1(&owner.fields),
            });
            if !owner.subresource.is_empty() {
                entry["subresource"] = json!(owner.subresource);
            }
            entry
        })
        .collect();
    object["metadata"]["managedFields"] = json!(entries);
}

fn schema(resource: &Resource) -> &Value {
    resource.schema.as_deref().unwrap_or(&Value::Null)
}

/// The owner of a manager's fields, made where there is none.
fn entry<'a>(
    owners: &'a mut Vec<Owner>,
    manager: &str,
    operation: &str,
    subresource: &str,
) -> &'a mut Owner {
    let same = |owner: &Owner| {
        owner.manager == manager && owner.operation == operation && owner.subresource == subresource
    };
    let place = owners.iter().position(same).unwrap_or_else(|| {
        owners.push(Owner {
            manager: manager.to_owned(),
            operation: operation.to_owned(),
            subresource: subresource.to_owned(),
            time: json!(now()),
            fields: Fields::new(),
        });
        owners.len() - 1
    });
    &mut owners[place]
}

/// After a write that is no apply: what it changed is its manager's, and nobody else's.
pub(crate) fn note(
    resource: &Resource,
    old: Option<&Value>,
    new: &mut Value,
    manager: &str,
    status: bool,
) {
    let schema = schema(resource);
    let present = fields::of(schema, new);
    let empty = json!({});
    let old = old.unwrap_or(&empty);
    let changed: Fields = present
        .iter()
        .filter(|path| fields::get(old, path) != fields::get(new, path))
        .cloned()
        .collect();
    let mut owners = owners(old);
    for owner in &mut owners {
        owner
            .fields
            .retain(|path| present.contains(path) && !changed.contains(path));
    }
    if !changed.is_empty() {
        let subresource = if status { "status" } else { "" };
        let mine = entry(&mut owners, manager, "Update", subresource);
        mine.fields.extend(changed);
        mine.time = json!(now());
    }
    keep(resource, new, owners);
}

/// Applies a configuration over a live object. `live` is an empty object where there is none.
pub(crate) fn apply(
    resource: &Resource,
    live: &Value,
    applied: &Value,
    manager: &str,
    force: bool,
    status: bool,
) -> Result<Value, Refusal> {
    let schema = schema(resource);
    let subresource = if status { "status" } else { "" };
    let mut wanted = fields::of(schema, applied);
    // The other half of an object is not in reach.
    if resource.status {
        wanted.retain(|path| (path[0] == "f:status") == status);
    }
    let mut owners = owners(live);
    let mut conflicts = Vec::new();
    for owner in &mut owners {
        if owner.manager == manager && owner.operation == "Apply" {
            continue;
        }
        let taken: Vec<_> = owner
            .fields
            .intersection(&wanted)
            .filter(|path| fields::get(live, path) != fields::get(applied, path))
            .cloned()
            .collect();
        for path in taken {
            let why = format!("conflict with \"{}\"", owner.manager);
            conflicts.push((fields::shown(&path), why));
            owner.fields.remove(&path);
        }
    }
    if !force && !conflicts.is_empty() {
        return Err(Refusal::owned(&conflicts));
    }
    let mut object = live.clone();
    fields::merge(schema, &mut object, applied, &[]);
    let mine = entry(&mut owners, manager, "Apply", subresource);
    let before = std::mem::replace(&mut mine.fields, wanted);
    let same = before == mine.fields;
    if !same {
        mine.time = json!(now());
    }
    // What was applied before and is not any more goes, unless another holds it as well.
    let held: Fields = owners
        .iter()
        .flat_map(|owner| owner.fields.clone())
        .collect();
    for path in before.difference(&held) {
        fields::remove(&mut object, path);
    }
    keep(resource, &mut object, owners);
    Ok(object)
}
