//! Health checks: one block a protocol.

use super::{many, one};
use crate::emulator::messages::{Kind, Message};

pub(in crate::emulator::compute) static HEALTH_CHECK: Message = Message {
    type_name: "google.cloud.compute.v1.HealthCheck",
    fields: &[
        one("checkIntervalSec", Kind::Int32),
        one("creationTimestamp", Kind::Text),
        one("description", Kind::Text),
        one("grpcHealthCheck", Kind::Message(&GRPC_HEALTH_CHECK)),
        one("grpcTlsHealthCheck", Kind::Message(&GRPC_TLS_HEALTH_CHECK)),
        one("healthyThreshold", Kind::Int32),
        one("http2HealthCheck", Kind::Message(&HTTP2_HEALTH_CHECK)),
        one("httpHealthCheck", Kind::Message(&HTTP_HEALTH_CHECK)),
        one("httpsHealthCheck", Kind::Message(&HTTPS_HEALTH_CHECK)),
        one("id", Kind::Int64),
        one("kind", Kind::Text),
        one("logConfig", Kind::Message(&HEALTH_CHECK_LOG_CONFIG)),
        one("name", Kind::Text),
        one("region", Kind::Link),
        one("selfLink", Kind::Link),
        many("sourceRegions", Kind::Text),
        one("sslHealthCheck", Kind::Message(&SSL_HEALTH_CHECK)),
        one("tcpHealthCheck", Kind::Message(&TCP_HEALTH_CHECK)),
        one("timeoutSec", Kind::Int32),
        one(
            "type",
            Kind::Enum(
                "google.cloud.compute.v1.HealthCheck.Type",
                &[
                    "GRPC",
                    "GRPC_WITH_TLS",
                    "HTTP",
                    "HTTP2",
                    "HTTPS",
                    "INVALID",
                    "SSL",
                    "TCP",
                ],
            ),
        ),
        one("unhealthyThreshold", Kind::Int32),
    ],
};

pub(in crate::emulator::compute) static HTTP_HEALTH_CHECK: Message = Message {
    type_name: "google.cloud.compute.v1.HTTPHealthCheck",
    fields: &[
        one("host", Kind::Text),
        one("port", Kind::Int32),
        one("portName", Kind::Text),
        one(
            "portSpecification",
            Kind::Enum(
                "google.cloud.compute.v1.HTTPHealthCheck.PortSpecification",
                &["USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"],
            ),
        ),
        one(
            "proxyHeader",
            Kind::Enum(
                "google.cloud.compute.v1.HTTPHealthCheck.ProxyHeader",
                &["NONE", "PROXY_V1"],
            ),
        ),
        one("requestPath", Kind::Text),
        one("response", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static HTTPS_HEALTH_CHECK: Message = Message {
    type_name: "google.cloud.compute.v1.HTTPSHealthCheck",
    fields: &[
        one("host", Kind::Text),
        one("port", Kind::Int32),
        one("portName", Kind::Text),
        one(
            "portSpecification",
            Kind::Enum(
                "google.cloud.compute.v1.HTTPSHealthCheck.PortSpecification",
                &["USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"],
            ),
        ),
        one(
            "proxyHeader",
            Kind::Enum(
                "google.cloud.compute.v1.HTTPSHealthCheck.ProxyHeader",
                &["NONE", "PROXY_V1"],
            ),
        ),
        one("requestPath", Kind::Text),
        one("response", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static HTTP2_HEALTH_CHECK: Message = Message {
    type_name: "google.cloud.compute.v1.HTTP2HealthCheck",
    fields: &[
        one("host", Kind::Text),
        one("port", Kind::Int32),
        one("portName", Kind::Text),
        one(
            "portSpecification",
            Kind::Enum(
                "google.cloud.compute.v1.HTTP2HealthCheck.PortSpecification",
                &["USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"],
            ),
        ),
        one(
            "proxyHeader",
            Kind::Enum(
                "google.cloud.compute.v1.HTTP2HealthCheck.ProxyHeader",
                &["NONE", "PROXY_V1"],
            ),
        ),
        one("requestPath", Kind::Text),
        one("response", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static TCP_HEALTH_CHECK: Message = Message {
    type_name: "google.cloud.compute.v1.TCPHealthCheck",
    fields: &[
        one("port", Kind::Int32),
        one("portName", Kind::Text),
        one(
            "portSpecification",
            Kind::Enum(
                "google.cloud.compute.v1.TCPHealthCheck.PortSpecification",
                &["USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"],
            ),
        ),
        one(
            "proxyHeader",
            Kind::Enum(
                "google.cloud.compute.v1.TCPHealthCheck.ProxyHeader",
                &["NONE", "PROXY_V1"],
            ),
        ),
        one("request", Kind::Text),
        one("response", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static SSL_HEALTH_CHECK: Message = Message {
    type_name: "google.cloud.compute.v1.SSLHealthCheck",
    fields: &[
        one("port", Kind::Int32),
        one("portName", Kind::Text),
        one(
            "portSpecification",
            Kind::Enum(
                "google.cloud.compute.v1.SSLHealthCheck.PortSpecification",
                &["USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"],
            ),
        ),
        one(
            "proxyHeader",
            Kind::Enum(
                "google.cloud.compute.v1.SSLHealthCheck.ProxyHeader",
                &["NONE", "PROXY_V1"],
            ),
        ),
        one("request", Kind::Text),
        one("response", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static GRPC_HEALTH_CHECK: Message = Message {
    type_name: "google.cloud.compute.v1.GRPCHealthCheck",
    fields: &[
        one("grpcServiceName", Kind::Text),
        one("port", Kind::Int32),
        one("portName", Kind::Text),
        one(
            "portSpecification",
            Kind::Enum(
                "google.cloud.compute.v1.GRPCHealthCheck.PortSpecification",
                &["USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"],
            ),
        ),
    ],
};

pub(in crate::emulator::compute) static GRPC_TLS_HEALTH_CHECK: Message = Message {
    type_name: "google.cloud.compute.v1.GRPCTLSHealthCheck",
    fields: &[
        one("grpcServiceName", Kind::Text),
        one("port", Kind::Int32),
        one(
            "portSpecification",
            Kind::Enum(
                "google.cloud.compute.v1.GRPCTLSHealthCheck.PortSpecification",
                &["USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"],
            ),
        ),
    ],
};

pub(in crate::emulator::compute) static HEALTH_CHECK_LOG_CONFIG: Message = Message {
    type_name: "google.cloud.compute.v1.HealthCheckLogConfig",
    fields: &[one("enable", Kind::Bool)],
};
