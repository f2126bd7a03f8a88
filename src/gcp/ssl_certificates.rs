//! Certificates of Compute Engine together with the target HTTPS proxies that serve them: paths and
//! verbs, nothing else.
//!
//! A managed certificate is a family of GCP certificates, so what is read is a composite: `{name,
//! certificates: [...], proxies: [...]}`. A private key is read from where its reference points
//! right before it is sent, and is in no other value.

use super::aggregated::aggregated;
use super::client::{Call, Client, Proof};
use super::compute::{PAGE_SIZE, collection, request_id, target_of};
use super::compute_operation::from_compute;
use super::endpoint::Api;
use super::error::fault;
use super::pages::Pages;
use super::path::{full_name, project_of, segment};
use super::secrets::{self, Keys};
use super::service::{Listing, Service, Survey, by_place};
use crate::core::error::{Fault, FaultKind};
use crate::core::observed::Operation;
use crate::core::permit::{Durable, WritePermit};
use crate::core::record::{Intent, Verb};
use ::http::Method;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const CERTIFICATES: &str = "sslCertificates";
const PROXIES: &str = "targetHttpsProxies";

/// Certificates and proxies of every project and place.
pub struct SslCertificates {
    client: Arc<Client>,
    /// The family that a certificate's name belongs to.
    base_of: fn(&str) -> &str,
    keys: Option<Arc<dyn Keys>>,
}

impl SslCertificates {
    #[must_use]
    pub fn new(client: Arc<Client>, base_of: fn(&str) -> &str) -> Self {
        SslCertificates {
            client,
            base_of,
            keys: None,
        }
    }

    /// References to secrets by name are looked up there.
    #[must_use]
    pub fn with_keys(self, keys: Arc<dyn Keys>) -> Self {
        SslCertificates {
            keys: Some(keys),
            ..self
        }
    }

    async fn all(&self, project: &str, location: &str, what: &str) -> Result<Listing, Fault> {
        let path = collection(project, location, what)?;
        let pages = Pages {
            api: Api::Compute,
            project,
            path: &path,
            query: &[PAGE_SIZE],
        };
        pages.items(&self.client, "items").await
    }

    /// One composite for each family, by name.
    fn families(&self, certificates: Vec<Value>, proxies: &[Value]) -> Vec<Value> {
        let mut families: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for certificate in certificates {
            if let Some(base) = self.family_of(&certificate) {
                families.entry(base).or_default().push(certificate);
            }
        }
        families
            .into_iter()
            .map(|(base, members)| composite(&base, &members, proxies))
            .collect()
    }

    fn family_of(&self, certificate: &Value) -> Option<String> {
        certificate["name"]
            .as_str()
            .map(|name| (self.base_of)(name).to_owned())
    }
}

fn composite(name: &str, certificates: &[Value], proxies: &[Value]) -> Value {
    json!({"name": name, "certificates": certificates, "proxies": proxies})
}

#[async_trait]
impl Service for SslCertificates {
    async fn list(&self, project: &str, location: &str) -> Result<Listing, Fault> {
        let certificates = self.all(project, location, CERTIFICATES).await?;
        let proxies = self.all(project, location, PROXIES).await?;
        let items = self.families(certificates.items, &proxies.items);
        Ok(Listing {
            items,
            unreachable: certificates.unreachable || proxies.unreachable,
        })
    }

    async fn survey(&self, project: &str) -> Result<Survey, Fault> {
        let certificates = aggregated(&self.client, project, CERTIFICATES).await?;
        let proxies = aggregated(&self.client, project, PROXIES).await?;
        let mut survey = Survey {
            unreachable: [certificates.unreachable, proxies.unreachable].concat(),
            ..Survey::default()
        };
        let mut proxies = by_place(proxies.found);
        for (place, members) in by_place(certificates.found) {
            let proxies = proxies.remove(&place).unwrap_or_default();
            let families = self.families(members, &proxies).into_iter();
            let here = |family| (place.clone(), family);
            survey.found.extend(families.map(here));
        }
        Ok(survey)
    }

    /// Two listings: the members of a family are told by their names. What could not be listed in
    /// full is no answer.
    async fn get(&self, project: &str, location: &str, name: &str) -> Result<Option<Value>, Fault> {
        let certificates = self.all(project, location, CERTIFICATES).await?;
        let proxies = self.all(project, location, PROXIES).await?;
        if certificates.unreachable || proxies.unreachable {
            let text = "the certificates could not be listed in full";
            return Err(fault(FaultKind::Unclear, 0, "PARTIAL_LIST", text));
        }
        let ours = |item: &Value| self.family_of(item).as_deref() == Some(name);
        let members: Vec<Value> = certificates.items.into_iter().filter(ours).collect();
        if members.is_empty() {
            return Ok(None);
        }
        Ok(Some(composite(name, &members, &proxies.items)))
    }

    async fn write(&self, permit: &WritePermit, intent: Durable<'_>) -> Result<Operation, Fault> {
        let wanted = intent.intent();
        let key = &wanted.key;
        let object = wanted
            .object
            .as_deref()
            .and_then(|object| object.split_once('/'));
        let Some((what, name)) = object else {
            let text = "a certificate is changed by calls on its objects only";
            return Err(fault(FaultKind::Invalid, 0, "NO_OBJECT", text));
        };
        let all = collection(&key.project, &key.location, what)?;
        let one = format!("{all}/{}", segment(name)?);
        let (method, path, body) = match wanted.verb {
            Verb::Create => (Method::POST, all, Some(self.with_key(&wanted.body).await?)),
            Verb::Patch => (Method::PATCH, one, Some(wanted.body.clone())),
            Verb::Delete => (Method::DELETE, one, None),
        };
        let call = Call {
            api: Api::Compute,
            project: &key.project,
            method,
            path: &path,
            query: &[("requestId", &request_id(wanted))],
            body: body.as_ref(),
        };
        let reply = self
            .client
            .write(Proof::new(permit, &intent), &call)
            .await?;
        from_compute(&reply)
    }

    async fn operation(&self, name: &str) -> Result<Operation, Fault> {
        let path = format!("compute/v1/{}", full_name(name)?);
        let project = project_of(name).unwrap_or_default();
        from_compute(&self.client.read(Api::Compute, project, &path, &[]).await?)
    }

    async fn operations(&self, project: &str, location: &str) -> Result<Vec<Operation>, Fault> {
        let listing = self.all(project, location, "operations").await?;
        listing.items.iter().map(from_compute).collect()
    }

    fn request(&self, intent: &Intent) -> Option<String> {
        Some(request_id(intent))
    }

    fn name_of(&self, item: &Value) -> Option<String> {
        item["name"]
            .as_str()
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
    }

    fn target(&self, project: &str, location: &str, name: &str) -> String {
        target_of(project, location, &format!("{CERTIFICATES}/{name}"))
    }

    fn object(&self, project: &str, location: &str, object: &str) -> String {
        target_of(project, location, object)
    }
}

impl SslCertificates {
    /// The body with the private key in place of its reference.
    async fn with_key(&self, body: &Value) -> Result<Value, Fault> {
        let mut body = body.clone();
        let own = body.get_mut("selfManaged").and_then(Value::as_object_mut);
        if let Some(own) = own
            && let Some(reference) = own.remove("privateKeyRef")
        {
            let key = secrets::read(&self.client, self.keys.as_deref(), &reference).await?;
            own.insert("privateKey".to_owned(), Value::String(key));
        }
        Ok(body)
    }
}
