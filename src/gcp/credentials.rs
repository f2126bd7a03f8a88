//! Finding Google credentials: a file, the file gcloud writes, the metadata server; impersonation.
//!
//! Invariant: no text made here holds the content of a credentials file.

use super::error::fault;
use crate::core::error::{Fault, FaultKind};
use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::credentials::service_account::AccessSpecifier;
use google_cloud_auth::credentials::{
    Builder, Credentials, external_account, impersonated, service_account, user_account,
};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The one scope that every API used here accepts.
pub const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// What to do when nobody is logged in.
const LOGIN: &str = "run `gcloud auth application-default login`, set \
                     GOOGLE_APPLICATION_CREDENTIALS to a credentials file, or run where a \
                     service account is attached";

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

impl AuthConfig {
    /// Where these credentials come from, for people.
    pub(super) fn origin(&self) -> String {
        let source = match self.file() {
            Some(path) => path.to_string_lossy().into_owned(),
            None => "application default credentials".to_owned(),
        };
        match &self.impersonate {
            Some(account) => format!("{account}, impersonated by {source}"),
            None => source,
        }
    }

    /// Loads credentials; inside a tokio runtime, because the library renews tokens in a task.
    pub(super) fn load(&self) -> Result<Credentials, Fault> {
        let Some(path) = self.file() else {
            let mut builder = Builder::default().with_scopes([SCOPE]);
            if let Some(project) = self.quota_project_of_source() {
                builder = builder.with_quota_project_id(project);
            }
            let built = builder.build();
            return self.impersonated(built.map_err(|error| self.unusable(&error.to_string()))?);
        };
        self.load_json(&self.read_json(&path)?)
    }

    /// Makes credentials of the content of a credentials file.
    pub(super) fn load_json(&self, json: &Value) -> Result<Credentials, Fault> {
        let built = from_json(json.clone(), self.quota_project_of_source());
        self.impersonated(built.map_err(|error| self.unusable(&error.to_string()))?)
    }

    /// The refusal that tells a person what to do.
    pub(super) fn unusable(&self, why: &str) -> Fault {
        let origin = self.origin();
        let text = format!("no usable Google credentials from {origin}: {why}. To fix it: {LOGIN}");
        fault(FaultKind::Denied, 0, "NO_CREDENTIALS", &text)
    }

    fn impersonated(&self, source: Credentials) -> Result<Credentials, Fault> {
        let Some(account) = &self.impersonate else {
            return Ok(source);
        };
        // The library puts the account into a request path as it is.
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
        if !account.contains('@') || !account.chars().all(is_name) {
            return Err(self.unusable("the account to impersonate is no e-mail address"));
        }
        let mut builder = impersonated::Builder::from_source_credentials(source)
            .with_target_principal(account)
            .with_scopes([SCOPE]);
        if let Some(project) = &self.quota_project {
            builder = builder.with_quota_project_id(project);
        }
        builder
            .build()
            .map_err(|error| self.unusable(&error.to_string()))
    }

    /// The quota project goes with the calls to the APIs, not with the call that impersonates.
    fn quota_project_of_source(&self) -> Option<&str> {
        match self.impersonate {
            Some(_) => None,
            None => self.quota_project.as_deref(),
        }
    }

    fn file(&self) -> Option<PathBuf> {
        self.file.clone().or_else(gcloud_config_file)
    }

    fn read_json(&self, path: &Path) -> Result<Value, Fault> {
        let bytes = std::fs::read(path).map_err(|error| self.unusable(&error.to_string()))?;
        // The reader's own message may quote the content.
        serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            self.unusable(&format!("not JSON (line {line}, column {column})"))
        })
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

fn from_json(json: Value, quota: Option<&str>) -> Result<Credentials, BuildError> {
    // The builders share their verbs, but no trait.
    macro_rules! build {
        ($builder:expr) => {{
            let builder = $builder;
            match quota {
                Some(project) => builder.with_quota_project_id(project).build(),
                None => builder.build(),
            }
        }};
    }
    match json["type"].as_str() {
        Some("authorized_user") => build!(user_account::Builder::new(json).with_scopes([SCOPE])),
        Some("external_account") => {
            build!(external_account::Builder::new(json).with_scopes([SCOPE]))
        }
        Some("impersonated_service_account") => {
            build!(impersonated::Builder::new(json).with_scopes([SCOPE]))
        }
        // A key file; its reader refuses all else and says which field it misses.
        _ => build!(
            service_account::Builder::new(json)
                .with_access_specifier(AccessSpecifier::from_scopes([SCOPE]))
        ),
    }
}
