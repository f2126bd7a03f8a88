//! Serverless VPC Access connectors: paths, verbs and masks, nothing else.
//!
//! `v1/projects/{p}/locations/{l}/connectors[/{c}]` of `vpcaccess.googleapis.com`. The API has no
//! etag, no request id and no server-side filter.

use super::client::{Call, Client, Proof};
use super::endpoint::Api;
use super::error::{fault, within};
use super::operation::from_longrunning;
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
use std::sync::Arc;

/// Items asked for per page. The API documents no maximum and may give fewer.
const PAGE_SIZE: &str = "100";

/// Connectors of every project and region.
pub struct VpcAccess {
    client: Arc<Client>,
}

impl VpcAccess {
    #[must_use]
    pub fn new(client: Arc<Client>) -> Self {
        VpcAccess { client }
    }

    async fn read(
        &self,
        project: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, Fault> {
        self.client.read(Api::VpcAccess, project, path, query).await
    }

    async fn pages(&self, project: &str, path: &str, field: &str) -> Result<Listing, Fault> {
        let pages = Pages {
            api: Api::VpcAccess,
            project,
            path,
            query: &[("pageSize", PAGE_SIZE)],
        };
        pages.items(&self.client, field).await
    }

    /// Proves that project, location and API exist: their absence fails a list, the absence of a
    /// resource does not.
    async fn prove_scope(&self, project: &str, location: &str) -> Result<(), Fault> {
        let path = collection(project, location)?;
        self.read(project, &path, &[("pageSize", "1")]).await?;
        Ok(())
    }
}

#[async_trait]
impl Service for VpcAccess {
    /// The Cloud Run services of the project and region whose template names the connector. Google
    /// lets a connector go from under them.
    async fn users(&self, project: &str, location: &str, name: &str) -> Result<Vec<String>, Fault> {
        let listing = super::run::services(&self.client, project, location).await?;
        if listing.unreachable {
            return Err(unclear(
                "a part of the Cloud Run services could not be reached",
            ));
        }
        let full = self.target(project, location, name);
        let named = |item: &&Value| {
            let connector = item["template"]["vpcAccess"]["connector"].as_str();
            connector.is_some_and(|connector| connector == name || connector == full)
        };
        let users = listing.items.iter().filter(named);
        Ok(users
            .filter_map(|item| item["name"].as_str())
            .map(|name| format!("Cloud Run {}", name.rsplit('/').next().unwrap_or(name)))
            .collect())
    }

    async fn list(&self, project: &str, location: &str) -> Result<Listing, Fault> {
        let path = collection(project, location)?;
        let listing = self.pages(project, &path, "connectors").await?;
        // An item that cannot be told apart would look like an absent one.
        let named = |item| self.name_of(item).is_some();
        if !listing.items.iter().all(named) {
            return Err(unclear("a listed connector has no name"));
        }
        Ok(listing)
    }

    /// Google documents no list across regions, so each region that the project may use is asked.
    async fn survey(&self, project: &str) -> Result<Survey, Fault> {
        let path = format!("v1/projects/{}/locations", segment(project)?);
        let locations = self.pages(project, &path, "locations").await?;
        let mut survey = Survey::default();
        if locations.unreachable {
            survey.unreachable.push("a part of the regions".to_owned());
        }
        for location in &locations.items {
            let location = location["locationId"].as_str();
            let location = location.ok_or_else(|| unclear("a listed location has no name"))?;
            let listing = self.list(project, location).await;
            survey.add(location, listing.map_err(|fault| within(location, fault))?);
        }
        Ok(survey)
    }

    /// A 404 is asked about once more: the words of a 404 do not tell for sure what is missing, so
    /// a list of the scope must succeed before the connector counts as absent.
    async fn get(&self, project: &str, location: &str, name: &str) -> Result<Option<Value>, Fault> {
        let path = connector(project, location, name)?;
        match self.read(project, &path, &[]).await {
            Ok(item) if self.name_of(&item).as_deref() == Some(name) => Ok(Some(item)),
            Ok(_) => Err(unclear("the reply is about another resource")),
            Err(fault) if fault.kind == FaultKind::NotFound => {
                self.prove_scope(project, location).await?;
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn write(&self, permit: &WritePermit, intent: Durable<'_>) -> Result<Operation, Fault> {
        let Request {
            method,
            path,
            query,
        } = request(intent.intent())?;
        let query: Vec<(&str, &str)> = query.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let body = match intent.intent().verb {
            Verb::Create | Verb::Patch => Some(intent.intent().payload()),
            Verb::Delete => None,
        };
        let call = Call {
            api: Api::VpcAccess,
            project: &intent.intent().key.project,
            method,
            path: &path,
            query: &query,
            body,
        };
        let reply = self
            .client
            .write(Proof::new(permit, &intent), &call)
            .await?;
        from_longrunning(&reply)
    }

    async fn operation(&self, name: &str) -> Result<Operation, Fault> {
        let path = format!("v1/{}", full_name(name)?);
        let project = project_of(name).unwrap_or_default();
        from_longrunning(&self.read(project, &path, &[]).await?)
    }

    async fn operations(&self, project: &str, location: &str) -> Result<Vec<Operation>, Fault> {
        let path = format!("{}/operations", scope(project, location)?);
        let listing = self.pages(project, &path, "operations").await?;
        if listing.unreachable {
            return Err(unclear("a part of the operations could not be reached"));
        }
        listing.items.iter().map(from_longrunning).collect()
    }

    fn name_of(&self, item: &Value) -> Option<String> {
        let (_, name) = item["name"].as_str()?.rsplit_once("/connectors/")?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn target(&self, project: &str, location: &str, name: &str) -> String {
        format!("projects/{project}/locations/{location}/connectors/{name}")
    }
}

/// The request line of an intent.
struct Request {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
}

fn request(intent: &Intent) -> Result<Request, Fault> {
    let key = &intent.key;
    let one = connector(&key.project, &key.location, &key.name)?;
    Ok(match intent.verb {
        Verb::Create => Request {
            method: Method::POST,
            path: collection(&key.project, &key.location)?,
            query: vec![("connectorId", key.name.clone())],
        },
        Verb::Patch => Request {
            method: Method::PATCH,
            path: one,
            query: vec![("updateMask", mask(&intent.mask)?)],
        },
        Verb::Delete => Request {
            method: Method::DELETE,
            path: one,
            query: Vec::new(),
        },
    })
}

/// Sorted and comma-joined, as gcloud sends it. An empty mask would mean "all fields".
fn mask(fields: &[String]) -> Result<String, Fault> {
    let mut fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    fields.sort_unstable();
    fields.dedup();
    let bad = |field: &&str| field.is_empty() || field.contains(',');
    if fields.is_empty() || fields.iter().any(bad) {
        let text = "a patch names the fields it changes";
        return Err(fault(FaultKind::Invalid, 0, "INVALID_MASK", text));
    }
    Ok(fields.join(","))
}

fn scope(project: &str, location: &str) -> Result<String, Fault> {
    let (project, location) = (segment(project)?, segment(location)?);
    Ok(format!("v1/projects/{project}/locations/{location}"))
}

fn collection(project: &str, location: &str) -> Result<String, Fault> {
    Ok(format!("{}/connectors", scope(project, location)?))
}

fn connector(project: &str, location: &str, name: &str) -> Result<String, Fault> {
    Ok(format!(
        "{}/{}",
        collection(project, location)?,
        segment(name)?
    ))
}

#[cfg(test)]
#[path = "vpcaccess_tests.rs"]
mod tests;
