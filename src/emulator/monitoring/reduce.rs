//! Cross-series reducers: aligned points of the same time become one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::align::{deviation, int};
use super::distribution::{Distribution, float};
use super::value::{Identity, Kind, Point, Series, Type, Value};
use crate::emulator::errors::ApiError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduce {
    None,
    Mean,
    Min,
    Max,
    Sum,
    StdDev,
    Count,
    Percentile(u32),
    /// Known to Google and not emulated: for Boolean metrics, of which there are none.
    Unserved(&'static str),
}

const NAMES: [(&str, Reduce); 14] = [
    ("REDUCE_NONE", Reduce::None),
    ("REDUCE_MEAN", Reduce::Mean),
    ("REDUCE_MIN", Reduce::Min),
    ("REDUCE_MAX", Reduce::Max),
    ("REDUCE_SUM", Reduce::Sum),
    ("REDUCE_STDDEV", Reduce::StdDev),
    ("REDUCE_COUNT", Reduce::Count),
    ("REDUCE_PERCENTILE_99", Reduce::Percentile(99)),
    ("REDUCE_PERCENTILE_95", Reduce::Percentile(95)),
    ("REDUCE_PERCENTILE_50", Reduce::Percentile(50)),
    ("REDUCE_PERCENTILE_05", Reduce::Percentile(5)),
    ("REDUCE_COUNT_TRUE", Reduce::Unserved("REDUCE_COUNT_TRUE")),
    ("REDUCE_COUNT_FALSE", Reduce::Unserved("REDUCE_COUNT_FALSE")),
    (
        "REDUCE_FRACTION_TRUE",
        Reduce::Unserved("REDUCE_FRACTION_TRUE"),
    ),
];

impl Reduce {
    pub fn by_name(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::None);
        }
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, reduce)| *reduce)
    }

    fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, reduce)| *reduce == self);
        found.map_or("", |(name, _)| name)
    }

    /// The type of the result; None when it cannot be applied.
    fn makes(self, value_type: Type) -> Option<Type> {
        let number = value_type != Type::Distribution;
        match self {
            Self::None | Self::Sum => Some(value_type),
            Self::Mean | Self::StdDev | Self::Percentile(_) => Some(Type::Double),
            Self::Min | Self::Max if number => Some(value_type),
            Self::Count => Some(Type::Int),
            Self::Min | Self::Max | Self::Unserved(_) => None,
        }
    }

    pub fn apply(
        self,
        series: Vec<Series>,
        group: impl Fn(&Identity) -> Identity,
    ) -> Result<Vec<Series>, ApiError> {
        let Some(first) = series.first().filter(|_| self != Self::None) else {
            return Ok(series);
        };
        let (kind, given) = (first.kind, first.value_type);
        let Some(value_type) = self.makes(given) else {
            return Err(super::aggregation::refused(
                "aggregation.crossSeriesReducer",
                self.name(),
                &format!(
                    "The reducer cannot be applied to metrics with kind {} and value type {}.",
                    kind.name(),
                    given.name()
                ),
            ));
        };
        let kind = match self {
            Self::Sum => kind,
            _ => Kind::Gauge,
        };
        let mut groups: BTreeMap<Identity, BTreeMap<Timestamp, Vec<Point>>> = BTreeMap::new();
        for one in series {
            let times = groups.entry(group(&one.identity)).or_default();
            for point in one.points {
                times.entry(point.end).or_default().push(point);
            }
        }
        let reduced = groups.into_iter().map(|(identity, times)| Series {
            identity,
            kind,
            value_type,
            points: times
                .into_values()
                .filter_map(|points| self.point(kind, &points))
                .collect(),
        });
        Ok(reduced.collect())
    }

    fn point(self, kind: Kind, points: &[Point]) -> Option<Point> {
        let first = points.first()?;
        let start = match kind {
            Kind::Delta => first.start,
            Kind::Gauge => first.end,
        };
        Some(Point {
            start,
            end: first.end,
            value: self.one_of(points)?,
        })
    }

    fn one_of(self, points: &[Point]) -> Option<Value> {
        if self == Self::Count {
            return Some(Value::Int(i64::try_from(points.len()).unwrap_or(i64::MAX)));
        }
        if let Some(Point {
            value: Value::Distribution(first),
            ..
        }) = points.first()
        {
            let mut whole = Distribution::empty(first.buckets());
            for point in points {
                if let Value::Distribution(distribution) = &point.value {
                    whole.merge(distribution);
                }
            }
            return Some(match self {
                Self::Sum => Value::Distribution(whole),
                Self::Mean => Value::Double(whole.mean()),
                Self::Percentile(percent) => Value::Double(whole.percentile(percent.into())?),
                _ => return None,
            });
        }
        let mut numbers: Vec<f64> = points
            .iter()
            .filter_map(|point| point.value.number())
            .collect();
        let is_int = points
            .iter()
            .all(|point| matches!(point.value, Value::Int(_)));
        let same = |number: f64| {
            if is_int {
                int(number)
            } else {
                Value::Double(number)
            }
        };
        numbers.sort_by(f64::total_cmp);
        let sum: f64 = numbers.iter().sum();
        Some(match self {
            Self::Mean => Value::Double(sum / float(numbers.len() as u64)),
            Self::Min => same(*numbers.first()?),
            Self::Max => same(*numbers.last()?),
            Self::StdDev => Value::Double(deviation(&numbers)),
            Self::Percentile(percent) => Value::Double(nearest(&numbers, percent)?),
            _ => same(sum),
        })
    }
}

/// Between the two values that stand nearest to the place.
fn nearest(sorted: &[f64], percent: u32) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = float(last as u64) * f64::from(percent) / 100.0;
    let below = crate::emulator::traffic::wave::whole(place.floor()) as usize;
    let (low, high) = (*sorted.get(below)?, *sorted.get((below + 1).min(last))?);
    Some(low + (high - low) * place.fract())
}
