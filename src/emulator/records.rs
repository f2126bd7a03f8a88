//! Resources through time: what is true of each, and what a read may see of it.
//!
//! Invariant: the last version is the truth; reads are eventually consistent, operations never look here.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

#[derive(Debug, Serialize, Deserialize)]
struct Version {
    at: Timestamp,
    hidden_until: Timestamp,
    behind: usize,
    /// None: there is no such resource.
    record: Option<Value>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct History {
    versions: Vec<Version>,
}

/// All resources of all APIs, by key: `//service/name`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Records {
    histories: BTreeMap<String, History>,
    #[serde(skip)]
    changes: u64,
}

impl Records {
    /// What is true of a resource, whatever reads may still show.
    pub fn truth(&self, key: &str) -> Option<&Value> {
        self.histories.get(key)?.truth()
    }

    /// What a read as of `at` may see.
    pub fn seen(&self, key: &str, at: Timestamp) -> Option<&Value> {
        self.histories.get(key)?.seen(at)
    }

    /// All that is true under a prefix, by key.
    pub fn all_under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.under(prefix)
            .filter_map(|(key, history)| Some((key, history.truth()?)))
    }

    /// All that a read as of `at` may see under a prefix, by key.
    pub fn seen_under<'a>(
        &'a self,
        prefix: &'a str,
        at: Timestamp,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.under(prefix)
            .filter_map(move |(key, history)| Some((key, history.seen(at)?)))
    }

    /// Goes up with every change, for those who need to look only then.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// None deletes.
    pub fn change(&mut self, key: &str, at: Timestamp, lag: Lag, record: Option<Value>) {
        self.changes += 1;
        let history = self.histories.entry(key.to_owned()).or_default();
        history.versions.push(Version {
            at,
            hidden_until: later(at, lag.time),
            behind: lag.behind,
            record,
        });
        if history.versions.len() > VERSIONS_MAX {
            history.versions.remove(0);
        }
    }

    fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a History)> {
        self.histories
            .range(prefix.to_owned()..)
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, history)| (key.as_str(), history))
    }
}

impl History {
    fn truth(&self) -> Option<&Value> {
        self.versions.last()?.record.as_ref()
    }

    fn seen(&self, now: Timestamp) -> Option<&Value> {
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
            .record
            .as_ref()
    }
}
