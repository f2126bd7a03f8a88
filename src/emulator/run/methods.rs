//! What the methods on services and revisions do.

use serde_json::{Value, json};

use super::mask::Mask;
use super::refusal::{already_exists, not_found, stale_etag};
use super::revision::Revision;
use super::rollout::{self, Change};
use super::service::{Service, only_spec};
use super::{check, rollout::key};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::query::page;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

fn truth(world: &World, name: &str) -> Result<Service, ApiError> {
    let record = world.records.truth(&key(name));
    record.map(Service::of).ok_or_else(|| not_found(name))
}

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let name = request.route.resource();
    let seen = world.records.seen(&key(name), request.view.at);
    let service = seen.map(Service::of).ok_or_else(|| not_found(name))?;
    Ok(service.body())
}

/// Deleted services are gone at once here: `showDeleted` is taken, and finds none.
pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let prefix = key(&format!("{}/", request.route.name));
    let seen = world.records.seen_under(&prefix, request.view.at);
    let services = seen.filter(|(key, _)| !key[prefix.len()..].contains('/'));
    let services = services.filter(|_| !request.view.partial);
    let (page, next) = page(services, &prefix, request.params)?;
    let bodies: Vec<Value> = page
        .into_iter()
        .map(|record| Service::of(record).body())
        .collect();
    Ok(listed("services", bodies, next, request))
}

pub(super) fn get_revision(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let name = request.route.resource();
    let seen = world.records.seen(&key(name), request.view.at);
    let revision = seen
        .map(Revision::of)
        .ok_or_else(|| ApiError::not_found(format!("revision \"{name}\" not found")))?;
    Ok(revision.body())
}

/// "To list all Revisions across Services, use "-" instead of Service."
pub(super) fn list_revisions(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let service = request.route.resource();
    let (parent, id) = service.rsplit_once('/').unwrap_or((service, ""));
    let prefix = key(&match id {
        "-" => format!("{parent}/"),
        _ => format!("{service}/revisions/"),
    });
    let seen = world.records.seen_under(&prefix, request.view.at);
    let revisions = seen
        .filter(|(key, _)| key.contains("/revisions/"))
        .filter(|_| !request.view.partial);
    let (page, next) = page(revisions, &prefix, request.params)?;
    let bodies: Vec<Value> = page
        .into_iter()
        .map(|record| Revision::of(record).body())
        .collect();
    Ok(listed("revisions", bodies, next, request))
}

/// Only the list of services has a field for what could not be reached.
fn listed(name: &str, bodies: Vec<Value>, next: Option<String>, request: &Request) -> Value {
    let mut reply = json!({});
    if !bodies.is_empty() {
        reply[name] = bodies.into();
    }
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    if request.view.partial && name == "services" {
        reply["unreachable"] = json!([request.route.resource()]);
    }
    reply
}

pub(super) fn create(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let id = request.params.get("serviceId").unwrap_or_default();
    check::service_id(id).map_err(ApiError::invalid)?;
    let name = format!("{}/{id}", request.route.name);
    create_named(world, request, name)
}

fn create_named(world: &mut World, request: &Request, name: String) -> Result<Value, ApiError> {
    if world.records.truth(&key(&name)).is_some() {
        let id = name.rsplit('/').next().unwrap_or_default();
        return Err(already_exists(format!("Resource '{id}' already exists.")));
    }
    let service = Service {
        uid: world.dice.uuid(),
        created: world.clock,
        name,
        ..Service::default()
    };
    let plan = rollout::plan(world, service, only_spec(&request.body), "Create", false)?;
    Ok(made(world, request, plan))
}

pub(super) fn patch(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let name = request.route.resource();
    let mask = Mask::read(request.params.get("updateMask").unwrap_or_default())?;
    let service = match truth(world, name) {
        Err(_) if flag(request, "allowMissing") => {
            return create_named(world, request, name.to_owned());
        }
        found => found?,
    };
    check_etag(&service, request.body.get("etag").and_then(Value::as_str))?;
    check_alive(&service)?;
    let spec = match mask {
        None => only_spec(&request.body),
        Some(mask) => mask.apply(&service.spec, &request.body),
    };
    let force = flag(request, "forceNewRevision");
    let plan = rollout::plan(world, service, spec, "Update", force)?;
    Ok(made(world, request, plan))
}

fn made(world: &mut World, request: &Request, plan: rollout::Plan) -> Value {
    if flag(request, "validateOnly") {
        return rollout::preview(&plan);
    }
    rollout::start(world, request, plan)
}

pub(super) fn delete(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let mut service = truth(world, request.route.resource())?;
    check_etag(&service, request.params.get("etag"))?;
    check_alive(&service)?;
    service.deleted = Some(world.clock);
    service.writes += 1;
    service.updated = world.clock;
    if flag(request, "validateOnly") {
        let body = rollout::typed(&service);
        return Ok(json!({"done": true, "metadata": body, "response": body}));
    }
    let (change, pace) = (Change::Delete, Pace::Quick);
    Ok(rollout::begin(world, request, &service, &change, pace))
}

/// "May be used to detect modification conflict during updates": no etag, no check.
pub(super) fn check_etag(service: &Service, given: Option<&str>) -> Result<(), ApiError> {
    let current = service.etag();
    match given {
        Some(given) if !given.is_empty() && given != current => {
            Err(stale_etag(service.id(), given, &current))
        }
        _ => Ok(()),
    }
}

/// The code is not published; see [`ApiError::failed_precondition`].
pub(super) fn check_alive(service: &Service) -> Result<(), ApiError> {
    if service.deleted.is_none() {
        return Ok(());
    }
    Err(ApiError::failed_precondition(format!(
        "Service '{}' is being deleted.",
        service.id()
    )))
}

fn flag(request: &Request, name: &str) -> bool {
    matches!(request.params.get(name), Some("true" | "1"))
}

/// "This method is on a best-effort basis. It may return the latest state before the specified timeout
/// (including immediately)": it does, for here a request takes no time.
pub(super) fn wait(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    crate::emulator::longrunning::get(world, request)
}
