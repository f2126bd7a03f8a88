//! Secrets by reference: `name` with `key` is a Secret of the namespace, read through the API when
//! it is needed and kept nowhere.

use super::calls::within;
use crate::api::SecretRef;
use crate::secrets::{LIMIT, LocalSecrets, Secret, SecretError, Secrets};
use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret as Stored;
use kube::Client;
use kube::api::Api;

/// The Secrets of a namespace; `env` and `file` stay those of the process.
pub struct ClusterSecrets {
    api: Api<Stored>,
    local: LocalSecrets,
}

impl ClusterSecrets {
    #[must_use]
    pub fn new(client: Client, namespace: &str) -> Self {
        ClusterSecrets {
            api: Api::namespaced(client, namespace),
            local: LocalSecrets::new(None),
        }
    }
}

#[async_trait]
impl Secrets for ClusterSecrets {
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let (Some(name), Some(key)) = (&reference.name, &reference.key) else {
            return self.local.read(reference).await;
        };
        let unreadable = |why: &str| SecretError::Unreadable(reference.clone(), why.to_owned());
        let found = within(self.api.get_opt(name)).await;
        // Whatever the server says beyond that may repeat what it was asked for.
        let found = found.map_err(|error| match error {
            kube::Error::Api(status) => unreadable(&status.reason),
            _ => unreadable("the API server cannot be reached"),
        })?;
        let entry = found.and_then(|stored| stored.data?.remove(key));
        let bytes = entry
            .ok_or_else(|| SecretError::Missing(reference.clone()))?
            .0;
        if bytes.len() as u64 > LIMIT {
            return Err(unreadable("it is larger than 64 KiB"));
        }
        let text = String::from_utf8(bytes).map_err(|_| unreadable("it is no text"))?;
        match text.trim_end() {
            "" => Err(SecretError::Empty(reference.clone())),
            text => Ok(Secret::new(text)),
        }
    }
}
