//! What a check measures: one type for each source.
//!
//! Secrets come by reference only, so that no probe of a manifest holds one.

use super::{HumanDuration, Kind, SecretRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Most samples of one probe.
pub const SAMPLES_LIMIT: u32 = 10_000;

/// HTTP requests. Fields: `ok` (a whole reply with a status below 400), `status`, `unavailable` (a
/// reply with status 503), the phases `dns` `connect` `tls` `ttfb` `total`, and `json.NAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpProbe {
    /// The address. Redirects are not followed: their status is judged.
    #[schemars(
        regex(pattern = r"^https?://[^/?#\s]+([/?#]\S*)?$"),
        length(max = 2048)
    )]
    pub url: String,
    #[serde(default)]
    pub method: HttpMethod,
    /// Headers to send. Secret ones go to `headerRefs`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Headers whose value is a secret, such as `authorization`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub header_refs: BTreeMap<String, SecretRef>,
    /// Values of a JSON reply, by name: each a JSON pointer, such as `/startup/seconds`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "pointers")]
    pub json: BTreeMap<String, String>,
    /// More than one request. Left out: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// Use connections again. By default each request has one of its own.
    #[serde(default)]
    pub keep_alive: bool,
    /// `HOST[:PORT]` to connect to instead of the host of the url, which stays the name in the
    /// handshake and the `host` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(
        pattern = r"^[-a-zA-Z0-9_.]{1,253}(:[0-9]{1,5})?$|^\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?$"
    ))]
    pub connect_to: Option<String>,
    /// Certificates (PEM) to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_ref: Option<SecretRef>,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    #[default]
    Get,
    Head,
}

/// How many requests. Those that are due and cannot be sent in time count as failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.requests) != has(self.duration)",
     "message": "give requests or duration, not both"}
]))]
pub struct Load {
    /// Requests at the same time.
    #[schemars(range(min = 1, max = 200))]
    pub concurrency: u32,
    /// This many requests, then the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub requests: Option<u32>,
    /// Requests for so long, at most 10000 of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<HumanDuration>,
}

/// Fresh TLS handshakes, without resumption. Fields: `ok` (chain and name are valid), `connect`,
/// `handshake`, `expiry` (time left of the certificate, also of one that is not valid).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsProbe {
    /// Name or address to connect to.
    #[schemars(regex(pattern = r"^[-a-zA-Z0-9_.:]{1,253}$"))]
    pub host: String,
    #[serde(default = "https")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// The name that the certificate must hold. Left out: `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[-a-zA-Z0-9_.:]{1,253}$"))]
    pub server_name: Option<String>,
    /// Handshakes at the same time.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 500))]
    pub concurrency: u32,
    /// Certificates (PEM) to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_ref: Option<SecretRef>,
}

/// TCP connections at the same time. Fields: `ok`, `connect`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TcpProbe {
    /// Name or address to connect to.
    #[schemars(regex(pattern = r"^[-a-zA-Z0-9_.:]{1,253}$"))]
    pub host: String,
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Connections at the same time, all held until the last one stands.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 500))]
    pub connections: u32,
}

/// A look-up at each server, without any cache. Fields: `ok` (an answer with records), `rtt`,
/// `answers` (how many records).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DnsProbe {
    /// The name to look up, in full.
    #[schemars(regex(pattern = r"^[-a-zA-Z0-9_.*]{1,253}$"))]
    pub name: String,
    /// The type of record.
    #[serde(default, rename = "type")]
    pub record: DnsRecord,
    /// Servers to ask, `ADDRESS[:PORT]`. Left out: those of the system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[schemars(inner(regex(
        pattern = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}(:[0-9]{1,5})?|[0-9a-fA-F:.]+|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?)$"
    )))]
    pub servers: Vec<String>,
}

/// The type of record to look up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum DnsRecord {
    #[default]
    A,
    Aaaa,
    Cname,
    Mx,
    Ns,
    Srv,
    Txt,
}

/// Postgres connections at the same time, and a query on each. Fields: `ok`, `connect` (until the
/// server takes queries), `query`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresProbe {
    /// Name or address to connect to.
    #[schemars(regex(pattern = r"^[-a-zA-Z0-9_.:]{1,253}$"))]
    pub host: String,
    #[serde(default = "postgres")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    #[schemars(length(max = 63))]
    pub database: String,
    #[schemars(length(max = 63))]
    pub user: String,
    /// The password. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_ref: Option<SecretRef>,
    #[serde(default)]
    pub tls: PostgresTls,
    /// Certificates (PEM) to trust instead of the system's, with `verify-full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_ref: Option<SecretRef>,
    /// A query that only reads. Left out: `SELECT 1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub query: Option<String>,
    /// Connections at the same time, all held until the last query is answered.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 500))]
    pub connections: u32,
}

/// How the connection is protected, in the words of libpq.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PostgresTls {
    /// No TLS.
    Disable,
    /// TLS where the server has it; the certificate is not looked at.
    Prefer,
    /// TLS; the certificate is not looked at.
    Require,
    /// TLS, and chain and name of the certificate must be valid.
    #[default]
    VerifyFull,
}

/// A query of Cloud Monitoring. Field: `value`, one sample for each series and minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricProbe {
    #[schemars(regex(pattern = r"^[a-z][-a-z0-9:.]{4,61}[a-z0-9]$"))]
    pub project: String,
    /// Google's filter; it names one metric type.
    #[schemars(length(max = 2048))]
    pub filter: String,
    /// How the points of a minute become one, such as `ALIGN_RATE` or `ALIGN_PERCENTILE_99`.
    #[serde(default = "align_mean")]
    #[schemars(regex(pattern = r"^ALIGN_[A-Z0-9_]{1,40}$"))]
    pub align: String,
    /// How series become one, such as `REDUCE_SUM`. Left out: they stay apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^REDUCE_[A-Z0-9_]{1,40}$"))]
    pub reduce: Option<String>,
    /// Labels by which `reduce` keeps series apart, such as `resource.label.connector_name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub group_by: Vec<String>,
    /// How far back the points go.
    #[serde(default = "five_minutes")]
    pub window: HumanDuration,
}

/// A query of Cloud Logging. Fields: `count` (entries found, at most 1000), and `value` where there
/// is an `extract`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogProbe {
    #[schemars(regex(pattern = r"^[a-z][-a-z0-9:.]{4,61}[a-z0-9]$"))]
    pub project: String,
    /// Google's filter; the time is added.
    #[schemars(length(max = 8192))]
    pub filter: String,
    /// How far back the entries go.
    #[serde(default = "five_minutes")]
    pub window: HumanDuration,
    /// A regular expression with one group: the number in it is the `value` of an entry's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub extract: Option<String>,
}

/// `getHealth` of a backend service, over all its groups. Field: `healthy`, one sample for each
/// endpoint. Serverless backends have no health.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackendHealthProbe {
    #[schemars(regex(pattern = r"^[a-z][-a-z0-9:.]{4,61}[a-z0-9]$"))]
    pub project: String,
    /// A region, or `global`.
    #[serde(default = "global")]
    #[schemars(regex(pattern = r"^[a-z][-a-z0-9]{1,62}$"))]
    pub location: String,
    /// Name of the backend service in GCP.
    #[schemars(regex(pattern = r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    pub backend_service: String,
}

/// A managed object of the same set. Fields: those of its `status.observed`, and derived ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceProbe {
    pub kind: Kind,
    /// `metadata.name`.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
}

fn pointers(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "additionalProperties": {"type": "string", "pattern": r"^(/([^~/]|~[01])*)*$"},
    })
}

fn one() -> u32 {
    1
}

fn https() -> u16 {
    443
}

fn postgres() -> u16 {
    5432
}

fn align_mean() -> String {
    "ALIGN_MEAN".to_owned()
}

fn global() -> String {
    "global".to_owned()
}

fn five_minutes() -> HumanDuration {
    HumanDuration(Duration::from_mins(5))
}
