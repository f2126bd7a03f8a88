//! What is asked of Google instead of the target: metrics, logs, health of backends.

use super::log::Poller;
use crate::core::check::{ProberError, ProberFault};
use crate::core::error::{Fault, FaultKind};
use crate::gcp::backend_health::BackendHealth;
use crate::gcp::client::Client;
use crate::gcp::logging::Logging;
use crate::gcp::monitoring::Monitoring;
use std::sync::Arc;

/// The APIs that measure.
pub(super) struct Google {
    pub monitoring: Monitoring,
    pub logs: Poller,
    pub backends: BackendHealth,
}

impl Google {
    pub fn new(client: &Arc<Client>) -> Self {
        Google {
            monitoring: Monitoring::new(Arc::clone(client)),
            logs: Poller::new(Logging::new(Arc::clone(client))),
            backends: BackendHealth::new(Arc::clone(client)),
        }
    }
}

/// A question that Google did not answer says nothing about the target.
pub(super) fn refused(fault: &Fault) -> ProberError {
    let kind = match fault.kind {
        FaultKind::Denied => ProberFault::Credentials,
        FaultKind::Invalid | FaultKind::NotFound => ProberFault::Invalid,
        _ => ProberFault::Unavailable,
    };
    ProberError::new(kind, fault.to_string())
}
