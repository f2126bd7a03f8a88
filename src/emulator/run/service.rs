//! The service: what a client asked for, what came of it, and how the API shows both.
//!
//! Invariant: `generation` moves with what was asked for only, `writes` with every write of it; both never go
//! back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::condition::Condition;
use super::names;

/// What a client may set. Everything else in a request is ignored, as the API reference says of output only
/// fields.
pub(super) const SPEC: &[&str] = &[
    "description",
    "labels",
    "annotations",
    "client",
    "clientVersion",
    "ingress",
    "launchStage",
    "binaryAuthorization",
    "template",
    "traffic",
    "scaling",
    "invokerIamDisabled",
    "defaultUriDisabled",
    "customAudiences",
    "buildConfig",
    "iapEnabled",
    "multiRegionSettings",
    "functionalType",
    "sshEnabled",
];

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Service {
    /// From `projects` on.
    pub name: String,
    pub uid: String,
    pub generation: i64,
    pub observed_generation: i64,
    /// Counts the writes: each makes another etag.
    pub writes: u64,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// A deletion has begun.
    pub deleted: Option<Timestamp>,
    /// An object with names of [`SPEC`] only, defaults filled in.
    pub spec: Value,
    /// How many revisions it has had; numbers are not used twice.
    pub revisions: u32,
    /// Short names.
    pub latest_created: String,
    pub latest_ready: String,
    pub condition: Condition,
    pub traffic_statuses: Vec<Value>,
}

impl Service {
    /// From its record, which only [`Service::record`] writes.
    pub fn of(record: &Value) -> Self {
        Self::deserialize(record).unwrap_or_default()
    }

    pub fn record(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    pub fn id(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    pub fn template(&self) -> &Value {
        &self.spec["template"]
    }

    pub fn is_reconciling(&self) -> bool {
        self.condition.is_reconciling() || self.deleted.is_some()
    }

    /// Google's etag holds the time of the last write. It does not move when only the state does: whoever waits
    /// for a change may write again with the etag of that change.
    pub fn etag(&self) -> String {
        names::etag(self.updated, self.writes, &self.name)
    }

    pub fn revision_name(&self, revision: &str) -> String {
        format!("{}/revisions/{revision}", self.name)
    }

    /// A write of what is asked for.
    pub fn write(&mut self, at: Timestamp, spec: Value) {
        self.generation += i64::from(spec != self.spec);
        self.spec = spec;
        self.writes += 1;
        self.updated = at;
    }

    /// As the API shows it: what is empty, zero or false is left out.
    pub fn body(&self) -> Value {
        let mut body = self.spec.as_object().cloned().unwrap_or_default();
        let mut set = |name: &str, value: Value| {
            let empty = matches!(&value, Value::String(text) if text.is_empty())
                || value == json!([])
                || value == json!(false);
            if !empty {
                body.insert(name.to_owned(), value);
            }
        };
        set("name", json!(self.name));
        set("uid", json!(self.uid));
        set("generation", json!(self.generation.to_string()));
        set(
            "observedGeneration",
            json!(self.observed_generation.to_string()),
        );
        set("createTime", json!(self.created.to_string()));
        set("updateTime", json!(self.updated.to_string()));
        set("creator", json!(names::CALLER));
        set("lastModifier", json!(names::CALLER));
        if let Some(deleted) = self.deleted {
            set("deleteTime", json!(deleted.to_string()));
            set(
                "expireTime",
                json!(names::thirty_days_after(deleted).to_string()),
            );
        }
        set("reconciling", json!(self.is_reconciling()));
        set("terminalCondition", self.condition.body("Ready"));
        set(
            "conditions",
            json!([
                self.condition.body("RoutesReady"),
                self.condition.body("ConfigurationsReady")
            ]),
        );
        for (name, revision) in [
            ("latestCreatedRevision", &self.latest_created),
            ("latestReadyRevision", &self.latest_ready),
        ] {
            if !revision.is_empty() {
                set(name, json!(self.revision_name(revision)));
            }
        }
        set("trafficStatuses", json!(self.traffic_statuses));
        if self.observed_generation > 0 {
            let uri = names::uri(&self.name, "");
            set("urls", json!([names::numbered_uri(&self.name), uri]));
            set("uri", json!(uri));
        }
        set("etag", json!(self.etag()));
        Value::Object(body)
    }

    /// Where traffic goes once what is asked for has come about. The target LATEST names no revision: it is
    /// `latestReadyRevision`.
    pub fn route_traffic(&mut self) {
        let targets = self.spec["traffic"].as_array().cloned().unwrap_or_default();
        self.traffic_statuses = targets
            .into_iter()
            .map(|mut target| {
                if let Some(tag) = target["tag"].as_str().filter(|tag| !tag.is_empty()) {
                    target["uri"] = json!(names::uri(&self.name, tag));
                }
                target
            })
            .collect();
    }
}

/// The part of a request body that is the client's to set.
pub(super) fn only_spec(body: &Map<String, Value>) -> Value {
    let wanted = body
        .iter()
        .filter(|(name, _)| SPEC.contains(&name.as_str()));
    wanted
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}
