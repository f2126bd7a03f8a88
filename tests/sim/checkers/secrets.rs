//! Secrets are in calls, and in nothing that is stored or shown.

use super::{Violation, violation};
use crate::sim::kinds::certificate::KEY;
use crate::sim::kinds::run_service::SECRET;
use crate::sim::trace::{Fact, What};
use evenkeel::core::record::Record;

/// No record, saved state or status holds a private key or a literal secret.
pub fn kept(trace: &[Fact]) -> Vec<Violation> {
    let key = KEY.lines().nth(1).unwrap_or_default();
    let told = |text: String| {
        [key, SECRET]
            .into_iter()
            .any(|secret| text.contains(secret))
    };
    let stored = |record: &Record| serde_json::to_string(record).unwrap_or_default();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let text = match &fact.what {
            What::Begin {
                record, revision, ..
            } => format!("{} {revision:?}", stored(record)),
            What::Finish { record, .. } | What::Commit { record, .. } => stored(record),
            What::Shown { status, .. } => serde_json::to_string(status).unwrap_or_default(),
            _ => continue,
        };
        if told(text) {
            broken.push(violation("no secret is stored or shown", index, ""));
        }
    }
    broken
}
