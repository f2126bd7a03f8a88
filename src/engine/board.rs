//! What the engine shows to others: the status of every resource, and events as they happen.

use crate::api::{Event, Key, Status};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
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

/// Shared with the command line and, later, the status page.
#[derive(Debug, Clone)]
pub struct Board {
    resources: Arc<RwLock<BTreeMap<Key, Report>>>,
    version: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
}

impl Default for Board {
    fn default() -> Self {
        Board {
            resources: Arc::default(),
            version: watch::channel(0).0,
            events: broadcast::channel(BACKLOG).0,
        }
    }
}

impl Board {
    /// A copy of what is known now.
    #[must_use]
    pub fn resources(&self) -> BTreeMap<Key, Report> {
        self.resources
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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

    /// True when every declared resource was decided on and nothing is pending.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let resources = self
            .resources
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        resources.values().all(|report| report.settled)
    }

    pub(super) fn put(&self, key: &Key, report: Option<Report>) {
        {
            let mut resources = self
                .resources
                .write()
                .unwrap_or_else(PoisonError::into_inner);
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
