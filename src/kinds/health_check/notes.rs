//! How long a health check takes to see what happens.

use crate::core::fields::Fields;
use serde_json::Value;

/// Seconds between two probes, and how many in a row count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    interval: i64,
    unhealthy: i64,
    healthy: i64,
}

/// Detection and recovery, before and after.
pub(super) fn notes(live: Option<&Fields>, declared: &Fields) -> Vec<String> {
    let to = pace(|field| declared.get(field).or_else(|| live?.get(field)));
    let from = live.map(|live| pace(|field| live.get(field)));
    let note = |what: &str, seconds: fn(Pace) -> i64, count: &str, threshold: i64| {
        let sum = format!("{count} {threshold} x checkIntervalSec {}", to.interval);
        match from.map(seconds).filter(|before| *before != seconds(to)) {
            Some(before) => format!("{what}: {before} s -> {} s ({sum})", seconds(to)),
            None => format!("{what}: {} s ({sum})", seconds(to)),
        }
    };
    let mut notes = vec![
        note(
            "a failed backend is out after",
            |pace| pace.unhealthy * pace.interval,
            "unhealthyThreshold",
            to.unhealthy,
        ),
        note(
            "a recovered backend is back after",
            |pace| pace.healthy * pace.interval,
            "healthyThreshold",
            to.healthy,
        ),
    ];
    let protocol = |fields: &Fields| fields.get("type").cloned();
    if let Some(from) = live.and_then(protocol)
        && protocol(declared).is_some_and(|to| to != from)
    {
        let text = "swap: the protocol of a check in use cannot change, so another check takes \
                    over; until the old one is deleted, the former content moves its users back";
        notes.push(text.to_owned());
    }
    notes
}

/// Google's defaults (compute v1) where nothing is said.
fn pace<'f>(field: impl Fn(&str) -> Option<&'f Value>) -> Pace {
    let number = |name: &str, default: i64| field(name).and_then(Value::as_i64).unwrap_or(default);
    Pace {
        interval: number("checkIntervalSec", 5),
        unhealthy: number("unhealthyThreshold", 2),
        healthy: number("healthyThreshold", 2),
    }
}
