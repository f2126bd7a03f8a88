//! Operations in compute's own dialect: how one starts, what clients see of it, and what it does when it ends.

use serde::Deserialize;
use serde_json::{Value, json};

use super::collection::{Collection, Proposal, fields};
use super::errors::{in_use_words, invalid, not_found};
use super::listing;
use super::place::{Name, Place};
use super::resource::{Change, after};
use super::{links, provisioning, time};
use crate::emulator::api::{Eye, Request};
use crate::emulator::errors::ApiError;
use crate::emulator::operations::{self as frame, Ending, Failure, Operation};
use crate::emulator::registry::relative;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

pub(super) struct Start {
    pub verb: &'static str,
    /// The key of the resource.
    pub target: String,
    pub change: Change,
    pub pace: Pace,
}

pub(super) fn start(world: &mut World, request: &Request, start: Start) -> Value {
    let target_id = match (&start.change, world.records.truth(&start.target)) {
        (Change::Insert { record }, _) => record.get("id").cloned(),
        (_, record) => record.and_then(|record| record.get("id").cloned()),
    };
    let place = match Name::parse(relative(&start.target)) {
        Some(name) => format!("projects/{}/{}", name.project, name.scope),
        None => Place::of(request.route).name(),
    };
    let note = json!({
        "id": (world.dice.below(1 << 62) | 1 << 60).to_string(),
        "targetId": target_id,
        "clientOperationId": request.params.get("requestId"),
        "method": request.route.method.name,
    });
    let name = format!("{place}/operations/{}", new_name(world));
    let started = frame::Start {
        key: request.route.api.key(&name),
        target: start.target,
        verb: start.verb,
        pace: start.pace,
        change: serde_json::to_value(&start.change).unwrap_or_default(),
        note,
        failure: None,
    };
    let operation = world.start(request, started);
    body(&operation, &request.eye())
}

/// `operation-1628718698079-5c94f9f702319-3c0860b5-c680e2df`
fn new_name(world: &mut World) -> String {
    let uuid = world.dice.uuid().replace('-', "");
    let (first, rest) = uuid.split_at(13);
    let (second, rest) = rest.split_at(8);
    let millis = world.clock.as_millisecond();
    format!("operation-{millis}-{first}-{second}-{}", &rest[..8])
}

/// The operation of an earlier request with the same id: "the server can check if original operation with the
/// same request ID was received, and if so, will ignore the second request".
pub(super) fn repeated(world: &World, request: &Request) -> Result<Option<Value>, ApiError> {
    let Some(id) = request.params.get("requestId").filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    if !is_request_id(id) {
        let words = "The request ID must be a valid UUID with the exception that zero UUID is not supported \
                     (00000000-0000-0000-0000-000000000000).";
        return Err(invalid("requestId", &json!(id), words));
    }
    let prefix = request
        .route
        .api
        .key(&format!("projects/{}/", request.route.project()));
    let mut all = world.operations.under(&prefix);
    let first = all.find(|operation| {
        operation.note["clientOperationId"] == id
            && operation.note["method"] == request.route.method.name
    });
    Ok(first.map(|operation| body(operation, &request.eye())))
}

fn is_request_id(id: &str) -> bool {
    let lengths = id.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && id.bytes().all(|c| c == b'-' || c.is_ascii_hexdigit())
        && id.bytes().any(|c| c != b'-' && c != b'0')
}

pub(super) fn body(operation: &Operation, eye: &Eye) -> Value {
    let name = relative(&operation.key);
    let url = |name: &str| links::url(eye.base, name);
    let mut body = json!({
        "kind": "compute#operation",
        "id": operation.note["id"],
        "name": name.rsplit('/').next(),
        "operationType": operation.verb,
        "targetLink": url(relative(&operation.target)),
        "selfLink": url(name),
        "user": "user@example.com",
        "status": "RUNNING",
        "progress": 0,
        "insertTime": time::text(operation.created),
        "startTime": time::text(operation.created),
    });
    for field in ["targetId", "clientOperationId"] {
        if !operation.note[field].is_null() {
            body[field] = operation.note[field].clone();
        }
    }
    if let Some((field, place)) = Name::parse(name).and_then(|name| name.place_field()) {
        body[field] = url(&place).into();
    }
    let Some(ending) = &operation.ending else {
        return body;
    };
    body["status"] = json!("DONE");
    body["progress"] = json!(100);
    body["endTime"] = time::text(operation.due).into();
    if let Ending::Failed(failure) = ending {
        let (code, http, words) = error_of(failure);
        body["error"] = json!({"errors": [{"code": code, "message": failure.message}]});
        body["httpErrorStatusCode"] = json!(http);
        body["httpErrorMessage"] = json!(words);
    }
    body
}

/// Compute's code, HTTP code and HTTP words for a failure.
fn error_of(failure: &Failure) -> (&str, u16, &'static str) {
    let (code, http, words) = match failure.code {
        3 => ("INVALID_USAGE", 400, "BAD REQUEST"),
        5 => ("RESOURCE_NOT_FOUND", 404, "NOT FOUND"),
        6 => ("RESOURCE_ALREADY_EXISTS", 409, "CONFLICT"),
        7 => ("PERMISSIONS_ERROR", 403, "FORBIDDEN"),
        8 => ("QUOTA_EXCEEDED", 403, "FORBIDDEN"),
        9 => ("RESOURCE_NOT_READY", 400, "BAD REQUEST"),
        4 | 14 => ("SERVICE_UNAVAILABLE", 503, "SERVICE UNAVAILABLE"),
        _ => ("INTERNAL_ERROR", 500, "INTERNAL SERVER ERROR"),
    };
    (failure.reason.as_deref().unwrap_or(code), http, words)
}

pub(super) fn finish(world: &mut World, operation: &Operation) -> Ending {
    if let Some(failure) = &operation.failure {
        return Ending::Failed(failure.clone());
    }
    let name = relative(&operation.target);
    let (Ok(change), Some(collection)) = (
        Change::deserialize(&operation.change),
        Collection::in_name(name),
    ) else {
        return Ending::Failed(Failure::new(13, "Internal error."));
    };
    if operation.ignored {
        return Ending::Done(Value::Null);
    }
    // Somebody may have begun to use it meanwhile.
    if matches!(change, Change::Delete)
        && let Some(user) = (collection.user_of)(world, name)
    {
        return Ending::Failed(Failure {
            reason: Some("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE".to_owned()),
            ..Failure::new(3, in_use_words(collection.noun, name, &user))
        });
    }
    let place = Place::of_name(name);
    let before = world.records.truth(&operation.target).map(fields);
    let proposal = Proposal {
        world,
        place: &place,
        before,
    };
    let existed = before.is_some();
    let record = after(collection, &change, &proposal);
    // What it refers to may be gone meanwhile.
    if let Some(Err(error)) = record
        .as_ref()
        .map(|record| (collection.check)(record, &proposal))
    {
        return Ending::Failed(Failure::new(
            if error.http == 404 { 5 } else { 3 },
            error.message,
        ));
    }
    if existed || record.is_some() {
        let (at, lag) = (operation.due, operation.lag);
        let record = record.map(Value::Object);
        world.records.change(&operation.target, at, lag, record);
        provisioning::changed(world, &operation.target, at);
    }
    Ending::Done(Value::Null)
}

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let key = request.route.key();
    let operation = world.operations.get(&key);
    let operation = operation.ok_or_else(|| not_found(relative(&key)))?;
    Ok(body(operation, &request.eye()))
}

pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let prefix = format!("{}/", request.route.api.key(&request.route.name));
    let operations = world.operations.under(&prefix);
    let items = operations
        .map(|operation| listing::Item {
            key: &operation.key,
            born: time::text(operation.created),
            body: body(operation, &request.eye()),
        })
        .collect();
    listing::reply(request, "compute#operationList", items)
}
