//! The policies inside a backend service: caching, affinity, failover, TLS.

use super::backend_service::DURATION;
use super::{many, one};
use crate::emulator::messages::{Kind, Message};

pub(in crate::emulator::compute) static BACKEND_SERVICE_CDN_POLICY: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceCdnPolicy",
    fields: &[
        many(
            "bypassCacheOnRequestHeaders",
            Kind::Message(&BACKEND_SERVICE_CDN_POLICY_BYPASS_CACHE_ON_REQUEST_HEADER),
        ),
        one("cacheKeyPolicy", Kind::Message(&CACHE_KEY_POLICY)),
        one(
            "cacheMode",
            Kind::Enum(
                "google.cloud.compute.v1.BackendServiceCdnPolicy.CacheMode",
                &[
                    "CACHE_ALL_STATIC",
                    "FORCE_CACHE_ALL",
                    "INVALID_CACHE_MODE",
                    "USE_ORIGIN_HEADERS",
                ],
            ),
        ),
        one("clientTtl", Kind::Int32),
        one("defaultTtl", Kind::Int32),
        one("maxTtl", Kind::Int32),
        one("negativeCaching", Kind::Bool),
        many(
            "negativeCachingPolicy",
            Kind::Message(&BACKEND_SERVICE_CDN_POLICY_NEGATIVE_CACHING_POLICY),
        ),
        one("requestCoalescing", Kind::Bool),
        one("serveWhileStale", Kind::Int32),
        one("signedUrlCacheMaxAgeSec", Kind::Int64),
        many("signedUrlKeyNames", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static CIRCUIT_BREAKERS: Message = Message {
    type_name: "google.cloud.compute.v1.CircuitBreakers",
    fields: &[
        one("maxConnections", Kind::Int32),
        one("maxPendingRequests", Kind::Int32),
        one("maxRequests", Kind::Int32),
        one("maxRequestsPerConnection", Kind::Int32),
        one("maxRetries", Kind::Int32),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_CONNECTION_TRACKING_POLICY: Message =
    Message {
        type_name: "google.cloud.compute.v1.BackendServiceConnectionTrackingPolicy",
        fields: &[
            one(
                "connectionPersistenceOnUnhealthyBackends",
                Kind::Enum(
                    "google.cloud.compute.v1.BackendServiceConnectionTrackingPolicy.ConnectionPersistenceOnUnhealthyBackends",
                    &["ALWAYS_PERSIST", "DEFAULT_FOR_PROTOCOL", "NEVER_PERSIST"],
                ),
            ),
            one("enableStrongAffinity", Kind::Bool),
            one("idleTimeoutSec", Kind::Int32),
            one(
                "trackingMode",
                Kind::Enum(
                    "google.cloud.compute.v1.BackendServiceConnectionTrackingPolicy.TrackingMode",
                    &["INVALID_TRACKING_MODE", "PER_CONNECTION", "PER_SESSION"],
                ),
            ),
        ],
    };

pub(in crate::emulator::compute) static CONSISTENT_HASH_LOAD_BALANCER_SETTINGS: Message = Message {
    type_name: "google.cloud.compute.v1.ConsistentHashLoadBalancerSettings",
    fields: &[
        one(
            "httpCookie",
            Kind::Message(&CONSISTENT_HASH_LOAD_BALANCER_SETTINGS_HTTP_COOKIE),
        ),
        one("httpHeaderName", Kind::Text),
        one("minimumRingSize", Kind::Int64),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_FAILOVER_POLICY: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceFailoverPolicy",
    fields: &[
        one("disableConnectionDrainOnFailover", Kind::Bool),
        one("dropTrafficIfUnhealthy", Kind::Bool),
        one("failoverRatio", Kind::Double),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_HA_POLICY: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceHAPolicy",
    fields: &[
        one(
            "fastIPMove",
            Kind::Enum(
                "google.cloud.compute.v1.BackendServiceHAPolicy.FastIPMove",
                &["DISABLED", "GARP_RA"],
            ),
        ),
        one("leader", Kind::Message(&BACKEND_SERVICE_HA_POLICY_LEADER)),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_LOCALITY_LOAD_BALANCING_POLICY_CONFIG:
    Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceLocalityLoadBalancingPolicyConfig",
    fields: &[
        one(
            "customPolicy",
            Kind::Message(&BACKEND_SERVICE_LOCALITY_LOAD_BALANCING_POLICY_CONFIG_CUSTOM_POLICY),
        ),
        one(
            "policy",
            Kind::Message(&BACKEND_SERVICE_LOCALITY_LOAD_BALANCING_POLICY_CONFIG_POLICY),
        ),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_NETWORK_PASS_THROUGH_LB_TRAFFIC_POLICY:
    Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceNetworkPassThroughLbTrafficPolicy",
    fields: &[one(
        "zonalAffinity",
        Kind::Message(&BACKEND_SERVICE_NETWORK_PASS_THROUGH_LB_TRAFFIC_POLICY_ZONAL_AFFINITY),
    )],
};

pub(in crate::emulator::compute) static SECURITY_SETTINGS: Message = Message {
    type_name: "google.cloud.compute.v1.SecuritySettings",
    fields: &[
        one("awsV4Authentication", Kind::Message(&AWS_V4_SIGNATURE)),
        one("clientTlsPolicy", Kind::Text),
        many("subjectAltNames", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_HTTP_COOKIE: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceHttpCookie",
    fields: &[
        one("name", Kind::Text),
        one("path", Kind::Text),
        one("ttl", Kind::Message(&DURATION)),
    ],
};

pub(in crate::emulator::compute) static SUBSETTING: Message = Message {
    type_name: "google.cloud.compute.v1.Subsetting",
    fields: &[one(
        "policy",
        Kind::Enum(
            "google.cloud.compute.v1.Subsetting.Policy",
            &["CONSISTENT_HASH_SUBSETTING", "NONE"],
        ),
    )],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_TLS_SETTINGS: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceTlsSettings",
    fields: &[
        one("authenticationConfig", Kind::Text),
        one("identity", Kind::Text),
        one("sni", Kind::Text),
        many(
            "subjectAltNames",
            Kind::Message(&BACKEND_SERVICE_TLS_SETTINGS_SUBJECT_ALT_NAME),
        ),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_CDN_POLICY_BYPASS_CACHE_ON_REQUEST_HEADER: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceCdnPolicyBypassCacheOnRequestHeader",
    fields: &[
        one("headerName", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static CACHE_KEY_POLICY: Message = Message {
    type_name: "google.cloud.compute.v1.CacheKeyPolicy",
    fields: &[
        one("includeHost", Kind::Bool),
        many("includeHttpHeaders", Kind::Text),
        many("includeNamedCookies", Kind::Text),
        one("includeProtocol", Kind::Bool),
        one("includeQueryString", Kind::Bool),
        many("queryStringBlacklist", Kind::Text),
        many("queryStringWhitelist", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_CDN_POLICY_NEGATIVE_CACHING_POLICY:
    Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceCdnPolicyNegativeCachingPolicy",
    fields: &[one("code", Kind::Int32), one("ttl", Kind::Int32)],
};

pub(in crate::emulator::compute) static CONSISTENT_HASH_LOAD_BALANCER_SETTINGS_HTTP_COOKIE:
    Message = Message {
    type_name: "google.cloud.compute.v1.ConsistentHashLoadBalancerSettingsHttpCookie",
    fields: &[
        one("name", Kind::Text),
        one("path", Kind::Text),
        one("ttl", Kind::Message(&DURATION)),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_HA_POLICY_LEADER: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceHAPolicyLeader",
    fields: &[
        one("backendGroup", Kind::Text),
        one(
            "networkEndpoint",
            Kind::Message(&BACKEND_SERVICE_HA_POLICY_LEADER_NETWORK_ENDPOINT),
        ),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_LOCALITY_LOAD_BALANCING_POLICY_CONFIG_CUSTOM_POLICY: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceLocalityLoadBalancingPolicyConfigCustomPolicy",
    fields: &[
        one("data", Kind::Text),
        one("name", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_LOCALITY_LOAD_BALANCING_POLICY_CONFIG_POLICY: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceLocalityLoadBalancingPolicyConfigPolicy",
    fields: &[
        one("name", Kind::Enum(
"google.cloud.compute.v1.BackendServiceLocalityLoadBalancingPolicyConfigPolicy.Name", &["INVALID_LB_POLICY", "LEAST_REQUEST", "MAGLEV", "ORIGINAL_DESTINATION", "RANDOM", "RING_HASH", "ROUND_ROBIN", "WEIGHTED_GCP_RENDEZVOUS", "WEIGHTED_MAGLEV", "WEIGHTED_ROUND_ROBIN"])),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_NETWORK_PASS_THROUGH_LB_TRAFFIC_POLICY_ZONAL_AFFINITY: Message = Message {
    type_name: "google.cloud.compute.v1.BackendServiceNetworkPassThroughLbTrafficPolicyZonalAffinity",
    fields: &[
        one("spillover", Kind::Enum(
"google.cloud.compute.v1.BackendServiceNetworkPassThroughLbTrafficPolicyZonalAffinity.Spillover", &["ZONAL_AFFINITY_DISABLED", "ZONAL_AFFINITY_SPILL_CROSS_ZONE", "ZONAL_AFFINITY_STAY_WITHIN_ZONE"])),
        one("spilloverRatio", Kind::Double),
    ],
};

pub(in crate::emulator::compute) static AWS_V4_SIGNATURE: Message = Message {
    type_name: "google.cloud.compute.v1.AWSV4Signature",
    fields: &[
        one("accessKey", Kind::Text),
        one("accessKeyId", Kind::Text),
        one("accessKeyVersion", Kind::Text),
        one("originRegion", Kind::Text),
    ],
};

pub(in crate::emulator::compute) static BACKEND_SERVICE_TLS_SETTINGS_SUBJECT_ALT_NAME: Message =
    Message {
        type_name: "google.cloud.compute.v1.BackendServiceTlsSettingsSubjectAltName",
        fields: &[
            one("dnsName", Kind::Text),
            one("uniformResourceIdentifier", Kind::Text),
        ],
    };

pub(in crate::emulator::compute) static BACKEND_SERVICE_HA_POLICY_LEADER_NETWORK_ENDPOINT: Message =
    Message {
        type_name: "google.cloud.compute.v1.BackendServiceHAPolicyLeaderNetworkEndpoint",
        fields: &[one("instance", Kind::Text)],
    };
