//! Compute's words for what it refuses. Where a text is known from public reports it is that text.

use serde_json::Value;

use crate::emulator::errors::ApiError;

/// `Invalid value for field 'resource.name': 'X'. ...`
pub(super) fn invalid(field: &str, value: &Value, words: &str) -> ApiError {
    let shown = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    };
    let message = format!("Invalid value for field '{field}': '{shown}'. {words}");
    ApiError::invalid(message).with_reason("invalid")
}

pub(super) fn required(field: &str) -> ApiError {
    ApiError::invalid(format!("Required field '{field}' not specified")).with_reason("required")
}

pub(super) fn not_found(name: &str) -> ApiError {
    ApiError::not_found(format!("The resource '{name}' was not found"))
}

pub(super) fn already_exists(name: &str) -> ApiError {
    ApiError::new(409, format!("The resource '{name}' already exists"))
}

/// Another operation is changing it.
pub(super) fn not_ready(name: &str) -> ApiError {
    ApiError::invalid(format!("The resource '{name}' is not ready")).with_reason("resourceNotReady")
}

pub(super) fn in_use_words(noun: &str, name: &str, user: &str) -> String {
    format!("The {noun} resource '{name}' is already being used by '{user}'")
}

pub(super) fn in_use(noun: &str, name: &str, user: &str) -> ApiError {
    ApiError::invalid(in_use_words(noun, name, user)).with_reason("resourceInUseByAnotherResource")
}

pub(super) fn stale_fingerprint() -> ApiError {
    ApiError::new(412, "Invalid fingerprint.").with_reason("conditionNotMet")
}
