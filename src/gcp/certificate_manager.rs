//! Certificate Manager: certificates, with the DNS authorizations that prove their domains and the
//! map entries that serve them. Paths, verbs and masks, nothing else.
//!
//! A managed certificate is a family of GCP certificates, so what is read is a composite: `{name,
//! certificates, dnsAuthorizations, certificateMaps, certificateMapEntries}`. A read has all there is
//! of the last three in the location, each authorization with the certificates that use it; a listing
//! has for each family what it is connected with. The API has no etag and no request id.

mod families;
mod request;

use super::client::{Call, Client, Proof};
use super::endpoint::Api;
use super::operation::from_longrunning;
use super::pages::{Pages, unclear};
use super::path::{full_name, project_of, segment};
use super::service::{Listing, Service, Survey};
use crate::core::error::Fault;
use crate::core::observed::Operation;
use crate::core::permit::{Durable, WritePermit};
use crate::core::record::Verb;
use async_trait::async_trait;
use families::{All, Family, location_of};
use request::{request, scope};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Items asked for per page. Documented for map entries only, where 1000 is the most.
const PAGE_SIZE: (&str, &str) = ("pageSize", "500");
const CERTIFICATES: &str = "certificates";
const AUTHORIZATIONS: &str = "dnsAuthorizations";
const MAPS: &str = "certificateMaps";
const ENTRIES: &str = "certificateMapEntries";

/// Stands for every location in a listing (AIP-159).
const EVERYWHERE: &str = "-";

/// Certificates of every project and location.
pub struct CertificateManager {
    client: Arc<Client>,
    /// The family that a certificate's name belongs to.
    base_of: fn(&str) -> &str,
    /// The label that names the family a DNS authorization was made for.
    label: &'static str,
}

impl CertificateManager {
    #[must_use]
    pub fn new(client: Arc<Client>, base_of: fn(&str) -> &str, label: &'static str) -> Self {
        CertificateManager {
            client,
            base_of,
            label,
        }
    }

    async fn pages(&self, project: &str, path: &str, field: &str) -> Result<Listing, Fault> {
        let pages = Pages {
            api: Api::CertificateManager,
            project,
            path,
            query: &[PAGE_SIZE],
        };
        pages.items(&self.client, field).await
    }

    async fn all(&self, project: &str, location: &str) -> Result<All, Fault> {
        let scope = scope(project, location)?;
        let mut all = All::default();
        for (field, kept) in [
            (CERTIFICATES, &mut all.certificates),
            (AUTHORIZATIONS, &mut all.authorizations),
            (MAPS, &mut all.maps),
        ] {
            let path = format!("{scope}/{field}");
            let listing = self.pages(project, &path, field).await?;
            all.unreachable |= listing.unreachable;
            *kept = listing.items;
        }
        for map in &all.maps {
            let scope = self::scope(project, location_of(map)?)?;
            let path = format!("{scope}/{MAPS}/{}/{ENTRIES}", segment(id_of(map)?)?);
            let listing = self.pages(project, &path, ENTRIES).await?;
            all.unreachable |= listing.unreachable;
            all.entries.extend(listing.items);
        }
        for certificate in &mut all.certificates {
            id_of(certificate)?;
            // Long, public, and of no use here.
            certificate
                .as_object_mut()
                .map(|c| c.remove("pemCertificate"));
        }
        keep(&mut all.maps, &["name", "gclbTargets"]);
        keep(
            &mut all.entries,
            &["name", "hostname", "matcher", CERTIFICATES],
        );
        Ok(all)
    }

    fn family_of<'v>(&self, certificate: &'v Value) -> &'v str {
        (self.base_of)(last(&certificate["name"]))
    }

    fn families(&self, all: &All) -> BTreeMap<String, Family> {
        families::families(all, self.base_of, self.label)
    }

    /// The families by their locations. What is left of one without certificates is nothing to keep.
    fn surveyed(&self, all: All) -> Result<Survey, Fault> {
        let mut survey = Survey::default();
        if all.unreachable {
            survey.unreachable.push("a part of it".to_owned());
        }
        for (location, mut all) in all.by_location()? {
            all.tell_users();
            for (name, family) in self.families(&all) {
                if !family.certificates.is_empty() {
                    let found = (location.clone(), family.composite(&name));
                    survey.found.push(found);
                }
            }
        }
        Ok(survey)
    }
}

#[async_trait]
impl Service for CertificateManager {
    async fn list(&self, project: &str, location: &str) -> Result<Listing, Fault> {
        let mut all = self.all(project, location).await?;
        all.tell_users();
        let families = self.families(&all).into_iter();
        Ok(Listing {
            items: families
                .map(|(name, family)| family.composite(&name))
                .collect(),
            unreachable: all.unreachable,
        })
    }

    async fn survey(&self, project: &str) -> Result<Survey, Fault> {
        self.surveyed(self.all(project, EVERYWHERE).await?)
    }

    async fn survey_in(&self, project: &str, location: &str) -> Result<Survey, Fault> {
        self.surveyed(self.all(project, location).await?)
    }

    /// Listings: a certificate that is to be made depends on what is there already, so the composite
    /// comes for a family without members too. What could not be listed in full is no answer.
    async fn get(&self, project: &str, location: &str, name: &str) -> Result<Option<Value>, Fault> {
        let mut all = self.all(project, location).await?;
        if all.unreachable {
            return Err(unclear("the certificates could not be listed in full"));
        }
        all.tell_users();
        all.certificates.retain(|item| self.family_of(item) == name);
        let family = Family {
            certificates: all.certificates,
            authorizations: all.authorizations,
            maps: all.maps,
            entries: all.entries,
        };
        Ok(Some(family.composite(name)))
    }

    async fn write(&self, permit: &WritePermit, intent: Durable<'_>) -> Result<Operation, Fault> {
        let wanted = intent.intent();
        let request = request(wanted)?;
        let query: Vec<(&str, &str)> = request
            .query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let call = Call {
            api: Api::CertificateManager,
            project: &wanted.key.project,
            method: request.method,
            path: &request.path,
            query: &query,
            body: (wanted.verb != Verb::Delete).then_some(&wanted.body),
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
        let read = self
            .client
            .read(Api::CertificateManager, project, &path, &[]);
        from_longrunning(&read.await?)
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
        item["name"].as_str().map(str::to_owned)
    }

    fn target(&self, project: &str, location: &str, name: &str) -> String {
        self.object(project, location, &format!("{CERTIFICATES}/{name}"))
    }

    fn object(&self, project: &str, location: &str, object: &str) -> String {
        format!("projects/{project}/locations/{location}/{object}")
    }
}

/// The short name of an item. One that cannot be told apart would look like an absent one.
fn id_of(item: &Value) -> Result<&str, Fault> {
    match last(&item["name"]) {
        "" => Err(unclear("a listed item has no name")),
        id => Ok(id),
    }
}

fn last(name: &Value) -> &str {
    short(name.as_str().unwrap_or_default())
}

fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Drops every field but these.
fn keep(items: &mut [Value], fields: &[&str]) {
    for item in items {
        let kept: Map<String, Value> = fields
            .iter()
            .filter_map(|field| Some(((*field).to_owned(), item.get(*field)?.clone())))
            .collect();
        *item = Value::Object(kept);
    }
}
