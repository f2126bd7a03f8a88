//! The request log: what was asked, what came of it, and how the connector stood before. Bounded.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const ENTRIES_MAX: usize = 20_000;

/// One request, or one change by another writer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    pub seq: u64,
    pub at: Timestamp,
    pub method: String,
    pub path: String,
    /// As sent, with secret values blanked.
    pub query: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_mask: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    pub status: LogStatus,
    /// Whether a change was accepted, whatever the client was told.
    pub landed: bool,
    /// The connector's true state before the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The whole true connector before the request; for changes only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The faults that fired, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// Another writer's change: it did not come through the API.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
}

/// The HTTP code of the reply, or "reset" when there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogStatus {
    Code(u16),
    Word(LogWord),
}

impl LogStatus {
    pub const RESET: Self = Self::Word(LogWord::Reset);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogWord {
    Reset,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Log {
    last_seq: u64,
    entries: VecDeque<LogEntry>,
}

impl Log {
    /// Gives the entry its number.
    pub fn push(&mut self, mut entry: LogEntry) {
        self.last_seq += 1;
        entry.seq = self.last_seq;
        self.entries.push_back(entry);
        if self.entries.len() > ENTRIES_MAX {
            self.entries.pop_front();
        }
    }

    /// Entries with a greater number than `seq`, oldest first.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = &LogEntry> {
        let start = self.entries.partition_point(|entry| entry.seq <= seq);
        self.entries.range(start..)
    }

    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Numbers go on, so that a reader's last one stays good.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}
