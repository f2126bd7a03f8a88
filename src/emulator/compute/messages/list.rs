//! Lists of one place, and of all places at once.

use super::backend_service::BACKEND_SERVICE;
use super::certificate::SSL_CERTIFICATE;
use super::group::NETWORK_ENDPOINT_GROUP;
use super::health_check::HEALTH_CHECK;
use super::operation::OPERATION;
use super::proxy::TARGET_HTTPS_PROXY;
use super::{many, one};
use crate::emulator::messages::{Kind, Message};

macro_rules! list {
    ($name:ident, $item:expr, $type_name:literal) => {
        pub(in crate::emulator::compute) static $name: Message = Message {
            type_name: concat!("google.cloud.compute.v1.", $type_name),
            fields: &[
                one("id", Kind::Text),
                many("items", Kind::Message(&$item)),
                one("kind", Kind::Text),
                one("nextPageToken", Kind::Text),
                one("selfLink", Kind::Link),
                one("warning", Kind::Open),
            ],
        };
    };
}

macro_rules! aggregated {
    ($name:ident, $scoped:ident, $field:literal, $item:expr, $type_name:literal) => {
        static $scoped: Message = Message {
            type_name: concat!("google.cloud.compute.v1.", $type_name, "ScopedList"),
            fields: &[
                many($field, Kind::Message(&$item)),
                one("warning", Kind::Open),
            ],
        };
        pub(in crate::emulator::compute) static $name: Message = Message {
            type_name: concat!("google.cloud.compute.v1.", $type_name, "AggregatedList"),
            fields: &[
                one("id", Kind::Text),
                one("items", Kind::Map(&Kind::Message(&$scoped))),
                one("kind", Kind::Text),
                one("nextPageToken", Kind::Text),
                one("selfLink", Kind::Link),
                many("unreachables", Kind::Text),
                one("warning", Kind::Open),
            ],
        };
    };
}

list!(HEALTH_CHECK_LIST, HEALTH_CHECK, "HealthCheckList");
list!(BACKEND_SERVICE_LIST, BACKEND_SERVICE, "BackendServiceList");
list!(SSL_CERTIFICATE_LIST, SSL_CERTIFICATE, "SslCertificateList");
list!(
    TARGET_HTTPS_PROXY_LIST,
    TARGET_HTTPS_PROXY,
    "TargetHttpsProxyList"
);
list!(
    NETWORK_ENDPOINT_GROUP_LIST,
    NETWORK_ENDPOINT_GROUP,
    "NetworkEndpointGroupList"
);
list!(OPERATION_LIST, OPERATION, "OperationList");

aggregated!(
    HEALTH_CHECKS_EVERYWHERE,
    HEALTH_CHECKS_SCOPED,
    "healthChecks",
    HEALTH_CHECK,
    "HealthChecks"
);
aggregated!(
    BACKEND_SERVICES_EVERYWHERE,
    BACKEND_SERVICES_SCOPED,
    "backendServices",
    BACKEND_SERVICE,
    "BackendServices"
);
aggregated!(
    SSL_CERTIFICATES_EVERYWHERE,
    SSL_CERTIFICATES_SCOPED,
    "sslCertificates",
    SSL_CERTIFICATE,
    "SslCertificates"
);
aggregated!(
    TARGET_HTTPS_PROXIES_EVERYWHERE,
    TARGET_HTTPS_PROXIES_SCOPED,
    "targetHttpsProxies",
    TARGET_HTTPS_PROXY,
    "TargetHttpsProxies"
);
aggregated!(
    NETWORK_ENDPOINT_GROUPS_EVERYWHERE,
    NETWORK_ENDPOINT_GROUPS_SCOPED,
    "networkEndpointGroups",
    NETWORK_ENDPOINT_GROUP,
    "NetworkEndpointGroups"
);
