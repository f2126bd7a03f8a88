//! Who we are to Google: application default credentials, a key file, impersonation.
//!
//! Invariant: a credential is never printed. `Debug` shows where it came from, and the headers are
//! marked sensitive. Calls without credentials exist for emulators only, see [`super::access`].

use super::error::fault;
use crate::core::error::{Fault, FaultKind};
use ::http::{Extensions, HeaderMap};
use async_trait::async_trait;
use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::credentials::service_account::AccessSpecifier;
use google_cloud_auth::credentials::{
    Builder, CacheableResource, Credentials, external_account, impersonated, service_account,
    user_account,
};
use google_cloud_auth::errors::CredentialsError;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The one scope that every API used here accepts.
pub const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Longest wait for a token. The library repeats on its own within it.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
/// What to do when nobody is logged in.
const LOGIN: &str = "run `gcloud auth application-default login`, set \
                     GOOGLE_APPLICATION_CREDENTIALS to a credentials file, or run where a \
                     service account is attached";

/// Gives the headers that authenticate a call.
#[async_trait]
pub trait Auth: Send + Sync {
    /// Headers for one call; a token among them lives for minutes at least.
    ///
    /// # Errors
    /// `Throttled` where waiting helps, else `Denied` with what to do.
    async fn headers(&self) -> Result<HeaderMap, Fault>;
}

/// Where credentials come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthConfig {
    /// A credentials file of any type; `None` means application default credentials:
    /// `GOOGLE_APPLICATION_CREDENTIALS`, the file that gcloud writes, the metadata server.
    pub file: Option<PathBuf>,
    /// E-mail of the service account to act as.
    pub impersonate: Option<String>,
    /// Project that pays and lends its quota (`X-Goog-User-Project`).
    pub quota_project: Option<String>,
}

/// Real Google credentials. Tokens are cached and renewed in the background.
pub struct GoogleAuth {
    credentials: Credentials,
    origin: String,
}

impl std::fmt::Debug for GoogleAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GoogleAuth({})", self.origin)
    }
}

impl GoogleAuth {
    /// Loads credentials. Call inside a tokio runtime: it starts the renewal of tokens. No token
    /// is asked for yet.
    ///
    /// # Errors
    /// `Denied` with what to do, when no usable credentials are found.
    pub fn load(config: &AuthConfig) -> Result<Self, Fault> {
        match config.file.clone().or_else(gcloud_config_file) {
            Some(path) => Self::from_json(&read_json(&path)?, config, &path.to_string_lossy()),
            None => Self::from_default(config),
        }
    }

    /// Credentials from the content of a credentials file. `origin` names it for people.
    ///
    /// # Errors
    /// `Denied`, when the content is of no known type or lacks fields.
    pub fn from_json(json: &Value, config: &AuthConfig, origin: &str) -> Result<Self, Fault> {
        let quota = config.quota_project_of_source();
        let built = build(json.clone(), quota.as_deref())
            .map_err(|error| unusable(origin, &error.to_string()))?;
        Self::finish(built, config, origin)
    }

    fn from_default(config: &AuthConfig) -> Result<Self, Fault> {
        let mut builder = Builder::default().with_scopes([SCOPE]);
        if let Some(project) = config.quota_project_of_source() {
            builder = builder.with_quota_project_id(project);
        }
        let origin = "application default credentials";
        let built = builder
            .build()
            .map_err(|error| unusable(origin, &error.to_string()))?;
        Self::finish(built, config, origin)
    }

    fn finish(source: Credentials, config: &AuthConfig, origin: &str) -> Result<Self, Fault> {
        let Some(account) = &config.impersonate else {
            return Ok(GoogleAuth {
                credentials: source,
                origin: origin.to_owned(),
            });
        };
        let origin = format!("{account}, impersonated by {origin}");
        let mut builder = impersonated::Builder::from_source_credentials(source)
            .with_target_principal(account)
            .with_scopes([SCOPE]);
        if let Some(project) = &config.quota_project {
            builder = builder.with_quota_project_id(project);
        }
        let credentials = builder
            .build()
            .map_err(|error| unusable(&origin, &error.to_string()))?;
        Ok(GoogleAuth {
            credentials,
            origin,
        })
    }

    /// Where the credentials come from, for people.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl AuthConfig {
    /// The quota project goes with the calls to the APIs, not with the call that impersonates.
    fn quota_project_of_source(&self) -> Option<String> {
        match self.impersonate {
            Some(_) => None,
            None => self.quota_project.clone(),
        }
    }
}

#[async_trait]
impl Auth for GoogleAuth {
    async fn headers(&self) -> Result<HeaderMap, Fault> {
        let asked = self.credentials.headers(Extensions::new());
        match tokio::time::timeout(TOKEN_TIMEOUT, asked).await {
            Ok(Ok(CacheableResource::New { data, .. })) => Ok(sensitive(data)),
            // Without an entity tag in the question this answer does not occur.
            Ok(Ok(CacheableResource::NotModified)) => {
                Err(outage("the credentials gave no headers"))
            }
            Ok(Err(error)) => Err(self.judge(&error)),
            Err(_) => Err(outage("no token in 30 s")),
        }
    }
}

impl GoogleAuth {
    fn judge(&self, error: &CredentialsError) -> Fault {
        let text = chain(error);
        if error.is_transient() {
            return outage(&format!("{}: {text}", self.origin));
        }
        unusable(&self.origin, &text)
    }
}

fn build(json: Value, quota: Option<&str>) -> Result<Credentials, BuildError> {
    macro_rules! with_quota {
        ($builder:expr) => {{
            let builder = $builder;
            match quota {
                Some(project) => builder.with_quota_project_id(project).build(),
                None => builder.build(),
            }
        }};
    }
    let kind = json["type"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "authorized_user" => {
            with_quota!(user_account::Builder::new(json).with_scopes([SCOPE]))
        }
        "external_account" => {
            with_quota!(external_account::Builder::new(json).with_scopes([SCOPE]))
        }
        "impersonated_service_account" => {
            with_quota!(impersonated::Builder::new(json).with_scopes([SCOPE]))
        }
        // The reader of key files also names the type it found in its error.
        _ => with_quota!(
            service_account::Builder::new(json)
                .with_access_specifier(AccessSpecifier::from_scopes([SCOPE]))
        ),
    }
}

/// The default file under `CLOUDSDK_CONFIG`, which gcloud honours and the library does not know.
fn gcloud_config_file() -> Option<PathBuf> {
    if std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").is_some() {
        return None;
    }
    let folder = PathBuf::from(std::env::var_os("CLOUDSDK_CONFIG")?);
    let file = folder.join("application_default_credentials.json");
    file.is_file().then_some(file)
}

fn read_json(path: &Path) -> Result<Value, Fault> {
    let origin = path.to_string_lossy();
    let bytes = std::fs::read(path).map_err(|error| unusable(&origin, &error.to_string()))?;
    // The reader's own message may quote the content.
    serde_json::from_slice(&bytes).map_err(|error| {
        let place = format!(
            "not JSON (line {}, column {})",
            error.line(),
            error.column()
        );
        unusable(&origin, &place)
    })
}

fn unusable(origin: &str, why: &str) -> Fault {
    let text = format!("no usable Google credentials from {origin}: {why}. To fix it: {LOGIN}");
    fault(FaultKind::Denied, 0, "NO_CREDENTIALS", &text)
}

fn outage(why: &str) -> Fault {
    let text = format!("no token for now: {why}");
    fault(FaultKind::Throttled { after: None }, 0, "NO_TOKEN", &text)
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
