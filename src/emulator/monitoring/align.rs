//! Per-series aligners: all points of a period become one.

use std::time::Duration;

use jiff::Timestamp;

use super::Interval;
use super::aggregation::refused;
use super::distribution::{Distribution, float};
use super::value::{Kind, Point, Series, Type, Value};
use crate::emulator::errors::ApiError;
use crate::emulator::timing::earlier;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    None,
    Delta,
    Rate,
    NextOlder,
    Min,
    Max,
    Mean,
    Count,
    Sum,
    StdDev,
    Percentile(u32),
    /// Known to Google and not emulated.
    Unserved(&'static str),
}

const NAMES: [(&str, Align); 19] = [
    ("ALIGN_NONE", Align::None),
    ("ALIGN_DELTA", Align::Delta),
    ("ALIGN_RATE", Align::Rate),
    ("ALIGN_NEXT_OLDER", Align::NextOlder),
    ("ALIGN_MIN", Align::Min),
    ("ALIGN_MAX", Align::Max),
    ("ALIGN_MEAN", Align::Mean),
    ("ALIGN_COUNT", Align::Count),
    ("ALIGN_SUM", Align::Sum),
    ("ALIGN_STDDEV", Align::StdDev),
    ("ALIGN_PERCENTILE_99", Align::Percentile(99)),
    ("ALIGN_PERCENTILE_95", Align::Percentile(95)),
    ("ALIGN_PERCENTILE_50", Align::Percentile(50)),
    ("ALIGN_PERCENTILE_05", Align::Percentile(5)),
    ("ALIGN_INTERPOLATE", Align::Unserved("ALIGN_INTERPOLATE")),
    ("ALIGN_COUNT_TRUE", Align::Unserved("ALIGN_COUNT_TRUE")),
    ("ALIGN_COUNT_FALSE", Align::Unserved("ALIGN_COUNT_FALSE")),
    (
        "ALIGN_FRACTION_TRUE",
        Align::Unserved("ALIGN_FRACTION_TRUE"),
    ),
    (
        "ALIGN_PERCENT_CHANGE",
        Align::Unserved("ALIGN_PERCENT_CHANGE"),
    ),
];

impl Align {
    pub fn by_name(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::None);
        }
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, align)| *align)
    }

    fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, align)| *align == self);
        found.map_or("", |(name, _)| name)
    }

    /// The kind and type of the result; None when it cannot be applied.
    fn makes(self, kind: Kind, value_type: Type) -> Option<(Kind, Type)> {
        let number = value_type != Type::Distribution;
        match self {
            Self::None | Self::Sum => Some((kind, value_type)),
            Self::Delta if kind == Kind::Delta => Some((kind, value_type)),
            Self::Rate if kind == Kind::Delta && number => Some((Kind::Gauge, Type::Double)),
            Self::NextOlder if kind == Kind::Gauge => Some((kind, value_type)),
            Self::Min | Self::Max if number => Some((Kind::Gauge, value_type)),
            Self::Mean | Self::StdDev if number => Some((Kind::Gauge, Type::Double)),
            Self::Count if number => Some((Kind::Gauge, Type::Int)),
            Self::Percentile(_) if !number => Some((Kind::Gauge, Type::Double)),
            _ => None,
        }
    }

    pub fn apply(
        self,
        series: Series,
        period: Duration,
        interval: Interval,
        name: &str,
    ) -> Result<Series, ApiError> {
        let Some((kind, value_type)) = self.makes(series.kind, series.value_type) else {
            let (kind, value_type) = (series.kind.name(), series.value_type.name());
            let problem = format!(
                "The aligner cannot be applied to metrics with kind {kind} and value type {value_type}."
            );
            return Err(refused(
                &format!("{name}.perSeriesAligner"),
                self.name(),
                &problem,
            ));
        };
        if self == Self::None {
            return Ok(series);
        }
        let raw = &series.points;
        let upto = |time: Timestamp| raw.partition_point(|point| point.end <= time);
        let mut points = Vec::new();
        let (Some(oldest), Some(newest)) = (raw.first(), raw.last()) else {
            return Ok(series);
        };
        let (oldest, newest) = (oldest.end, newest.end);
        let mut end = last_period(interval.end, newest, period);
        while end > interval.start && end >= oldest {
            let start = earlier(end, period);
            let within = raw.get(upto(start)..upto(end)).unwrap_or_default();
            let value = match self {
                Self::NextOlder => raw.get(..upto(end)).and_then(<[Point]>::last).map(value_of),
                _ if within.is_empty() => None,
                _ => self.one_of(within, period),
            };
            if let Some(value) = value {
                let start = if kind == Kind::Delta { start } else { end };
                points.push(Point { start, end, value });
            }
            end = start;
        }
        points.reverse();
        Ok(Series {
            identity: series.identity,
            kind,
            value_type,
            points,
        })
    }

    fn one_of(self, points: &[Point], period: Duration) -> Option<Value> {
        let values = || points.iter().map(|point| &point.value);
        if let Some(Value::Distribution(first)) = values().next() {
            let mut whole = Distribution::empty(first.buckets());
            for value in values() {
                if let Value::Distribution(distribution) = value {
                    whole.merge(distribution);
                }
            }
            return match self {
                Self::Percentile(percent) => Some(Value::Double(whole.percentile(percent.into())?)),
                _ => Some(Value::Distribution(whole)),
            };
        }
        let numbers: Vec<f64> = values().filter_map(Value::number).collect();
        let is_int = values().all(|value| matches!(value, Value::Int(_)));
        let same = |number: f64| {
            if is_int {
                int(number)
            } else {
                Value::Double(number)
            }
        };
        let sum: f64 = numbers.iter().sum();
        Some(match self {
            Self::Rate => Value::Double(sum / period.as_secs_f64()),
            Self::Min => same(numbers.iter().copied().fold(f64::INFINITY, f64::min)),
            Self::Max => same(numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            Self::Mean => Value::Double(sum / float(numbers.len() as u64)),
            Self::StdDev => Value::Double(deviation(&numbers)),
            Self::Count => Value::Int(i64::try_from(numbers.len()).unwrap_or(i64::MAX)),
            _ => same(sum),
        })
    }
}

/// Whole numbers of series stay whole when they are added or picked.
#[allow(
    clippy::cast_possible_truncation,
    reason = "counts of the model are small"
)]
pub(super) fn int(number: f64) -> Value {
    Value::Int(number.round() as i64)
}

pub(super) fn deviation(numbers: &[f64]) -> f64 {
    let count = float(numbers.len() as u64).max(1.0);
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    (squares / count).sqrt()
}

/// The end of the last period that may hold the newest point: those after it are skipped at once.
fn last_period(end: Timestamp, newest: Timestamp, period: Duration) -> Timestamp {
    let empty = end.duration_since(newest).as_nanos().max(0).unsigned_abs();
    let periods = empty / period.as_nanos().max(1);
    let skipped = u32::try_from(periods).unwrap_or(u32::MAX);
    earlier(end, period.saturating_mul(skipped))
}

fn value_of(point: &Point) -> Value {
    point.value.clone()
}
