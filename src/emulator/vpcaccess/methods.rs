//! What the five methods on connectors do.
//!
//! CREATING -> READY, READY -> UPDATING -> READY, READY or ERROR -> DELETING -> gone. A failed create leaves
//! ERROR and keeps the name. A change is checked at once against the truth, and takes effect when its
//! operation ends.

use serde_json::{Map, Value, json};

use super::connector::{Connector, State};
use super::limits;
use super::messages::CONNECTOR;
use super::operations::{self, Change};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::messages::int32;
use crate::emulator::operations::Failure;
use crate::emulator::query::{page, snake};
use crate::emulator::world::World;

fn not_found() -> ApiError {
    ApiError::not_found("The connector is not found.")
}

fn truth(world: &World, key: &str) -> Result<Connector, ApiError> {
    let record = world.records.truth(key).ok_or_else(not_found)?;
    Ok(Connector::of(record))
}

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let seen = world.records.seen(&request.route.key(), request.view.at);
    Ok(Connector::of(seen.ok_or_else(not_found)?).body(&request.eye()))
}

/// An unreachable part of the region is simply missing: the reply has no field to say so.
pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let prefix = request.route.api.key(&format!("{}/", request.route.name));
    let seen = world.records.seen_under(&prefix, request.view.at);
    let seen = seen.filter(|_| !request.view.partial);
    let (page, next) = page(seen, &prefix, request.params)?;
    let mut reply = json!({});
    if !page.is_empty() {
        let bodies = page.into_iter().map(Connector::of);
        reply["connectors"] = bodies
            .map(|connector| connector.body(&request.eye()))
            .collect();
    }
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    Ok(reply)
}

pub(super) fn create(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let (route, body) = (request.route, &request.body);
    let id = request.params.get("connectorId").unwrap_or_default();
    limits::connector_id(id)?;
    let name = format!("{}/{id}", route.name);
    let key = route.api.key(&name);
    let mut connector = Connector {
        name,
        network: text(body, "network"),
        ip_cidr_range: text(body, "ipCidrRange"),
        subnet: body.get("subnet").cloned(),
        machine_type: machine_type(body),
        min_instances: 0,
        max_instances: 0,
        state: State::Creating,
        connected_projects: vec![route.project().to_owned()],
        create_time: world.clock,
    };
    limits::machine_type(&connector.machine_type)?;
    check_address(&connector)?;
    (connector.min_instances, connector.max_instances) = requested_size(body)?;
    if world.records.truth(&key).is_some() {
        return Err(ApiError::already_exists());
    }
    let failure = creation_failure(world, &connector);
    Ok(operations::start(
        world,
        request,
        &connector,
        &Change::Create,
        failure,
    ))
}

pub(super) fn patch(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let body = &request.body;
    let mask = Mask::read(request.params.get("updateMask").unwrap_or_default())?;
    let mut connector = truth(world, &request.route.key())?;
    let machine_type = mask.machine_type.then(|| machine_type(body));
    if let Some(machine_type) = &machine_type {
        limits::machine_type(machine_type)?;
    }
    let size = mask.size(body);
    if let Some(size) = size {
        limits::instances(size.0, size.1)?;
        limits::growth(connector.size(), size)?;
    }
    require_state(&connector, &[State::Ready], "updated")?;
    connector.state = State::Updating;
    let change = Change::Update { machine_type, size };
    Ok(operations::start(world, request, &connector, &change, None))
}

/// A connector in use may be deleted: the API does not protect its users.
pub(super) fn delete(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let mut connector = truth(world, &request.route.key())?;
    require_state(&connector, &[State::Ready, State::Error], "deleted")?;
    let change = Change::Delete {
        before: connector.state,
    };
    connector.state = State::Deleting;
    Ok(operations::start(world, request, &connector, &change, None))
}

/// What Google finds out only after it accepted the create. The texts are Google's.
fn creation_failure(world: &World, connector: &Connector) -> Option<Failure> {
    let text = if connector.max_instances == 0 {
        "Operation failed: A Connector must specify either max_throughput or max_instances."
    } else if range_is_taken(world, connector) {
        "Operation failed: Invalid IP CIDR range was provided. It conflicts with an existing subnetwork. \
         Please delete the connector manually."
    } else {
        return None;
    };
    Some(Failure::new(3, text))
}

/// A network is global: a connector in another region takes the range as well.
fn range_is_taken(world: &World, wanted: &Connector) -> bool {
    let project = |name: &str| name.split('/').nth(1).map(str::to_owned);
    let same_range = |other: &Connector| {
        !wanted.ip_cidr_range.is_empty()
            && other.ip_cidr_range == wanted.ip_cidr_range
            && other.network == wanted.network
            && project(&other.name) == project(&wanted.name)
    };
    let prefix = format!("//{}/", super::SERVICE);
    let mut all = world.records.all_under(&prefix);
    all.any(|(_, record)| same_range(&Connector::of(record)))
}

/// The code for a busy connector is not documented; see [`ApiError::failed_precondition`].
fn require_state(connector: &Connector, allowed: &[State], verb: &str) -> Result<(), ApiError> {
    if allowed.contains(&connector.state) {
        return Ok(());
    }
    Err(ApiError::failed_precondition(format!(
        "The connector cannot be {verb} while it is in state {}.",
        connector.state.name()
    )))
}

/// Either a network with an unused /28, or an existing subnet.
fn check_address(connector: &Connector) -> Result<(), ApiError> {
    let own_range = !connector.network.is_empty() || !connector.ip_cidr_range.is_empty();
    match (&connector.subnet, own_range) {
        (Some(_), true) => Err(limits::refuse(
            "connector.subnet",
            "A connector takes either network and ip_cidr_range, or subnet, not both.",
        )),
        (None, false) => Err(limits::refuse(
            "connector.network",
            "A connector must specify either network and ip_cidr_range, or subnet.",
        )),
        (Some(subnet), false) if subnet["name"].as_str().is_none_or(str::is_empty) => {
            Err(limits::refuse(
                "connector.subnet.name",
                "The name of the subnet must be set.",
            ))
        }
        (Some(_), false) => Ok(()),
        (None, true) if connector.network.is_empty() => Err(limits::refuse(
            "connector.network",
            "network must be set together with ip_cidr_range.",
        )),
        (None, true) => limits::slash_28(&connector.ip_cidr_range).map(|_| ()),
    }
}

/// Instances win over throughput. Without a minimum it is 2; without a maximum it is 0, and the operation
/// will fail.
fn requested_size(body: &Map<String, Value>) -> Result<(i32, i32), ApiError> {
    let from_min = limits::throughput("min_throughput", number(body, "minThroughput"), 200, 900)?;
    let from_max = limits::throughput("max_throughput", number(body, "maxThroughput"), 300, 1000)?;
    let first = |values: [i32; 2]| values.into_iter().find(|value| *value != 0);
    let min =
        first([number(body, "minInstances"), from_min]).unwrap_or(limits::MIN_INSTANCES_DEFAULT);
    let Some(max) = first([number(body, "maxInstances"), from_max]) else {
        limits::min_instances(min)?;
        return Ok((min, 0));
    };
    limits::instances(min, max)?;
    Ok((min, max))
}

/// Which fields a patch changes. "If absent or empty, all modifiable fields are updated."
struct Mask {
    machine_type: bool,
    min: bool,
    max: bool,
}

impl Mask {
    fn read(text: &str) -> Result<Self, ApiError> {
        if text.trim().is_empty() {
            return Ok(Self {
                machine_type: true,
                min: true,
                max: true,
            });
        }
        let mut mask = Self {
            machine_type: false,
            min: false,
            max: false,
        };
        for path in text.split(',').map(str::trim) {
            match snake(path).as_str() {
                "machine_type" => mask.machine_type = true,
                "min_instances" => mask.min = true,
                "max_instances" => mask.max = true,
                _ => return Err(refused_path(path)),
            }
        }
        Ok(mask)
    }

    /// A size is written whole: what the mask or the body leaves out counts as 0, and is refused as such.
    fn size(&self, body: &Map<String, Value>) -> Option<(i32, i32)> {
        let masked = |on: bool, name: &str| if on { number(body, name) } else { 0 };
        (self.min || self.max).then(|| {
            (
                masked(self.min, "minInstances"),
                masked(self.max, "maxInstances"),
            )
        })
    }
}

/// The words are not published.
fn refused_path(path: &str) -> ApiError {
    let root = path.split('.').next().unwrap_or_default();
    let text = if CONNECTOR.field(root).is_some() {
        format!("Field \"{path}\" of a connector cannot be updated.")
    } else {
        format!("Invalid update mask: \"{path}\" is not a field of Connector.")
    };
    limits::refuse("update_mask", text)
}

fn text(body: &Map<String, Value>, name: &str) -> String {
    body.get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn number(body: &Map<String, Value>, name: &str) -> i32 {
    body.get(name).and_then(int32).unwrap_or_default()
}

fn machine_type(body: &Map<String, Value>) -> String {
    let asked = text(body, "machineType");
    if asked.is_empty() {
        limits::MACHINE_TYPE_DEFAULT.to_owned()
    } else {
        asked
    }
}
