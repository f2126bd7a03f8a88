//! Bodies with keyed lists and maps as flat fields, and back.
//!
//! A member of a list that has identity becomes `env[NAME].value`, an entry of a map with free keys
//! `labels[KEY]`: so two lists merge by key, and a key that is not declared is nobody's.

use crate::core::fields::Fields;
use serde_json::{Map, Value};

/// A list or map whose members have keys.
pub(super) struct Collection {
    /// Where it stands, members of lists above it as `[]`: `template.containers[].env`.
    pub path: &'static str,
    pub members: Members,
}

/// How members are told apart.
#[derive(Clone, Copy)]
pub(super) enum Members {
    /// Objects, by this field.
    By(&'static str),
    /// Objects, by their place.
    Place,
    /// Entries of a map.
    Entries,
}

/// A body as fields.
pub(super) fn flatten(object: &Map<String, Value>, collections: &[Collection]) -> Fields {
    let mut fields = Fields::new();
    flatten_object(&mut fields, "", object, collections);
    fields
}

fn flatten_object(out: &mut Fields, at: &str, object: &Map<String, Value>, all: &[Collection]) {
    for (name, value) in object {
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        match (members(&path, all), value) {
            (Some(members), Value::Array(_) | Value::Object(_)) => {
                flatten_members(out, &path, value, members, all);
            }
            // An empty object declares nothing.
            (_, Value::Object(inner)) => flatten_object(out, &path, inner, all),
            (_, leaf) => {
                out.insert(path, leaf.clone());
            }
        }
    }
}

fn flatten_members(
    out: &mut Fields,
    path: &str,
    value: &Value,
    members: Members,
    all: &[Collection],
) {
    match (members, value) {
        (Members::Entries, Value::Object(entries)) => {
            for (key, value) in entries {
                out.insert(format!("{path}[{key}]"), value.clone());
            }
        }
        (Members::By(_) | Members::Place, Value::Array(items)) => {
            for (place, item) in items.iter().enumerate() {
                let Value::Object(item) = item else { continue };
                let mut rest = item.clone();
                let key = match members {
                    Members::By(name) => text(rest.remove(name)),
                    _ => place.to_string(),
                };
                flatten_object(out, &format!("{path}[{key}]"), &rest, all);
            }
        }
        _ => {}
    }
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

fn members(path: &str, all: &[Collection]) -> Option<Members> {
    let pattern = crate::core::items::generic(path);
    let found = all.iter().find(|collection| collection.path == pattern);
    found.map(|collection| collection.members)
}

/// Puts a field into a body; `null` takes it out. Members that are not there are added at the end.
pub(super) fn put(body: &mut Value, path: &str, value: &Value, collections: &[Collection]) {
    let mut at = body;
    let mut walked = String::new();
    let segments = segments(path);
    for (index, (name, key)) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(name);
        if last && key.is_none() {
            return assign(at, name, value);
        }
        let Some(key) = key else {
            at = entry(at, name, Value::Object(Map::new()));
            continue;
        };
        match members(&walked, collections) {
            Some(Members::Entries) => {
                let map = entry(at, name, Value::Object(Map::new()));
                return assign(map, key, value);
            }
            Some(Members::By(field)) => at = by_key(at, name, field, key),
            Some(Members::Place) => at = by_place(at, name, key.parse().unwrap_or(0)),
            None => return,
        }
        walked.push_str("[]");
    }
}

/// `env[A.B].value` as `(env, A.B), (value, )`.
fn segments(path: &str) -> Vec<(&str, Option<&str>)> {
    let mut out = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = &rest[..end];
        rest = &rest[end..];
        let mut key = None;
        if let Some(inside) = rest.strip_prefix('[') {
            let close = inside.find(']').unwrap_or(inside.len());
            key = Some(&inside[..close]);
            rest = inside.get(close + 1..).unwrap_or_default();
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        out.push((name, key));
    }
    out
}

fn assign(object: &mut Value, name: &str, value: &Value) {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Value::Object(object) = object else {
        return;
    };
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), value.clone());
    }
}

fn entry<'v>(object: &'v mut Value, name: &str, empty: Value) -> &'v mut Value {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let kind = empty.is_array();
    let slot = &mut object[name];
    if (kind && !slot.is_array()) || (!kind && !slot.is_object()) {
        *slot = empty;
    }
    slot
}

fn by_key<'v>(object: &'v mut Value, name: &str, field: &str, key: &str) -> &'v mut Value {
    let list = entry(object, name, Value::Array(Vec::new()));
    let of = |item: &Value| item[field].as_str().unwrap_or_default() == key;
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    let place = items.iter().position(of).unwrap_or(items.len());
    let member = by_index(list, place);
    if !key.is_empty() {
        member[field] = Value::String(key.to_owned());
    }
    member
}

fn by_place<'v>(object: &'v mut Value, name: &str, place: usize) -> &'v mut Value {
    let list = entry(object, name, Value::Array(Vec::new()));
    let length = list.as_array().map_or(0, Vec::len);
    by_index(list, place.min(length))
}

fn by_index(list: &mut Value, place: usize) -> &mut Value {
    if let Value::Array(items) = list
        && place == items.len()
    {
        items.push(Value::Object(Map::new()));
    }
    &mut list[place]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ALL: &[Collection] = &[
        Collection {
            path: "labels",
            members: Members::Entries,
        },
        Collection {
            path: "boxes",
            members: Members::By("name"),
        },
        Collection {
            path: "boxes[].env",
            members: Members::By("name"),
        },
        Collection {
            path: "boxes[].ports",
            members: Members::Place,
        },
    ];

    #[test]
    fn to_fields_and_back() {
        let tree = json!({
            "labels": {"run.dev/a.b": "1"},
            "boxes": [
                {"name": "api", "env": [{"name": "A", "value": "x"}, {"name": "B", "value": ""}],
                 "ports": [{"number": 80}]},
                {"image": "i"},
            ],
            "plain": {"deep": [1, 2]},
        });
        let fields = flatten(tree.as_object().unwrap(), ALL);
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "boxes[].image",
                "boxes[api].env[A].value",
                "boxes[api].env[B].value",
                "boxes[api].ports[0].number",
                "labels[run.dev/a.b]",
                "plain.deep",
            ]
        );
        let mut back = json!({});
        for (path, value) in &fields {
            put(&mut back, path, value, ALL);
        }
        assert_eq!(flatten(back.as_object().unwrap(), ALL), fields);
    }

    #[test]
    fn what_is_not_named_stays() {
        let mut body =
            json!({"boxes": [{"name": "api", "image": "i", "env": [{"name": "A", "value": "1"}]}]});
        put(&mut body, "boxes[api].env[B].value", &json!("2"), ALL);
        put(&mut body, "boxes[api].env[A].value", &json!("3"), ALL);
        put(&mut body, "boxes[api].image", &Value::Null, ALL);
        let wanted = json!({"boxes": [{"name": "api", "env": [
            {"name": "A", "value": "3"}, {"name": "B", "value": "2"}]}]});
        assert_eq!(body, wanted);
    }
}
