//! Canonical digests: equal content gives equal words, whatever the order of keys or of files.

use super::fields::Fields;
use crate::api::Declared;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// `sha256:` and 64 hex digits over the canonical JSON of a value.
#[must_use]
pub fn of(value: &Value) -> String {
    let mut text = String::new();
    canonical(&mut text, value);
    let mut digest = String::with_capacity(71);
    digest.push_str("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// Digest of the desired content: identity and `spec.resource`, nothing else.
#[must_use]
pub fn desired(declared: &Declared) -> String {
    let key = &declared.key;
    of(&json!({
        "kind": key.kind, "project": key.project, "location": key.location, "name": key.name,
        "resource": declared.resource,
    }))
}

/// Digest of the whole spec, by which generations are counted.
#[must_use]
pub fn spec(declared: &Declared) -> String {
    of(&json!({"content": desired(declared), "policy": to_value(&declared.policy)}))
}

/// Digest of managed fields.
#[must_use]
pub fn fields(fields: &Fields) -> String {
    of(&to_value(fields))
}

/// The first 12 hex digits, for people.
#[must_use]
pub fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

/// Serialises plain data of ours; a failure would be a bug in a derive, and gives `null`.
pub fn to_value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or(Value::Null)
}

fn canonical(out: &mut String, value: &Value) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                let _ = write!(out, "{}:", Value::String(key.clone()));
                canonical(out, &map[key]);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(out, item);
            }
            out.push(']');
        }
        leaf => {
            let _ = write!(out, "{leaf}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_does_not_matter_and_null_does() {
        let a: Value = serde_json::from_str(r#"{"b":1,"a":{"d":null,"c":[1,2]}}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"a":{"c":[1,2],"d":null},"b":1}"#).unwrap();
        assert_eq!(of(&a), of(&b));
        assert_eq!(of(&a).len(), 71);
        let unset: Value = serde_json::from_str(r#"{"a":{"c":[1,2]},"b":1}"#).unwrap();
        assert_ne!(of(&a), of(&unset));
        let zero: Value = serde_json::from_str(r#"{"a":{"c":[1,2],"d":0},"b":1}"#).unwrap();
        assert_ne!(of(&a), of(&zero));
    }
}
