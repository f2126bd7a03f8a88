//! `HealthCheck`: the desired fields, under the names of compute v1.
//!
//! The ranges here end up in `crds/`, so `kubectl` refuses what `evenkeel validate` refuses.
//! Source of the limits: compute v1 `HealthCheck`; Google, "Health checks overview"; the bounds
//! that gcloud holds in `api_lib/compute/health_checks_utils.py`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Desired fields of a health check. A check has one protocol: its block, and `type` with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "(has(self.timeoutSec) ? self.timeoutSec : 5) <= (has(self.checkIntervalSec) ? self.checkIntervalSec : 5) || (!has(self.timeoutSec) && !has(self.checkIntervalSec))",
     "message": "timeoutSec must not exceed checkIntervalSec (5 where one is left out)"},
    {"rule": "[has(self.tcpHealthCheck), has(self.sslHealthCheck), has(self.httpHealthCheck), has(self.httpsHealthCheck), has(self.http2HealthCheck), has(self.grpcHealthCheck), has(self.grpcTlsHealthCheck)].filter(x, x).size() <= 1",
     "message": "a health check has one protocol: keep one of the blocks"}
]))]
pub struct HealthCheckResource {
    /// Protocol of the check. Left out, the block says it. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<HealthCheckType>,
    /// Seconds from the start of one probe to the start of the next, 1 to 300. Google's default: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 300))]
    pub check_interval_sec: Option<i32>,
    /// Seconds until a probe without an answer has failed, 1 to 300, at most checkIntervalSec.
    /// Google's default: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 300))]
    pub timeout_sec: Option<i32>,
    /// Passed probes in a row that make a backend healthy, 1 to 10. Google's default: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub healthy_threshold: Option<i32>,
    /// Failed probes in a row that make a backend unhealthy, 1 to 10. Google's default: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub unhealthy_threshold: Option<i32>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub description: Option<String>,
    /// Logs each change of health.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_config: Option<HealthCheckLogConfig>,
    /// The three regions that probe, for a global check that only DNS routing uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3))]
    pub source_regions: Option<Vec<String>>,
    /// A connection that opens; a text and its answer where they are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_health_check: Option<TcpProbe>,
    /// As tcpHealthCheck, over TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_health_check: Option<TcpProbe>,
    /// A 200 over HTTP/1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_health_check: Option<HttpProbe>,
    /// A 200 over HTTP/1.1 and TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https_health_check: Option<HttpProbe>,
    /// A 200 over HTTP/2 and TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http2_health_check: Option<HttpProbe>,
    /// SERVING from the gRPC health service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_health_check: Option<GrpcProbe>,
    /// As grpcHealthCheck, over TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_tls_health_check: Option<GrpcProbe>,
}

/// Protocol of a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HealthCheckType {
    Tcp,
    Ssl,
    Http,
    Https,
    Http2,
    Grpc,
    GrpcWithTls,
}

/// Where a probe finds its port. Google no longer takes named ports here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PortSpecification {
    /// The number in `port`.
    UseFixedPort,
    /// The port that serves: of the endpoint, or the named port of the instance group.
    UseServingPort,
}

/// Whether a probe starts with a PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProxyHeader {
    #[serde(rename = "NONE")]
    None,
    #[serde(rename = "PROXY_V1")]
    ProxyV1,
}

/// Logging of a health check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthCheckLogConfig {
    /// Google's default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable: Option<bool>,
}

/// A probe over TCP or SSL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TcpProbe {
    /// 1 to 65535; left out with `USE_SERVING_PORT`. Google's default: 80, or 443 over TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_specification: Option<PortSpecification>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_header: Option<ProxyHeader>,
    /// ASCII to send once connected, at most 1024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub request: Option<String>,
    /// ASCII that the answer must start with, at most 1024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub response: Option<String>,
}

/// A probe over HTTP, HTTPS or HTTP/2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpProbe {
    /// The Host header; by default the address of the backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// 1 to 65535; left out with `USE_SERVING_PORT`. Google's default: 80, or 443 over TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_specification: Option<PortSpecification>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_header: Option<ProxyHeader>,
    /// What is asked for. Google's default: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub request_path: Option<String>,
    /// ASCII that the first 1024 bytes of the body must hold, besides a 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub response: Option<String>,
}

/// A probe over gRPC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrpcProbe {
    /// 1 to 65535; there is no default. Left out with `USE_SERVING_PORT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_specification: Option<PortSpecification>,
    /// The service whose health is asked for, ASCII; by default the server's as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub grpc_service_name: Option<String>,
}
