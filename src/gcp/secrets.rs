//! Reading a secret from where its reference points: a file, an environment variable, Secret
//! Manager. The value goes into a request and nowhere else.

use super::client::Client;
use super::endpoint::Api;
use super::error::fault;
use super::path::full_name;
use crate::core::error::{Fault, FaultKind};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Largest secret: Secret Manager's own limit for a version.
const LIMIT: usize = 64 * 1024;

/// Secrets by name and entry: those of a cluster, or of a folder.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The entry.
    ///
    /// # Errors
    /// Why there is none, never what was found.
    async fn read(&self, secret: &str, key: &str) -> Result<String, String>;
}

/// Reads the secret behind `{file}`, `{env}`, `{secretManager}` or `{kubernetes}`.
///
/// # Errors
/// `Denied` where it cannot be read, with the place and never the value.
pub(super) async fn read(
    client: &Client,
    keys: Option<&dyn Keys>,
    reference: &Value,
) -> Result<String, Fault> {
    let text = |form: &str| reference.get(form).and_then(Value::as_str);
    let secret = if let Some(path) = text("file") {
        std::fs::read_to_string(path).map_err(|error| refused(path, &error.to_string()))?
    } else if let Some(name) = text("env") {
        std::env::var(name).map_err(|_| refused(name, "no such environment variable"))?
    } else if let Some(version) = text("secretManager") {
        access(client, version).await?
    } else if let Some(entry) = reference.get("kubernetes") {
        named(keys, entry).await?
    } else {
        let forms = "give file, env, secretManager or kubernetes";
        return Err(refused("the reference", forms));
    };
    if secret.len() > LIMIT {
        return Err(refused("the secret", "larger than 64 KiB"));
    }
    Ok(secret)
}

/// `{secret, key}` of Kubernetes.
async fn named(keys: Option<&dyn Keys>, entry: &Value) -> Result<String, Fault> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
    let (secret, key) = (text("secret"), text("key"));
    let place = format!("{secret}/{key}");
    let keys = keys.ok_or_else(|| refused(&place, "no secrets by name are known here"))?;
    let found = keys.read(secret, key).await;
    found.map_err(|why| refused(&place, &why))
}

/// `projects/P/secrets/S/versions/V` of Secret Manager.
async fn access(client: &Client, version: &str) -> Result<String, Fault> {
    let path = format!("v1/{}:access", full_name(version)?);
    let project = super::path::project_of(version).unwrap_or_default();
    let reply = client.read(Api::SecretManager, project, &path, &[]).await?;
    let data = reply
        .pointer("/payload/data")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let bytes = STANDARD
        .decode(data)
        .map_err(|_| refused(version, "its payload is not base64"))?;
    String::from_utf8(bytes).map_err(|_| refused(version, "its payload is not text"))
}

fn refused(place: &str, why: &str) -> Fault {
    let text = format!("the secret at {place} cannot be read: {why}");
    fault(FaultKind::Denied, 0, "SECRET_UNREADABLE", &text)
}
