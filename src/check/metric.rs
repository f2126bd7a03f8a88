//! Points of Cloud Monitoring: one sample for each series and minute, as old as Google makes them.

use super::google::refused;
use super::prober::{Ask, Reading};
use crate::api::probe::{MetricProbe, SAMPLES_LIMIT};
use crate::core::check::{ProberError, ProberFault, Sample, Window, delay};
use crate::gcp::monitoring::{Monitoring, Points, Query};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use std::time::Duration;

pub(super) async fn probe(monitoring: &Monitoring, metric: &MetricProbe, ask: Ask) -> Reading {
    let span = Span::of(metric.window.0, ask);
    let query = Query {
        project: &metric.project,
        filter: &metric.filter,
        aligner: &metric.align,
        reducer: metric.reduce.as_deref(),
        group_by: &metric.group_by,
        after: span.after,
        until: span.until,
        most: SAMPLES_LIMIT as usize,
    };
    match monitoring.points(&query).await {
        Ok(points) if points.missing.is_empty() => Reading {
            since: span.after,
            outcome: Ok(window(metric, &points)),
        },
        Ok(points) => Reading::failed(ask, partial(&points.missing)),
        Err(fault) => Reading::failed(ask, refused(&fault)),
    }
}

/// Whole minutes that everything has come in of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    after: Timestamp,
    until: Timestamp,
}

impl Span {
    /// The newest minutes, as many as fit into the window. They begin after a step as soon as one
    /// of them does: until then they are those of the monitor, and too old for a gate.
    fn of(window: Duration, ask: Ask) -> Span {
        let minute = delay::MINUTE.as_secs();
        let until = whole_minutes(back(ask.now, delay::METRIC), RoundMode::Floor);
        let length = Duration::from_secs(window.as_secs().div_ceil(minute) * minute);
        let whole = back(until, length);
        let step = ask.not_before;
        let step = step.map(|step| whole_minutes(step, RoundMode::Ceil));
        let since = step.filter(|step| *step > whole && *step < until);
        Span {
            after: since.unwrap_or(whole),
            until,
        }
    }
}

fn back(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

fn whole_minutes(at: Timestamp, mode: RoundMode) -> Timestamp {
    let round = TimestampRound::new().smallest(Unit::Minute).mode(mode);
    at.round(round).unwrap_or(at)
}

fn window(metric: &MetricProbe, points: &Points) -> Window {
    let factor = factor(metric, &points.unit);
    let mut window = Window::new();
    // What is 0 of 0 is no number, and no sample.
    let points = points.points.iter().filter(|point| !point.value.is_nan());
    for point in points {
        window.push(Sample::new().with("value", point.value * factor));
    }
    window
}

/// From Google's unit to that of expressions: seconds, Mbit/s, shares; anything else stays.
fn factor(metric: &MetricProbe, unit: &str) -> f64 {
    let reducer = metric.reduce.as_deref().unwrap_or_default();
    let counts = ["_COUNT", "_COUNT_TRUE", "_COUNT_FALSE", "_FRACTION_TRUE"];
    if counts
        .iter()
        .any(|end| metric.align.ends_with(end) || reducer.ends_with(end))
    {
        return 1.0;
    }
    if metric.align == "ALIGN_PERCENT_CHANGE" {
        return 0.01;
    }
    // A rate is said by the unit, or by the aligner alone.
    let (unit, rate) = match unit.strip_suffix("/s") {
        Some(unit) => (unit, true),
        None => (unit, metric.align == "ALIGN_RATE"),
    };
    if rate { bits(unit) } else { amount(unit) }
}

/// Mbit/s of a rate in this unit a second.
fn bits(unit: &str) -> f64 {
    match unit {
        "bit" => 1e-6,
        "kbit" => 1e-3,
        "By" => 8e-6,
        "kBy" => 8e-3,
        "KiBy" => 8.192e-3,
        "MBy" => 8.0,
        "MiBy" => 8.388_608,
        _ => 1.0,
    }
}

/// Seconds, or a share.
fn amount(unit: &str) -> f64 {
    match unit {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "%" => 0.01,
        _ => 1.0,
    }
}

/// A part is no whole: what is missing may be what fails.
fn partial(missing: &[String]) -> ProberError {
    let named: Vec<&str> = missing.iter().map(String::as_str).take(3).collect();
    let text = format!(
        "Cloud Monitoring answered in part, without {}",
        named.join(", ")
    );
    ProberError::new(ProberFault::Unavailable, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn span(window: &str, now: &str, not_before: Option<&str>) -> (String, String) {
        let at = |time: &str| format!("2026-11-23T{time}Z").parse().unwrap();
        let window: crate::api::HumanDuration = window.parse().unwrap();
        let ask = Ask {
            now: at(now),
            not_before: not_before.map(at),
        };
        let span = Span::of(window.0, ask);
        let clock = |at: Timestamp| at.strftime("%H:%M:%S").to_string();
        (clock(span.after), clock(span.until))
    }

    #[test]
    fn a_window_is_whole_minutes_that_have_come_in() {
        let says = |window, now| span(window, now, None);
        assert_eq!(
            says("5m", "10:09:59"),
            ("10:00:00".into(), "10:05:00".into())
        );
        assert_eq!(
            says("90s", "10:10:00"),
            ("10:04:00".into(), "10:06:00".into())
        );
    }

    #[test]
    fn a_window_begins_after_the_step_once_a_minute_does() {
        let says = |now, step| span("5m", now, Some(step)).0;
        let step = "10:00:30";
        assert_eq!(says("10:05:59", step), "09:56:00", "the monitor goes on");
        assert_eq!(says("10:06:00", step), "10:01:00");
        assert_eq!(says("10:08:10", step), "10:01:00");
        assert_eq!(
            says("10:20:00", step),
            "10:11:00",
            "never longer than asked"
        );
        assert_eq!(says("10:06:00", "10:01:00"), "10:01:00");
        assert_eq!(says("10:06:59", "10:01:01"), "09:57:00");
    }

    #[test]
    fn units_are_those_of_expressions() {
        for (align, reduce, unit, want) in [
            ("ALIGN_RATE", None, "By", 8e-6),
            ("ALIGN_RATE", Some("REDUCE_SUM"), "By/s", 8e-6),
            ("ALIGN_MEAN", None, "By", 1.0),
            ("ALIGN_PERCENTILE_99", None, "ms", 1e-3),
            ("ALIGN_COUNT", None, "ms", 1.0),
            ("ALIGN_MEAN", Some("REDUCE_COUNT"), "ms", 1.0),
            ("ALIGN_MEAN", None, "10^2.%", 1.0),
            ("ALIGN_MEAN", None, "%", 0.01),
            ("ALIGN_RATE", None, "1", 1.0),
            ("ALIGN_PERCENT_CHANGE", None, "By", 0.01),
            ("ALIGN_MEAN", None, "", 1.0),
        ] {
            let metric =
                json!({"project": "p-1234", "filter": "f", "align": align, "reduce": reduce});
            let metric: MetricProbe = serde_json::from_value(metric).unwrap();
            let got = factor(&metric, unit);
            assert!(
                (got - want).abs() < 1e-12,
                "{align} {reduce:?} {unit}: {got}"
            );
        }
    }
}
