//! How Certificate Manager words what it refuses. Where a text is known from public reports it is that text.

use serde_json::{Value, json};

use crate::emulator::errors::{ApiError, Violation};

/// A field of the request, by its proto path, and what is wrong with it.
pub(super) fn refuse(field: &str, description: &str) -> ApiError {
    refuse_saying("Validation failed", field, description)
}

/// The same where Google gives the description as the message too.
pub(super) fn refuse_plainly(field: &str, description: &str) -> ApiError {
    refuse_saying(description, field, description)
}

fn refuse_saying(message: &str, field: &str, description: &str) -> ApiError {
    ApiError::invalid(message).with_violations(vec![Violation {
        field: field.to_owned(),
        description: description.to_owned(),
    }])
}

pub(super) fn not_found(name: &str) -> ApiError {
    ApiError::not_found(format!("Resource '{name}' was not found"))
}

pub(super) fn already_exists(name: &str) -> ApiError {
    let mut error = ApiError::already_exists();
    error.message = format!("Resource '{name}' already exists");
    error
}

/// Another operation runs on the resource: `ABORTED`.
pub(super) fn busy() -> ApiError {
    ApiError::new(409, "unable to queue the operation")
}

/// Something refers to the resource, which `subject` names with the project's number.
pub(super) fn in_use(words: &str, subject: &Value) -> ApiError {
    let mut error = ApiError::failed_precondition(words);
    error.details.push(json!({
        "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
        "violations": [{"type": "RESOURCE_STILL_IN_USE", "subject": subject, "description": words}],
    }));
    error
}
