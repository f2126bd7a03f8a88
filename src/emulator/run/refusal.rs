//! How Cloud Run words what it refuses.

use crate::emulator::errors::{ApiError, Violation};

/// A field of the service that cannot stand, by its proto path.
#[derive(Debug)]
pub(super) struct Refusal {
    pub field: String,
    pub text: String,
}

pub(super) type Checked = Result<(), Refusal>;

pub(super) fn refuse(field: impl Into<String>, text: impl Into<String>) -> Checked {
    Err(Refusal {
        field: field.into(),
        text: text.into(),
    })
}

/// `rpc` is `Create` or `Update`. The frame of the sentence is Google's; the words for most fields are not
/// published.
pub(super) fn violation(rpc: &str, refusal: Refusal) -> ApiError {
    let field = format!("service.{}", refusal.field);
    let message = format!("Violation in {rpc}ServiceRequest.{field}: {}", refusal.text);
    ApiError::invalid(message).with_violations(vec![Violation {
        field,
        description: refusal.text,
    }])
}

pub(super) fn not_found(name: &str) -> ApiError {
    ApiError::not_found(format!("service \"{name}\" not found"))
}

pub(super) fn already_exists(message: String) -> ApiError {
    let mut error = ApiError::already_exists();
    error.message = message;
    error
}

/// A write with an etag that is not the latest: `ABORTED`, as AIP-154 asks.
pub(super) fn stale_etag(id: &str, given: &str, current: &str) -> ApiError {
    ApiError::new(
        409,
        format!(
            "Conflict for resource '{id}': version '{given}' was specified but current version is '{current}'."
        ),
    )
}
