//! The status of a Check, from where it stands.

use super::criteria::{Evaluation, Measured, NoVerdict, Verdict};
use super::standing::Standing;
use super::{ProberError, Stat, Value, Window};
use crate::api::check::LastProbe;
use crate::api::{CheckStatus, Condition, ConditionStatus, ConditionType, Reason};
use crate::core::conditions::bounded;
use jiff::Timestamp;
use serde_json::{Map, json};

/// Statistics of a number in `status.last`.
const SHOWN: [Stat; 3] = [Stat::P50, Stat::P99, Stat::Max];

/// The status after a probe. `lastTransitionTime` is kept where a condition did not flip.
#[must_use]
pub fn status(
    old: &CheckStatus,
    standing: &Standing,
    generation: i64,
    now: Timestamp,
) -> CheckStatus {
    let mut conditions = vec![passing(standing)];
    conditions.extend(warning(standing));
    let conditions = conditions.into_iter().map(|fact| {
        let same = |c: &&Condition| c.kind == fact.kind && c.status == fact.status;
        let since = old.conditions.iter().find(same);
        Condition {
            kind: fact.kind,
            status: fact.status,
            reason: fact.reason,
            message: bounded(fact.message),
            last_transition_time: since.map_or(now, |c| c.last_transition_time),
            observed_generation: generation,
        }
    });
    CheckStatus {
        observed_generation: generation,
        conditions: conditions.collect(),
        last: old.last.clone(),
    }
}

/// `status.last` of a probe. Times are in seconds.
#[must_use]
pub fn last_probe(at: Timestamp, outcome: &Result<Window, ProberError>) -> LastProbe {
    let mut fields = Map::new();
    if let Ok(window) = outcome {
        for field in window.fields() {
            fields.insert(field.to_owned(), shown(window, field));
        }
    }
    LastProbe {
        at,
        samples: outcome.as_ref().map_or(0, Window::samples),
        fields,
    }
}

fn shown(window: &Window, field: &str) -> serde_json::Value {
    let round = |value: Value| match value {
        // Tenths of a millisecond: more digits are noise.
        Value::Number(number) => json!((number * 1e4).round() / 1e4),
        other => json!(other),
    };
    if let Some(trues) = window.trues(field) {
        return json!(trues);
    }
    let stats = SHOWN.iter().filter_map(|stat| {
        let value = window.stat(field, *stat)?;
        Some((stat.as_str().to_owned(), round(value)))
    });
    let stats: Map<_, _> = stats.collect();
    if stats.is_empty() {
        return window.stat(field, Stat::Last).map_or(json!(null), round);
    }
    json!(stats)
}

struct Fact {
    kind: ConditionType,
    status: ConditionStatus,
    reason: Reason,
    message: String,
}

fn passing(standing: &Standing) -> Fact {
    let last = standing.last();
    let missed: Vec<_> = last.into_iter().flat_map(Evaluation::missed).collect();
    let (status, reason) = match (standing.verdict, last.and_then(|l| l.unknown.as_ref())) {
        (Verdict::Passing, _) => (ConditionStatus::True, Reason::ExpectationsMet),
        (Verdict::Failing, _) => (ConditionStatus::False, Reason::ExpectationsMissed),
        (Verdict::Unknown, Some(NoVerdict::Prober(_))) => {
            (ConditionStatus::Unknown, Reason::ProberError)
        }
        (Verdict::Unknown, _) => (ConditionStatus::Unknown, Reason::NoData),
    };
    let mut message = words(last, &missed);
    if reason == Reason::NoData && last.is_some_and(|last| last.unknown.is_none()) {
        message = format!("no verdict yet: {message}");
    }
    Fact {
        kind: ConditionType::Passing,
        status,
        reason,
        message,
    }
}

fn warning(standing: &Standing) -> Option<Fact> {
    let last = standing.last().filter(|_| standing.warning)?;
    let near: Vec<_> = last.warned().collect();
    Some(Fact {
        kind: ConditionType::Warning,
        status: ConditionStatus::True,
        reason: Reason::NearLimit,
        message: words(Some(last), &near),
    })
}

/// The numbers of the last probe: those that matter, or all of them.
#[must_use]
pub fn words(last: Option<&Evaluation>, matter: &[&Measured]) -> String {
    let Some(last) = last else {
        return "not probed yet".to_owned();
    };
    match &last.unknown {
        Some(NoVerdict::Prober(error)) => return error.to_string(),
        Some(NoVerdict::NoSamples(expression)) => return format!("no data for {expression}"),
        None => {}
    }
    let expected: Vec<_> = last.expected().collect();
    let matter = if matter.is_empty() {
        &expected[..]
    } else {
        matter
    };
    let mut parts: Vec<_> = matter.iter().map(|m| m.text(None)).collect();
    parts.extend(last.failures.iter().map(ToString::to_string));
    parts.join("; ")
}
