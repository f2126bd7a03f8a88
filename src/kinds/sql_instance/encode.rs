//! Fields to the call that writes them.
//!
//! A patch merges objects and replaces lists, so a list goes whole: the live one with the declared
//! members changed. `settingsVersion` of the fresh read goes along with every change of settings:
//! where somebody was faster, Google refuses the patch instead of mixing the two.

use super::super::tree;
use super::COLLECTIONS;
use crate::core::fields;
use crate::core::record::Verb;
use crate::core::rules::{Change, Encoded};
use serde_json::{Map, Value};

/// Lists below `settings`, by their names on the way down.
const LISTS: &[&[&str]] = &[
    &["settings", "databaseFlags"],
    &["settings", "ipConfiguration", "authorizedNetworks"],
];

pub(super) fn encode(change: &Change<'_>) -> Encoded {
    let null = Value::Null;
    let live = change.live.map_or(&null, |live| &live.raw);
    let mut body = Value::Object(Map::new());
    for path in LISTS {
        let prefix = format!("{}[", path.join("."));
        let old = path.iter().fold(live, |at, name| &at[*name]);
        if old.is_array() && change.fields.keys().any(|field| field.starts_with(&prefix)) {
            tree::put(&mut body, &path.join("."), old, &[]);
        }
    }
    for (path, value) in change.fields {
        tree::put(&mut body, path, &wire(path, value), COLLECTIONS);
    }
    if change.verb == Verb::Patch
        && let Some(Value::Object(settings)) = body.get_mut("settings")
        && let Some(version) = live["settings"].get("settingsVersion")
    {
        settings.insert("settingsVersion".to_owned(), version.clone());
    }
    Encoded {
        mask: Vec::new(),
        body,
    }
}

/// 64-bit numbers travel as texts.
fn wire(path: &str, value: &Value) -> Value {
    if path != super::DISK {
        return value.clone();
    }
    let number = fields::minimum(value).or_else(|| value.as_i64());
    number.map_or_else(|| value.clone(), |number| number.to_string().into())
}
