//! Health checks and backend services of Compute Engine: paths and verbs, nothing else.
//!
//! `compute/v1/projects/{p}/global/{collection}[/{name}]`, or `regions/{r}` in place of `global`,
//! of `compute.googleapis.com`. Every write carries a `requestId`, so that Google ignores the
//! second of two equal requests; a patch is a JSON merge patch.

use super::aggregated::aggregated;
use super::client::{Call, Client, Proof};
use super::compute_operation::{from_compute, relative};
use super::endpoint::Api;
use super::pages::{Pages, unclear};
use super::path::{full_name, project_of, segment};
use super::service::{Listing, Service, Survey};
use crate::core::error::{Fault, FaultKind};
use crate::core::observed::Operation;
use crate::core::permit::{Durable, WritePermit};
use crate::core::record::{Intent, Verb};
use ::http::Method;
use async_trait::async_trait;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Items of a page: the most that Google gives. A listing costs one call for each page.
pub(super) const PAGE_SIZE: (&str, &str) = ("maxResults", "500");
pub(super) const ROOT: &str = "compute/v1";
const HEALTH_CHECKS: &str = "healthChecks";
const BACKEND_SERVICES: &str = "backendServices";

/// One collection of Compute Engine, of every project and place.
pub struct Compute {
    client: Arc<Client>,
    collection: &'static str,
}

impl Compute {
    #[must_use]
    pub fn health_checks(client: Arc<Client>) -> Self {
        Compute {
            client,
            collection: HEALTH_CHECKS,
        }
    }

    #[must_use]
    pub fn backend_services(client: Arc<Client>) -> Self {
        Compute {
            client,
            collection: BACKEND_SERVICES,
        }
    }

    async fn read(
        &self,
        project: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, Fault> {
        self.client.read(Api::Compute, project, path, query).await
    }

    async fn pages(
        &self,
        project: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Listing, Fault> {
        let pages = Pages {
            api: Api::Compute,
            project,
            path,
            query,
        };
        pages.items(&self.client, "items").await
    }

    fn path(&self, project: &str, location: &str, name: &str) -> Result<String, Fault> {
        let collection = collection(project, location, self.collection)?;
        Ok(format!("{collection}/{}", segment(name)?))
    }

    /// Backend services that can use a health check of this place: those of its region, and for a
    /// global one all there are.
    async fn backend_services_near(
        &self,
        project: &str,
        location: &str,
    ) -> Result<Vec<Value>, Fault> {
        if location != GLOBAL {
            let path = collection(project, location, BACKEND_SERVICES)?;
            return whole(self.pages(project, &path, &[PAGE_SIZE]).await?);
        }
        let survey = aggregated(&self.client, project, BACKEND_SERVICES).await?;
        if survey.unreachable.is_empty() {
            return Ok(survey.found.into_iter().map(|(_, item)| item).collect());
        }
        Err(unclear("a part of the backend services cannot be reached"))
    }

    /// The operations of a place that `filter` lets through.
    async fn find_operations(
        &self,
        project: &str,
        location: &str,
        filter: Option<&str>,
    ) -> Result<Vec<Operation>, Fault> {
        let path = collection(project, location, "operations")?;
        let mut query = vec![PAGE_SIZE];
        query.extend(filter.map(|filter| ("filter", filter)));
        let operations = whole(self.pages(project, &path, &query).await?)?;
        operations.iter().map(from_compute).collect()
    }
}

#[async_trait]
impl Service for Compute {
    /// The backend services that use a health check. Who uses a backend service stands in its own
    /// `usedBy`.
    async fn users(&self, project: &str, location: &str, name: &str) -> Result<Vec<String>, Fault> {
        if self.collection != HEALTH_CHECKS {
            return Ok(Vec::new());
        }
        let target = self.target(project, location, name);
        let points_here = |service: &&Value| {
            let checks = service["healthChecks"].as_array().into_iter().flatten();
            let mut links = checks.filter_map(Value::as_str);
            links.any(|link| relative(link) == target)
        };
        let services = self.backend_services_near(project, location).await?;
        let users = services.iter().filter(points_here);
        Ok(users
            .map(|service| {
                let link = service["selfLink"].as_str().map(relative);
                let name = || service["name"].as_str().unwrap_or("a backend service");
                link.unwrap_or_else(name).to_owned()
            })
            .collect())
    }

    async fn list(&self, project: &str, location: &str) -> Result<Listing, Fault> {
        let path = collection(project, location, self.collection)?;
        let listing = self.pages(project, &path, &[PAGE_SIZE]).await?;
        // An item that cannot be told apart would look like an absent one.
        let named = |item| self.name_of(item).is_some();
        if !listing.items.iter().all(named) {
            return Err(unclear("a listed item has no name"));
        }
        Ok(listing)
    }

    async fn survey(&self, project: &str) -> Result<Survey, Fault> {
        let survey = aggregated(&self.client, project, self.collection).await?;
        let named = |(_, item): &(String, Value)| self.name_of(item).is_some();
        if !survey.found.iter().all(named) {
            return Err(unclear("a listed item has no name"));
        }
        Ok(survey)
    }

    /// A 404 is asked about once more: its words do not tell for sure whether the resource, the
    /// region or the project is missing, so a list of the scope must succeed first.
    async fn get(&self, project: &str, location: &str, name: &str) -> Result<Option<Value>, Fault> {
        let path = self.path(project, location, name)?;
        match self.read(project, &path, &[]).await {
            Ok(item) if self.name_of(&item).as_deref() == Some(name) => Ok(Some(item)),
            Ok(_) => Err(unclear("the reply is about another resource")),
            Err(fault) if fault.kind == FaultKind::NotFound => {
                let path = collection(project, location, self.collection)?;
                self.read(project, &path, &[("maxResults", "1")]).await?;
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn write(&self, permit: &WritePermit, intent: Durable<'_>) -> Result<Operation, Fault> {
        let wanted = intent.intent();
        let key = &wanted.key;
        let one = self.path(&key.project, &key.location, &key.name)?;
        let (method, path, body) = match wanted.verb {
            Verb::Create => {
                let mut body = wanted.body.clone();
                body["name"] = key.name.clone().into();
                let path = collection(&key.project, &key.location, self.collection)?;
                (Method::POST, path, Some(body))
            }
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
        let path = format!("{ROOT}/{}", full_name(name)?);
        let project = project_of(name).unwrap_or_default();
        from_compute(&self.read(project, &path, &[]).await?)
    }

    async fn operations(&self, project: &str, location: &str) -> Result<Vec<Operation>, Fault> {
        self.find_operations(project, location, None).await
    }

    /// A busy project has thousands of operations; Google filters by a regular expression that
    /// must match the whole link.
    async fn operations_on(
        &self,
        project: &str,
        location: &str,
        name: &str,
    ) -> Result<Vec<Operation>, Fault> {
        let filter = format!(
            "targetLink eq \".*/{}\"",
            self.target(project, location, name)
        );
        self.find_operations(project, location, Some(&filter)).await
    }

    fn name_of(&self, item: &Value) -> Option<String> {
        let name = item["name"].as_str()?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn target(&self, project: &str, location: &str, name: &str) -> String {
        target_of(project, location, &format!("{}/{name}", self.collection))
    }
}

pub(super) const GLOBAL: &str = "global";

fn place(location: &str) -> String {
    if location == GLOBAL {
        GLOBAL.to_owned()
    } else {
        format!("regions/{location}")
    }
}

pub(super) fn collection(project: &str, location: &str, collection: &str) -> Result<String, Fault> {
    let place = place(&segment(location)?);
    let project = segment(project)?;
    Ok(format!("{ROOT}/projects/{project}/{place}/{collection}"))
}

/// The link of an object such as `healthChecks/x`, without host and version.
pub(super) fn target_of(project: &str, location: &str, object: &str) -> String {
    format!("projects/{project}/{}/{object}", place(location))
}

/// A listing that is all there is.
fn whole(listing: Listing) -> Result<Vec<Value>, Fault> {
    if listing.unreachable {
        return Err(unclear("a part of the listing could not be reached"));
    }
    Ok(listing.items)
}

/// The UUID of a request, always the same for the same intent: version 8 of RFC 9562, made of a
/// digest. A later intent has another, also where it asks for the same.
pub(super) fn request_id(intent: &Intent) -> String {
    let seed = format!("{}\n{}\n{}", intent.key, intent.id, intent.prepared_at);
    let digest = Sha256::digest(seed.as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
#[path = "compute_tests.rs"]
mod tests;
