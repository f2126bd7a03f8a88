//! The connector: what it is, and how the API shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::limits;
use super::messages::CONNECTOR;
use crate::emulator::api::Eye;
use crate::emulator::messages::{self, Nulls};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum State {
    #[default]
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

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// From its record, which only [`Connector::record`] writes.
    pub fn of(record: &Value) -> Self {
        Self::deserialize(record).unwrap_or_default()
    }

    pub fn record(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// As the API shows it: empty and zero fields are left out.
    pub fn body(&self, eye: &Eye) -> Value {
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
        if eye.version == "v1beta1" {
            set("createTime", json!(self.create_time.to_string()));
        }
        Value::Object(body)
    }

    pub fn size(&self) -> (i32, i32) {
        (self.min_instances, self.max_instances)
    }

    /// Another writer's fields. What the API gives and never takes cannot be set.
    pub fn overwrite(&mut self, fields: &Value) -> Result<(), String> {
        let bytes = fields.to_string();
        let read = messages::read(&CONNECTOR, "connector", bytes.as_bytes(), Nulls::Unset)
            .map_err(|error| error.message)?;
        for (name, value) in &read {
            self.set(name, value)?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let text = || value.as_str().unwrap_or_default().to_owned();
        let number = || messages::int32(value).unwrap_or_default();
        match name {
            "machineType" => self.machine_type = text(),
            "network" => self.network = text(),
            "ipCidrRange" => self.ip_cidr_range = text(),
            "subnet" => self.subnet = Some(value.clone()),
            "minInstances" => self.min_instances = number(),
            "maxInstances" => self.max_instances = number(),
            "state" => {
                let state = State::by_name(&text());
                self.state = state.ok_or_else(|| format!("state: {value} cannot be set"))?;
            }
            _ => return Err(format!("{name}: cannot be set")),
        }
        Ok(())
    }
}
