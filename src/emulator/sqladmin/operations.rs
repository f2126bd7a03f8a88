//! How a change of an instance runs, ends and is told.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::instance::{Instance, State};
use super::{SERVICE, links, reserved};
use crate::emulator::api::{Eye, Request};
use crate::emulator::operations::{Ending, Failure, Operation, Start};
use crate::emulator::registry::relative;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

/// What an operation does to its instance when it succeeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Change {
    Create,
    /// The settings, and all else that a client may set, become these.
    Update(Value),
    Delete,
}

impl Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update(_) => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

pub(super) fn key(name: &str) -> String {
    format!("//{SERVICE}/{name}")
}

/// Shows `instance` in the state it has meanwhile, and starts the operation that will end it.
pub(super) fn start(
    world: &mut World,
    request: &Request,
    instance: &Instance,
    change: &Change,
    pace: Pace,
) -> Value {
    let target = key(&instance.path());
    world.show(&target, Some(instance.record()));
    let operations = format!("projects/{}/operations", instance.project);
    let start = Start {
        key: key(&format!("{operations}/{}", world.dice.uuid())),
        target,
        verb: change.name(),
        pace,
        change: serde_json::to_value(change).unwrap_or_default(),
        note: Value::Null,
        failure: None,
    };
    let operation = world.start(request, start);
    body(&operation, &request.eye(), Status::Pending)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Running,
    Done,
}

/// An operation waits for a moment before it runs.
pub(super) fn status(world: &World, operation: &Operation) -> Status {
    if !operation.is_running() {
        Status::Done
    } else if world.clock > operation.created {
        Status::Running
    } else {
        Status::Pending
    }
}

pub(super) fn body(operation: &Operation, eye: &Eye, status: Status) -> Value {
    let (path, target) = (relative(&operation.key), relative(&operation.target));
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut body = json!({
        "kind": "sql#operation",
        "name": last(path),
        "operationType": operation.verb,
        "status": match status {
            Status::Pending => "PENDING",
            Status::Running => "RUNNING",
            Status::Done => "DONE",
        },
        "insertTime": operation.created.to_string(),
        "targetId": last(target),
        "targetProject": target.split('/').nth(1),
        "targetLink": links::link(eye, target),
        "selfLink": links::link(eye, path),
        "user": "caller@example.com",
    });
    if status != Status::Pending {
        body["startTime"] = json!(operation.created.to_string());
    }
    if status == Status::Done {
        body["endTime"] = json!(operation.due.to_string());
    }
    if let Some(Ending::Failed(failure)) = &operation.ending {
        let code = failure.reason.as_deref().unwrap_or("INTERNAL_ERROR");
        body["error"] = json!({
            "kind": "sql#operationErrors",
            "errors": [{"kind": "sql#operationError", "code": code, "message": failure.message}],
        });
    }
    body
}

pub(super) fn finish(world: &mut World, operation: &Operation) -> Ending {
    let Ok(change) = Change::deserialize(&operation.change) else {
        return Ending::Failed(Failure::new(13, "An internal error occurred."));
    };
    let record = world.records.truth(&operation.target);
    // Another writer may have deleted it meanwhile.
    if let Some(instance) = record.map(Instance::of) {
        let after = end_state(operation, &change, instance.clone());
        if after.is_none() && matches!(change, Change::Delete) {
            reserved::reserve(world, &instance, operation.due);
        }
        let record = after.map(|instance| instance.record());
        let (at, lag) = (operation.due, operation.lag);
        world.records.change(&operation.target, at, lag, record);
    }
    match &operation.failure {
        Some(failure) => Ending::Failed(failure.clone()),
        None => Ending::Done(Value::Null),
    }
}

/// The instance once the operation is over; None when it is gone.
fn end_state(operation: &Operation, change: &Change, mut instance: Instance) -> Option<Instance> {
    instance.state = State::Runnable;
    if let Some(failure) = &operation.failure {
        if failure.broken || matches!(change, Change::Create) {
            instance.state = State::Failed;
        }
        return Some(instance);
    }
    match change {
        Change::Create => (!operation.ignored).then_some(instance),
        Change::Delete => operation.ignored.then_some(instance),
        Change::Update(_) if operation.ignored => Some(instance),
        Change::Update(spec) => {
            instance.change(spec.clone());
            Some(instance)
        }
    }
}
