//! How Cloud SQL words what it refuses. Where a text is not published, the code and the reason are what counts.

use crate::emulator::errors::ApiError;

pub(super) fn invalid(text: impl AsRef<str>) -> ApiError {
    ApiError::invalid(format!("Invalid request: {}", text.as_ref())).with_reason("invalid")
}

pub(super) fn no_instance() -> ApiError {
    ApiError::not_found("The Cloud SQL instance does not exist.")
        .with_reason("instanceDoesNotExist")
}

/// What Google also says of an instance that is not there, and the only thing it says of one that was.
pub(super) fn not_authorized() -> ApiError {
    ApiError::new(403, "The client is not authorized to make this request.")
        .with_reason("notAuthorized")
}

pub(super) fn no_operation() -> ApiError {
    ApiError::not_found("The Cloud SQL operation does not exist.")
        .with_reason("operationDoesNotExist")
}

pub(super) fn already_exists() -> ApiError {
    ApiError::new(
        409,
        "The Cloud SQL instance already exists. When you delete an instance, you cannot reuse the name of the \
         deleted instance until one week from the deletion date.",
    )
    .with_reason("instanceAlreadyExists")
}

pub(super) fn busy() -> ApiError {
    ApiError::new(
        409,
        "Operation failed because another operation was already in progress.",
    )
    .with_reason("operationInProgress")
}

/// A settings version that is not the latest.
pub(super) fn stale() -> ApiError {
    ApiError::new(412, "Condition does not match.").with_reason("staleData")
}

pub(super) fn protected() -> ApiError {
    invalid(
        "The instance is protected. Please disable the deletion protection and try again. To disable deletion \
         protection, update the instance settings with deletionProtectionEnabled set to false.",
    )
}
