//! The connector: what it is, and what its five methods do.
//!
//! CREATING -> READY, READY -> UPDATING -> READY, READY or ERROR -> DELETING -> gone. A failed create leaves
//! ERROR and keeps the name. A change is checked at once against the truth, and takes effect when its
//! operation ends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::errors::ApiError;
use super::limits;
use super::messages::{self, CONNECTOR};
use super::operations::{Effect, Failure, Method};
use super::query::{Params, page, snake};
use super::route::{Route, Version};
use super::world::{Request, View, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum State {
    Ready,
    Creating,
    Deleting,
    Error,
    Updating,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Creating => "CREATING",
            Self::Deleting => "DELETING",
            Self::Error => "ERROR",
            Self::Updating => "UPDATING",
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        [
            Self::Ready,
            Self::Creating,
            Self::Deleting,
            Self::Error,
            Self::Updating,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connector {
    pub name: String,
    pub network: String,
    pub ip_cidr_range: String,
    pub subnet: Option<Value>,
    pub machine_type: String,
    pub min_instances: i32,
    pub max_instances: i32,
    pub state: State,
    pub connected_projects: Vec<String>,
    pub create_time: Timestamp,
}

impl Connector {
    /// As the API shows it: empty and zero fields are left out.
    pub fn body(&self, version: Version) -> Value {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| {
            if !matches!(&value, Value::String(text) if text.is_empty()) && value != json!(0) {
                body.insert(name.to_owned(), value);
            }
        };
        set("name", json!(self.name));
        set("network", json!(self.network));
        set("ipCidrRange", json!(self.ip_cidr_range));
        set("machineType", json!(self.machine_type));
        set("minInstances", json!(self.min_instances));
        set("maxInstances", json!(self.max_instances));
        set(
            "minThroughput",
            json!(self.min_instances * limits::MBPS_PER_INSTANCE),
        );
        set(
            "maxThroughput",
            json!(self.max_instances * limits::MBPS_PER_INSTANCE),
        );
        set("state", json!(self.state.name()));
        if let Some(subnet) = &self.subnet {
            set("subnet", subnet.clone());
        }
        if !self.connected_projects.is_empty() {
            set("connectedProjects", json!(self.connected_projects));
        }
        if version == Version::V1Beta1 {
            set("createTime", json!(self.create_time.to_string()));
        }
        Value::Object(body)
    }

    fn size(&self) -> (i32, i32) {
        (self.min_instances, self.max_instances)
    }
}

fn not_found() -> ApiError {
    ApiError::not_found("The connector is not found.")
}

impl World {
    /// What is true of a connector, whatever reads may still show.
    pub fn truth(&self, name: &str) -> Option<&Connector> {
        self.records.get(name)?.truth()
    }

    pub fn get_connector(&self, route: &Route, view: View) -> Result<Value, ApiError> {
        let record = self
            .records
            .get(&route.connector_name(&route.id))
            .ok_or_else(not_found)?;
        let connector = record.seen(view.at).ok_or_else(not_found)?;
        Ok(connector.body(route.version))
    }

    /// An unreachable part of the region is simply missing: the reply has no field to say so.
    pub fn list_connectors(
        &self,
        route: &Route,
        params: &Params,
        view: View,
    ) -> Result<Value, ApiError> {
        let prefix = route.connector_name("");
        let seen = self
            .records
            .range(prefix.clone()..)
            .take_while(|(name, _)| name.starts_with(&prefix) && !view.partial)
            .filter_map(|(name, record)| Some((name.clone(), record.seen(view.at)?)));
        let (page, next) = page(seen, &prefix, params)?;
        let mut reply = json!({});
        if !page.is_empty() {
            let bodies = page.iter().map(|connector| connector.body(route.version));
            reply["connectors"] = bodies.collect();
        }
        if let Some(next) = next {
            reply["nextPageToken"] = next.into();
        }
        Ok(reply)
    }

    pub fn create_connector(&mut self, request: &Request) -> Result<Value, ApiError> {
        let body = messages::read(&CONNECTOR, "connector", request.body)?;
        let id = request.params.get("connectorId").unwrap_or_default();
        limits::connector_id(id)?;
        let name = request.route.connector_name(id);
        let mut connector = Connector {
            name: name.clone(),
            network: text(&body, "network"),
            ip_cidr_range: text(&body, "ipCidrRange"),
            subnet: body.get("subnet").cloned(),
            machine_type: machine_type(&body),
            min_instances: 0,
            max_instances: 0,
            state: State::Creating,
            connected_projects: vec![request.route.project.clone()],
            create_time: self.clock,
        };
        limits::machine_type(&connector.machine_type)?;
        check_address(&connector)?;
        (connector.min_instances, connector.max_instances) = requested_size(&body)?;
        if self.truth(&name).is_some() {
            return Err(ApiError::already_exists());
        }
        let failure = self.creation_failure(&connector);
        self.show(&name, Some(connector));
        Ok(self.start(request, Method::Create, &name, Effect::Create, failure))
    }

    pub fn patch_connector(&mut self, request: &Request) -> Result<Value, ApiError> {
        let body = messages::read(&CONNECTOR, "connector", request.body)?;
        let mask = Mask::read(request.params.get("updateMask").unwrap_or_default())?;
        let name = request.route.connector_name(&request.route.id);
        let connector = self.truth(&name).ok_or_else(not_found)?;
        let machine_type = mask.machine_type.then(|| machine_type(&body));
        if let Some(machine_type) = &machine_type {
            limits::machine_type(machine_type)?;
        }
        let size = mask.size(&body);
        if let Some(size) = size {
            limits::instances(size.0, size.1)?;
            limits::growth(connector.size(), size)?;
        }
        require_state(connector, &[State::Ready], "updated")?;
        let updating = Connector {
            state: State::Updating,
            ..connector.clone()
        };
        self.show(&name, Some(updating));
        let effect = Effect::Update { machine_type, size };
        Ok(self.start(request, Method::Update, &name, effect, None))
    }

    /// A connector in use may be deleted: the API does not protect its users.
    pub fn delete_connector(&mut self, request: &Request) -> Result<Value, ApiError> {
        messages::read_nothing(request.body)?;
        let name = request.route.connector_name(&request.route.id);
        let connector = self.truth(&name).ok_or_else(not_found)?;
        require_state(connector, &[State::Ready, State::Error], "deleted")?;
        let before = connector.state;
        let deleting = Connector {
            state: State::Deleting,
            ..connector.clone()
        };
        self.show(&name, Some(deleting));
        Ok(self.start(
            request,
            Method::Delete,
            &name,
            Effect::Delete { before },
            None,
        ))
    }

    /// What Google finds out only after it accepted the create. The texts are Google's.
    fn creation_failure(&self, connector: &Connector) -> Option<Failure> {
        let text = if connector.max_instances == 0 {
            "Operation failed: A Connector must specify either max_throughput or max_instances."
        } else if self.range_is_taken(connector) {
            "Operation failed: Invalid IP CIDR range was provided. It conflicts with an existing subnetwork. \
             Please delete the connector manually."
        } else {
            return None;
        };
        Some(Failure {
            code: 3,
            message: text.to_owned(),
            leaves: State::Error,
        })
    }

    /// A network is global: a connector in another region takes the range as well.
    fn range_is_taken(&self, wanted: &Connector) -> bool {
        let project = |name: &str| name.split('/').nth(1).map(str::to_owned);
        let same_range = |other: &Connector| {
            !wanted.ip_cidr_range.is_empty()
                && other.ip_cidr_range == wanted.ip_cidr_range
                && other.network == wanted.network
                && project(&other.name) == project(&wanted.name)
        };
        self.records
            .values()
            .filter_map(|record| record.truth())
            .any(same_range)
    }
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
    body.get(name).and_then(messages::int32).unwrap_or_default()
}

fn machine_type(body: &Map<String, Value>) -> String {
    let asked = text(body, "machineType");
    if asked.is_empty() {
        limits::MACHINE_TYPE_DEFAULT.to_owned()
    } else {
        asked
    }
}
