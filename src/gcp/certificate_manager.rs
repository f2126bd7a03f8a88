//! Certificate Manager: certificates, with the DNS authorizations that prove their domains and the
//! map entries that serve them. Paths, verbs and masks, nothing else.
//!
//! A managed certificate is a family of GCP certificates, so what is read is a composite: `{name,
//! certificates, dnsAuthorizations, certificateMaps, certificateMapEntries}`. A read has all there is
//! of the last three in the location, each authorization with the certificates that use it; a listing
//! has for each family what it is connected with. The API has no etag and no request id.

use super::client::{Call, Client, Proof};
use super::endpoint::Api;
use super::error::fault;
use super::operation::from_longrunning;
use super::pages::{Pages, unclear};
use super::path::{full_name, project_of, segment};
use super::service::{Listing, Service};
use crate::core::error::{Fault, FaultKind};
use crate::core::observed::Operation;
use crate::core::permit::{Durable, WritePermit};
use crate::core::record::{Intent, Verb};
use ::http::Method;
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Items asked for per page. Documented for map entries only, where 1000 is the most.
const PAGE_SIZE: (&str, &str) = ("pageSize", "500");
const CERTIFICATES: &str = "certificates";
const AUTHORIZATIONS: &str = "dnsAuthorizations";
const MAPS: &str = "certificateMaps";
const ENTRIES: &str = "certificateMapEntries";

/// Certificates of every project and location.
pub struct CertificateManager {
    client: Arc<Client>,
    /// The family that a certificate's name belongs to.
    base_of: fn(&str) -> &str,
    /// The label that names the family a DNS authorization was made for.
    label: &'static str,
}

/// Everything in one location.
#[derive(Default)]
struct All {
    certificates: Vec<Value>,
    authorizations: Vec<Value>,
    maps: Vec<Value>,
    entries: Vec<Value>,
    unreachable: bool,
}

/// What one family is connected with.
#[derive(Default)]
struct Family {
    certificates: Vec<Value>,
    authorizations: Vec<Value>,
    maps: Vec<Value>,
    entries: Vec<Value>,
}

impl Family {
    fn composite(self, name: &str) -> Value {
        json!({
            "name": name, CERTIFICATES: self.certificates, AUTHORIZATIONS: self.authorizations,
            MAPS: self.maps, ENTRIES: self.entries,
        })
    }
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
        all.tell_users();
        Ok(all)
    }

    fn family_of<'v>(&self, certificate: &'v Value) -> &'v str {
        (self.base_of)(last(&certificate["name"]))
    }

    fn families(&self, all: &All) -> BTreeMap<String, Family> {
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        for certificate in &all.certificates {
            let family = families.entry(self.family_of(certificate).to_owned());
            family.or_default().certificates.push(certificate.clone());
        }
        for authorization in &all.authorizations {
            let users = texts(&authorization["usedBy"]).map(|name| (self.base_of)(name));
            let mut owners: BTreeSet<&str> = users.collect();
            let maker = authorization["labels"][self.label].as_str();
            // One that nobody uses is all that is left of its maker, or all there is yet.
            if let Some(maker) = maker
                && (owners.is_empty() || families.contains_key(maker))
            {
                owners.insert(maker);
            }
            for owner in owners {
                let family = families.entry(owner.to_owned()).or_default();
                family.authorizations.push(authorization.clone());
            }
        }
        for entry in &all.entries {
            let served = texts(&entry[CERTIFICATES]).map(|name| (self.base_of)(short(name)));
            let served: BTreeSet<&str> = served.collect();
            let map = map_of(entry);
            let map = all.maps.iter().find(|item| last(&item["name"]) == map);
            for owner in served {
                let family = families.entry(owner.to_owned()).or_default();
                family.entries.push(entry.clone());
                family
                    .maps
                    .extend(map.filter(|m| !family.maps.contains(m)).cloned());
            }
        }
        families
    }
}

impl All {
    /// Puts the short names of the certificates that use it into each authorization.
    fn tell_users(&mut self) {
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for certificate in &self.certificates {
            for name in texts(&certificate["managed"][AUTHORIZATIONS]) {
                let user = last(&certificate["name"]).to_owned();
                users.entry(short(name).to_owned()).or_default().push(user);
            }
        }
        for authorization in &mut self.authorizations {
            let users = users.remove(last(&authorization["name"]));
            authorization["usedBy"] = json!(users.unwrap_or_default());
        }
    }
}

#[async_trait]
impl Service for CertificateManager {
    async fn list(&self, project: &str, location: &str) -> Result<Listing, Fault> {
        let all = self.all(project, location).await?;
        let families = self.families(&all).into_iter();
        Ok(Listing {
            items: families
                .map(|(name, family)| family.composite(&name))
                .collect(),
            unreachable: all.unreachable,
        })
    }

    /// Listings: a certificate that is to be made depends on what is there already, so the composite
    /// comes for a family without members too. What could not be listed in full is no answer.
    async fn get(&self, project: &str, location: &str, name: &str) -> Result<Option<Value>, Fault> {
        let mut all = self.all(project, location).await?;
        if all.unreachable {
            return Err(unclear("the certificates could not be listed in full"));
        }
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

/// The request line of an intent.
struct Request {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
}

fn request(intent: &Intent) -> Result<Request, Fault> {
    let key = &intent.key;
    let object = intent.object.as_deref().unwrap_or_default();
    let Some((collection, id)) = object.rsplit_once('/') else {
        let text = "a certificate is changed by calls on its objects only";
        return Err(fault(FaultKind::Invalid, 0, "NO_OBJECT", text));
    };
    let scope = scope(&key.project, &key.location)?;
    let one = format!("{scope}/{}", full_name(object)?);
    Ok(match intent.verb {
        Verb::Create => Request {
            method: Method::POST,
            path: format!("{scope}/{}", full_name(collection)?),
            query: vec![(id_parameter(collection)?, id.to_owned())],
        },
        Verb::Patch => Request {
            method: Method::PATCH,
            path: one,
            query: vec![("updateMask", mask(&intent.body)?)],
        },
        Verb::Delete => Request {
            method: Method::DELETE,
            path: one,
            query: Vec::new(),
        },
    })
}

fn id_parameter(collection: &str) -> Result<&'static str, Fault> {
    match short(collection) {
        CERTIFICATES => Ok("certificateId"),
        AUTHORIZATIONS => Ok("dnsAuthorizationId"),
        MAPS => Ok("certificateMapId"),
        ENTRIES => Ok("certificateMapEntryId"),
        _ => {
            let text = "there is no such collection of certificates";
            Err(fault(FaultKind::Invalid, 0, "NO_OBJECT", text))
        }
    }
}

/// A patch sends the fields it changes, and those alone.
fn mask(body: &Value) -> Result<String, Fault> {
    let fields: Vec<&str> = body
        .as_object()
        .map(|body| body.keys().map(String::as_str).collect())
        .unwrap_or_default();
    if fields.is_empty() {
        let text = "a patch names the fields it changes";
        return Err(fault(FaultKind::Invalid, 0, "INVALID_MASK", text));
    }
    Ok(fields.join(","))
}

fn scope(project: &str, location: &str) -> Result<String, Fault> {
    let (project, location) = (segment(project)?, segment(location)?);
    Ok(format!("v1/projects/{project}/locations/{location}"))
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

/// The short name of the map that an entry is in.
fn map_of(entry: &Value) -> &str {
    let name = entry["name"].as_str().unwrap_or_default();
    name.rsplit('/').nth(2).unwrap_or_default()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str)
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
