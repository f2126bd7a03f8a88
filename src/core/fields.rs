//! Managed fields as a flat map, and the difference between two of them.
//!
//! A field that is absent is unset: not managed when declared, not there when live. `null` means
//! "cleared", and `0` and `""` are values.

use serde_json::Value;
use std::collections::BTreeMap;

/// Field path (`minInstances`, `subnet.name`) to value.
pub type Fields = BTreeMap<String, Value>;

/// One declared field whose live value differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub field: String,
    /// `None`: the live resource has no such field.
    pub from: Option<Value>,
    pub to: Value,
}

/// The declared fields whose live value differs, in path order.
#[must_use]
pub fn diff(declared: &Fields, live: &Fields) -> Vec<Difference> {
    declared
        .iter()
        .filter(|(field, wanted)| !same(wanted, live.get(*field)))
        .map(|(field, wanted)| Difference {
            field: field.clone(),
            from: live.get(field).cloned(),
            to: wanted.clone(),
        })
        .collect()
}

/// `null` is satisfied by a field that is not there; everything else must be equal.
fn same(wanted: &Value, live: Option<&Value>) -> bool {
    match live {
        Some(live) => wanted == live,
        None => wanted.is_null(),
    }
}

/// The live values of exactly the fields in `of`.
#[must_use]
pub fn restrict(live: &Fields, of: &Fields) -> Fields {
    live.iter()
        .filter(|(field, _)| of.contains_key(*field))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

/// Flattens nested objects to dotted paths. Arrays and scalars are leaves.
#[must_use]
pub fn flatten(object: &serde_json::Map<String, Value>) -> Fields {
    let mut fields = Fields::new();
    flatten_into(&mut fields, "", object);
    fields
}

fn flatten_into(fields: &mut Fields, prefix: &str, object: &serde_json::Map<String, Value>) {
    for (name, value) in object {
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Object(inner) if !inner.is_empty() => flatten_into(fields, &path, inner),
            leaf => {
                fields.insert(path, leaf.clone());
            }
        }
    }
}

/// The inverse of [`flatten`]. Entries of keyed lists (see [`super::items`]) become an object by key.
#[must_use]
pub fn unflatten(fields: &Fields) -> serde_json::Map<String, Value> {
    let mut root = serde_json::Map::new();
    for (path, value) in fields {
        insert(&mut root, path, value);
    }
    root
}

fn insert(object: &mut serde_json::Map<String, Value>, path: &str, value: &Value) {
    match head_of(path) {
        None => {
            object.insert(path.to_owned(), value.clone());
        }
        Some((head, rest)) => {
            let inner = object
                .entry(head)
                .or_insert_with(|| Value::Object(serde_json::Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// The first name of a path and the rest. The key of a list entry is a name of its own, whatever
/// stands in it: `backends[a.b].rate` is `backends`, `a.b`, `rate`.
fn head_of(path: &str) -> Option<(&str, &str)> {
    if let Some((key, rest)) = path.strip_prefix('[').and_then(|p| p.split_once("].")) {
        return Some((key, rest));
    }
    let end = path.find(['.', '['])?;
    let rest = &path[end..];
    Some((&path[..end], rest.strip_prefix('.').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: &Value) -> Fields {
        flatten(value.as_object().expect("an object"))
    }

    #[test]
    fn unset_null_and_zero_are_three_things() {
        let live = fields(&json!({"zero": 0, "set": 5}));
        assert!(
            diff(&fields(&json!({})), &live).is_empty(),
            "unset is not managed"
        );
        assert!(diff(&fields(&json!({"zero": 0, "gone": null})), &live).is_empty());
        let changes = diff(
            &fields(&json!({"set": null, "absent": 0, "zero": ""})),
            &live,
        );
        let names: Vec<_> = changes.iter().map(|c| c.field.as_str()).collect();
        assert_eq!(names, ["absent", "set", "zero"]);
    }

    #[test]
    fn flatten_and_back() {
        let tree = json!({"a": {"b": 1, "c": {"d": [1, 2]}}, "e": {}});
        assert_eq!(Value::Object(unflatten(&fields(&tree))), tree);
        let keyed = [("list[a.b/c].rate".to_owned(), json!(1))].into();
        assert_eq!(
            Value::Object(unflatten(&keyed)),
            json!({"list": {"a.b/c": {"rate": 1}}})
        );
    }
}
