//! `status` as it is written: the readable fields, the memory beside them, and over both what keeps
//! the present spec from being in force.

use super::words::{IN_FORCE, JOURNAL};
use crate::api::{Condition, ConditionStatus, ConditionType, Reason};
use crate::core::conditions::bounded;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Why the present spec of an object is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub reason: Reason,
    pub message: String,
    /// The generation that it is about.
    pub generation: i64,
}

impl Trouble {
    #[must_use]
    pub fn new(reason: Reason, message: String, generation: i64) -> Self {
        Trouble {
            reason,
            message: bounded(message),
            generation,
        }
    }
}

/// What a status is made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The status of the record; `None` before there is one.
    pub report: Option<&'a Value>,
    /// The generation of the object that the record is about, where it is known.
    pub generation: Option<i64>,
    pub journal: Option<&'a str>,
    pub handled: &'a BTreeMap<String, String>,
    pub trouble: Option<&'a Trouble>,
    /// The spec in force in place of the present one, packed.
    pub in_force: Option<&'a str>,
    /// The status that is there now.
    pub before: &'a Value,
    pub now: Timestamp,
}

/// Puts a status together. Same parts over the same status: the same status.
#[must_use]
pub fn compose(parts: &Parts<'_>) -> Value {
    let mut status = match parts.report {
        Some(Value::Object(report)) => report.clone(),
        _ => Map::new(),
    };
    if let Some(generation) = parts.generation {
        count(&mut status, generation);
    }
    if let Some(trouble) = parts.trouble {
        show(&mut status, trouble, parts);
    }
    if !parts.handled.is_empty() {
        status.insert("lastHandled".to_owned(), json!(parts.handled));
    }
    if let Some(in_force) = parts.in_force {
        status.insert(IN_FORCE.to_owned(), in_force.into());
    }
    if let Some(journal) = parts.journal {
        status.insert(JOURNAL.to_owned(), journal.into());
    }
    Value::Object(status)
}

/// The record counts generations by itself; readers compare with those of the API server.
fn count(status: &mut Map<String, Value>, generation: i64) {
    let own = status.get("observedGeneration").cloned();
    status.insert("observedGeneration".to_owned(), generation.into());
    let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        if own.is_some() && condition.get("observedGeneration") == own.as_ref() {
            condition["observedGeneration"] = generation.into();
        }
    }
}

fn show(status: &mut Map<String, Value>, trouble: &Trouble, parts: &Parts<'_>) {
    let condition = |kind: ConditionType, is: ConditionStatus| Condition {
        kind,
        status: is,
        reason: trouble.reason,
        message: trouble.message.clone(),
        last_transition_time: since(parts, kind, is),
        observed_generation: trouble.generation,
    };
    let own = [
        condition(ConditionType::Ready, ConditionStatus::False),
        condition(ConditionType::Stalled, ConditionStatus::True),
    ];
    let others = status.remove("conditions").unwrap_or_default();
    let is_other =
        |condition: &&Value| condition["type"] != "Ready" && condition["type"] != "Stalled";
    let others = others
        .as_array()
        .into_iter()
        .flatten()
        .filter(is_other)
        .cloned();
    let all: Vec<Value> = own.iter().map(|own| json!(own)).chain(others).collect();
    status.insert("conditions".to_owned(), all.into());
    status.insert("observedGeneration".to_owned(), trouble.generation.into());
}

/// When the condition took this status.
fn since(parts: &Parts<'_>, kind: ConditionType, is: ConditionStatus) -> Timestamp {
    let before = parts.before["conditions"].as_array().into_iter().flatten();
    let mut known = before.filter_map(|c| serde_json::from_value::<Condition>(c.clone()).ok());
    let same = known.find(|known| known.kind == kind && known.status == is);
    same.map_or(parts.now, |same| same.last_transition_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn trouble_stands_over_the_report_and_its_time_stays() {
        let report = json!({"observedGeneration": 2, "sourceRevision": "r", "conditions": [
            {"type": "Ready", "status": "True", "reason": "UpToDate", "message": "",
             "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 2},
            {"type": "Drifted", "status": "False", "reason": "NoDrift", "message": "",
             "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}]});
        let trouble = Trouble::new(Reason::InvalidSpec, "no".to_owned(), 9);
        let handled = BTreeMap::new();
        let parts = |before, now, trouble| Parts {
            report: Some(&report),
            generation: Some(7),
            journal: Some("v1.x"),
            handled: &handled,
            trouble,
            in_force: None,
            before,
            now,
        };
        let nothing = Value::Null;
        let first = compose(&parts(&nothing, at("2026-01-02T00:00:00Z"), Some(&trouble)));
        assert_eq!(first["observedGeneration"], 9);
        assert_eq!(first["conditions"][0]["reason"], "InvalidSpec");
        assert_eq!(first["conditions"][2]["type"], "Drifted");
        assert_eq!(first["journal"], "v1.x");
        let again = compose(&parts(&first, at("2026-01-03T00:00:00Z"), Some(&trouble)));
        assert_eq!(again, first, "nothing changed");
        let over = compose(&parts(&first, at("2026-01-03T00:00:00Z"), None));
        assert_eq!(over["observedGeneration"], 7);
        assert_eq!(over["conditions"][0]["observedGeneration"], 7);
        assert_eq!(
            over["conditions"][1]["observedGeneration"], 1,
            "of an older spec"
        );
    }
}
