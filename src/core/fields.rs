//! Managed fields as a flat map, and the difference between two of them.
//!
//! A field that is absent is unset: not managed when declared, not there when live. `null` means
//! "cleared", and `0` and `""` are values. `{"atLeast": 100}` is satisfied by any number from 100 on.

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

/// Whether live is as wanted: `null` is satisfied by a field that is not there, a minimum by more,
/// and everything else must be equal.
#[must_use]
pub fn same(wanted: &Value, live: Option<&Value>) -> bool {
    match live {
        Some(live) => wanted == live || exceeds(wanted, live),
        None => wanted.is_null(),
    }
}

fn exceeds(wanted: &Value, live: &Value) -> bool {
    minimum(wanted).is_some_and(|least| live.as_i64().is_some_and(|live| live >= least))
}

/// A number that live may exceed, for what GCP raises by itself.
#[must_use]
pub fn at_least(least: i64) -> Value {
    serde_json::json!({"atLeast": least})
}

/// The number of an [`at_least`].
#[must_use]
pub fn minimum(value: &Value) -> Option<i64> {
    value.get("atLeast")?.as_i64()
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
            let name = path.strip_prefix('[').and_then(|key| key.strip_suffix(']'));
            object.insert(name.unwrap_or(path).to_owned(), value.clone());
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
    if path.starts_with('[') {
        return None;
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
    fn a_minimum_is_satisfied_by_more() {
        let declared = Fields::from([("disk".to_owned(), at_least(100))]);
        let live = |size: i64| fields(&json!({"disk": size}));
        assert_eq!(diff(&declared, &live(99)).len(), 1);
        assert!(diff(&declared, &live(100)).is_empty());
        assert!(diff(&declared, &live(250)).is_empty());
        assert_eq!(diff(&declared, &Fields::new()).len(), 1);
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
        let deep = [("boxes[a].env[B.C].value", 1), ("labels[x.y/z]", 2)];
        let deep = deep.map(|(path, value)| (path.to_owned(), json!(value)));
        assert_eq!(
            Value::Object(unflatten(&deep.into())),
            json!({"boxes": {"a": {"env": {"B.C": {"value": 1}}}}, "labels": {"x.y/z": 2}})
        );
    }
}
