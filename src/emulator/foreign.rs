//! Another writer: a person at a console, another tool. It changes a connector at once, and no rule binds it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::connectors::{Connector, State};
use super::log::{LogEntry, LogStatus};
use super::messages::{self, CONNECTOR};
use super::records::Lag;
use super::route::Version;
use super::world::World;

/// A foreign change that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    #[error("there is no connector \"{0}\"; a name is projects/*/locations/*/connectors/*")]
    NoConnector(String),
    #[error("{0}")]
    Fields(String),
}

impl World {
    pub fn foreign_patch(
        &mut self,
        now: Timestamp,
        name: &str,
        fields: &Value,
    ) -> Result<(), ForeignError> {
        self.advance(now);
        let mut connector = self.existing(name)?;
        let bytes = fields.to_string();
        let read = messages::read(&CONNECTOR, "connector", bytes.as_bytes())
            .map_err(|error| ForeignError::Fields(error.message))?;
        let before = connector.body(Version::V1);
        overwrite(&mut connector, &read)?;
        self.foreign_change(name, before, Some(connector), fields.clone());
        Ok(())
    }

    pub fn foreign_delete(&mut self, now: Timestamp, name: &str) -> Result<(), ForeignError> {
        self.advance(now);
        let before = self.existing(name)?.body(Version::V1);
        self.foreign_change(name, before, None, json!(null));
        Ok(())
    }

    fn existing(&self, name: &str) -> Result<Connector, ForeignError> {
        self.truth(name)
            .cloned()
            .ok_or_else(|| ForeignError::NoConnector(name.to_owned()))
    }

    fn foreign_change(
        &mut self,
        name: &str,
        before: Value,
        after: Option<Connector>,
        fields: Value,
    ) {
        let entry = LogEntry {
            seq: 0,
            at: self.clock,
            method: if after.is_some() { "PATCH" } else { "DELETE" }.to_owned(),
            path: format!("/v1/{name}"),
            query: String::new(),
            update_mask: None,
            body: Some(fields),
            status: LogStatus::Code(200),
            landed: true,
            state: before["state"].as_str().map(str::to_owned),
            before: Some(before),
            faults: Vec::new(),
            foreign: true,
        };
        self.log.push(entry);
        let record = self.records.entry(name.to_owned()).or_default();
        record.change(self.clock, Lag::default(), after);
    }
}

fn overwrite(connector: &mut Connector, fields: &Map<String, Value>) -> Result<(), ForeignError> {
    for (name, value) in fields {
        let text = || value.as_str().unwrap_or_default().to_owned();
        let number = || messages::int32(value).unwrap_or_default();
        match name.as_str() {
            "machineType" => connector.machine_type = text(),
            "network" => connector.network = text(),
            "ipCidrRange" => connector.ip_cidr_range = text(),
            "subnet" => connector.subnet = Some(value.clone()),
            "minInstances" => connector.min_instances = number(),
            "maxInstances" => connector.max_instances = number(),
            "state" => {
                let unknown = || ForeignError::Fields(format!("state: {value} cannot be set"));
                connector.state = State::by_name(&text()).ok_or_else(unknown)?;
            }
            _ => return Err(ForeignError::Fields(format!("{name}: cannot be set"))),
        }
    }
    Ok(())
}
