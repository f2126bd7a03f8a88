//! Literal secrets in env: kept out of everything that is stored or shown.
//!
//! Fields hold a short digest in the place of such a value, so a change still shows as a change.
//! 32 bits are too few to find the value by guessing (a list of a billion guesses has hits of its
//! own), and enough to tell two values apart. Bodies are stored with the value replaced.

use super::super::secret::is_secret;
use crate::core::digest;
use serde_json::{Value, json};

/// Stands for a secret in stored bodies.
const REPLACED: &str = "[redacted]";
/// What fields hold in the place of a secret.
pub(super) fn fingerprint(name: &str, value: &str) -> String {
    let digest = digest::of(&json!([name, value]));
    let hex = digest.rsplit(':').next().unwrap_or_default();
    format!("#{}", hex.get(..8).unwrap_or(hex))
}

/// The value behind a fingerprint, in the containers of a template.
pub(super) fn find(template: &Value, name: &str, fingerprint_of_it: &str) -> Option<String> {
    let containers = template["containers"].as_array()?;
    let env = containers
        .iter()
        .filter_map(|c| c["env"].as_array())
        .flatten();
    env.filter(|variable| variable["name"].as_str() == Some(name))
        .filter_map(|variable| variable["value"].as_str())
        .find(|value| fingerprint(name, value) == fingerprint_of_it)
        .map(str::to_owned)
}

/// A body without its secrets, wherever in it an object has a name and a value.
pub(super) fn redact(mut body: Value) -> Value {
    redact_in(&mut body);
    body
}

fn redact_in(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let text = |key: &str| object.get(key).and_then(Value::as_str);
            if let (Some(name), Some(value)) = (text("name"), text("value"))
                && is_secret(name, value)
            {
                object.insert("value".to_owned(), REPLACED.into());
            }
            object.values_mut().for_each(redact_in);
        }
        Value::Array(items) => items.iter_mut().for_each(redact_in),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_stored_without_them() {
        let body = json!({"template": {"containers": [{"name": "a", "env": [
            {"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "A", "value": "1"}]}]}});
        let text = redact(body.clone()).to_string();
        assert!(!text.contains("hunter2") && text.contains(REPLACED));
        let sign = fingerprint("DB_PASSWORD", "hunter2");
        assert_eq!(
            find(&body["template"], "DB_PASSWORD", &sign).as_deref(),
            Some("hunter2")
        );
        assert_eq!(sign.len(), 9);
    }
}
