//! The port to the network: one request, one reply.
//!
//! Invariant: an implementation sends at most one request per call. It never repeats and never
//! follows a redirect, so that the caller knows what may have landed.

use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::Bytes;

/// Sends requests. The live one is [`super::live::LiveHttp`]; tests and the simulator script theirs.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends one request and reads the whole reply, whatever its status.
    ///
    /// # Errors
    /// See [`TransportError`]; an HTTP error status is no transport error.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;
}

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection: nothing can have landed.
    #[error("no connection: {0}")]
    NotSent(String),
    /// Sent at least in part, and no full reply: it may have landed.
    #[error("no full reply: {0}")]
    Lost(String),
    /// The reply is larger than `limit` bytes, unpacked. The request may have landed.
    #[error("reply larger than {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: usize,
    },
}
