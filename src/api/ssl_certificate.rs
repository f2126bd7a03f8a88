//! `SslCertificate`: a certificate of a load balancer, and the proxies that serve it.
//!
//! GCP certificates cannot be changed, so a change is a rotation: evenkeel makes
//! `<name>-<8 hex digits>` beside the old one, attaches it, waits until it serves, and only then
//! lets the old one go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Desired certificate. Either `managed` or `selfManaged`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.managed) != has(self.selfManaged)",
     "message": "give either managed or selfManaged"}
]))]
pub struct SslCertificateResource {
    /// A certificate that Google issues and renews. Global only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedCertificate>,
    /// A certificate of yours. The private key is a reference and is never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_managed: Option<SelfManagedCertificate>,
    /// Short names of the target HTTPS proxies that serve it. A proxy that leaves the list is
    /// released, not detached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub attach_to: Vec<String>,
}

/// What Google issues a certificate for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedCertificate {
    /// Up to 100 host names, no wildcards: these need Certificate Manager with DNS authorization.
    #[schemars(length(min = 1, max = 100))]
    pub domains: Vec<String>,
}

/// A certificate with its chain, and where its key is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelfManagedCertificate {
    /// PEM: the certificate first, then its chain; at most 5 certificates.
    pub certificate: String,
    /// Where the private key is read from, right before it is sent.
    pub private_key_ref: SecretRef,
}

/// Where a secret is. Exactly one of the forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "[has(self.file), has(self.env), has(self.secretManager), has(self.kubernetes)].filter(one, one).size() == 1",
     "message": "give exactly one of file, env, secretManager and kubernetes"}
]))]
pub struct SecretRef {
    /// Path on the operator's machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Environment variable of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// `projects/P/secrets/S/versions/V` in Secret Manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^projects/[^/]+/secrets/[^/]+/versions/[^/]+$"))]
    pub secret_manager: Option<String>,
    /// An entry of a Kubernetes Secret of this namespace; without a cluster, of a folder of that
    /// name below the operator's `--secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<SecretEntry>,
}

/// An entry of a Kubernetes Secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretEntry {
    /// Name of the Secret.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub secret: String,
    /// Entry of the Secret, such as `tls.key`.
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub key: String,
}
