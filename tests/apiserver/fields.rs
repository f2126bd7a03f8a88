//! Who set which field: `metadata.managedFields`.
//!
//! A set of fields is a set of paths in the words of `FieldsV1`: `f:name` for a field and
//! `k:{"name":"x"}` for an item of a list with keys. Lists without keys are one field.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A path, outermost first.
pub(crate) type Path = Vec<String>;
pub(crate) type Fields = BTreeSet<Path>;

/// Set by the server, or names of the object: they are nobody's.
const NOBODYS: &[&str] = &[
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
];

/// The keys of a list's items, from its schema; owners are told apart by their uid.
fn keys_of<'a>(schema: &'a Value, path: &[String]) -> Vec<&'a str> {
    if path.last().is_some_and(|last| last == "f:ownerReferences") {
        return vec!["uid"];
    }
    let keys = schema["x-kubernetes-list-map-keys"].as_array();
    keys.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn child<'a>(schema: &'a Value, key: &str) -> &'a Value {
    match &schema["properties"][key] {
        Value::Null => &schema["additionalProperties"],
        known => known,
    }
}

/// The word for an item of a list with keys.
fn item_word(keys: &[&str], item: &Value) -> String {
    let id: Map<_, _> = keys
        .iter()
        .map(|key| ((*key).to_owned(), item[*key].clone()))
        .collect();
    format!("k:{}", Value::Object(id))
}

/// The fields that an object sets.
pub(crate) fn of(schema: &Value, object: &Value) -> Fields {
    let mut fields = Fields::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        if ["apiVersion", "kind"].contains(&&**key) {
            continue;
        }
        walk(
            child(schema, key),
            value,
            vec![format!("f:{key}")],
            &mut fields,
        );
    }
    fields.retain(|path| {
        path[0] != "f:metadata"
            || path
                .get(1)
                .is_some_and(|word| !NOBODYS.contains(&word.trim_start_matches("f:")))
    });
    fields
}

fn walk(schema: &Value, value: &Value, path: Path, fields: &mut Fields) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let mut deeper = path.clone();
                deeper.push(format!("f:{key}"));
                walk(child(schema, key), value, deeper, fields);
            }
        }
        Value::Array(items) => {
            let keys = keys_of(schema, &path);
            if keys.is_empty() || items.is_empty() {
                fields.insert(path);
                return;
            }
            for item in items {
                let mut deeper = path.clone();
                deeper.push(item_word(&keys, item));
                walk(&schema["items"], item, deeper, fields);
            }
        }
        _ => {
            fields.insert(path);
        }
    }
}

/// The value at a path.
pub(crate) fn get<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter()
        .try_fold(object, |value, word| match word.split_at(2) {
            ("f:", key) => value.get(key),
            (_, id) => {
                let id: Value = serde_json::from_str(id).ok()?;
                value.as_array()?.iter().find(|item| has_id(item, &id))
            }
        })
}

fn has_id(item: &Value, id: &Value) -> bool {
    id.as_object()
        .into_iter()
        .flatten()
        .all(|(key, value)| item[key] == *value)
}

/// Takes a field away, and what is empty after that.
pub(crate) fn remove(object: &mut Value, path: &[String]) {
    let Some((word, rest)) = path.split_first() else {
        return;
    };
    let (kind, key) = word.split_at(2);
    if kind == "f:" {
        let Some(map) = object.as_object_mut() else {
            return;
        };
        if let Some(inner) = map.get_mut(key).filter(|_| !rest.is_empty()) {
            remove(inner, rest);
            if !is_empty(inner) {
                return;
            }
        }
        map.remove(key);
        return;
    }
    let (Some(items), Ok(id)) = (object.as_array_mut(), serde_json::from_str::<Value>(key)) else {
        return;
    };
    if let Some(place) = items.iter().position(|item| has_id(item, &id)) {
        if !rest.is_empty() {
            remove(&mut items[place], rest);
        }
        // An item goes with the last of its fields, its own keys among them.
        if rest.is_empty() || is_empty(&items[place]) {
            items.remove(place);
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// What is applied, laid over what is there.
pub(crate) fn merge(schema: &Value, live: &mut Value, applied: &Value, path: &[String]) {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) => {
            for (key, value) in applied {
                let mut deeper = path.to_vec();
                deeper.push(format!("f:{key}"));
                let inner = child(schema, key);
                merge(
                    inner,
                    live.entry(key.clone()).or_insert(Value::Null),
                    value,
                    &deeper,
                );
            }
        }
        (Value::Array(live), Value::Array(applied)) if !keys_of(schema, path).is_empty() => {
            let keys = keys_of(schema, path);
            for item in applied {
                let same = |other: &&mut Value| keys.iter().all(|key| other[*key] == item[*key]);
                match live.iter_mut().find(same) {
                    Some(known) => merge(&schema["items"], known, item, &[]),
                    None => live.push(item.clone()),
                }
            }
        }
        (live, applied) => live.clone_from(applied),
    }
}

/// As `fieldsV1` has it.
pub(crate) fn to_v1(fields: &Fields) -> Value {
    let mut root = json!({});
    for path in fields {
        let mut place = &mut root;
        for word in path {
            let map = place.as_object_mut().unwrap();
            place = map.entry(word.clone()).or_insert_with(|| json!({}));
        }
    }
    root
}

pub(crate) fn from_v1(value: &Value) -> Fields {
    fn collect(value: &Value, path: &mut Path, fields: &mut Fields) {
        for (word, inner) in value.as_object().into_iter().flatten() {
            path.push(word.clone());
            if inner.as_object().is_none_or(Map::is_empty) {
                fields.insert(path.clone());
            } else {
                collect(inner, path, fields);
            }
            path.pop();
        }
    }
    let mut fields = Fields::new();
    collect(value, &mut Vec::new(), &mut fields);
    fields
}

/// A path for people: `.spec.containers[name="a"].image`.
pub(crate) fn shown(path: &[String]) -> String {
    let mut text = String::new();
    for word in path {
        match word.split_at(2) {
            ("f:", key) => text.push_str(&format!(".{key}")),
            (_, id) => {
                let id: Map<String, Value> = serde_json::from_str(id).unwrap_or_default();
                let id: Vec<_> = id
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                text.push_str(&format!("[{}]", id.join(",")));
            }
        }
    }
    text
}
