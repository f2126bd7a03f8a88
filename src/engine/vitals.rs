//! What the loop says of itself, for metrics: in memory only, and never a reason for anything.

use crate::api::Kind;
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Passes by kind: from a look at memory to several calls in a row.
pub type Passes = Family<OfKind, Histogram, fn() -> Histogram>;

/// The label of a pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfKind {
    pub kind: &'static str,
}

/// What the source last brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceState {
    /// When a set last loaded.
    pub loaded_at: Option<Timestamp>,
    /// What it brings now does not load; the last set stays.
    pub failed: bool,
}

/// Signs of life of one loop.
#[derive(Debug)]
pub struct Vitals {
    passes: Passes,
    source: Mutex<SourceState>,
    turned_at: Mutex<Option<Timestamp>>,
    stands_by: AtomicBool,
}

impl Default for Vitals {
    fn default() -> Self {
        Vitals {
            passes: Family::new_with_constructor(durations),
            source: Mutex::default(),
            turned_at: Mutex::default(),
            stands_by: AtomicBool::new(false),
        }
    }
}

/// From what needs no call to what waits for several.
fn durations() -> Histogram {
    Histogram::new([0.001, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

impl Vitals {
    /// How long passes took.
    #[must_use]
    pub fn passes(&self) -> &Passes {
        &self.passes
    }

    #[must_use]
    pub fn source(&self) -> SourceState {
        held(&self.source).clone()
    }

    /// Another operator leads; this one would take over.
    pub fn stand_by(&self, stands_by: bool) {
        self.stands_by.store(stands_by, Ordering::Relaxed);
    }

    #[must_use]
    pub fn stands_by(&self) -> bool {
        self.stands_by.load(Ordering::Relaxed)
    }

    /// When the loop last went round.
    #[must_use]
    pub fn turned_at(&self) -> Option<Timestamp> {
        *held(&self.turned_at)
    }

    pub(super) fn passed(&self, kind: Kind, took: Duration) {
        let kind = kind.as_str();
        let histogram = self.passes.get_or_create(&OfKind { kind });
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
