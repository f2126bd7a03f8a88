//! Cloud SQL instances: paths and verbs, nothing else.
//!
//! `v1/projects/{p}/instances[/{i}]` of `sqladmin.googleapis.com`. Names are unique in a project,
//! whatever the region, so a listing covers the project; a patch has no mask and merges.

use super::client::{Call, Client, Proof};
use super::endpoint::Api;
use super::operation::from_sqladmin;
use super::pages::{Pages, items, unclear};
use super::path::{full_name, project_of, segment};
use super::service::{Listing, Service, Survey};
use crate::core::error::{Fault, FaultKind};
use crate::core::observed::Operation;
use crate::core::permit::{Durable, WritePermit};
use crate::core::record::Verb;
use ::http::Method;
use async_trait::async_trait;
use serde_json::Value;
use std::sync::Arc;

/// Instances asked for per page; 1000 is the most.
const PAGE_SIZE: &str = "500";
/// Operations asked for per page.
const OPERATIONS: &str = "100";

/// Instances of every project.
pub struct SqlAdmin {
    client: Arc<Client>,
}

impl SqlAdmin {
    #[must_use]
    pub fn new(client: Arc<Client>) -> Self {
        SqlAdmin { client }
    }

    async fn read(&self, project: &str, path: &str) -> Result<Value, Fault> {
        self.client.read(Api::SqlAdmin, project, path, &[]).await
    }

    async fn pages(&self, project: &str, path: &str, size: &str) -> Result<Listing, Fault> {
        let pages = Pages {
            api: Api::SqlAdmin,
            project,
            path,
            query: &[("maxResults", size)],
        };
        let mut listing = Listing {
            items: Vec::new(),
            unreachable: false,
        };
        for mut page in pages.all(&self.client).await? {
            // Such as REGION_UNREACHABLE: its instances are not in the list.
            let warnings = page["warnings"].as_array();
            listing.unreachable |= warnings.is_some_and(|warnings| !warnings.is_empty());
            listing.items.append(&mut items(&mut page, "items")?);
        }
        Ok(listing)
    }
}

#[async_trait]
impl Service for SqlAdmin {
    async fn list(&self, project: &str, _location: &str) -> Result<Listing, Fault> {
        let listing = self
            .pages(project, &collection(project)?, PAGE_SIZE)
            .await?;
        if listing
            .items
            .iter()
            .any(|item| self.name_of(item).is_none())
        {
            return Err(unclear("a listed instance has no name"));
        }
        Ok(listing)
    }

    /// A listing covers the project, and each instance says where it is.
    async fn survey(&self, project: &str) -> Result<Survey, Fault> {
        let listing = self.list(project, "").await?;
        let place = |item: Value| {
            let region = item["region"].as_str().map(str::to_owned);
            let region = region.ok_or_else(|| unclear("a listed instance has no region"))?;
            Ok((region, item))
        };
        let found: Result<Vec<_>, Fault> = listing.items.into_iter().map(place).collect();
        Ok(Survey {
            found: found?,
            unreachable: if listing.unreachable {
                vec!["a part of the project".to_owned()]
            } else {
                Vec::new()
            },
        })
    }

    async fn survey_in(&self, project: &str, location: &str) -> Result<Survey, Fault> {
        let mut survey = self.survey(project).await?;
        survey.found.retain(|(region, _)| region == location);
        Ok(survey)
    }

    /// Google often answers 403 for an instance that does not exist, so both 404 and 403 count as
    /// "absent" only where a whole list of the project succeeds without it.
    async fn get(&self, project: &str, location: &str, name: &str) -> Result<Option<Value>, Fault> {
        let path = instance(project, name)?;
        match self.read(project, &path).await {
            Ok(item) if self.name_of(&item).as_deref() == Some(name) => Ok(Some(item)),
            Ok(_) => Err(unclear("the reply is about another resource")),
            Err(fault) if matches!(fault.kind, FaultKind::NotFound | FaultKind::Denied) => {
                let listing = self.list(project, location).await?;
                let is_there = |item: &Value| self.name_of(item).as_deref() == Some(name);
                if listing.unreachable || listing.items.iter().any(is_there) {
                    return Err(fault);
                }
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn write(&self, permit: &WritePermit, durable: Durable<'_>) -> Result<Operation, Fault> {
        let intent = durable.intent();
        let key = &intent.key;
        let one = instance(&key.project, &key.name)?;
        let mut body = intent.payload().clone();
        let (method, path) = match intent.verb {
            Verb::Create => {
                body["name"] = key.name.clone().into();
                (Method::POST, collection(&key.project)?)
            }
            Verb::Patch => (Method::PATCH, one),
            Verb::Delete => (Method::DELETE, one),
        };
        let call = Call {
            api: Api::SqlAdmin,
            project: &key.project,
            method,
            path: &path,
            query: &[],
            body: (intent.verb != Verb::Delete).then_some(&body),
        };
        let proof = Proof::new(permit, &durable);
        from_sqladmin(&self.client.write(proof, &call).await?)
    }

    async fn operation(&self, name: &str) -> Result<Operation, Fault> {
        let path = format!("v1/{}", full_name(name)?);
        let project = project_of(name).unwrap_or_default();
        from_sqladmin(&self.read(project, &path).await?)
    }

    async fn operations(&self, project: &str, _location: &str) -> Result<Vec<Operation>, Fault> {
        let path = format!("v1/projects/{}/operations", segment(project)?);
        let listing = self.pages(project, &path, OPERATIONS).await?;
        listing.items.iter().map(from_sqladmin).collect()
    }

    fn name_of(&self, item: &Value) -> Option<String> {
        let name = item["name"].as_str()?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn target(&self, project: &str, _location: &str, name: &str) -> String {
        format!("projects/{project}/instances/{name}")
    }
}

fn collection(project: &str) -> Result<String, Fault> {
    Ok(format!("v1/projects/{}/instances", segment(project)?))
}

fn instance(project: &str, name: &str) -> Result<String, Fault> {
    Ok(format!("{}/{}", collection(project)?, segment(name)?))
}
