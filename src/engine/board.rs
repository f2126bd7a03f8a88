//! What the engine shows to others: the status of every resource, and events as they happen.

use super::vitals::Vitals;
use crate::api::check::CheckStatus;
use crate::api::phase::PhaseStatus;
use crate::api::{
    CheckSpec, Condition, ConditionStatus, ConditionType, Document, Event, Key, Status,
};
use crate::core::check::{Evaluation, Verdict};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{broadcast, watch};

/// Events kept for a reader that falls behind; older ones are in the journal.
const BACKLOG: usize = 4096;

/// One resource as the engine sees it.
#[derive(Debug, Clone)]
pub struct Report {
    /// `metadata.name`.
    pub name: String,
    pub status: Status,
    /// Nothing will happen by itself but polls.
    pub settled: bool,
    /// A manifest declares it now.
    pub declared: bool,
}

/// One check as the engine sees it.
#[derive(Debug, Clone)]
pub struct CheckReport {
    pub document: Arc<Document<CheckSpec>>,
    pub status: CheckStatus,
    pub verdict: Verdict,
    pub warning: bool,
    /// The newest probe.
    pub last: Option<Evaluation>,
    /// There is a verdict, or there were probes enough for one.
    pub settled: bool,
}

/// One phase as the engine sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseReport {
    pub status: PhaseStatus,
    pub members: Vec<Key>,
    pub depends_on: Vec<String>,
    /// Digest of the content that failed.
    pub failed: Option<String>,
    /// Digest of the plan that waits for a person.
    pub plan: Option<String>,
    /// Nothing will happen by itself.
    pub settled: bool,
}

impl PhaseReport {
    /// True when Ready is True.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let ready =
            |c: &Condition| c.kind == ConditionType::Ready && c.status == ConditionStatus::True;
        self.status.conditions.iter().any(ready)
    }
}

/// Shared with the command line and, later, the status page.
#[derive(Debug, Clone)]
pub struct Board {
    resources: Arc<RwLock<BTreeMap<Key, Report>>>,
    checks: Arc<RwLock<BTreeMap<String, CheckReport>>>,
    phases: Arc<RwLock<BTreeMap<String, PhaseReport>>>,
    vitals: Arc<Vitals>,
    version: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
}

impl Default for Board {
    fn default() -> Self {
        Board {
            resources: Arc::default(),
            checks: Arc::default(),
            phases: Arc::default(),
            vitals: Arc::default(),
            version: watch::channel(0).0,
            events: broadcast::channel(BACKLOG).0,
        }
    }
}

impl Board {
    /// A copy of what is known now.
    #[must_use]
    pub fn resources(&self) -> BTreeMap<Key, Report> {
        read(&self.resources).clone()
    }

    /// Signs of life of the loop.
    #[must_use]
    pub fn vitals(&self) -> &Vitals {
        &self.vitals
    }

    /// Fires after every change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Events from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// A copy of what is known of the checks, by name.
    #[must_use]
    pub fn checks(&self) -> BTreeMap<String, CheckReport> {
        read(&self.checks).clone()
    }

    /// A copy of what is known of the phases, by name.
    #[must_use]
    pub fn phases(&self) -> BTreeMap<String, PhaseReport> {
        read(&self.phases).clone()
    }

    /// True when every declared resource was decided on, and nothing is pending.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        read(&self.resources).values().all(|report| report.settled)
            && read(&self.phases).values().all(|report| report.settled)
    }

    pub(super) fn put_checks(&self, reports: BTreeMap<String, CheckReport>) {
        *write(&self.checks) = reports;
        self.version.send_modify(|version| *version += 1);
    }

    pub(super) fn put_phases(&self, reports: BTreeMap<String, PhaseReport>) {
        let known = read(&self.phases).clone();
        if known == reports {
            return;
        }
        *write(&self.phases) = reports;
        self.version.send_modify(|version| *version += 1);
    }

    pub(super) fn put(&self, key: &Key, report: Option<Report>) {
        {
            let mut resources = write(&self.resources);
            match report {
                Some(report) => resources.insert(key.clone(), report),
                None => resources.remove(key),
            };
        }
        self.version.send_modify(|version| *version += 1);
    }

    pub(super) fn tell(&self, events: Vec<Event>) {
        for event in events {
            // Nobody listening is fine: the journal has it.
            let _ = self.events.send(event);
        }
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
