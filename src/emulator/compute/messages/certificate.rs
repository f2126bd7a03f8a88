//! Certificates.

use super::{many, one};
use crate::emulator::messages::{Kind, Message};

pub(in crate::emulator::compute) static SSL_CERTIFICATE: Message = Message {
    type_name: "google.cloud.compute.v1.SslCertificate",
    fields: &[
        one("certificate", Kind::Text),
        one("creationTimestamp", Kind::Text),
        one("description", Kind::Text),
        one("expireTime", Kind::Text),
        one("id", Kind::Int64),
        one("kind", Kind::Text),
        one(
            "managed",
            Kind::Message(&SSL_CERTIFICATE_MANAGED_SSL_CERTIFICATE),
        ),
        one("name", Kind::Text),
        one("privateKey", Kind::Text),
        one("region", Kind::Link),
        one("selfLink", Kind::Link),
        one(
            "selfManaged",
            Kind::Message(&SSL_CERTIFICATE_SELF_MANAGED_SSL_CERTIFICATE),
        ),
        many("subjectAlternativeNames", Kind::Text),
        one(
            "type",
            Kind::Enum(
                "google.cloud.compute.v1.SslCertificate.Type",
                &["MANAGED", "SELF_MANAGED", "TYPE_UNSPECIFIED"],
            ),
        ),
    ],
};

pub(in crate::emulator::compute) static SSL_CERTIFICATE_MANAGED_SSL_CERTIFICATE: Message =
    Message {
        type_name: "google.cloud.compute.v1.SslCertificateManagedSslCertificate",
        fields: &[
            one(
                "domainStatus",
                Kind::Map(&Kind::Enum(
                    "google.cloud.compute.v1.SslCertificateManagedSslCertificate.DomainStatus",
                    &[
                        "ACTIVE",
                        "DOMAIN_STATUS_UNSPECIFIED",
                        "FAILED_CAA_CHECKING",
                        "FAILED_CAA_FORBIDDEN",
                        "FAILED_NOT_VISIBLE",
                        "FAILED_RATE_LIMITED",
                        "PROVISIONING",
                    ],
                )),
            ),
            many("domains", Kind::Text),
            one(
                "status",
                Kind::Enum(
                    "google.cloud.compute.v1.SslCertificateManagedSslCertificate.Status",
                    &[
                        "ACTIVE",
                        "MANAGED_CERTIFICATE_STATUS_UNSPECIFIED",
                        "PROVISIONING",
                        "PROVISIONING_FAILED",
                        "PROVISIONING_FAILED_PERMANENTLY",
                        "RENEWAL_FAILED",
                    ],
                ),
            ),
        ],
    };

pub(in crate::emulator::compute) static SSL_CERTIFICATE_SELF_MANAGED_SSL_CERTIFICATE: Message =
    Message {
        type_name: "google.cloud.compute.v1.SslCertificateSelfManagedSslCertificate",
        fields: &[
            one("certificate", Kind::Text),
            one("privateKey", Kind::Text),
        ],
    };
