//! Literal secrets in env: kept out of everything that is stored or shown.
//!
//! Fields hold a short digest in the place of such a value, so a change still shows as a change.
//! 32 bits are too few to find the value by guessing (a list of a billion guesses has hits of its
//! own), and enough to tell two values apart. Bodies are stored with the value replaced.

use crate::core::digest;
use serde_json::{Value, json};

/// Stands for a secret in stored bodies.
const REPLACED: &str = "[redacted]";
const SUFFIXES: &[&str] = &[
    "KEY",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PWD",
    "SECRET",
    "CREDENTIALS",
];
/// How well-known credentials start.
const PREFIXES: &[&str] = &[
    "-----BEGIN",
    "AIza",
    "AKIA",
    "eyJ",
    "ghp_",
    "github_pat_",
    "glpat-",
    "sk-",
    "sk_live_",
    "xoxb-",
    "xoxp-",
    "ya29.",
];

/// Whether a value is treated as a secret, by the name of the variable or by its looks.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && (named(name) && !harmless(value) || looks(value))
}

fn named(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SUFFIXES.iter().any(|suffix| {
        name == *suffix || name.ends_with(&format!("_{suffix}")) || name == format!("API{suffix}")
    })
}

/// Numbers and switches, such as `MAX_TOKEN=4096` or `ROTATE_KEY=true`.
fn harmless(value: &str) -> bool {
    let number = value.len() <= 5 && value.parse::<f64>().is_ok();
    number || matches!(value.to_ascii_lowercase().as_str(), "true" | "false")
}

fn looks(value: &str) -> bool {
    PREFIXES.iter().any(|prefix| value.starts_with(prefix)) || has_userinfo(value)
}

/// `postgres://user:password@host/db`.
fn has_userinfo(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, p)| !p.is_empty()))
}

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
    fn secrets_by_name_and_by_looks() {
        for (name, value) in [
            ("DB_PASSWORD", "hunter2"),
            ("API_KEY", "abc"),
            ("token", "s3cr3t-value"),
            ("DATABASE_URL", "postgres://app:pw@10.0.0.3/db"),
            ("X", "-----BEGIN PRIVATE KEY-----"),
        ] {
            assert!(is_secret(name, value), "{name}");
        }
        for (name, value) in [
            ("DB_PASSWORD", ""),
            ("MAX_TOKEN", "4096"),
            ("URL", "https://example.com/a:b@c"),
            ("DATABASE_URL", "postgres://app@10.0.0.3/db"),
            ("KEYBOARD", "qwerty"),
        ] {
            assert!(!is_secret(name, value), "{name}");
        }
    }

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
