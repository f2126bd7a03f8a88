//! Bodies side by side: what a patch says, and what was there.

use serde_json::{Map, Value};

/// What tells versions apart, and is no content.
const VERSIONS: &[&str] = &["etag", "fingerprint", "settingsVersion"];

/// A body without the versions that it was decided on.
pub fn content(body: &Value) -> Value {
    let Some(object) = body.as_object() else {
        return body.clone();
    };
    let kept = object
        .iter()
        .filter(|(name, _)| !VERSIONS.contains(&name.as_str()));
    Value::Object(kept.map(|(n, v)| (n.clone(), content(v))).collect())
}

/// Whether `before` is already as `wanted` says: a field that is left out says nothing, `null` says
/// that it is not there, lists are whole, links and numbers may be written in several ways.
pub fn holds(before: &Value, wanted: &Value) -> bool {
    match (before, wanted) {
        (Value::Object(old), Value::Object(new)) => new
            .iter()
            .all(|(name, value)| holds(old.get(name).unwrap_or(&Value::Null), value)),
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| holds(old, new))
        }
        (Value::String(old), Value::String(new)) => relative(old) == relative(new),
        (Value::Number(old), Value::Number(new)) => old.as_f64() == new.as_f64(),
        _ => before == wanted,
    }
}

/// The two say the same.
pub fn same(one: &Value, other: &Value) -> bool {
    holds(one, other) && holds(other, one)
}

/// A link from `projects` on.
pub fn relative(link: &str) -> &str {
    link.find("/projects/").map_or(link, |at| &link[at + 1..])
}

/// Every value that is no object, with the names on the way to it.
pub fn leaves(body: &Value) -> Vec<(Vec<String>, Value)> {
    let mut found = Vec::new();
    walk(&mut Vec::new(), body, &mut found);
    found
}

fn walk(way: &mut Vec<String>, value: &Value, found: &mut Vec<(Vec<String>, Value)>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                way.push(name.clone());
                walk(way, value, found);
                way.pop();
            }
        }
        leaf => found.push((way.clone(), leaf.clone())),
    }
}

/// The value at the end of a way; null where there is none.
pub fn at<'v>(value: &'v Value, way: &[impl AsRef<str>]) -> &'v Value {
    way.iter().fold(value, |at, name| &at[name.as_ref()])
}

/// What `before` says about everything that a patch speaks of.
pub fn part(before: &Value, patch: &Value) -> Map<String, Value> {
    leaves(patch)
        .into_iter()
        .map(|(way, _)| (way.join("."), at(before, &way).clone()))
        .collect()
}

#[test]
fn what_a_patch_does_not_change() {
    use serde_json::json;
    let before = json!({"a": {"b": 1, "c": [1, 2]}, "link": "https://h/compute/v1/projects/p/x"});
    for (same, patch) in [
        (true, json!({"a": {"b": 1.0}})),
        (true, json!({"a": {"c": [1, 2], "gone": null}})),
        (true, json!({"link": "projects/p/x"})),
        (false, json!({"a": {"b": 2}})),
        (false, json!({"a": {"c": [1]}})),
        (false, json!({"a": {"b": null}})),
        (false, json!({"new": ""})),
    ] {
        assert_eq!(holds(&before, &patch), same, "{patch}");
    }
    let patch = json!({"etag": "x", "settings": {"settingsVersion": "7", "tier": "t"}});
    assert_eq!(content(&patch), json!({"settings": {"tier": "t"}}));
}
