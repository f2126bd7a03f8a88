//! One log entry, and how entries are put together.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::emulator::query::checksum;
use crate::emulator::timing::later;
use crate::emulator::traffic::wave::duration;
use std::time::Duration;

/// From the event to when a search finds its entry. Google publishes no number; people see a few seconds.
pub(super) const INGEST: Duration = Duration::from_secs(10);

/// What an entry is about: a monitored resource.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub project: String,
    pub kind: &'static str,
    pub labels: Value,
}

/// The severities, from the least to the greatest.
pub(super) const SEVERITIES: [&str; 9] = [
    "DEFAULT",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
];

impl Resource {
    /// An entry of a log (its id as in `run.googleapis.com/requests`) without its payload.
    pub fn entry(&self, log: &str, severity: &str, at: Timestamp, salt: &str) -> Value {
        let log = log.replace('/', "%2F");
        let name = format!("projects/{}/logs/{log}", self.project);
        let id = checksum(&format!("{name}{}{salt}", self.labels), &at.to_string());
        json!({
            "logName": name,
            "resource": {"type": self.kind, "labels": self.labels},
            "timestamp": at.to_string(),
            "receiveTimestamp": later(at, INGEST).to_string(),
            "severity": severity,
            "insertId": format!("{id:016x}"),
        })
    }

    pub fn text(&self, log: &str, severity: &str, at: Timestamp, text: &str) -> Value {
        let mut entry = self.entry(log, severity, at, text);
        entry["textPayload"] = json!(text);
        entry
    }
}

/// `google.protobuf.Duration` in JSON, in milliseconds.
pub(super) fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}s")
}

/// The times of `count` events in a span, evenly spread.
pub(super) fn spread(
    from: Timestamp,
    span: Duration,
    count: u32,
) -> impl Iterator<Item = (u32, Timestamp)> {
    let step = span.as_secs_f64() / f64::from(count.max(1));
    (0..count).map(move |index| {
        let after = step * (f64::from(index) + 0.5);
        (index, later(from, duration(after, span)))
    })
}
