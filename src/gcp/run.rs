//! Cloud Run services: paths, verbs and masks, nothing else.
//!
//! `v2/projects/{p}/locations/{l}/services[/{s}]` of `run.googleapis.com`. A service carries an
//! etag, which the body of a patch brings along; there is no request id.

use super::client::{Call, Client, Proof};
use super::endpoint::Api;
use super::error::{fault, within};
use super::operation::from_longrunning;
use super::pages::{PAGE_LIMIT, Pages, items, unclear, unreached};
use super::path::{full_name, project_of, segment};
use super::service::{Listing, Service, Survey};
use crate::core::error::{Fault, FaultKind};
use crate::core::observed::Operation;
use crate::core::permit::{Durable, WritePermit};
use crate::core::record::Verb;
use ::http::Method;
use async_trait::async_trait;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The largest page that operations.list gives.
const PAGE_SIZE: &str = "100";

/// Services of every project and region.
pub struct Run {
    client: Arc<Client>,
}

impl Run {
    #[must_use]
    pub fn new(client: Arc<Client>) -> Self {
        Run { client }
    }

    async fn read(&self, project: &str, path: &str) -> Result<Value, Fault> {
        self.client.read(Api::Run, project, path, &[]).await
    }

    /// The regions that have services, and what could not be reached. run v2 lists one region at a
    /// time ("cannot be the "-" wildcard"); v1 lists them all, under the names of Knative.
    async fn regions(&self, project: &str) -> Result<(BTreeSet<String>, Vec<String>), Fault> {
        let path = format!("v1/projects/{}/locations/-/services", segment(project)?);
        let (mut regions, mut unreachable) = (BTreeSet::new(), Vec::new());
        let mut token = String::new();
        for _ in 0..PAGE_LIMIT {
            let query = [("continue", token.as_str())];
            let query = if token.is_empty() { &[][..] } else { &query };
            let mut page = self.client.read(Api::Run, project, &path, query).await?;
            unreachable.append(&mut unreached(&page));
            for item in items(&mut page, "items")? {
                let region = item["metadata"]["labels"][REGION].as_str();
                let region = region.ok_or_else(|| unclear("a listed service has no region"))?;
                regions.insert(region.to_owned());
            }
            let next = page["metadata"]["continue"].as_str().unwrap_or_default();
            if next.is_empty() {
                return Ok((regions, unreachable));
            }
            if next == token {
                return Err(unclear("a page token came twice"));
            }
            next.clone_into(&mut token);
        }
        Err(unclear("the listing has no end"))
    }
}

/// The label that says where a service is.
const REGION: &str = "cloud.googleapis.com/location";

/// All services of a location. Also tells who uses a connector.
pub(super) async fn services(
    client: &Client,
    project: &str,
    location: &str,
) -> Result<Listing, Fault> {
    pages(client, project, &collection(project, location)?, "services").await
}

async fn pages(client: &Client, project: &str, path: &str, field: &str) -> Result<Listing, Fault> {
    let pages = Pages {
        api: Api::Run,
        project,
        path,
        query: &[("pageSize", PAGE_SIZE)],
    };
    pages.items(client, field).await
}

#[async_trait]
impl Service for Run {
    async fn list(&self, project: &str, location: &str) -> Result<Listing, Fault> {
        let listing = services(&self.client, project, location).await?;
        if listing
            .items
            .iter()
            .any(|item| self.name_of(item).is_none())
        {
            return Err(unclear("a listed service has no name"));
        }
        Ok(listing)
    }

    async fn survey(&self, project: &str) -> Result<Survey, Fault> {
        let (regions, unreachable) = self.regions(project).await?;
        let mut survey = Survey {
            unreachable,
            ..Survey::default()
        };
        for region in &regions {
            let listing = self.list(project, region).await;
            survey.add(region, listing.map_err(|fault| within(region, fault))?);
        }
        Ok(survey)
    }

    /// As for a connector, a 404 counts only where a list of the scope succeeds.
    async fn get(&self, project: &str, location: &str, name: &str) -> Result<Option<Value>, Fault> {
        let path = service(project, location, name)?;
        match self.read(project, &path).await {
            Ok(item) if self.name_of(&item).as_deref() == Some(name) => Ok(Some(item)),
            Ok(_) => Err(unclear("the reply is about another resource")),
            Err(fault) if fault.kind == FaultKind::NotFound => {
                let path = collection(project, location)?;
                let one = [("pageSize", "1")];
                self.client.read(Api::Run, project, &path, &one).await?;
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn write(&self, permit: &WritePermit, durable: Durable<'_>) -> Result<Operation, Fault> {
        let intent = durable.intent();
        let key = &intent.key;
        let one = service(&key.project, &key.location, &key.name)?;
        let (method, path, query, body) = match intent.verb {
            Verb::Create => {
                let path = collection(&key.project, &key.location)?;
                let query = vec![("serviceId", key.name.clone())];
                (Method::POST, path, query, Some(intent.payload()))
            }
            Verb::Patch => {
                let query = vec![("updateMask", mask(&intent.mask)?)];
                (Method::PATCH, one, query, Some(intent.payload()))
            }
            Verb::Delete => (Method::DELETE, one, Vec::new(), None),
        };
        let query: Vec<(&str, &str)> = query.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let call = Call {
            api: Api::Run,
            project: &key.project,
            method,
            path: &path,
            query: &query,
            body,
        };
        let proof = Proof::new(permit, &durable);
        from_longrunning(&self.client.write(proof, &call).await?)
    }

    async fn operation(&self, name: &str) -> Result<Operation, Fault> {
        let path = format!("v2/{}", full_name(name)?);
        let project = project_of(name).unwrap_or_default();
        from_longrunning(&self.read(project, &path).await?)
    }

    async fn operations(&self, project: &str, location: &str) -> Result<Vec<Operation>, Fault> {
        let path = format!("{}/operations", scope(project, location)?);
        let listing = pages(&self.client, project, &path, "operations").await?;
        if listing.unreachable {
            return Err(unclear("a part of the operations could not be reached"));
        }
        listing.items.iter().map(from_longrunning).collect()
    }

    fn name_of(&self, item: &Value) -> Option<String> {
        let (_, name) = item["name"].as_str()?.rsplit_once("/services/")?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn target(&self, project: &str, location: &str, name: &str) -> String {
        format!("projects/{project}/locations/{location}/services/{name}")
    }
}

/// Without a mask, Google replaces the whole service.
fn mask(fields: &[String]) -> Result<String, Fault> {
    let bad = |field: &String| field.is_empty() || field.contains(',');
    if fields.is_empty() || fields.iter().any(bad) {
        let text = "a patch names the fields it changes";
        return Err(fault(FaultKind::Invalid, 0, "INVALID_MASK", text));
    }
    Ok(fields.join(","))
}

fn scope(project: &str, location: &str) -> Result<String, Fault> {
    let (project, location) = (segment(project)?, segment(location)?);
    Ok(format!("v2/projects/{project}/locations/{location}"))
}

fn collection(project: &str, location: &str) -> Result<String, Fault> {
    Ok(format!("{}/services", scope(project, location)?))
}

fn service(project: &str, location: &str, name: &str) -> Result<String, Fault> {
    let name = segment(name)?;
    Ok(format!("{}/{name}", collection(project, location)?))
}
