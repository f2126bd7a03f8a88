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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(want: &str) -> CheckSpec {
        let spec = json!({"tcp": {"host": "10.0.0.1", "port": 5432}, "expect": [want]});
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn a_check_goes_on_from_what_was_remembered_until_its_spec_changes() {
        let first = CheckRecord::declared("db", &spec("connect.max < 5s"), None);
        assert_eq!((first.generation, &*first.source), (1, "tcp"));
        let mut saved = first.clone();
        saved.status.observed_generation = 1;
        let same = CheckRecord::declared("db", &spec("connect.max < 5s"), Some(&saved));
        assert_eq!(same, saved);
        let other = CheckRecord::declared("db", &spec("connect.max < 4s"), Some(&saved));
        assert_eq!(
            (other.generation, &other.status),
            (2, &CheckStatus::default())
        );
        assert!(other.outdates(Some(&saved)), "another spec");
    }

    #[test]
    fn numbers_are_saved_when_the_saved_ones_are_old() {
        let mut saved = CheckRecord::declared("db", &spec("connect.max < 5s"), None);
        assert!(saved.outdates(None));
        let mut at = |text: &str| {
            let last = json!({"at": text, "samples": 1});
            saved.status.last = Some(serde_json::from_value(last).unwrap());
            saved.clone()
        };
        let (first, soon) = (at("2026-11-23T10:00:00Z"), at("2026-11-23T10:00:29Z"));
        assert!(!first.outdates(Some(&first)));
        assert!(!soon.outdates(Some(&first)));
        assert!(at("2026-11-23T10:00:30Z").outdates(Some(&first)));
    }
}
