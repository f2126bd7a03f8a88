//! One connector through time: what is true, and what a read may see of it.
//!
//! Invariant: the last version is the truth; reads are eventually consistent, operations never look here.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connectors::Connector;
use super::timing::later;

/// Enough for every version a stale read can ask for in practice.
const VERSIONS_MAX: usize = 16;

/// For how long reads miss a change, and how many versions back they are meanwhile: 1 sees the change
/// running, 2 is a replica that missed its start as well.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Lag {
    pub time: Duration,
    pub behind: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Version {
    at: Timestamp,
    hidden_until: Timestamp,
    behind: usize,
    /// None: the connector does not exist.
    connector: Option<Connector>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Record {
    versions: Vec<Version>,
}

impl Record {
    pub fn truth(&self) -> Option<&Connector> {
        self.versions.last()?.connector.as_ref()
    }

    pub fn seen(&self, now: Timestamp) -> Option<&Connector> {
        let latest = self
            .versions
            .iter()
            .rposition(|version| version.at <= now)?;
        let version = &self.versions[latest];
        let behind = if now < version.hidden_until {
            version.behind
        } else {
            0
        };
        self.versions
            .get(latest.checked_sub(behind)?)?
            .connector
            .as_ref()
    }

    pub fn change(&mut self, at: Timestamp, lag: Lag, connector: Option<Connector>) {
        let hidden_until = later(at, lag.time);
        self.versions.push(Version {
            at,
            hidden_until,
            behind: lag.behind,
            connector,
        });
        if self.versions.len() > VERSIONS_MAX {
            self.versions.remove(0);
        }
    }
}
