//! Secrets by name, where a reference says `NAME` and `KEY`.

use crate::alert::Named;
use crate::api::SecretRef;
use crate::gcp::secrets::Keys;
use crate::secrets::Secrets;
use async_trait::async_trait;

/// The named ones of some secrets.
pub struct NamedSecrets<S>(pub S);

impl<S: Secrets> NamedSecrets<S> {
    async fn entry(&self, name: &str, key: &str) -> Result<String, String> {
        let reference = SecretRef {
            name: Some(name.to_owned()),
            key: Some(key.to_owned()),
            ..SecretRef::default()
        };
        match self.0.read(&reference).await {
            Ok(secret) => Ok(secret.expose().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[async_trait]
impl<S: Secrets> Named for NamedSecrets<S> {
    async fn read(&self, name: &str, key: &str) -> Result<String, String> {
        self.entry(name, key).await
    }
}

#[async_trait]
impl<S: Secrets> Keys for NamedSecrets<S> {
    async fn read(&self, secret: &str, key: &str) -> Result<String, String> {
        self.entry(secret, key).await
    }
}
