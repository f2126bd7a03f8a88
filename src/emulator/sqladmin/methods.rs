//! What the methods on instances and operations do.
//!
//! `PENDING_CREATE` -> `RUNNABLE` -> `MAINTENANCE` (a restart) -> `RUNNABLE` -> `PENDING_DELETE` -> gone. One
//! operation an instance; a change is checked at once, and takes effect when its operation ends.

use serde_json::{Map, Value, json};

use super::filter::Filter;
use super::instance::{Instance, State};
use super::merge::merge;
use super::operations::{self, Change, body, key, status};
use super::{defaults, errors, limits, reserved};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::messages::int64;
use crate::emulator::query::page_of;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

/// "The maximum number of results to return": 500 unless told otherwise, at most 1000.
const PAGE_DEFAULT: usize = 500;
const PAGE_MAX: usize = 1_000;

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let seen = world.records.seen(&request.route.key(), request.view.at);
    let instance = seen
        .map(Instance::of)
        .ok_or_else(|| missing(world, request))?;
    Ok(instance.body(&request.eye()))
}

/// Google answers 403 where it does not tell whether there is such an instance. Chosen: of names that are still
/// reserved it does not, of others it does, so that clients meet both.
fn missing(world: &World, request: &Request) -> ApiError {
    let name = request.route.var("instance");
    if reserved::is_reserved(world, request.route.project(), name) {
        errors::not_authorized()
    } else {
        errors::no_instance()
    }
}

pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let filter = Filter::read(request.params.get("filter").unwrap_or_default())?;
    let prefix = format!("{}/", request.route.key());
    let prefix = format!("{prefix}instances/");
    let eye = request.eye();
    let seen = world.records.seen_under(&prefix, request.view.at);
    let bodies = seen
        .filter(|_| !request.view.partial)
        .map(|(key, record)| (key, Instance::of(record).body(&eye)))
        .filter(|(_, body)| filter.takes(body));
    let (items, next) = page_of(bodies, &prefix, request.params, size(request)?)?;
    let mut reply = listed("sql#instancesList", items, next);
    if request.view.partial {
        let warning = json!({
            "code": "REGION_UNREACHABLE",
            "message": "Some regions could not be reached.",
            "region": defaults::REGION,
        });
        reply["warnings"] = json!([warning]);
    }
    Ok(reply)
}

fn size(request: &Request) -> Result<usize, ApiError> {
    let Some(text) = request.params.get("maxResults").filter(|t| !t.is_empty()) else {
        return Ok(PAGE_DEFAULT);
    };
    match text.parse::<usize>() {
        Ok(0) => Ok(PAGE_DEFAULT),
        Ok(size) => Ok(size.min(PAGE_MAX)),
        Err(_) => Err(errors::invalid(format!(
            "Invalid value for maxResults ({text})."
        ))),
    }
}

fn listed(kind: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut reply = json!({"kind": kind});
    if !items.is_empty() {
        reply["items"] = items.into();
    }
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    reply
}

pub(super) fn insert(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let project = request.route.project();
    let name = request.body.get("name").and_then(Value::as_str);
    let name = name.unwrap_or_default();
    limits::name(project, name)?;
    let spec = defaults::spec_of(&without_nulls(&request.body));
    limits::spec(&spec)?;
    let instance = Instance {
        project: project.to_owned(),
        name: name.to_owned(),
        state: State::PendingCreate,
        created: world.clock,
        settings_version: 1,
        spec,
        private_address: None,
    };
    let taken = world.records.truth(&key(&instance.path())).is_some();
    if taken || reserved::is_reserved(world, project, name) {
        return Err(errors::already_exists());
    }
    let (change, pace) = (Change::Create, Pace::Boot);
    Ok(operations::start(world, request, &instance, &change, pace))
}

/// Merges: what the body leaves out stays.
pub(super) fn patch(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let instance = idle(world, request)?;
    check_version(&instance, &request.body, false)?;
    let mut whole = instance.spec.clone();
    merge(&mut whole, &Value::Object(request.body.clone()));
    let whole = whole.as_object().cloned().unwrap_or_default();
    change(world, request, instance, defaults::spec_of(&whole))
}

/// Replaces: what the body leaves out goes back to its default.
pub(super) fn update(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let instance = idle(world, request)?;
    check_version(&instance, &request.body, true)?;
    let mut whole = without_nulls(&request.body);
    // Where it is and what it runs is no setting.
    for name in ["region", "databaseVersion", "gceZone"] {
        let fixed = instance.spec[name].clone();
        whole.entry(name).or_insert(fixed);
    }
    change(world, request, instance, defaults::spec_of(&whole))
}

fn change(
    world: &mut World,
    request: &Request,
    mut instance: Instance,
    spec: Value,
) -> Result<Value, ApiError> {
    limits::change(&instance.spec, &spec)?;
    limits::spec(&spec)?;
    let mut pace = Pace::Quick;
    if limits::restarts(&instance.spec, &spec) {
        instance.state = State::Maintenance;
        pace = Pace::Usual;
    }
    let change = Change::Update(spec);
    Ok(operations::start(world, request, &instance, &change, pace))
}

pub(super) fn delete(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let mut instance = idle(world, request)?;
    if instance.settings()["deletionProtectionEnabled"] == true {
        return Err(errors::protected());
    }
    instance.state = State::PendingDelete;
    let (change, pace) = (Change::Delete, Pace::Usual);
    Ok(operations::start(world, request, &instance, &change, pace))
}

/// The true instance, when no operation is changing it.
fn idle(world: &World, request: &Request) -> Result<Instance, ApiError> {
    let key = request.route.key();
    let record = world.records.truth(&key);
    let instance = record
        .map(Instance::of)
        .ok_or_else(|| missing(world, request))?;
    match world.operations.running_on(&key) {
        Some(_) => Err(errors::busy()),
        None => Ok(instance),
    }
}

/// `settingsVersion` is "a required field for update method to make sure concurrent updates are handled
/// properly"; a patch may leave it out.
fn check_version(
    instance: &Instance,
    body: &Map<String, Value>,
    required: bool,
) -> Result<(), ApiError> {
    let given = body
        .get("settings")
        .map(|settings| &settings["settingsVersion"]);
    match given.and_then(int64) {
        Some(given) if given != instance.settings_version => Err(errors::stale()),
        None if required => Err(errors::invalid("settings.settingsVersion is required.")),
        _ => Ok(()),
    }
}

/// A whole body is read like a patch; null means unset in it.
fn without_nulls(body: &Map<String, Value>) -> Map<String, Value> {
    let mut whole = json!({});
    merge(&mut whole, &Value::Object(body.clone()));
    whole.as_object().cloned().unwrap_or_default()
}

pub(super) fn get_operation(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let operation = world.operations.get(&request.route.key());
    let operation = operation.ok_or_else(errors::no_operation)?;
    Ok(body(operation, &request.eye(), status(world, operation)))
}

/// "In the reverse chronological order of the start time" (operations.list).
pub(super) fn list_operations(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let instance = request.params.get("instance").unwrap_or_default();
    let prefix = format!("{}/operations/", request.route.key());
    let wanted = |target: &str| instance.is_empty() || target.rsplit('/').next() == Some(instance);
    let found = world.operations.under(&prefix);
    let mut found: Vec<_> = found
        .filter(|operation| wanted(&operation.target))
        .map(|operation| {
            // Sorts the latest first; a page goes on after its last key.
            let age = i64::MAX - operation.created.as_millisecond();
            (format!("{age:020}/{}", operation.key), operation)
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let items = found.iter().map(|(key, operation)| {
        let body = body(operation, &request.eye(), status(world, operation));
        (key.as_str(), body)
    });
    let (items, next) = page_of(items, &prefix, request.params, size(request)?)?;
    Ok(listed("sql#operationsList", items, next))
}
