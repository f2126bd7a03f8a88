//! Values out of a JSON reply.

use crate::core::check::Value;
use serde_json::Value as Json;

/// Largest reply that is read, in bytes.
pub(super) const BODY_LIMIT: usize = 1024 * 1024;
/// Longest word taken from a reply, in characters.
const WORD: usize = 100;

/// Each field with its value; `None` where the reply has none.
pub(super) fn values(pointers: &[(String, String)], body: &[u8]) -> Vec<(String, Option<Value>)> {
    if pointers.is_empty() {
        return Vec::new();
    }
    let json = serde_json::from_slice(body).unwrap_or(Json::Null);
    let value = |pointer: &str| json.pointer(pointer).and_then(value);
    pointers
        .iter()
        .map(|(field, pointer)| (field.clone(), value(pointer)))
        .collect()
}

/// A number, a flag or a word. A text that is a number counts as one.
fn value(json: &Json) -> Option<Value> {
    match json {
        Json::Bool(flag) => Some(Value::Flag(*flag)),
        Json::Number(number) => number.as_f64().map(Value::from),
        Json::String(text) => Some(match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number),
            _ => Value::Word(text.chars().take(WORD).collect()),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_find_numbers_flags_and_words() {
        let body =
            br#"{"up": true, "state": "READY", "pool": {"waits": [1.5, "2"]}, "none": null}"#;
        for (pointer, value) in [
            ("/up", Some(Value::Flag(true))),
            ("/state", Some(Value::from("READY"))),
            ("/pool/waits/0", Some(Value::Number(1.5))),
            ("/pool/waits/1", Some(Value::Number(2.0))),
            ("/pool", None),
            ("/none", None),
            ("/nowhere", None),
            ("", None),
        ] {
            let pointers = [("json.x".to_owned(), pointer.to_owned())];
            assert_eq!(
                values(&pointers, body),
                [("json.x".to_owned(), value)],
                "{pointer}"
            );
        }
        let pointers = [("json.x".to_owned(), "/x".to_owned())];
        assert_eq!(values(&pointers, b"<html>"), [("json.x".to_owned(), None)]);
    }
}
