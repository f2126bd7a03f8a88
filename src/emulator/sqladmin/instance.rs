//! The instance: what it is, and how the API shows it.
//!
//! Invariant: `settings_version` goes up with each change and never back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::links;
use crate::emulator::api::Eye;
use crate::emulator::base64;
use crate::emulator::query::checksum;
use crate::emulator::quota::project_number;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum State {
    #[default]
    Runnable,
    PendingCreate,
    PendingDelete,
    Maintenance,
    Failed,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Runnable => "RUNNABLE",
            Self::PendingCreate => "PENDING_CREATE",
            Self::PendingDelete => "PENDING_DELETE",
            Self::Maintenance => "MAINTENANCE",
            Self::Failed => "FAILED",
        }
    }
}

/// What a client may set. Everything else in a request is the server's, and ignored.
pub(super) const SPEC: &[&str] = &[
    "databaseVersion",
    "diskEncryptionConfiguration",
    "gceZone",
    "geminiConfig",
    "instanceType",
    "maintenanceVersion",
    "masterInstanceName",
    "region",
    "replicaConfiguration",
    "secondaryGceZone",
    "settings",
];

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    pub project: String,
    pub name: String,
    pub state: State,
    pub created: Timestamp,
    pub settings_version: i64,
    /// An object with names of [`SPEC`] only, defaults filled in.
    pub spec: Value,
    /// Its address in its private network, where a scenario says so.
    #[serde(default)]
    pub private_address: Option<String>,
}

impl Instance {
    /// From its record, which only [`Instance::record`] writes.
    pub fn of(record: &Value) -> Self {
        Self::deserialize(record).unwrap_or_default()
    }

    pub fn record(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// From `projects` on.
    pub fn path(&self) -> String {
        format!("projects/{}/instances/{}", self.project, self.name)
    }

    pub fn settings(&self) -> &Value {
        &self.spec["settings"]
    }

    /// Takes effect: another version of the settings.
    pub fn change(&mut self, spec: Value) {
        self.spec = spec;
        self.settings_version += 1;
    }

    pub fn body(&self, eye: &Eye) -> Value {
        let mut body = self.spec.clone();
        let region = body["region"].as_str().unwrap_or_default().to_owned();
        let (project, name) = (&self.project, &self.name);
        body["kind"] = json!("sql#instance");
        body["name"] = json!(name);
        body["project"] = json!(project);
        body["state"] = json!(self.state.name());
        body["backendType"] = json!("SECOND_GEN");
        body["connectionName"] = json!(format!("{project}:{region}:{name}"));
        body["createTime"] = json!(self.created.to_string());
        body["selfLink"] = json!(links::link(eye, &self.path()));
        let number = project_number(project);
        body["serviceAccountEmailAddress"] = json!(format!(
            "p{number}-{:06x}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
            checksum(name, project) % 0x0100_0000
        ));
        body["etag"] = json!(self.etag());
        body["settings"]["kind"] = json!("sql#settings");
        body["settings"]["settingsVersion"] = json!(self.settings_version.to_string());
        let addresses = self.addresses();
        if self.state != State::PendingCreate && !addresses.is_empty() {
            body["ipAddresses"] = addresses.into();
        }
        body
    }

    /// Deprecated in favour of `settingsVersion`, and still there.
    fn etag(&self) -> String {
        let sum = checksum(&self.path(), &self.settings_version.to_string());
        base64::encode(format!("{sum:016x}").as_bytes())
    }

    pub fn addresses(&self) -> Vec<Value> {
        let sum = checksum(&self.path(), "address");
        let network = &self.settings()["ipConfiguration"];
        let last = |shift: u32| (sum >> shift) % 254 + 1;
        let mut addresses = Vec::new();
        if network["ipv4Enabled"] == true {
            let address = format!("34.{}.{}.{}", last(0), last(8), last(16));
            addresses.push(json!({"type": "PRIMARY", "ipAddress": address}));
        }
        if network["privateNetwork"].is_string() {
            let made_up = || format!("10.{}.0.{}", last(24), last(32));
            let address = self.private_address.clone().unwrap_or_else(made_up);
            addresses.push(json!({"type": "PRIVATE", "ipAddress": address}));
        }
        addresses
    }
}
