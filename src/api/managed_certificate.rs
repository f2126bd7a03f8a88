//! `ManagedCertificate`: a certificate of Certificate Manager that Google issues by DNS authorization,
//! wildcards too, and the certificate map entries that serve it.
//!
//! What a GCP certificate is for cannot be changed, so a change is a rotation: evenkeel makes
//! `<name>-<8 hex digits>` beside the old one, waits until it is ACTIVE, points the map entries at
//! it, and only then lets the old one go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Desired certificate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedCertificateResource {
    /// What Google issues the certificate for.
    pub managed: AuthorizedDomains,
    /// How the domains are proved. evenkeel makes one DNS authorization for each domain and its
    /// wildcard, or uses the one there is, and shows the record to publish in status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_authorization: Option<DnsAuthorization>,
    /// The certificate map entries that serve it. An entry that leaves the list is released, not
    /// deleted. A map that does not exist is made; a person attaches it to a target proxy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub attach_to: Vec<MapEntry>,
}

/// Domains that are proved through the DNS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthorizedDomains {
    /// Up to 100 host names and wildcards such as `*.example.com`.
    #[schemars(length(min = 1, max = 100))]
    pub domains: Vec<String>,
}

/// The kind of record that proves a domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DnsAuthorization {
    /// Leave it out to take what is there, and Google's default for what is made.
    #[serde(rename = "type")]
    pub kind: RecordType,
}

/// Whose record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordType {
    /// One record for the domain: one project can prove it.
    FixedRecord,
    /// A record of the project's own: several projects can prove the same domain.
    PerProjectRecord,
}

/// One entry of a certificate map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.hostname) != has(self.matcher)",
     "message": "give either hostname or matcher"}
]))]
pub struct MapEntry {
    /// Short name of the certificate map.
    #[schemars(regex(pattern = r"^[a-zA-Z][a-zA-Z0-9_-]{0,63}$"))]
    pub map: String,
    /// The host name that a client asks for, or a wildcard such as `*.example.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// `PRIMARY`: for clients that ask for no host name, or for one that the map does not have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matcher: Option<Matcher>,
}

/// What an entry is for besides host names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Matcher {
    /// Everything that no other entry is for.
    Primary,
}
