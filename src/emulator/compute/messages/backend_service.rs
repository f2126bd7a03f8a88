//! Backend services and their backends; the policies inside are in `backend_policy`.

use super::backend_policy::{
    BACKEND_SERVICE_CDN_POLICY, BACKEND_SERVICE_CONNECTION_TRACKING_POLICY,
    BACKEND_SERVICE_FAILOVER_POLICY, BACKEND_SERVICE_HA_POLICY, BACKEND_SERVICE_HTTP_COOKIE,
    BACKEND_SERVICE_LOCALITY_LOAD_BALANCING_POLICY_CONFIG,
    BACKEND_SERVICE_NETWORK_PASS_THROUGH_LB_TRAFFIC_POLICY, BACKEND_SERVICE_TLS_SETTINGS,
    CIRCUIT_BREAKERS, CONSISTENT_HASH_LOAD_BALANCER_SETTINGS, SECURITY_SETTINGS, SUBSETTING,
};
use super::{many, one};
use crate::emulator::messages::{Kind, Message};

pub(in crate::emulator::compute) static BACKEND_SERVICE: Message = Message {
    type_name: "google.cloud.compute.v1.BackendService",
    fields: &[
        one("affinityCookieTtlSec", Kind::Int32),
        many("backends", Kind::Message(&BACKEND)),
        one("cdnPolicy", Kind::Message(&BACKEND_SERVICE_CDN_POLICY)),
        one("circuitBreakers", Kind::Message(&CIRCUIT_BREAKERS)),
        one(
            "compressionMode",
            Kind::Enum(
                "google.cloud.compute.v1.BackendService.CompressionMode",
                &["AUTOMATIC", "DISABLED"],
            ),
        ),
        one("connectionDraining", Kind::Message(&CONNECTION_DRAINING)),
        one(
            "connectionTrackingPolicy",
            Kind::Message(&BACKEND_SERVICE_CONNECTION_TRACKING_POLICY),
        ),
        one(
            "consistentHash",
            Kind::Message(&CONSISTENT_HASH_LOAD_BALANCER_SETTINGS),
        ),
        one("creationTimestamp", Kind::Text),
        many(
            "customMetrics",
            Kind::Message(&BACKEND_SERVICE_CUSTOM_METRIC),
        ),
        many("customRequestHeaders", Kind::Text),
        many("customResponseHeaders", Kind::Text),
        one("description", Kind::Text),
        one("edgeSecurityPolicy", Kind::Link),
        one("enableCDN", Kind::Bool),
        one(
            "externalManagedMigrationState",
            Kind::Enum(
                "google.cloud.compute.v1.BackendService.ExternalManagedMigrationState",
                &["PREPARE", "TEST_ALL_TRAFFIC", "TEST_BY_PERCENTAGE"],
            ),
        ),
        one("externalManagedMigrationTestingPercentage", Kind::Double),
        one(
            "failoverPolicy",
            Kind::Message(&BACKEND_SERVICE_FAILOVER_POLICY),
        ),
        one("fingerprint", Kind::Text),
        one("haPolicy", Kind::Message(&BACKEND_SERVICE_HA_POLICY)),
        many("healthChecks", Kind::Link),
        one("iap", Kind::Message(&BACKEND_SERVICE_IAP)),
        one("id", Kind::Int64),
        one(
            "ipAddressSelectionPolicy",
            Kind::Enum(
                "google.cloud.compute.v1.BackendService.IpAddressSelectionPolicy",
                &[
                    "IPV4_ONLY",
                    "IPV6_ONLY",
                    "IP_ADDRESS_SELECTION_POLICY_UNSPECIFIED",
                    "PREFER_IPV6",
                ],
            ),
        ),
        one("kind", Kind::Text),
        one(
            "loadBalancingScheme",
            Kind::Enum(
                "google.cloud.compute.v1.BackendService.LoadBalancingScheme",
                &[
                    "EXTERNAL",
                    "EXTERNAL_MANAGED",
                    "INTERNAL",
                    "INTERNAL_MANAGED",
                    "INTERNAL_SELF_MANAGED",
                    "INVALID_LOAD_BALANCING_SCHEME",
                ],
            ),
        ),
        many(
            "localityLbPolicies",
            Kind::Message(&BACKEND_SERVICE_LOCALITY_LOAD_BALANCING_POLICY_CONFIG),
        ),
        one(
            "localityLbPolicy",
            Kind::Enum(
                "google.cloud.compute.v1.BackendService.LocalityLbPolicy",
                &[
                    "INVALID_LB_POLICY",
                    "LEAST_REQUEST",
                    "MAGLEV",
                    "ORIGINAL_DESTINATION",
                    "RANDOM",
                    "RING_HASH",
                    "ROUND_ROBIN",
                    "WEIGHTED_GCP_RENDEZVOUS",
                    "WEIGHTED_MAGLEV",
                    "WEIGHTED_ROUND_ROBIN",
                ],
            ),
        ),
        one("logConfig", Kind::Message(&BACKEND_SERVICE_LOG_CONFIG)),
        one("maxStreamDuration", Kind::Message(&DURATION)),
        one("metadatas", Kind::Map(&Kind::Text)),
        one("name", Kind::Text),
        one("network", Kind::Link),
        one(
            "networkPassThroughLbTrafficPolicy",
            Kind::Message(&BACKEND_SERVICE_NETWORK_PASS_THROUGH_LB_TRAFFIC_POLICY),
        ),
        one(
            "orchestrationInfo",
            Kind::Message(&BACKEND_SERVICE_ORCHESTRATION_INFO),
        ),
        one("outlierDetection", Kind::Message(&OUTLIER_DETECTION)),
        one("params", Kind::Message(&BACKEND_SERVICE_PARAMS)),
        one("port", Kind::Int32),
        one("portName", Kind::Text),
        one(
            "protocol",
            Kind::Enum(
                "google.cloud.compute.v1.BackendService.Protocol",
                &[
                    "GRPC",
                    "H2C",
                    "HTTP",
                    "HTTP2",
                    "HTTPS",
                    "SSL",
                    "TCP",
                    "UDP",
                    "UNSPECIFIED",
                ],
            ),
        ),
        one("region", Kind::Link),
        one("securityPolicy", Kind::Link),
        one("securitySettings", Kind::Message(&SECURITY_SETTINGS)),
        one("selfLink", Kind::Link),
        many("serviceBindings", Kind::Text),
        one("serviceLbPolicy", Kind::Text),
        one(
            "sessionAffinity",
            Kind::Enum(
                "google.cloud.compute.v1.BackendService.SessionAffinity",
                &[
                    "CLIENT_IP",
                    "CLIENT_IP_NO_DESTINATION",
                    "CLIENT_IP_PORT_PROTO",
                    "CLIENT_IP_PROTO",
                    "GENERATED_COOKIE",
                    "HEADER_FIELD",
                    "HTTP_COOKIE",
                    "NONE",
                    "STRONG_COOKIE_AFFINITY",
                ],
            ),
        ),
        one(
            "strongSessionAffinityCookie",
            Kind::Message(&BACKEND_SERVICE_HTTP_COOKIE),
        ),
        one("subsetting", Kind::Message(&SUBSETTING)),
        one("timeoutSec", Kind::Int32),
        one("tlsSettings", Kind::Message(&BACKEND_SERVICE_TLS_SETTINGS)),
        many("usedBy", Kind::Message(&BACKEND_SERVICE_USED_BY)),
    ],
};

pub(in crate::emulator::compute) static BACKEND: Message = Message {
    type_name: "google.cloud.compute.v1.Backend",
    fields: &[
        one(
            "balancingMode",
            Kind::Enum(
                "google.cloud.compute.v1.Backend.BalancingMode",
                &[
                    "CONNECTION",
                    "CUSTOM_METRICS",
                    "IN_FLIGHT",
                    "RATE",
                    "UTILIZATION",
                ],
            ),
        ),
        one("capacityScaler", Kind::Double),
        many("customMetrics", Kind::Message(&BACKEND_CUSTOM_METRIC)),
        one("description", Kind::Text),
        one("failover", Kind::Bool),
        one("group", Kind::Link),
        one("maxConnections", Kind::Int32),
        one("maxConnectionsPerEndpoint", Kind::Int32),
        one("maxConnectionsPerInstance", Kind::Int32),
        one("maxInFlightRequests", Kind::Int32),
        one("maxInFlightRequestsPerEndpoint", Kind::Int32),
        one("maxInFlightRequestsPerInstance", Kind::Int32),
        one("maxRate", Kind::Int32),
        one("maxRatePerEndpoint", Kind::Double),
        one("maxRatePerInstance", Kind::Double),
        one("maxUtilization", Kind::Double),
        one(
            "orchestrationInfo",
            Kind::Message(&BACKEND_BACKEND_ORCHESTRATION_INFO),
        ),
        one(
            "preference",
            Kind::Enum(
                "google.cloud.compute.v1.Backend.Preference",
                &["DEFAULT", "PREFERENCE_UNSPECIFIED", "PREFERRED"],
            ),
        ),
        one(
            "trafficDuration",
            Kind::Enum(
                "google.cloud.compute.v1.Backend.TrafficDuration",
                &["LONG", "SHORT", "TRAFFIC_DURATION_UNSPECIFIED"],
            ),
        ),
    ],
};

pub(in crate::emulator::compute) static BACKEND_BACKEND_ORCHESTRATION_INFO: Message = Message {
    type_name: "google.cloud.compute.v1.BackendBackendOrchestrationInfo",
    fields: &[one("resourceUri", Kind::Text)],
};

pub(in crate::emulator::compute) static BACKEND_CUSTOM_METRIC: Message = Message {
    type_name: "google.cloud.compute.v1.BackendCustomMetric",
    fields: &[
        one("dryRun", Kind::Bool),
        one("maxUtilization", Kind::Double),
        one("name", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_CUSTOM_METRIC: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceCustomMetric",
    fields: &[one("dryRun", Kind::Bool), one("name", Kind::Text)],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_LOG_CONFIG: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceLogConfig",
    fields: &[
        one("enable", Kind::Bool),
        many(
            "loggingHttpRequestHeaders",
            Kind::Message(&BACKEND_SERVICE_LOG_CONFIG_LOGGING_HTTP_HEADER),
        ),
        many(
            "loggingHttpResponseHeaders",
            Kind::Message(&BACKEND_SERVICE_LOG_CONFIG_LOGGING_HTTP_HEADER),
        ),
        many("optionalFields", Kind::Text),
        one(
            "optionalMode",
            Kind::Enum(
                "google.cloud.compute.v1.BackendServiceLogConfig.OptionalMode",
                &["CUSTOM", "EXCLUDE_ALL_OPTIONAL", "INCLUDE_ALL_OPTIONAL"],
            ),
        ),
        one("sampleRate", Kind::Double),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_LOG_CONFIG_LOGGING_HTTP_HEADER: Message =
    Message {
        type_name: "google.cloud.compute.v1.BackendServiceLogConfigLoggingHttpHeader",
        fields: &[one("headerName", Kind::Text)],
    };

pub(in crate::emulator::compute) static BACKEND_SERVICE_USED_BY: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceUsedBy",
    fields: &[one("reference", Kind::Link)],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_PARAMS: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceParams",
    fields: &[one("resourceManagerTags", Kind::Map(&Kind::Text))],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_ORCHESTRATION_INFO: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceOrchestrationInfo",
    fields: &[one("resourceUri", Kind::Text)],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_IAP: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceIAP",
    fields: &[
        one("enabled", Kind::Bool),
        one("oauth2ClientId", Kind::Text),
        one("oauth2ClientSecret", Kind::Text),
        one("oauth2ClientSecretSha256", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static CONNECTION_DRAINING: Message = Message {
    type_name: "google.cloud.compute.v1.ConnectionDraining",
    fields: &[one("drainingTimeoutSec", Kind::Int32)],
};

pub(in crate::emulator::compute) static OUTLIER_DETECTION: Message = Message {
    type_name: "google.cloud.compute.v1.OutlierDetection",
    fields: &[
        one("baseEjectionTime", Kind::Message(&DURATION)),
        one("consecutiveErrors", Kind::Int32),
        one("consecutiveGatewayFailure", Kind::Int32),
        one("enforcingConsecutiveErrors", Kind::Int32),
        one("enforcingConsecutiveGatewayFailure", Kind::Int32),
        one("enforcingSuccessRate", Kind::Int32),
        one("interval", Kind::Message(&DURATION)),
        one("maxEjectionPercent", Kind::Int32),
        one("successRateMinimumHosts", Kind::Int32),
        one("successRateRequestVolume", Kind::Int32),
        one("successRateStdevFactor", Kind::Int32),
    ],
};

pub(in crate::emulator::compute) static DURATION: Message = Message {
    type_name: "google.cloud.compute.v1.Duration",
    fields: &[one("nanos", Kind::Int32), one("seconds", Kind::Int64)],
};

pub(in crate::emulator::compute) static RESOURCE_GROUP_REFERENCE: Message = Message {
    type_name: "google.cloud.compute.v1.ResourceGroupReference",
    fields: &[one("group", Kind::Link)],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_GROUP_HEALTH: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceGroupHealth",
    fields: &[
        one("annotations", Kind::Map(&Kind::Text)),
        many("healthStatus", Kind::Message(&HEALTH_STATUS)),
        one("kind", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static HEALTH_STATUS: Message = Message {
    type_name: "google.cloud.compute.v1.HealthStatus",
    fields: &[
        one("annotations", Kind::Map(&Kind::Text)),
        one("forwardingRule", Kind::Link),
        one("forwardingRuleIp", Kind::Text),
        one(
            "healthState",
            Kind::Enum(
                "google.cloud.compute.v1.HealthStatus.HealthState",
                &["HEALTHY", "UNHEALTHY"],
            ),
        ),
        one("instance", Kind::Link),
        one("ipAddress", Kind::Text),
        one("ipv6Address", Kind::Text),
        one(
            "ipv6HealthState",
            Kind::Enum(
                "google.cloud.compute.v1.HealthStatus.Ipv6HealthState",
                &["HEALTHY", "UNHEALTHY"],
            ),
        ),
        one("port", Kind::Int32),
        one("weight", Kind::Text),
        one(
            "weightError",
            Kind::Enum(
                "google.cloud.compute.v1.HealthStatus.WeightError",
                &[
                    "INVALID_WEIGHT",
                    "MISSING_WEIGHT",
                    "UNAVAILABLE_WEIGHT",
                    "WEIGHT_NONE",
                ],
            ),
        ),
    ],
};
