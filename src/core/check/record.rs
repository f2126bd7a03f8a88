//! What is remembered of a check, so that it shows where it stood while no operator runs, and goes on
//! from there.

use crate::api::{CheckSpec, CheckStatus, Source};
use crate::core::digest;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The numbers of the last probe are saved this often at most, while nothing flips.
const NUMBERS: SignedDuration = SignedDuration::from_secs(30);

/// The memory of one check. Verdicts are not part of it: a new process earns its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckRecord {
    /// `metadata.name`.
    pub name: String,
    /// What is measured: `http`, `metric`.
    pub source: String,
    /// Digest of the spec.
    pub spec_digest: String,
    /// Counts the changes of the spec.
    pub generation: i64,
    pub status: CheckStatus,
}

impl CheckRecord {
    /// The record of a check as declared now, going on from what was remembered of it.
    #[must_use]
    pub fn declared(name: &str, spec: &CheckSpec, before: Option<&CheckRecord>) -> Self {
        let spec_digest = digest::of(&digest::to_value(spec));
        if let Some(same) = before.filter(|before| before.spec_digest == spec_digest) {
            return same.clone();
        }
        CheckRecord {
            name: name.to_owned(),
            source: spec.source().map_or("", Source::as_str).to_owned(),
            spec_digest,
            generation: before.map_or(0, |before| before.generation) + 1,
            status: CheckStatus::default(),
        }
    }

    /// Whether `self` is worth saving over `saved`: a condition is another, or the saved numbers are
    /// old.
    #[must_use]
    pub fn outdates(&self, saved: Option<&CheckRecord>) -> bool {
        let Some(saved) = saved else { return true };
        let facts = |record: &CheckRecord| {
            let conditions = record.status.conditions.iter();
            let facts = conditions.map(|c| (c.kind, c.status, c.reason));
            (record.spec_digest.clone(), facts.collect::<Vec<_>>())
        };
        let at = |record: &CheckRecord| record.status.last.as_ref().map(|last| last.at);
        let aged = match (at(self), at(saved)) {
            (Some(now), Some(then)) => is_aged(then, now),
            (now, then) => now != then,
        };
        facts(self) != facts(saved) || aged
    }
}

fn is_aged(then: Timestamp, now: Timestamp) -> bool {
    now.duration_since(then).abs() >= NUMBERS
}
