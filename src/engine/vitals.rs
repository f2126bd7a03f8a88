//! What the loop says of itself, for metrics: in memory only, and never a reason for anything.

use crate::api::Kind;
use jiff::Timestamp;
use prometheus_client::metrics::histogram::Histogram;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What the source last brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceState {
    /// When a set last loaded.
    pub loaded_at: Option<Timestamp>,
    /// What it brings now does not load; the last set stays.
    pub failed: bool,
}

/// Signs of life of one loop.
#[derive(Debug, Default)]
pub struct Vitals {
    passes: Mutex<BTreeMap<Kind, Histogram>>,
    source: Mutex<SourceState>,
    turned_at: Mutex<Option<Timestamp>>,
}

/// From what needs no call to what waits for several.
fn durations() -> Histogram {
    Histogram::new([0.001, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

impl Vitals {
    /// How long passes took, by kind: from a look at memory to several calls in a row.
    #[must_use]
    pub fn passes(&self) -> BTreeMap<Kind, Histogram> {
        held(&self.passes).clone()
    }

    #[must_use]
    pub fn source(&self) -> SourceState {
        held(&self.source).clone()
    }

    /// When the loop last went round.
    #[must_use]
    pub fn turned_at(&self) -> Option<Timestamp> {
        *held(&self.turned_at)
    }

    pub(super) fn passed(&self, kind: Kind, took: Duration) {
        let mut passes = held(&self.passes);
        let histogram = passes.entry(kind).or_insert_with(durations);
        histogram.observe(took.as_secs_f64());
    }

    pub(super) fn turned(&self, now: Timestamp) {
        *held(&self.turned_at) = Some(now);
    }

    pub(super) fn loaded(&self, now: Timestamp) {
        *held(&self.source) = SourceState {
            loaded_at: Some(now),
            failed: false,
        };
    }

    pub(super) fn source_failed(&self) {
        held(&self.source).failed = true;
    }
}

/// A poisoned number is still a number.
fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
