//! Who we are to Google, call by call.
//!
//! Invariant: a credential is never printed. `Debug` shows where it came from, and the headers are
//! marked sensitive. Calls without credentials exist for emulators only, see [`super::access`].

pub use super::credentials::{AuthConfig, SCOPE};
use super::error::fault;
use crate::core::error::{Fault, FaultKind};
use ::http::{Extensions, HeaderMap};
use async_trait::async_trait;
use google_cloud_auth::credentials::{CacheableResource, Credentials};
use google_cloud_auth::errors::CredentialsError;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait for a token.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
/// After an outage the library asks for a token again in this rhythm; asking it sooner only
/// repeats the old answer.
const OUTAGE_RHYTHM: Duration = Duration::from_secs(10);
/// Least time between two loads of refused credentials.
pub const RELOAD_EVERY: Duration = Duration::from_mins(1);

/// Gives the headers that authenticate a call.
#[async_trait]
pub trait Auth: Send + Sync {
    /// Headers for one call; a token among them is good for minutes.
    ///
    /// # Errors
    /// `Throttled` where waiting helps, else `Denied` with what to do.
    async fn headers(&self) -> Result<HeaderMap, Fault>;
}

type Load = dyn Fn() -> Result<Credentials, Fault> + Send + Sync;

/// Real Google credentials. Tokens are cached and renewed in the background.
///
/// The library gives up for good on a refusal. Here refused credentials are loaded anew, at most
/// once a minute, so that a new login or a granted role takes effect without a restart.
pub struct GoogleAuth {
    config: AuthConfig,
    load: Box<Load>,
    current: Mutex<Loaded>,
}

struct Loaded {
    credentials: Credentials,
    at: Instant,
}

impl std::fmt::Debug for GoogleAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GoogleAuth({})", self.origin())
    }
}

impl GoogleAuth {
    /// Loads credentials. Call inside a tokio runtime: a task there fetches and renews tokens.
    ///
    /// # Errors
    /// `Denied` with what to do, when no usable credentials are found.
    pub fn load(config: AuthConfig) -> Result<Self, Fault> {
        let again = config.clone();
        Self::new(config, Box::new(move || again.load()))
    }

    /// Credentials from the content of a credentials file, whatever `config.file` says.
    ///
    /// # Errors
    /// `Denied`, when the content is of no known type or lacks fields.
    pub fn from_json(json: Value, config: AuthConfig) -> Result<Self, Fault> {
        let again = config.clone();
        Self::new(config, Box::new(move || again.load_json(&json)))
    }

    fn new(config: AuthConfig, load: Box<Load>) -> Result<Self, Fault> {
        let credentials = load()?;
        let at = Instant::now();
        Ok(GoogleAuth {
            config,
            load,
            current: Mutex::new(Loaded { credentials, at }),
        })
    }

    /// Where the credentials come from, for people.
    #[must_use]
    pub fn origin(&self) -> String {
        self.config.origin()
    }

    async fn ask(&self, credentials: Credentials) -> Result<HeaderMap, Fault> {
        let asked = credentials.headers(Extensions::new());
        match tokio::time::timeout(TOKEN_TIMEOUT, asked).await {
            Ok(Ok(CacheableResource::New { data, .. })) => Ok(sensitive(data)),
            // Without an entity tag in the question this answer does not occur.
            Ok(Ok(CacheableResource::NotModified)) => Err(outage("no headers were given")),
            Ok(Err(error)) => Err(self.judge(&error)),
            Err(_) => Err(outage("the token service does not answer")),
        }
    }

    fn judge(&self, error: &CredentialsError) -> Fault {
        let text = chain(error);
        if error.is_transient() {
            return outage(&format!("{}: {text}", self.origin()));
        }
        self.config.unusable(&text)
    }

    fn current(&self) -> Credentials {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.credentials.clone()
    }

    /// Fresh credentials after a refusal, unless they are fresh already.
    fn reload(&self) -> Option<Credentials> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.at.elapsed() < RELOAD_EVERY {
            return None;
        }
        current.at = Instant::now();
        current.credentials = (self.load)().ok()?;
        Some(current.credentials.clone())
    }
}

#[async_trait]
impl Auth for GoogleAuth {
    async fn headers(&self) -> Result<HeaderMap, Fault> {
        let refused = match self.ask(self.current()).await {
            Err(fault) if fault.kind == FaultKind::Denied => fault,
            answer => return answer,
        };
        match self.reload() {
            Some(credentials) => self.ask(credentials).await,
            None => Err(refused),
        }
    }
}

fn outage(why: &str) -> Fault {
    let kind = FaultKind::Throttled {
        after: Some(OUTAGE_RHYTHM),
    };
    fault(kind, 0, "NO_TOKEN", &format!("no token for now: {why}"))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn sensitive(mut headers: HeaderMap) -> HeaderMap {
    for value in headers.values_mut() {
        value.set_sensitive(true);
    }
    headers
}
