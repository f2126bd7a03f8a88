//! The messages of certificatemanager v1.

use crate::emulator::enum_numbers::NO_NAME;
use crate::emulator::messages::{Kind, Message, field, many};

macro_rules! v1 {
    ($name:literal) => {
        concat!("google.cloud.certificatemanager.v1.", $name)
    };
}

const SCOPES: &[&str] = &["DEFAULT", "EDGE_CACHE", "ALL_REGIONS", "CLIENT_AUTH"];
const CERTIFICATE_STATES: &[&str] = &["STATE_UNSPECIFIED", "PROVISIONING", "FAILED", "ACTIVE"];
const ATTEMPT_STATES: &[&str] = &[
    "STATE_UNSPECIFIED",
    "AUTHORIZING",
    NO_NAME,
    NO_NAME,
    NO_NAME,
    NO_NAME,
    "AUTHORIZED",
    "FAILED",
];
const FAILURES: &[&str] = &[
    "FAILURE_REASON_UNSPECIFIED",
    "CONFIG",
    "CAA",
    "RATE_LIMITED",
];
const PROVISIONING_REASONS: &[&str] =
    &["REASON_UNSPECIFIED", "AUTHORIZATION_ISSUE", "RATE_LIMITED"];
const ISSUES: &[&str] = &[
    "ISSUE_UNSPECIFIED",
    "CNAME_MISMATCH",
    "RESOLVED_TO_NOT_SERVING",
    "RESOLVED_TO_SERVING_ON_ALT_PORTS",
    "NO_RESOLVED_IPS",
    "CERTIFICATE_NOT_ATTACHED",
];
const SERVING_STATES: &[&str] = &["SERVING_STATE_UNSPECIFIED", "ACTIVE", "PENDING"];
const MATCHERS: &[&str] = &["MATCHER_UNSPECIFIED", "PRIMARY"];
const RECORD_TYPES: &[&str] = &["TYPE_UNSPECIFIED", "FIXED_RECORD", "PER_PROJECT_RECORD"];

/// What the four collections have in common, and what each has besides.
macro_rules! fields {
    ($($more:expr),* $(,)?) => {
        &[
            field("name", "name", Kind::Text),
            field("createTime", "create_time", Kind::Text),
            field("updateTime", "update_time", Kind::Text),
            field("description", "description", Kind::Text),
            field("labels", "labels", Kind::Map(&Kind::Text)),
            $($more),*
        ]
    };
}

macro_rules! list {
    ($name:ident, $type:literal, $items:literal, $proto:literal, $message:expr) => {
        pub(super) static $name: Message = Message {
            type_name: v1!($type),
            fields: &[
                many($items, $proto, Kind::Message($message)),
                field("nextPageToken", "next_page_token", Kind::Text),
                many("unreachable", "unreachable", Kind::Text),
            ],
        };
    };
}

pub(super) static CERTIFICATE: Message = Message {
    type_name: v1!("Certificate"),
    fields: fields![
        field("selfManaged", "self_managed", Kind::Message(&SELF_MANAGED)),
        field("managed", "managed", Kind::Message(&MANAGED)),
        field(
            "managedIdentity",
            "managed_identity",
            Kind::Message(&MANAGED_IDENTITY)
        ),
        many("sanDnsnames", "san_dnsnames", Kind::Text),
        field("pemCertificate", "pem_certificate", Kind::Text),
        field("expireTime", "expire_time", Kind::Text),
        field(
            "scope",
            "scope",
            Kind::Numbered(v1!("Certificate.Scope"), SCOPES)
        ),
        many("usedBy", "used_by", Kind::Message(&USED_BY)),
        field("tags", "tags", Kind::Map(&Kind::Text)),
    ],
};

static SELF_MANAGED: Message = Message {
    type_name: v1!("Certificate.SelfManagedCertificate"),
    fields: &[
        field("pemCertificate", "pem_certificate", Kind::Text),
        field("pemPrivateKey", "pem_private_key", Kind::Text),
    ],
};

static MANAGED: Message = Message {
    type_name: v1!("Certificate.ManagedCertificate"),
    fields: &[
        many("domains", "domains", Kind::Text),
        many("dnsAuthorizations", "dns_authorizations", Kind::Text),
        field("issuanceConfig", "issuance_config", Kind::Text),
        field(
            "state",
            "state",
            Kind::Numbered(
                v1!("Certificate.ManagedCertificate.State"),
                CERTIFICATE_STATES,
            ),
        ),
        field(
            "provisioningIssue",
            "provisioning_issue",
            Kind::Message(&PROVISIONING_ISSUE),
        ),
        many(
            "authorizationAttemptInfo",
            "authorization_attempt_info",
            Kind::Message(&ATTEMPT),
        ),
    ],
};

static MANAGED_IDENTITY: Message = Message {
    type_name: v1!("Certificate.ManagedIdentityCertificate"),
    fields: &[
        field("identity", "identity", Kind::Text),
        field(
            "state",
            "state",
            Kind::Enum(
                v1!("Certificate.ManagedIdentityCertificate.State"),
                CERTIFICATE_STATES,
            ),
        ),
        field(
            "provisioningIssue",
            "provisioning_issue",
            Kind::Message(&PROVISIONING_ISSUE),
        ),
    ],
};

static PROVISIONING_ISSUE: Message = Message {
    type_name: v1!("Certificate.ManagedCertificate.ProvisioningIssue"),
    fields: &[
        field(
            "reason",
            "reason",
            Kind::Numbered(
                v1!("Certificate.ManagedCertificate.ProvisioningIssue.Reason"),
                PROVISIONING_REASONS,
            ),
        ),
        field("details", "details", Kind::Text),
    ],
};

static ATTEMPT: Message = Message {
    type_name: v1!("Certificate.ManagedCertificate.AuthorizationAttemptInfo"),
    fields: &[
        field("domain", "domain", Kind::Text),
        field(
            "state",
            "state",
            Kind::Numbered(
                v1!("Certificate.ManagedCertificate.AuthorizationAttemptInfo.State"),
                ATTEMPT_STATES,
            ),
        ),
        field(
            "failureReason",
            "failure_reason",
            Kind::Numbered(
                v1!("Certificate.ManagedCertificate.AuthorizationAttemptInfo.FailureReason"),
                FAILURES,
            ),
        ),
        field("details", "details", Kind::Text),
        field("attemptTime", "attempt_time", Kind::Text),
        field(
            "troubleshooting",
            "troubleshooting",
            Kind::Message(&TROUBLESHOOTING),
        ),
    ],
};

static TROUBLESHOOTING: Message = Message {
    type_name: v1!("Certificate.ManagedCertificate.AuthorizationAttemptInfo.Troubleshooting"),
    fields: &[
        field("cname", "cname", Kind::Message(&CNAME)),
        field("ips", "ips", Kind::Open),
        many(
            "issues",
            "issues",
            Kind::Numbered(
                v1!(
                    "Certificate.ManagedCertificate.AuthorizationAttemptInfo.Troubleshooting.Issue"
                ),
                ISSUES,
            ),
        ),
    ],
};

static CNAME: Message = Message {
    type_name: v1!("Certificate.ManagedCertificate.AuthorizationAttemptInfo.Troubleshooting.CNAME"),
    fields: &[
        field("name", "name", Kind::Text),
        field("expectedData", "expected_data", Kind::Text),
        many("resolvedData", "resolved_data", Kind::Text),
    ],
};

static USED_BY: Message = Message {
    type_name: v1!("Certificate.UsedBy"),
    fields: &[field("name", "name", Kind::Text)],
};

pub(super) static MAP: Message = Message {
    type_name: v1!("CertificateMap"),
    fields: fields![
        many("gclbTargets", "gclb_targets", Kind::Message(&GCLB_TARGET)),
        field("tags", "tags", Kind::Map(&Kind::Text)),
    ],
};

static GCLB_TARGET: Message = Message {
    type_name: v1!("CertificateMap.GclbTarget"),
    fields: &[
        field("targetHttpsProxy", "target_https_proxy", Kind::Text),
        field("targetSslProxy", "target_ssl_proxy", Kind::Text),
        many("ipConfigs", "ip_configs", Kind::Open),
    ],
};

pub(super) static ENTRY: Message = Message {
    type_name: v1!("CertificateMapEntry"),
    fields: fields![
        field("hostname", "hostname", Kind::Text),
        field(
            "matcher",
            "matcher",
            Kind::Numbered(v1!("CertificateMapEntry.Matcher"), MATCHERS)
        ),
        many("certificates", "certificates", Kind::Text),
        field(
            "state",
            "state",
            Kind::Numbered(v1!("ServingState"), SERVING_STATES)
        ),
    ],
};

pub(super) static AUTHORIZATION: Message = Message {
    type_name: v1!("DnsAuthorization"),
    fields: fields![
        field("domain", "domain", Kind::Text),
        field(
            "dnsResourceRecord",
            "dns_resource_record",
            Kind::Message(&RECORD)
        ),
        field(
            "type",
            "type",
            Kind::Numbered(v1!("DnsAuthorization.Type"), RECORD_TYPES)
        ),
        field("tags", "tags", Kind::Map(&Kind::Text)),
    ],
};

static RECORD: Message = Message {
    type_name: v1!("DnsAuthorization.DnsResourceRecord"),
    fields: &[
        field("name", "name", Kind::Text),
        field("type", "type", Kind::Text),
        field("data", "data", Kind::Text),
    ],
};

/// What methods give that give nothing.
pub(super) static EMPTY: Message = Message {
    type_name: "google.protobuf.Empty",
    fields: &[],
};

list!(
    LIST_CERTIFICATES,
    "ListCertificatesResponse",
    "certificates",
    "certificates",
    &CERTIFICATE
);
list!(
    LIST_MAPS,
    "ListCertificateMapsResponse",
    "certificateMaps",
    "certificate_maps",
    &MAP
);
list!(
    LIST_ENTRIES,
    "ListCertificateMapEntriesResponse",
    "certificateMapEntries",
    "certificate_map_entries",
    &ENTRY
);
list!(
    LIST_AUTHORIZATIONS,
    "ListDnsAuthorizationsResponse",
    "dnsAuthorizations",
    "dns_authorizations",
    &AUTHORIZATION
);
