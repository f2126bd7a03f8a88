//! How a change of a connector runs, ends and is told.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::connector::{Connector, State};
use crate::emulator::api::{Eye, Request};
use crate::emulator::longrunning;
use crate::emulator::operations::{Ending, Failure, Operation, Start};
use crate::emulator::registry::relative;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

/// What an operation does to its connector when it succeeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Change {
    Create,
    Update {
        machine_type: Option<String>,
        size: Option<(i32, i32)>,
    },
    Delete {
        before: State,
    },
}

/// Shows `connector` as busy, and starts the operation that will end it.
pub(super) fn start(
    world: &mut World,
    request: &Request,
    connector: &Connector,
    change: &Change,
    failure: Option<Failure>,
) -> Value {
    let (api, route) = (request.route.api, request.route);
    let target = api.key(&connector.name);
    world.show(&target, Some(connector.record()));
    let parent = format!(
        "projects/{}/locations/{}",
        route.project(),
        route.var("location")
    );
    let start = Start {
        key: api.key(&format!("{parent}/operations/{}", world.dice.uuid())),
        target,
        verb: route.method.name,
        pace: match change {
            Change::Create => Pace::Boot,
            Change::Update { .. } | Change::Delete { .. } => Pace::Usual,
        },
        change: serde_json::to_value(change).unwrap_or_default(),
        note: Value::Null,
        failure,
    };
    let operation = world.start(request, start);
    body(&operation)
}

pub(super) fn body(operation: &Operation) -> Value {
    let mut metadata = json!({
        "@type": "type.googleapis.com/google.cloud.vpcaccess.v1.OperationMetadata",
        "method": operation.verb,
        "createTime": operation.created.to_string(),
        "target": relative(&operation.target),
    });
    if !operation.is_running() {
        metadata["endTime"] = json!(operation.due.to_string());
    }
    longrunning::body(operation, &metadata)
}

pub(super) fn finish(world: &mut World, operation: &Operation) -> Ending {
    let Ok(change) = Change::deserialize(&operation.change) else {
        return Ending::Failed(Failure::new(13, "An internal error occurred."));
    };
    let before = world.records.truth(&operation.target).map(Connector::of);
    // Another writer may have deleted it meanwhile.
    let existed = before.is_some();
    let after = before.and_then(|connector| end_state(operation, &change, connector));
    let response = response(operation, &change, after.as_ref());
    if existed {
        let record = after.map(|connector| connector.record());
        let (at, lag) = (operation.due, operation.lag);
        world.records.change(&operation.target, at, lag, record);
    }
    match &operation.failure {
        Some(failure) => Ending::Failed(failure.clone()),
        None => Ending::Done(response),
    }
}

/// The connector once the operation is over; None when it is gone.
fn end_state(
    operation: &Operation,
    change: &Change,
    mut connector: Connector,
) -> Option<Connector> {
    if let Some(failure) = &operation.failure {
        let broken = failure.broken || matches!(change, Change::Create);
        connector.state = if broken { State::Error } else { State::Ready };
        return Some(connector);
    }
    connector.state = State::Ready;
    match change {
        Change::Create => (!operation.ignored).then_some(connector),
        Change::Update { .. } if operation.ignored => Some(connector),
        Change::Update { machine_type, size } => {
            if let Some(machine_type) = machine_type {
                connector.machine_type.clone_from(machine_type);
            }
            if let Some((min, max)) = *size {
                (connector.min_instances, connector.max_instances) = (min, max);
            }
            Some(connector)
        }
        Change::Delete { before } => {
            connector.state = *before;
            operation.ignored.then_some(connector)
        }
    }
}

fn response(operation: &Operation, change: &Change, after: Option<&Connector>) -> Value {
    let mut body = match (change, after) {
        (Change::Delete { .. }, _) => {
            return json!({"@type": "type.googleapis.com/google.protobuf.Empty"});
        }
        (_, Some(connector)) => connector.body(&Eye::of(&super::VpcAccess)),
        (_, None) => json!({"name": relative(&operation.target)}),
    };
    body["@type"] = json!("type.googleapis.com/google.cloud.vpcaccess.v1.Connector");
    body
}
