//! What a load test brought.

use super::{Number, number};
use crate::api::CheckSpec;
use crate::core::check::{Evaluation, FieldKind, NoVerdict, Stat, Value, Verdict, Window, fields};
use jiff::Timestamp;
use serde::Serialize;

/// The statistics of a phase.
pub const STATS: [Stat; 7] = [
    Stat::Min,
    Stat::Avg,
    Stat::P50,
    Stat::P90,
    Stat::P95,
    Stat::P99,
    Stat::Max,
];

/// The result of a load test.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadReport {
    pub check: String,
    pub source: &'static str,
    pub started_at: Timestamp,
    /// Seconds from the first sample to the last reply.
    pub took: f64,
    /// Samples at the same time.
    pub concurrency: u32,
    /// Somebody stopped it: what was measured until then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    pub samples: u64,
    /// How many of them were ok.
    pub ok: u64,
    pub verdict: Verdict,
    /// Why there is no verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// In the order in which they happen.
    pub phases: Vec<Phase>,
    /// The most frequent first.
    pub failures: Vec<Failures>,
    pub expectations: Vec<Number>,
}

/// How long a phase took. Seconds; `null`: it never came.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    pub phase: String,
    pub min: Value,
    pub avg: Value,
    pub p50: Value,
    pub p90: Value,
    pub p95: Value,
    pub p99: Value,
    pub max: Value,
}

impl Phase {
    /// In the order of [`STATS`].
    #[must_use]
    pub fn values(&self) -> [&Value; 7] {
        let Phase {
            phase: _,
            min,
            avg,
            p50,
            p90,
            p95,
            p99,
            max,
        } = self;
        [min, avg, p50, p90, p95, p99, max]
    }
}

/// Samples that failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    pub phase: &'static str,
    pub reason: String,
    pub count: u64,
}

/// When and how hard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    pub started_at: Timestamp,
    pub took: std::time::Duration,
    pub concurrency: u32,
    pub stopped: bool,
}

/// The report of a load test of a check. `window` is what all its probes brought together.
#[must_use]
pub fn report(
    (name, spec): (&str, &CheckSpec),
    effort: Effort,
    window: &Window,
    evaluation: &Evaluation,
) -> LoadReport {
    let failures = window.failures().into_iter();
    LoadReport {
        check: name.to_owned(),
        source: spec.source().map_or("", |source| source.as_str()),
        started_at: effort.started_at,
        took: (effort.took.as_secs_f64() * 1e3).round() / 1e3,
        concurrency: effort.concurrency,
        stopped: effort.stopped,
        samples: window.samples(),
        ok: window.trues("ok").unwrap_or(0),
        verdict: evaluation.verdict,
        unknown: evaluation.unknown.as_ref().map(|why| match why {
            NoVerdict::Prober(error) => error.to_string(),
            NoVerdict::NoSamples(expression) => format!("no data for {expression}"),
        }),
        phases: phases(spec, window),
        failures: failures
            .map(|(failure, count)| Failures {
                phase: failure.phase,
                reason: failure.reason.clone(),
                count,
            })
            .collect(),
        expectations: evaluation.measured.iter().map(number).collect(),
    }
}

/// Every time that the source measures and the window has.
fn phases(spec: &CheckSpec, window: &Window) -> Vec<Phase> {
    let known = spec.source().and_then(fields).unwrap_or_default();
    let times = known
        .into_iter()
        .filter(|(_, kind)| *kind == FieldKind::Latency);
    times
        .filter_map(|(field, _)| {
            let stat = |stat| window.stat(&field, stat);
            Some(Phase {
                min: stat(Stat::Min)?,
                avg: stat(Stat::Avg)?,
                p50: stat(Stat::P50)?,
                p90: stat(Stat::P90)?,
                p95: stat(Stat::P95)?,
                p99: stat(Stat::P99)?,
                max: stat(Stat::Max)?,
                phase: field,
            })
        })
        .collect()
}
