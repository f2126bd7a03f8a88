//! The request log: what was asked, what came of it, and how the resource stood before. Bounded.
//!
//! Invariant: no secret that a client sent is in here.

use std::collections::VecDeque;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use url::form_urlencoded;

use super::query::{loggable, snake};
use super::registry::APIS;
use super::route::Route;
use super::world::World;

const ENTRIES_MAX: usize = 20_000;

/// A snapshot is written with every change: it keeps the end of the log only.
const ENTRIES_KEPT_MAX: usize = 300;

const BLANK: &str = "REDACTED";

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
    /// The resource's true state before the request, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The whole true resource before the request; for changes only.
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
    #[serde(serialize_with = "last_entries")]
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

fn last_entries<S: Serializer>(
    entries: &VecDeque<LogEntry>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let skipped = entries.len().saturating_sub(ENTRIES_KEPT_MAX);
    serializer.collect_seq(entries.range(skipped..))
}

/// A request as far as the log shows it, before anything came of it.
pub(super) struct Asked {
    method: String,
    path: String,
    query: String,
    update_mask: Option<String>,
    body: Option<Value>,
    /// The key of the record it is about.
    target: Option<String>,
}

impl Asked {
    pub fn read(request: &http::Request<Bytes>, route: Option<&Route>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let body = logged_body(request.body());
        let in_body = |name: &str| Some(body.as_ref()?.get(name)?.as_str()?.to_owned());
        let in_query = |name: &str| parameter(query, name);
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: loggable(query),
            update_mask: parameter(query, "updateMask"),
            target: route.and_then(|route| route.target(in_query, in_body)),
            body,
        }
    }
}

impl World {
    pub fn log_entry(&self, asked: Asked, route: Option<&Route>) -> LogEntry {
        let resource = asked.target.and_then(|key| self.truth_body(&key));
        let state = resource.as_ref().and_then(|body| body["state"].as_str());
        LogEntry {
            seq: 0,
            at: self.clock,
            method: asked.method,
            path: asked.path,
            query: asked.query,
            update_mask: asked.update_mask,
            body: asked.body,
            status: LogStatus::RESET,
            landed: false,
            state: state.map(str::to_owned),
            before: resource.filter(|_| route.is_some_and(Route::is_write)),
            faults: Vec::new(),
            foreign: false,
        }
    }
}

/// The transcoder takes `updateMask` and `update_mask` alike.
fn parameter(query: &str, wanted: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| *name == wanted || *name == snake(wanted))
        .map(|(_, value)| value.into_owned())
}

fn logged_body(body: &Bytes) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    if let Ok(mut json) = serde_json::from_slice(body) {
        blank_secrets(&mut json);
        return Some(json);
    }
    let text = String::from_utf8_lossy(body);
    if secrets().any(|name| text.contains(name)) {
        return Some(BLANK.into());
    }
    Some(text.into())
}

fn secrets() -> impl Iterator<Item = &'static str> {
    APIS.iter().flat_map(|api| api.secrets().iter().copied())
}

fn blank_secrets(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(blank_secrets),
        Value::Object(object) => {
            for (name, value) in object {
                if secrets().any(|secret| secret == name || snake(secret) == *name) {
                    *value = BLANK.into();
                } else {
                    blank_secrets(value);
                }
            }
        }
        _ => {}
    }
}
