//! How a change runs, ends and is told.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::collection::{Collection, Record, fields, set_or_remove};
use super::refusal::busy;
use super::{methods, provisioning};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::longrunning;
use crate::emulator::operations::{Ending, Failure, Operation, Start};
use crate::emulator::registry::relative;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

/// `google.rpc.Code.FAILED_PRECONDITION`
const FAILED_PRECONDITION: i32 = 9;
/// `google.rpc.Code.INTERNAL`
const INTERNAL: i32 = 13;

/// What an operation does to its resource when it succeeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Change {
    Create {
        record: Record,
    },
    /// Null removes a field.
    Update {
        patch: Record,
    },
    Delete,
}

impl Change {
    fn verb(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete => "delete",
        }
    }
}

pub(super) fn start(world: &mut World, request: &Request, name: &str, change: &Change) -> Value {
    let api = request.route.api;
    let place = super::names::place(name);
    let start = Start {
        key: api.key(&format!(
            "{place}/operations/operation-{}",
            world.dice.uuid()
        )),
        target: api.key(name),
        verb: change.verb(),
        pace: Pace::Quick,
        change: serde_json::to_value(change).unwrap_or_default(),
        note: Value::Null,
        failure: None,
    };
    body(&world.start(request, start))
}

pub(super) fn body(operation: &Operation) -> Value {
    let mut metadata = json!({
        "@type": "type.googleapis.com/google.cloud.certificatemanager.v1.OperationMetadata",
        "apiVersion": "v1",
        "createTime": operation.created.to_string(),
        "target": relative(&operation.target),
        "verb": operation.verb,
    });
    if !operation.is_running() {
        metadata["endTime"] = json!(operation.due.to_string());
    }
    longrunning::body(operation, &metadata)
}

pub(super) fn finish(world: &mut World, operation: &Operation) -> Ending {
    let name = relative(&operation.target).to_owned();
    let change = Change::deserialize(&operation.change);
    let (Ok(change), Some(collection)) = (change, Collection::in_name(&name)) else {
        return Ending::Failed(Failure::new(INTERNAL, "An internal error occurred."));
    };
    if let Some(failure) = &operation.failure {
        return Ending::Failed(failure.clone());
    }
    match settle(world, operation, collection, &name, &change) {
        Ok(response) => Ending::Done(response),
        Err(error) => Ending::Failed(Failure::new(FAILED_PRECONDITION, error.message)),
    }
}

/// Much may have happened since the change was checked.
fn settle(
    world: &mut World,
    operation: &Operation,
    collection: &Collection,
    name: &str,
    change: &Change,
) -> Result<Value, ApiError> {
    let before = world.records.truth(&operation.target);
    let gone = || super::refusal::not_found(name);
    let after = match change {
        Change::Create { record } => {
            let mut record = record.clone();
            record.insert(
                "createTime".to_owned(),
                json!(operation.created.to_string()),
            );
            Some(record)
        }
        Change::Update { patch } => {
            let mut record = fields(before.ok_or_else(gone)?).clone();
            for (field, value) in patch {
                set_or_remove(&mut record, field, value.clone());
            }
            Some(record)
        }
        Change::Delete => {
            let users = (collection.users)(world, name);
            if !operation.ignored && !users.is_empty() {
                return Err(ApiError::failed_precondition(collection.in_use));
            }
            None
        }
    };
    let Some(mut record) = after else {
        if !operation.ignored {
            remove(world, operation);
        }
        return Ok(json!({"@type": "type.googleapis.com/google.protobuf.Empty"}));
    };
    (collection.stands)(world, name, &record)?;
    record.insert("updateTime".to_owned(), json!(operation.due.to_string()));
    let record = Value::Object(record);
    let mut response = methods::body(world, collection, name, &record);
    response["@type"] = json!(format!(
        "type.googleapis.com/{}",
        collection.message.type_name
    ));
    if !operation.ignored {
        let (at, lag) = (operation.due, operation.lag);
        world
            .records
            .change(&operation.target, at, lag, Some(record));
        provisioning::changed(world, &operation.target, at);
    }
    Ok(response)
}

/// A map takes its entries along.
fn remove(world: &mut World, operation: &Operation) {
    let below = format!("{}/", operation.target);
    let below: Vec<String> = world
        .records
        .all_under(&below)
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in below.iter().chain([&operation.target]) {
        world
            .records
            .change(key, operation.due, operation.lag, None);
    }
}

/// "The server makes a best effort to cancel the operation, but success is not guaranteed": here it never succeeds.
pub(super) fn cancel(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    longrunning::get(world, request).map(|_| json!({}))
}

/// One that runs cannot be forgotten: its end would have no beginning.
pub(super) fn forget(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let running = longrunning::get(world, request)?["done"].is_null();
    if running {
        return Err(busy());
    }
    world.operations.remove(&request.route.key());
    Ok(json!({}))
}
