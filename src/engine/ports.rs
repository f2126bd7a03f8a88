//! What the engine runs on. The simulation puts its own behind each of these.

use super::checks::{PROBES, Prober};
use crate::api::Kind;
use crate::core::decide::Timing;
use crate::core::freeze::Freeze;
use crate::core::permit::Authority;
use crate::gcp::certificate_manager::CertificateManager;
use crate::gcp::client::Client;
use crate::gcp::clock::Clock;
use crate::gcp::compute::Compute;
use crate::gcp::entropy::Entropy;
use crate::gcp::health_checks::HealthChecks;
use crate::gcp::monitoring::Monitoring;
use crate::gcp::run::Run;
use crate::gcp::secrets::Keys;
use crate::gcp::service::Service;
use crate::gcp::sqladmin::SqlAdmin;
use crate::gcp::ssl_certificates::SslCertificates;
use crate::gcp::vpcaccess::VpcAccess;
use crate::journal::Journal;
use crate::kinds::{certificate_base, certificate_label, health_check_base};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The outside world.
#[derive(Clone)]
pub struct Ports {
    pub services: Services,
    pub journal: Arc<dyn Journal>,
    pub prober: Arc<dyn Prober>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<Entropy>,
}

/// One service for each kind.
#[derive(Clone)]
pub struct Services {
    pub vpc_access: Arc<dyn Service>,
    pub health_checks: Arc<dyn Service>,
    pub backend_services: Arc<dyn Service>,
    pub ssl_certificates: Arc<dyn Service>,
    pub certificate_manager: Arc<dyn Service>,
    pub run: Arc<dyn Service>,
    pub sql_admin: Arc<dyn Service>,
    /// What Google measured of resources.
    pub monitoring: Arc<Monitoring>,
}

impl Services {
    /// Every service over one client.
    #[must_use]
    pub fn new(client: &Arc<Client>) -> Self {
        Services {
            vpc_access: Arc::new(VpcAccess::new(Arc::clone(client))),
            health_checks: Arc::new(HealthChecks::new(Arc::clone(client), health_check_base)),
            backend_services: Arc::new(Compute::backend_services(Arc::clone(client))),
            ssl_certificates: Arc::new(SslCertificates::new(Arc::clone(client), certificate_base)),
            certificate_manager: Arc::new(CertificateManager::new(
                Arc::clone(client),
                certificate_base,
                certificate_label,
            )),
            run: Arc::new(Run::new(Arc::clone(client))),
            sql_admin: Arc::new(SqlAdmin::new(Arc::clone(client))),
            monitoring: Arc::new(Monitoring::new(Arc::clone(client))),
        }
    }

    /// Private keys that are referred to by name are looked up there.
    #[must_use]
    pub fn with_keys(self, client: &Arc<Client>, keys: Arc<dyn Keys>) -> Self {
        let certificates = SslCertificates::new(Arc::clone(client), certificate_base);
        Services {
            ssl_certificates: Arc::new(certificates.with_keys(keys)),
            ..self
        }
    }

    /// The service of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &dyn Service {
        match kind {
            Kind::VpcAccessConnector => &*self.vpc_access,
            Kind::HealthCheck => &*self.health_checks,
            Kind::BackendService => &*self.backend_services,
            Kind::SslCertificate => &*self.ssl_certificates,
            Kind::ManagedCertificate => &*self.certificate_manager,
            Kind::RunService => &*self.run,
            Kind::SqlInstance => &*self.sql_admin,
        }
    }
}

/// How the operator behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Time between two LISTs of a scope; each is drawn from 90 % to 110 % of it.
    pub poll: Duration,
    /// False: observe mode, nothing is written.
    pub apply: bool,
    /// Deletes that one revision of the source may do.
    pub deletes_per_sync: u32,
    /// Rollouts that may run at the same time; `None`: no limit.
    pub concurrent_rollouts: Option<u32>,
    /// Times in which no step starts.
    pub freezes: Vec<Freeze>,
    /// Resources worked on at the same time.
    pub concurrency: usize,
    /// Probes of checks under way at the same time.
    pub probes: usize,
    /// Time between two readings of how full a connector is; `None`: that is not measured.
    pub load: Option<Duration>,
    pub timing: Timing,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            poll: Duration::from_mins(1),
            apply: true,
            deletes_per_sync: 0,
            concurrent_rollouts: None,
            freezes: Vec::new(),
            concurrency: 8,
            probes: PROBES,
            load: None,
            timing: Timing::default(),
        }
    }
}

/// What every pass shares.
pub(super) struct Shared {
    pub ports: Ports,
    pub settings: Settings,
    pub draining: AtomicBool,
}

impl Shared {
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// A draw from `0.0..1.0`.
    pub fn jitter(&self) -> f64 {
        self.ports
            .entropy
            .up_to(Duration::from_secs(1))
            .as_secs_f64()
            .min(1.0)
    }

    pub fn authority(&self) -> Authority {
        Authority {
            // Whoever may write the journal leads.
            tenure: self.ports.journal.tenure(),
            apply: self.settings.apply,
            draining: self.draining.load(Ordering::Relaxed),
        }
    }

    /// Why nothing may be written, if so.
    pub fn read_only(&self) -> Option<&'static str> {
        (!self.settings.apply).then_some("observe mode (--mode observe)")
    }
}
