//! The metrics that there are.
//!
//! Sources: Google Cloud's list of metrics for types, kinds, units, labels and delays. Not on record for the
//! connector: the value types of `instances` and `cpu/utilizations`, here as public users of both take them.

use serde_json::{Value, json};

use super::value::{Kind, Type};

/// How often every metric here is sampled, in seconds.
pub(super) const SAMPLE_SECONDS: i64 = 60;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Metric {
    pub name: &'static str,
    pub resource: &'static str,
    pub kind: Kind,
    pub value_type: Type,
    pub unit: &'static str,
    pub labels: &'static [&'static str],
    /// "After sampling, data is not visible for up to" so many seconds.
    pub delay: i64,
    pub title: &'static str,
    pub about: About,
}

/// What a metric tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    SentBytes,
    ReceivedBytes,
    SentPackets,
    ReceivedPackets,
    ConnectorInstances,
    ConnectorCpu,
    RunRequests,
    RunLatencies,
    RunInstances,
    RunStarts,
    RunCpu,
    LbRequests,
    LbLatencies,
    LbBackendLatencies,
    SqlConnections,
    SqlCpu,
    SqlUp,
}

pub(super) const CONNECTOR: &str = "vpc_access_connector";
pub(super) const REVISION: &str = "cloud_run_revision";
pub(super) const RULE: &str = "https_lb_rule";
pub(super) const DATABASE: &str = "cloudsql_database";

const CONNECTOR_DELAY: i64 = 240;
const RUN_DELAY: i64 = 120;
/// On record for the internal load balancer.
const RULE_DELAY: i64 = 90;
const DATABASE_DELAY: i64 = 165;

const CODES: &[&str] = &["response_code", "response_code_class"];
const RULE_CODES: &[&str] = &["cache_result", "response_code", "response_code_class"];

macro_rules! metric {
    ($about:ident, $name:literal, $resource:expr, $kind:ident $type:ident $unit:literal, $labels:expr, $delay:expr, $title:literal) => {
        Metric {
            name: $name,
            resource: $resource,
            kind: Kind::$kind,
            value_type: Type::$type,
            unit: $unit,
            labels: $labels,
            delay: $delay,
            title: $title,
            about: About::$about,
        }
    };
}

pub(super) static METRICS: [Metric; 17] = [
    metric!(SentBytes, "vpcaccess.googleapis.com/connector/sent_bytes_count", CONNECTOR, Delta Int "By", &[], CONNECTOR_DELAY, "Sent bytes"),
    metric!(ReceivedBytes, "vpcaccess.googleapis.com/connector/received_bytes_count", CONNECTOR, Delta Int "By", &[], CONNECTOR_DELAY, "Received bytes"),
    metric!(SentPackets, "vpcaccess.googleapis.com/connector/sent_packets_count", CONNECTOR, Delta Int "{packet}", &[], CONNECTOR_DELAY, "Sent packets"),
    metric!(ReceivedPackets, "vpcaccess.googleapis.com/connector/received_packets_count", CONNECTOR, Delta Int "{packet}", &[], CONNECTOR_DELAY, "Received packets"),
    metric!(ConnectorInstances, "vpcaccess.googleapis.com/connector/instances", CONNECTOR, Gauge Int "1", &[], CONNECTOR_DELAY, "Connector instances"),
    metric!(ConnectorCpu, "vpcaccess.googleapis.com/connector/cpu/utilizations", CONNECTOR, Delta Distribution "10^2.%", &[], CONNECTOR_DELAY, "CPU utilization"),
    metric!(RunRequests, "run.googleapis.com/request_count", REVISION, Delta Int "1", CODES, RUN_DELAY, "Request count"),
    metric!(RunLatencies, "run.googleapis.com/request_latencies", REVISION, Delta Distribution "ms", CODES, RUN_DELAY, "Request latency"),
    metric!(RunInstances, "run.googleapis.com/container/instance_count", REVISION, Gauge Int "1", &["state"], RUN_DELAY, "Instance count"),
    metric!(RunStarts, "run.googleapis.com/container/startup_latencies", REVISION, Delta Distribution "ms", &[], RUN_DELAY, "Container startup latency"),
    metric!(RunCpu, "run.googleapis.com/container/cpu/utilizations", REVISION, Delta Distribution "10^2.%", &[], RUN_DELAY, "Container CPU utilization"),
    metric!(LbRequests, "loadbalancing.googleapis.com/https/request_count", RULE, Delta Int "1", RULE_CODES, RULE_DELAY, "Request count"),
    metric!(LbLatencies, "loadbalancing.googleapis.com/https/total_latencies", RULE, Delta Distribution "ms", RULE_CODES, RULE_DELAY, "Total latency"),
    metric!(LbBackendLatencies, "loadbalancing.googleapis.com/https/backend_latencies", RULE, Delta Distribution "ms", RULE_CODES, RULE_DELAY, "Backend latency"),
    metric!(SqlConnections, "cloudsql.googleapis.com/database/postgresql/num_backends", DATABASE, Gauge Int "1", &["database"], DATABASE_DELAY, "PostgreSQL connections"),
    metric!(SqlCpu, "cloudsql.googleapis.com/database/cpu/utilization", DATABASE, Gauge Double "10^2.%", &[], DATABASE_DELAY, "CPU utilization"),
    metric!(SqlUp, "cloudsql.googleapis.com/database/up", DATABASE, Gauge Int "1", &[], DATABASE_DELAY, "Server up"),
];

/// The labels of a monitored resource.
fn resource_labels(resource: &str) -> &'static [&'static str] {
    match resource {
        CONNECTOR => &["connector_name", "location", "project_id"],
        REVISION => &[
            "configuration_name",
            "location",
            "project_id",
            "revision_name",
            "service_name",
        ],
        RULE => &[
            "backend_name",
            "backend_scope",
            "backend_target_name",
            "backend_target_type",
            "backend_type",
            "forwarding_rule_name",
            "matched_url_path_rule",
            "project_id",
            "region",
            "target_proxy_name",
            "url_map_name",
        ],
        _ => &["database_id", "project_id", "region"],
    }
}

impl Metric {
    pub fn resource_labels(&self) -> &'static [&'static str] {
        resource_labels(self.resource)
    }

    pub fn descriptor(&self, project: &str) -> Value {
        let label = |label: &&str| json!({"key": label});
        let labels: Vec<Value> = self.labels.iter().map(label).collect();
        let mut body = json!({
            "name": format!("projects/{project}/metricDescriptors/{}", self.name),
            "type": self.name,
            "metricKind": self.kind.name(),
            "valueType": self.value_type.name(),
            "unit": self.unit,
            "description": format!("{}.", self.title),
            "displayName": self.title,
            "metadata": {
                "launchStage": "GA",
                "samplePeriod": format!("{SAMPLE_SECONDS}s"),
                "ingestDelay": format!("{}s", self.delay),
            },
            "launchStage": "GA",
            "monitoredResourceTypes": [self.resource],
        });
        if !labels.is_empty() {
            body["labels"] = labels.into();
        }
        body
    }
}
