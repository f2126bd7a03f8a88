//! `BackendService`: the desired fields, under the names of compute v1.
//!
//! The ranges here end up in `crds/`, so `kubectl` refuses what `evenkeel validate` refuses.
//! Source of the limits: compute v1 `BackendService`; Google, "Backend services overview".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Desired fields of a backend service, global or regional.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!(has(self.healthChecks) && has(self.healthChecksRef))",
     "message": "give healthChecksRef (manifests) or healthChecks (links), not both"}
]))]
pub struct BackendServiceResource {
    /// The health check, by the metadata.name of its manifest; at most one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1))]
    pub health_checks_ref: Option<Vec<ManifestRef>>,
    /// The health check, by its link, where no manifest declares it; at most one. `[]` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1))]
    pub health_checks: Option<Vec<String>>,
    /// Instance groups and network endpoint groups, each by its `group`. Groups that are not
    /// listed here stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["group"]))]
    pub backends: Option<Vec<Backend>>,
    /// Which load balancers may use it. Google's default: EXTERNAL. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancing_scheme: Option<LoadBalancingScheme>,
    /// How the load balancer speaks to the backends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// The named port of the instance groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub port_name: Option<String>,
    /// Seconds a backend may take to answer. Google's default: 30. No effect on serverless
    /// backends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub timeout_sec: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_draining: Option<ConnectionDraining>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_config: Option<LogConfig>,
    /// Takes failing endpoints out by the answers they give: the one lever of serverless backends,
    /// which have no health checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlier_detection: Option<OutlierDetection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_affinity: Option<SessionAffinity>,
    /// Life of the cookie of `GENERATED_COOKIE`, in seconds, at most two weeks; 0: the session's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_209_600))]
    pub affinity_cookie_ttl_sec: Option<i32>,
    /// How one backend among the healthy ones of a locality is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality_lb_policy: Option<LocalityLbPolicy>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub description: Option<String>,
    /// Cloud CDN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "enableCDN")]
    pub enable_cdn: Option<bool>,
    /// Compression by the load balancer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression_mode: Option<CompressionMode>,
    /// `Name: value` lines added to requests. The list is replaced as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub custom_request_headers: Option<Vec<String>>,
    /// `Name: value` lines added to replies. The list is replaced as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub custom_response_headers: Option<Vec<String>>,
}

/// Another manifest, by its metadata.name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestRef {
    /// metadata.name of the other manifest.
    pub name: String,
}

/// One group of a backend service, told apart by `group`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backend {
    /// Link of the instance group or network endpoint group: `projects/p/zones/z/instanceGroups/g`
    /// or the whole URL.
    pub group: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancing_mode: Option<BalancingMode>,
    /// Share of its capacity that is used: 0 (none, drained), or 0.1 to 1. Google's default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub capacity_scaler: Option<f64>,
    /// Target utilization of the instances, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_utilization: Option<f64>,
    /// Target requests per second of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub max_rate: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub max_rate_per_instance: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub max_rate_per_endpoint: Option<f64>,
    /// Target connections of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub max_connections: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub max_connections_per_instance: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub max_connections_per_endpoint: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub description: Option<String>,
    /// A group that serves only when the others fail; passthrough load balancers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<bool>,
}

/// Which load balancers may use a backend service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LoadBalancingScheme {
    External,
    ExternalManaged,
    Internal,
    InternalManaged,
    InternalSelfManaged,
}

/// How the load balancer speaks to the backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Protocol {
    Http,
    Https,
    Http2,
    H2c,
    Grpc,
    Tcp,
    Ssl,
    Udp,
    Unspecified,
}

/// What keeps a client at one backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionAffinity {
    None,
    ClientIp,
    ClientIpNoDestination,
    ClientIpPortProto,
    ClientIpProto,
    GeneratedCookie,
    HeaderField,
    HttpCookie,
    StrongCookieAffinity,
}

/// How a backend is chosen within a locality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LocalityLbPolicy {
    RoundRobin,
    LeastRequest,
    RingHash,
    Random,
    OriginalDestination,
    Maglev,
    WeightedMaglev,
    WeightedRoundRobin,
    WeightedGcpRendezvous,
}

/// What the capacity of a backend is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BalancingMode {
    Utilization,
    Rate,
    Connection,
}

/// Compression by the load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CompressionMode {
    Automatic,
    Disabled,
}

/// Which optional fields a request log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OptionalMode {
    IncludeAllOptional,
    ExcludeAllOptional,
    Custom,
}

/// What happens to connections of a backend that is taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionDraining {
    /// Seconds they may go on, 0 to 3600; 0 cuts them off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3600))]
    pub draining_timeout_sec: Option<i32>,
}

/// Request logs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogConfig {
    /// Google's default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable: Option<bool>,
    /// Share of the requests that is logged, 0 to 1. Google's default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sample_rate: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional_mode: Option<OptionalMode>,
    /// The optional fields, with `optionalMode: CUSTOM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub optional_fields: Option<Vec<String>>,
}

/// When an endpoint is taken out for the answers it gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutlierDetection {
    /// How long an endpoint stays out, times the number of ejections so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_ejection_time: Option<Seconds>,
    /// Errors in a row that eject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub consecutive_errors: Option<i32>,
    /// 502, 503 and 504 in a row that eject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub consecutive_gateway_failure: Option<i32>,
    /// Percent chance that consecutiveErrors ejects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub enforcing_consecutive_errors: Option<i32>,
    /// Percent chance that consecutiveGatewayFailure ejects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub enforcing_consecutive_gateway_failure: Option<i32>,
    /// Percent chance that the success rate ejects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub enforcing_success_rate: Option<i32>,
    /// Time between two looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Seconds>,
    /// Most endpoints that may be out, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub max_ejection_percent: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub success_rate_minimum_hosts: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub success_rate_request_volume: Option<i32>,
    /// In thousandths of the standard deviation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub success_rate_stdev_factor: Option<i32>,
}

/// A length of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seconds {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 315_576_000_000_i64))]
    pub seconds: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 999_999_999))]
    pub nanos: Option<i32>,
}
