//! The Knative v1 methods: reads, and the whole-object write that `gcloud run services update` makes.
//!
//! A region has a host of its own here (`us-central1-run.googleapis.com`); a client that talks to another host
//! finds a service in whatever region it is.

use serde_json::{Map, Value, json};

use super::methods::{check_alive, check_etag};
use super::refusal::Refusal;
use super::revision::Revision;
use super::rollout::{self, key};
use super::service::{Service, only_spec};
use super::{SERVICE_MESSAGE, knative, knative_write, names, refusal};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::locations::REGIONS;
use crate::emulator::messages::{self as wire, Kind, Message, Nulls, field, many};
use crate::emulator::query::page_of;
use crate::emulator::quota::project_number;
use crate::emulator::route::Route;
use crate::emulator::world::World;

/// A whole object; its parts are Knative's own and not described to us.
pub(super) static OBJECT: Message = Message {
    type_name: "google.cloud.run.v1.Service",
    fields: &[
        field("apiVersion", "api_version", Kind::Text),
        field("kind", "kind", Kind::Text),
        field("metadata", "metadata", Kind::Open),
        field("spec", "spec", Kind::Open),
        field("status", "status", Kind::Open),
    ],
};

pub(super) static LIST: Message = Message {
    type_name: "google.cloud.run.v1.ListServicesResponse",
    fields: &[
        field("apiVersion", "api_version", Kind::Text),
        field("kind", "kind", Kind::Text),
        field("metadata", "metadata", Kind::Open),
        many("items", "items", Kind::Message(&OBJECT)),
        many("unreachable", "unreachable", Kind::Text),
    ],
};

/// The region whose host was asked.
fn region(request: &Request) -> Option<&'static str> {
    let (_, host) = request.base.split_once("://")?;
    let of_host = |region: &&str| host.starts_with(&format!("{region}-run"));
    REGIONS.iter().copied().find(of_host)
}

/// A namespace is a project, by its id or by its number: gcloud sends back the number that it read.
pub(super) fn is_known_number(world: &World, route: &Route) -> bool {
    let is_named = |project: &String| project_number(project).to_string() == route.project();
    let is_knative = route.version.is_empty();
    is_knative && world.projects.iter().flatten().any(is_named)
}

fn project<'a>(world: &'a World, request: &'a Request) -> &'a str {
    let asked = request.route.project();
    let all = world.records.all_under("//run.googleapis.com/projects/");
    let mut projects = all.map(|(key, _)| names::part(key, 4));
    let is_named = |project: &&str| project_number(project).to_string() == asked;
    projects.find(is_named).unwrap_or(asked)
}

/// Whether the key is of a service (or, with `revisions`, of a revision) where the client looks.
fn is_wanted(key: &str, revisions: bool, region: Option<&str>) -> bool {
    key.contains("/services/")
        && key.contains("/revisions/") == revisions
        && region.is_none_or(|region| names::part(key, 6) == region)
}

/// The full name of the service or revision with this id.
fn find(world: &World, request: &Request, id: &str, revision: bool) -> Option<String> {
    let prefix = key(&format!("projects/{}/", project(world, request)));
    let region = region(request);
    let mut all = world.records.all_under(&prefix);
    all.find(|(key, _)| is_wanted(key, revision, region) && key.rsplit('/').next() == Some(id))
        .map(|(key, _)| key.to_owned())
}

fn missing(kind: &str, id: &str) -> ApiError {
    ApiError::not_found(format!("{kind} '{id}' not found"))
}

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let id = request.route.var("service");
    let key = find(world, request, id, false);
    let seen = key.and_then(|key| world.records.seen(&key, request.view.at));
    let service = seen
        .map(Service::of)
        .ok_or_else(|| missing("Resource", id))?;
    Ok(knative::service(&service))
}

pub(super) fn get_revision(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let id = request.route.var("revision");
    let key = find(world, request, id, true);
    let seen = key.and_then(|key| world.records.seen(&key, request.view.at));
    let revision = seen.map(Revision::of);
    let revision = revision.ok_or_else(|| missing("Revision", id))?;
    Ok(knative::revision(&revision))
}

pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let mut items = listed(world, request, false, |record| {
        knative::service(&Service::of(record))
    })?;
    let lost = request.view.partial.then(|| lost_region(&items));
    items.retain(|item| lost.as_deref() != Some(region_of(item)));
    let mut reply = with_kind("ServiceList", items);
    if let Some(lost) = lost {
        reply["unreachable"] = json!([lost]);
    }
    Ok(reply)
}

fn region_of(item: &Value) -> &str {
    let label = &item["metadata"]["labels"]["cloud.googleapis.com/location"];
    label.as_str().unwrap_or_default()
}

/// "For calls against the global endpoint, returns the list of Cloud locations that could not be reached": here
/// the last region that has any service.
fn lost_region(items: &[Value]) -> String {
    let last = items.last().map_or(REGIONS[0], region_of);
    last.to_owned()
}

pub(super) fn list_revisions(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let items = listed(world, request, true, |record| {
        knative::revision(&Revision::of(record))
    })?;
    let selector = request.params.get("labelSelector").unwrap_or_default();
    let (label, value) = selector.split_once('=').unwrap_or_default();
    let chosen = |item: &Value| label.is_empty() || item["metadata"]["labels"][label] == value;
    Ok(with_kind(
        "RevisionList",
        items.into_iter().filter(chosen).collect(),
    ))
}

fn listed(
    world: &World,
    request: &Request,
    revisions: bool,
    show: impl Fn(&Value) -> Value,
) -> Result<Vec<Value>, ApiError> {
    let prefix = key(&format!("projects/{}/", project(world, request)));
    let region = region(request);
    let seen = world.records.seen_under(&prefix, request.view.at);
    let wanted = seen.filter(|(key, _)| is_wanted(key, revisions, region));
    // `limit` is taken and not kept to: the whole list is one page.
    let (page, _) = page_of(wanted, &prefix, request.params, usize::MAX)?;
    Ok(page.into_iter().map(show).collect())
}

fn with_kind(kind: &str, items: Vec<Value>) -> Value {
    let mut reply = json!({"apiVersion": "serving.knative.dev/v1", "kind": kind, "metadata": {}});
    if !items.is_empty() {
        reply["items"] = items.into();
    }
    reply
}

/// `resourceVersion` is what the etag is in run v2. The reply is the service, not an operation: a client reads it
/// until its conditions are no longer Unknown.
pub(super) fn replace(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let id = request.route.var("service");
    let key = find(world, request, id, false);
    let record = key.as_ref().and_then(|key| world.records.truth(key));
    let service = record
        .map(Service::of)
        .ok_or_else(|| missing("Resource", id))?;
    let version = request.body.get("metadata");
    let version = version.and_then(|metadata| metadata["resourceVersion"].as_str());
    check_etag(&service, version)?;
    check_alive(&service)?;
    let spec = knative_write::spec(&request.body, &service);
    let spec = only_spec(&typed(&spec)?);
    let plan = rollout::plan(world, service, spec, "Update", false)?;
    let written = knative::service(&plan.service);
    rollout::start(world, request, plan);
    Ok(written)
}

/// Knative's parts are open to the reader: their types show only now.
fn typed(spec: &Value) -> Result<Map<String, Value>, ApiError> {
    let text = spec.to_string();
    wire::read(&SERVICE_MESSAGE, "service", text.as_bytes(), Nulls::Unset).map_err(|error| {
        refusal::violation(
            "Update",
            Refusal {
                field: "template".to_owned(),
                text: error.message,
            },
        )
    })
}
