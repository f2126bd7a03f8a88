//! Calls to the API server: each ends, and says in a line why it failed.

use super::memo::MemoError;
use std::time::Duration;

/// How long one call to the API server may take.
const CALL: Duration = Duration::from_secs(10);

/// Why an object was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShelfError {
    #[error("the object is gone")]
    Gone,
    #[error("another operator wrote what it remembers there; this one steps back")]
    Lost,
    #[error("the API server refuses: {0}")]
    Refused(String),
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
    #[error(transparent)]
    Memo(#[from] MemoError),
}

/// A call that ends.
///
/// # Errors
/// Its own, or that it took too long.
pub async fn within<T>(
    call: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, kube::Error> {
    match tokio::time::timeout(CALL, call).await {
        Ok(reply) => reply,
        Err(late) => Err(kube::Error::Service(late.into())),
    }
}

/// True where the API server answered with this code.
#[must_use]
pub fn is(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// What the API server said, or why nothing was said, in a line.
#[must_use]
pub fn said(error: &kube::Error) -> ShelfError {
    match error {
        kube::Error::Api(status) if status.code < 500 => {
            ShelfError::Refused(status.message.clone())
        }
        kube::Error::Api(status) => ShelfError::Unreachable(status.message.clone()),
        other => ShelfError::Unreachable(other.to_string()),
    }
}
