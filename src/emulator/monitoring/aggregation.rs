//! How a query says that points become one in time, and series one beside another.
//!
//! Source: the API reference (monitoring v3, `Aggregation`), for what fits which metric. Periods end with the
//! interval that was asked for, and before it at whole multiples of the period.

use std::time::Duration;

use super::align::Align;
use super::reduce::Reduce;
use super::value::{Identity, Series};
use crate::emulator::errors::ApiError;
use crate::emulator::messages::unreadable;
use crate::emulator::query::{Params, snake};

const PERIOD_MIN: Duration = Duration::from_mins(1);
/// "The maximum value of the `alignment_period` is 104 weeks (2 years) for charts."
const PERIOD_MAX: Duration = Duration::from_hours(104 * 7 * 24);

#[derive(Debug)]
pub(super) struct Aggregation {
    align: Align,
    period: Duration,
    reduce: Reduce,
    group_by: Vec<Group>,
}

/// A label by which series are kept apart.
#[derive(Debug)]
pub(super) enum Group {
    Metric(String),
    Resource(String),
    /// Always kept apart by it.
    ResourceType,
}

impl Group {
    fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        match parts[..] {
            ["resource" | "metric", "type"] | ["project"] => Some(Self::ResourceType),
            ["metric", "label" | "labels", label] => Some(Self::Metric(unquoted(label))),
            ["resource", "label" | "labels", label] => Some(Self::Resource(unquoted(label))),
            _ => None,
        }
    }
}

fn unquoted(text: &str) -> String {
    text.trim_matches('"').to_owned()
}

pub(super) fn refused(field: &str, value: &str, problem: &str) -> ApiError {
    ApiError::invalid(format!(
        "Field {field} had an invalid value of \"{value}\": {problem}"
    ))
}

/// What a query asks for under `name`: `aggregation` or `secondaryAggregation`.
impl Aggregation {
    pub fn read(params: &Params, name: &str) -> Result<Self, ApiError> {
        let field = |part: &str| format!("{name}.{part}");
        let given = |part: &str| params.get(&field(part)).unwrap_or_default();
        let unknown = |part: &str, kind: &str| {
            let (at, value) = (snake(&field(part)), given(part));
            let kind = format!("type.googleapis.com/google.monitoring.v3.Aggregation.{kind}");
            unreadable(
                &format!("Invalid value at '{at}' ({kind}), \"{value}\""),
                &at,
            )
        };
        let align = Align::by_name(given("perSeriesAligner"));
        let align = align.ok_or_else(|| unknown("perSeriesAligner", "Aligner"))?;
        let reduce = Reduce::by_name(given("crossSeriesReducer"));
        let reduce = reduce.ok_or_else(|| unknown("crossSeriesReducer", "Reducer"))?;
        if reduce != Reduce::None && align == Align::None {
            let problem = "A perSeriesAligner other than ALIGN_NONE must be specified for cross-series reduction.";
            let reducer = given("crossSeriesReducer");
            return Err(refused(&field("crossSeriesReducer"), reducer, problem));
        }
        let text = given("alignmentPeriod");
        let period = match align {
            Align::None => PERIOD_MIN,
            _ => period(text).ok_or_else(|| {
                let problem = "The alignment_period must be a duration of at least 60 seconds and at most 104 weeks.";
                refused(&field("alignmentPeriod"), text, problem)
            })?,
        };
        let groups = params.all(&field("groupByFields")).iter();
        let group = |text: &String| {
            let problem = "The field must be one of resource.type, resource.label.[KEY] or metric.label.[KEY].";
            Group::read(text).ok_or_else(|| refused(&field("groupByFields"), text, problem))
        };
        Ok(Self {
            align,
            period,
            reduce,
            group_by: groups.map(group).collect::<Result<_, _>>()?,
        })
    }

    /// How far before the interval points are needed.
    pub fn reach(&self) -> Duration {
        match self.align {
            Align::None => Duration::ZERO,
            _ => self.period,
        }
    }

    pub fn apply(
        &self,
        series: Vec<Series>,
        interval: super::Interval,
        name: &str,
    ) -> Result<Vec<Series>, ApiError> {
        let aligned = series
            .into_iter()
            .map(|one| self.align.apply(one, self.period, interval, name))
            .collect::<Result<Vec<_>, _>>()?;
        let aligned = aligned.into_iter().filter(|one| !one.points.is_empty());
        self.reduce
            .apply(aligned.collect(), |identity| self.group(identity))
    }

    /// What stays of an identity when series become one.
    fn group(&self, identity: &Identity) -> Identity {
        let mut kept = identity.clone();
        kept.metric.retain(|label, _| {
            let named = |group: &Group| matches!(group, Group::Metric(name) if name == label);
            self.group_by.iter().any(named)
        });
        kept.resource.retain(|label, _| {
            let named = |group: &Group| matches!(group, Group::Resource(name) if name == label);
            *label == "project_id" || self.group_by.iter().any(named)
        });
        kept
    }
}

/// `google.protobuf.Duration` in JSON, within its bounds.
fn period(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    let period = Duration::try_from_secs_f64(seconds).ok()?;
    (PERIOD_MIN..=PERIOD_MAX)
        .contains(&period)
        .then_some(period)
}
