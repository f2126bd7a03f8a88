//! The revision: a template as it was once, and whether it came up.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::condition::Condition;
use super::names;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Revision {
    /// From `projects` on.
    pub name: String,
    pub uid: String,
    /// The generation of the service that asked for it.
    pub generation: i64,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub launch_stage: String,
    pub template: Value,
    pub condition: Condition,
}

impl Revision {
    pub fn of(record: &Value) -> Self {
        Self::deserialize(record).unwrap_or_default()
    }

    pub fn record(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    pub fn id(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    pub fn settle(&mut self, condition: Condition) {
        self.updated = condition.at;
        self.condition = condition;
    }

    pub fn body(&self) -> Value {
        let mut body = self.template.as_object().cloned().unwrap_or_default();
        body.remove("revision");
        body.remove("healthCheckDisabled");
        body.remove("ambientNetworking");
        let mut more = Map::new();
        let mut set = |name: &str, value: Value| more.insert(name.to_owned(), value);
        set("name", json!(self.name));
        set("uid", json!(self.uid));
        set("generation", json!(self.generation.to_string()));
        set("observedGeneration", json!(self.generation.to_string()));
        set("createTime", json!(self.created.to_string()));
        set("updateTime", json!(self.updated.to_string()));
        set("launchStage", json!(self.launch_stage));
        set("service", json!(names::part(&self.name, 5)));
        set("etag", json!(names::etag(self.updated, 1, &self.name)));
        let conditions = ["Ready", "ContainerHealthy", "ResourcesAvailable"];
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|kind| self.condition.body(kind))
            .collect();
        set("conditions", json!(conditions));
        if self.condition.is_reconciling() {
            set("reconciling", json!(true));
        }
        body.append(&mut more);
        Value::Object(body)
    }
}

/// Whether two templates make the same revision; the name they give it is no part of that.
pub(super) fn same_template(one: &Value, other: &Value) -> bool {
    let unnamed = |template: &Value| {
        let mut template = template.clone();
        if let Some(fields) = template.as_object_mut() {
            fields.remove("revision");
        }
        template
    };
    unnamed(one) == unnamed(other)
}
