//! The real probes, behind the engine's port.

use crate::api::{CheckSpec, Document};
use crate::check::{Ask, Prober as _, Probers};
use crate::engine::{Probe, Prober};
use crate::gcp::clock::Clock;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;

/// Probes from this machine.
pub struct FromHere {
    pub probers: Probers,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Prober for FromHere {
    async fn probe(&self, check: &Document<CheckSpec>, step: Option<Timestamp>) -> Probe {
        let ask = Ask {
            now: self.clock.now(),
            not_before: step,
        };
        let reading = self.probers.probe(&check.spec, ask).await;
        Probe {
            since: reading.since,
            outcome: reading.outcome,
        }
    }
}
