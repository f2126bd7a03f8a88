//! `Check`: one measurement, used as a gate of rollouts and as a monitor between them.
//!
//! What is measured is in [`super::probe`]; what the expressions mean is in `core::check`.

use super::probe::{
    BackendHealthProbe, DnsProbe, HttpProbe, LogProbe, MetricProbe, PostgresProbe, ResourceProbe,
    TcpProbe, TlsProbe,
};
use super::{Condition, HumanDuration};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// The fields of which a check has exactly one, in the order of the documentation.
pub const SOURCES: [&str; 9] = [
    "http",
    "tls",
    "tcp",
    "dns",
    "postgres",
    "metric",
    "log",
    "backendHealth",
    "resource",
];

/// `spec` of a Check: what to measure, and what to expect of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "[has(self.http), has(self.tls), has(self.tcp), has(self.dns), has(self.postgres), \
              has(self.metric), has(self.log), has(self.backendHealth), has(self.resource)]\
              .filter(one, one).size() == 1",
     "message": "a check has exactly one of http, tls, tcp, dns, postgres, metric, log, backendHealth and resource"}
]))]
pub struct CheckSpec {
    /// What it shows, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Time between the starts of two probes.
    #[serde(default = "thirty_seconds")]
    pub interval: HumanDuration,
    /// Limit of one sample: a connection, a request, a query. Longer than the largest threshold.
    #[serde(default = "ten_seconds")]
    pub timeout: HumanDuration,
    /// HTTP requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpProbe>,
    /// TLS handshakes and the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsProbe>,
    /// TCP connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpProbe>,
    /// DNS look-ups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsProbe>,
    /// Postgres connections and a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<PostgresProbe>,
    /// Cloud Monitoring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricProbe>,
    /// Cloud Logging.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogProbe>,
    /// The health of a load balancer's backends, as Google sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_health: Option<BackendHealthProbe>,
    /// A field of a managed object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceProbe>,
    /// What must hold: `field[.stat] op value`, such as `connect.max < 5s`.
    #[schemars(length(min = 1, max = 20), inner(regex(pattern = EXPRESSION)))]
    pub expect: Vec<String>,
    /// What should hold; stricter, so that it is missed before `expect` is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(regex(pattern = EXPRESSION)))]
    pub warn: Vec<String>,
    /// Probes in a row that must hold before the check passes.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 10))]
    pub passes: u32,
    /// Probes in a row that must miss before the check fails.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 10))]
    pub failures: u32,
    /// What a gate makes of probes that bring no sample at all.
    #[serde(default)]
    pub no_data: NoData,
    /// The part of the system it is about, such as `vpc_connector` or `database`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,62}$"))]
    pub component: Option<String>,
    /// What to do when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub remediation: Option<String>,
    /// Who to call when that does not help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub escalation: Option<String>,
}

/// The shape of an expression; `core::check` reads it.
pub const EXPRESSION: &str = r"^[a-zA-Z][a-zA-Z0-9_]*(\.[a-zA-Z0-9_]+)*\s*(<=|>=|==|!=|<|>)\s*[-+.%_a-zA-Z0-9]+( [%a-zA-Z]+)?$";

fn thirty_seconds() -> HumanDuration {
    HumanDuration(Duration::from_secs(30))
}

fn ten_seconds() -> HumanDuration {
    HumanDuration(Duration::from_secs(10))
}

fn three() -> u32 {
    3
}

impl CheckSpec {
    /// What is measured. `None` for a spec with no source or several, which does not load.
    #[must_use]
    pub fn source(&self) -> Option<Source<'_>> {
        let mut found = [
            self.http.as_ref().map(Source::Http),
            self.tls.as_ref().map(Source::Tls),
            self.tcp.as_ref().map(Source::Tcp),
            self.dns.as_ref().map(Source::Dns),
            self.postgres.as_ref().map(Source::Postgres),
            self.metric.as_ref().map(Source::Metric),
            self.log.as_ref().map(Source::Log),
            self.backend_health.as_ref().map(Source::BackendHealth),
            self.resource.as_ref().map(Source::Resource),
        ]
        .into_iter()
        .flatten();
        let source = found.next()?;
        found.next().is_none().then_some(source)
    }
}

/// The one source of a check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source<'a> {
    Http(&'a HttpProbe),
    Tls(&'a TlsProbe),
    Tcp(&'a TcpProbe),
    Dns(&'a DnsProbe),
    Postgres(&'a PostgresProbe),
    Metric(&'a MetricProbe),
    Log(&'a LogProbe),
    BackendHealth(&'a BackendHealthProbe),
    Resource(&'a ResourceProbe),
}

impl Source<'_> {
    /// The field of the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Http(_) => "http",
            Source::Tls(_) => "tls",
            Source::Tcp(_) => "tcp",
            Source::Dns(_) => "dns",
            Source::Postgres(_) => "postgres",
            Source::Metric(_) => "metric",
            Source::Log(_) => "log",
            Source::BackendHealth(_) => "backendHealth",
            Source::Resource(_) => "resource",
        }
    }
}

/// What a gate makes of probes that bring no sample at all. A probe that could not be made is
/// always inconclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoData {
    /// Neither passed nor failed: the rollout holds.
    #[default]
    Inconclusive,
    /// As if the check failed.
    Fail,
    /// As if the check passed.
    Pass,
}

/// `status` of a Check.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckStatus {
    /// The generation of the spec that the conditions are about.
    #[serde(default)]
    pub observed_generation: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastProbe>,
}

/// The numbers of the last probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct LastProbe {
    /// When it started.
    pub at: Timestamp,
    pub samples: u64,
    /// For each field its statistics; of a field that is true or false, how many were true.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}
