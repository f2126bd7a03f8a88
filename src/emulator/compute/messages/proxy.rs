//! Target HTTPS proxies.

use super::{many, one};
use crate::emulator::messages::{Kind, Message};

pub(in crate::emulator::compute) static TARGET_HTTPS_PROXY: Message = Message {
    type_name: "google.cloud.compute.v1.TargetHttpsProxy",
    fields: &[
        one("authorizationPolicy", Kind::Text),
        one("certificateMap", Kind::Text),
        one("creationTimestamp", Kind::Text),
        one("description", Kind::Text),
        one("fingerprint", Kind::Text),
        one("httpKeepAliveTimeoutSec", Kind::Int32),
        one("id", Kind::Int64),
        one("kind", Kind::Text),
        one("name", Kind::Text),
        one("proxyBind", Kind::Bool),
        one(
            "quicOverride",
            Kind::Enum(
                "google.cloud.compute.v1.TargetHttpsProxy.QuicOverride",
                &["DISABLE", "ENABLE", "NONE"],
            ),
        ),
        one("region", Kind::Link),
        one("selfLink", Kind::Link),
        one("serverTlsPolicy", Kind::Text),
        many("sslCertificates", Kind::Link),
        one("sslPolicy", Kind::Link),
        one(
            "tlsEarlyData",
            Kind::Enum(
                "google.cloud.compute.v1.TargetHttpsProxy.TlsEarlyData",
                &["DISABLED", "PERMISSIVE", "STRICT", "UNRESTRICTED"],
            ),
        ),
        one("urlMap", Kind::Link),
    ],
};

pub(in crate::emulator::compute) static TARGET_HTTPS_PROXIES_SET_SSL_CERTIFICATES_REQUEST: Message =
    Message {
        type_name: "google.cloud.compute.v1.TargetHttpsProxiesSetSslCertificatesRequest",
        fields: &[many("sslCertificates", Kind::Link)],
    };

pub(in crate::emulator::compute) static REGION_TARGET_HTTPS_PROXIES_SET_SSL_CERTIFICATES_REQUEST:
    Message = Message {
    type_name: "google.cloud.compute.v1.RegionTargetHttpsProxiesSetSslCertificatesRequest",
    fields: &[many("sslCertificates", Kind::Link)],
};

pub(in crate::emulator::compute) static TARGET_HTTPS_PROXIES_SET_CERTIFICATE_MAP_REQUEST: Message =
    Message {
        type_name: "google.cloud.compute.v1.TargetHttpsProxiesSetCertificateMapRequest",
        fields: &[one("certificateMap", Kind::Text)],
    };
