//! The time of one sample, and the phase it ran out in.

use crate::core::check::Failure;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// When a sample must be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// From now on.
    pub fn after(limit: Duration) -> Self {
        Deadline {
            at: Instant::now() + limit,
            limit,
        }
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Waits for one phase.
    pub async fn phase<T>(
        &self,
        phase: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        timeout_at(self.at, work)
            .await
            .map_err(|_| self.overdue(phase))
    }

    /// The failure of a phase that the time ran out in.
    pub fn overdue(&self, phase: &'static str) -> Failure {
        let limit = crate::api::HumanDuration(self.limit);
        Failure {
            phase,
            reason: format!("no answer within {limit}"),
        }
    }
}
