//! Identity: which GCP resource a manifest is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds evenkeel manages.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Kind {
    /// A Serverless VPC Access connector.
    VpcAccessConnector,
    /// A Compute Engine health check, global or regional.
    HealthCheck,
    /// A Compute Engine backend service, global or regional.
    BackendService,
    /// Certificates of a load balancer, rotated without a gap.
    SslCertificate,
    /// A Cloud Run service.
    RunService,
    /// A Cloud SQL instance.
    SqlInstance,
}

impl Kind {
    /// Every kind, in the order people read them.
    pub const ALL: &'static [Kind] = &[
        Kind::VpcAccessConnector,
        Kind::HealthCheck,
        Kind::BackendService,
        Kind::SslCertificate,
        Kind::RunService,
        Kind::SqlInstance,
    ];

    /// The name used in `kind:`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::VpcAccessConnector => "VpcAccessConnector",
            Kind::HealthCheck => "HealthCheck",
            Kind::BackendService => "BackendService",
            Kind::SslCertificate => "SslCertificate",
            Kind::RunService => "RunService",
            Kind::SqlInstance => "SqlInstance",
        }
    }

    /// Lower-case plural, as in `kubectl get vpcaccessconnectors`.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Kind::VpcAccessConnector => "vpcaccessconnectors",
            Kind::HealthCheck => "healthchecks",
            Kind::BackendService => "backendservices",
            Kind::SslCertificate => "sslcertificates",
            Kind::RunService => "runservices",
            Kind::SqlInstance => "sqlinstances",
        }
    }

    /// Short name for the command line.
    #[must_use]
    pub fn short_name(self) -> &'static str {
        match self {
            Kind::VpcAccessConnector => "vac",
            Kind::HealthCheck => "hc",
            Kind::BackendService => "bes",
            Kind::SslCertificate => "cert",
            Kind::RunService => "run",
            Kind::SqlInstance => "sql",
        }
    }

    /// Whether a resource of this kind can be in a location: those of Compute Engine are global or
    /// regional, all others are regional.
    #[must_use]
    pub fn lives_in(self, location: &str) -> bool {
        match self {
            Kind::HealthCheck | Kind::BackendService | Kind::SslCertificate => true,
            Kind::VpcAccessConnector | Kind::RunService | Kind::SqlInstance => location != "global",
        }
    }

    /// Accepts `VpcAccessConnector`, `vpcaccessconnector(s)` and the short name, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Kind> {
        let wanted = text.to_ascii_lowercase();
        Kind::ALL.iter().copied().find(|kind| {
            wanted == kind.plural()
                || wanted == kind.as_str().to_ascii_lowercase()
                || wanted == kind.short_name()
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One GCP resource. Immutable: another project, location or name is another resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    pub kind: Kind,
    pub project: String,
    /// A region, or `global`.
    pub location: String,
    /// The name in GCP (`resourceName`, by default `metadata.name`).
    pub name: String,
}

impl Key {
    /// The scope one LIST covers.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope {
            kind: self.kind,
            project: self.project.clone(),
            location: self.location.clone(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.kind, self.project, self.location, self.name
        )
    }
}

/// What one LIST call covers: a kind in a location of a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    pub kind: Kind,
    pub project: String,
    pub location: String,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.project, self.location)
    }
}
