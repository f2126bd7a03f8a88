//! The port to the network, over reqwest.
//!
//! Invariant: one request on the wire per call. The library's own repetition of refused HTTP/2
//! streams is off, redirects are not followed, loopback hosts are never reached through a proxy.

use super::endpoint::is_loopback;
use super::http::{Http, TransportError};
use super::redact::redact;
use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// Time to a connection, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time from the start of a call to the end of its reply.
pub const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// Largest reply, in bytes after unpacking. A full page of the largest lists is a few MiB.
pub const REPLY_LIMIT: usize = 32 * 1024 * 1024;
/// Google packs replies only for a user agent that says gzip
/// (<https://docs.cloud.google.com/compute/docs/api/how-tos/performance>).
pub const USER_AGENT: &str = concat!("evenkeel/", env!("CARGO_PKG_VERSION"), " (gzip)");

/// Sends requests over real sockets. Cheap to share, keeps connections open.
#[derive(Debug, Clone)]
pub struct LiveHttp {
    /// Honours the proxy variables of the environment.
    far: reqwest::Client,
    /// Never uses a proxy: an emulator on this machine is not behind one.
    near: reqwest::Client,
    call_timeout: Duration,
    reply_limit: usize,
}

impl LiveHttp {
    /// A client with the limits of this file.
    ///
    /// # Errors
    /// When the TLS stack cannot be set up, such as without any trust store.
    pub fn new() -> Result<Self, TransportError> {
        Self::with_limits(CALL_TIMEOUT, REPLY_LIMIT)
    }

    /// A client with other limits: time per call, and bytes per reply after unpacking.
    ///
    /// # Errors
    /// As [`LiveHttp::new`].
    pub fn with_limits(call_timeout: Duration, reply_limit: usize) -> Result<Self, TransportError> {
        let build = |builder: reqwest::ClientBuilder| {
            builder
                .build()
                .map_err(|error| TransportError::NotSent(explain(error)))
        };
        Ok(LiveHttp {
            far: build(settings())?,
            near: build(settings().no_proxy())?,
            call_timeout,
            reply_limit,
        })
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let near = request.uri().host().is_some_and(is_loopback);
        let client = if near { &self.near } else { &self.far };
        let request = reqwest::Request::try_from(request)
            .map_err(|error| TransportError::NotSent(explain(error)))?;
        let mut reply = client.execute(request).await.map_err(classify)?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = reply.status();
        *answer.headers_mut() = std::mem::take(reply.headers_mut());
        *answer.body_mut() = self.body(&mut reply).await?;
        Ok(answer)
    }

    /// Reads piece by piece: the limit holds for unpacked bytes, before they are all in memory.
    async fn body(&self, reply: &mut reqwest::Response) -> Result<Bytes, TransportError> {
        let mut body = BytesMut::new();
        while let Some(piece) = reply.chunk().await.map_err(lost)? {
            if body.len() + piece.len() > self.reply_limit {
                return Err(TransportError::TooLarge {
                    limit: self.reply_limit,
                });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }
}

#[async_trait]
impl Http for LiveHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        tokio::time::timeout(self.call_timeout, self.exchange(request))
            .await
            .unwrap_or_else(|_| {
                // Where the time went is not known: assume the request arrived.
                let seconds = self.call_timeout.as_secs_f32();
                Err(TransportError::Lost(format!("no reply in {seconds} s")))
            })
    }
}

fn settings() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
}

fn classify(error: reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() {
        TransportError::NotSent(explain(error))
    } else {
        lost(error)
    }
}

fn lost(error: reqwest::Error) -> TransportError {
    TransportError::Lost(explain(error))
}

/// The whole chain of causes: the outermost message of reqwest rarely tells. The address is left
/// out because its query may be private.
fn explain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = inner.source();
    }
    redact(&text)
}
