//! The methods of compute v1 that are served, and at which paths.

use super::messages::backend_service::{
    BACKEND_SERVICE, BACKEND_SERVICE_GROUP_HEALTH, RESOURCE_GROUP_REFERENCE,
};
use super::messages::certificate::SSL_CERTIFICATE;
use super::messages::group::NETWORK_ENDPOINT_GROUP;
use super::messages::health_check::HEALTH_CHECK;
use super::messages::operation::OPERATION;
use super::messages::proxy::{
    REGION_TARGET_HTTPS_PROXIES_SET_SSL_CERTIFICATES_REQUEST,
    TARGET_HTTPS_PROXIES_SET_CERTIFICATE_MAP_REQUEST,
    TARGET_HTTPS_PROXIES_SET_SSL_CERTIFICATES_REQUEST, TARGET_HTTPS_PROXY,
};
use super::messages::{
    BACKEND_SERVICE_LIST, BACKEND_SERVICES_EVERYWHERE, HEALTH_CHECK_LIST, HEALTH_CHECKS_EVERYWHERE,
    NETWORK_ENDPOINT_GROUP_LIST, NETWORK_ENDPOINT_GROUPS_EVERYWHERE, OPERATION_LIST,
    SSL_CERTIFICATE_LIST, SSL_CERTIFICATES_EVERYWHERE, TARGET_HTTPS_PROXIES_EVERYWHERE,
    TARGET_HTTPS_PROXY_LIST,
};
use super::{group_health, listing, operations, resource, target_https_proxies};
use crate::emulator::api::{Body, Method, NewId};

const LIST_QUERY: &[&str] = &[
    "filter",
    "maxResults",
    "orderBy",
    "pageToken",
    "returnPartialSuccess",
];

const AGGREGATED_QUERY: &[&str] = &[
    "filter",
    "includeAllScopes",
    "maxResults",
    "orderBy",
    "pageToken",
    "returnPartialSuccess",
    "serviceProjectNumber",
];

const WRITE_QUERY: &[&str] = &["requestId"];

const HEALTH_CHECKS: &[&[Method]] = &[
    &aggregated!("healthChecks", HEALTH_CHECKS_EVERYWHERE),
    &basics!(
        "global",
        "healthChecks",
        "healthChecks",
        "healthCheck",
        HEALTH_CHECK,
        HEALTH_CHECK_LIST
    ),
    &patch!(
        "global",
        "healthChecks",
        "healthChecks",
        "healthCheck",
        HEALTH_CHECK
    ),
    &update!(
        "global",
        "healthChecks",
        "healthChecks",
        "healthCheck",
        HEALTH_CHECK
    ),
    &delete!("global", "healthChecks", "healthChecks", "healthCheck"),
    &basics!(
        "regions/{region}",
        "regionHealthChecks",
        "healthChecks",
        "healthCheck",
        HEALTH_CHECK,
        HEALTH_CHECK_LIST
    ),
    &patch!(
        "regions/{region}",
        "regionHealthChecks",
        "healthChecks",
        "healthCheck",
        HEALTH_CHECK
    ),
    &update!(
        "regions/{region}",
        "regionHealthChecks",
        "healthChecks",
        "healthCheck",
        HEALTH_CHECK
    ),
    &delete!(
        "regions/{region}",
        "regionHealthChecks",
        "healthChecks",
        "healthCheck"
    ),
];

const BACKEND_SERVICES: &[&[Method]] = &[
    &aggregated!("backendServices", BACKEND_SERVICES_EVERYWHERE),
    &basics!(
        "global",
        "backendServices",
        "backendServices",
        "backendService",
        BACKEND_SERVICE,
        BACKEND_SERVICE_LIST
    ),
    &patch!(
        "global",
        "backendServices",
        "backendServices",
        "backendService",
        BACKEND_SERVICE
    ),
    &update!(
        "global",
        "backendServices",
        "backendServices",
        "backendService",
        BACKEND_SERVICE
    ),
    &delete!(
        "global",
        "backendServices",
        "backendServices",
        "backendService"
    ),
    &get_health!("global", "backendServices"),
    &basics!(
        "regions/{region}",
        "regionBackendServices",
        "backendServices",
        "backendService",
        BACKEND_SERVICE,
        BACKEND_SERVICE_LIST
    ),
    &patch!(
        "regions/{region}",
        "regionBackendServices",
        "backendServices",
        "backendService",
        BACKEND_SERVICE
    ),
    &update!(
        "regions/{region}",
        "regionBackendServices",
        "backendServices",
        "backendService",
        BACKEND_SERVICE
    ),
    &delete!(
        "regions/{region}",
        "regionBackendServices",
        "backendServices",
        "backendService"
    ),
    &get_health!("regions/{region}", "regionBackendServices"),
];

const SSL_CERTIFICATES: &[&[Method]] = &[
    &aggregated!("sslCertificates", SSL_CERTIFICATES_EVERYWHERE),
    &basics!(
        "global",
        "sslCertificates",
        "sslCertificates",
        "sslCertificate",
        SSL_CERTIFICATE,
        SSL_CERTIFICATE_LIST
    ),
    &delete!(
        "global",
        "sslCertificates",
        "sslCertificates",
        "sslCertificate"
    ),
    &basics!(
        "regions/{region}",
        "regionSslCertificates",
        "sslCertificates",
        "sslCertificate",
        SSL_CERTIFICATE,
        SSL_CERTIFICATE_LIST
    ),
    &delete!(
        "regions/{region}",
        "regionSslCertificates",
        "sslCertificates",
        "sslCertificate"
    ),
];

const TARGET_HTTPS_PROXIES: &[&[Method]] = &[
    &aggregated!("targetHttpsProxies", TARGET_HTTPS_PROXIES_EVERYWHERE),
    &basics!(
        "global",
        "targetHttpsProxies",
        "targetHttpsProxies",
        "targetHttpsProxy",
        TARGET_HTTPS_PROXY,
        TARGET_HTTPS_PROXY_LIST
    ),
    &patch!(
        "global",
        "targetHttpsProxies",
        "targetHttpsProxies",
        "targetHttpsProxy",
        TARGET_HTTPS_PROXY
    ),
    &delete!(
        "global",
        "targetHttpsProxies",
        "targetHttpsProxies",
        "targetHttpsProxy"
    ),
    &basics!(
        "regions/{region}",
        "regionTargetHttpsProxies",
        "targetHttpsProxies",
        "targetHttpsProxy",
        TARGET_HTTPS_PROXY,
        TARGET_HTTPS_PROXY_LIST
    ),
    &patch!(
        "regions/{region}",
        "regionTargetHttpsProxies",
        "targetHttpsProxies",
        "targetHttpsProxy",
        TARGET_HTTPS_PROXY
    ),
    &delete!(
        "regions/{region}",
        "regionTargetHttpsProxies",
        "targetHttpsProxies",
        "targetHttpsProxy"
    ),
    // The path of the global one has no `global` in it: such is the API.
    &set_ssl_certificates!(
        "/compute/v1/projects/{project}/targetHttpsProxies/{targetHttpsProxy}/setSslCertificates",
        "targetHttpsProxies",
        TARGET_HTTPS_PROXIES_SET_SSL_CERTIFICATES_REQUEST
    ),
    &set_ssl_certificates!(
        path!(
            "regions/{region}",
            "targetHttpsProxies/{targetHttpsProxy}/setSslCertificates"
        ),
        "regionTargetHttpsProxies",
        REGION_TARGET_HTTPS_PROXIES_SET_SSL_CERTIFICATES_REQUEST
    ),
    &[called!(
        change!(
            "POST",
            path!(
                "global",
                "targetHttpsProxies/{targetHttpsProxy}/setCertificateMap"
            ),
            target_https_proxies::set_certificate_map
        )
        .body(Body::Message(
            &TARGET_HTTPS_PROXIES_SET_CERTIFICATE_MAP_REQUEST,
            "resource"
        )),
        "targetHttpsProxies",
        "setCertificateMap",
        "setCertificateMap"
    )],
];

const NETWORK_ENDPOINT_GROUPS: &[&[Method]] = &[
    &aggregated!("networkEndpointGroups", NETWORK_ENDPOINT_GROUPS_EVERYWHERE),
    &basics!(
        "zones/{zone}",
        "networkEndpointGroups",
        "networkEndpointGroups",
        "networkEndpointGroup",
        NETWORK_ENDPOINT_GROUP,
        NETWORK_ENDPOINT_GROUP_LIST
    ),
    &basics!(
        "regions/{region}",
        "regionNetworkEndpointGroups",
        "networkEndpointGroups",
        "networkEndpointGroup",
        NETWORK_ENDPOINT_GROUP,
        NETWORK_ENDPOINT_GROUP_LIST
    ),
    &basics!(
        "global",
        "globalNetworkEndpointGroups",
        "networkEndpointGroups",
        "networkEndpointGroup",
        NETWORK_ENDPOINT_GROUP,
        NETWORK_ENDPOINT_GROUP_LIST
    ),
];

const OPERATIONS: &[&[Method]] = &[
    &operations!("global", "globalOperations"),
    &operations!("regions/{region}", "regionOperations"),
    &operations!("zones/{zone}", "zoneOperations"),
];

const GROUPS: &[&[&[Method]]] = &[
    HEALTH_CHECKS,
    BACKEND_SERVICES,
    SSL_CERTIFICATES,
    TARGET_HTTPS_PROXIES,
    NETWORK_ENDPOINT_GROUPS,
    OPERATIONS,
];

pub(super) static METHODS: [Method; count(GROUPS)] = flat(GROUPS);

const fn count(groups: &[&[&[Method]]]) -> usize {
    let (mut total, mut group) = (0, 0);
    while group < groups.len() {
        let mut part = 0;
        while part < groups[group].len() {
            total += groups[group][part].len();
            part += 1;
        }
        group += 1;
    }
    total
}

/// One table of many, made when this is compiled: a wrong count does not compile.
const fn flat<const N: usize>(groups: &[&[&[Method]]]) -> [Method; N] {
    let mut methods = [groups[0][0][0]; N];
    let (mut at, mut group) = (0, 0);
    while group < groups.len() {
        let mut part = 0;
        while part < groups[group].len() {
            let mut index = 0;
            while index < groups[group][part].len() {
                methods[at] = groups[group][part][index];
                at += 1;
                index += 1;
            }
            part += 1;
        }
        group += 1;
    }
    methods
}
