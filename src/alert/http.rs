//! One POST to a receiver, over reqwest.
//!
//! Invariant: one request on the wire per call, redirects are not followed, and receivers on this
//! machine are never reached through a proxy.

use async_trait::async_trait;
use std::fmt;
use std::time::Duration;
use url::{Host, Url};

/// Time to a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time from the start of a call to the end of its reply.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// What is read of a reply, in bytes: receivers answer with a word.
const REPLY_LIMIT: usize = 4 * 1024;
/// The longest wait that a receiver may ask for.
const ASKED_LIMIT: Duration = Duration::from_hours(1);

/// A message on its way. The address may be a secret, and so may headers and body.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub url: Url,
    /// Besides `Content-Type: application/json`.
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} bytes)", self.body.len())
    }
}

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Its beginning.
    pub body: String,
    /// `Retry-After`, where it is in seconds.
    pub retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Nothing can have arrived.
    #[error("no connection: {0}")]
    NotSent(String),
    /// It may have arrived.
    #[error("no full reply: {0}")]
    Lost(String),
}

/// Sends messages. The live one is [`LivePost`]; tests and the simulation have theirs.
#[async_trait]
pub trait Post: Send + Sync {
    /// Sends one request, once.
    ///
    /// # Errors
    /// See [`PostError`]; an HTTP error status is an answer.
    async fn post(&self, request: Request) -> Result<Reply, PostError>;
}

/// Sends messages over real sockets.
#[derive(Debug, Clone)]
pub struct LivePost {
    /// Honours the proxy variables of the environment.
    far: reqwest::Client,
    /// Never uses a proxy.
    near: reqwest::Client,
}

impl LivePost {
    /// # Errors
    /// When the TLS stack cannot be set up, such as without any trust store.
    pub fn new() -> Result<Self, PostError> {
        let build = |builder: reqwest::ClientBuilder| {
            let client = builder.build();
            client.map_err(|error| PostError::NotSent(explain(error)))
        };
        Ok(LivePost {
            far: build(settings())?,
            near: build(settings().no_proxy())?,
        })
    }

    async fn exchange(&self, request: Request) -> Result<Reply, PostError> {
        let near = is_near(&request.url);
        let client = if near { &self.near } else { &self.far };
        let mut call = client
            .post(request.url)
            .header("content-type", "application/json")
            .body(request.body);
        for (name, value) in request.headers {
            call = call.header(name, value);
        }
        let mut reply = call.send().await.map_err(|error| {
            let unsent = error.is_connect() || error.is_builder();
            let kind = if unsent {
                PostError::NotSent
            } else {
                PostError::Lost
            };
            kind(explain(error))
        })?;
        let retry_after = retry_after(reply.headers());
        let status = reply.status().as_u16();
        let mut body = Vec::new();
        // The status is the answer: a body that breaks off changes nothing.
        while body.len() < REPLY_LIMIT
            && let Ok(Some(piece)) = reply.chunk().await
        {
            body.extend_from_slice(&piece);
        }
        body.truncate(REPLY_LIMIT);
        Ok(Reply {
            status,
            body: String::from_utf8_lossy(&body).into_owned(),
            retry_after,
        })
    }
}

#[async_trait]
impl Post for LivePost {
    async fn post(&self, request: Request) -> Result<Reply, PostError> {
        tokio::time::timeout(CALL_TIMEOUT, self.exchange(request))
            .await
            .unwrap_or_else(|_| {
                let seconds = CALL_TIMEOUT.as_secs();
                Err(PostError::Lost(format!("no reply in {seconds} s")))
            })
    }
}

fn settings() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("evenkeel/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
}

fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn retry_after(headers: &::http::HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?;
    let seconds = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(ASKED_LIMIT))
}

/// The whole chain of causes, without the address.
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
    text
}
