//! Cloud Monitoring: the points of time series, nothing else.
//!
//! `v3/projects/{p}/timeSeries` of `monitoring.googleapis.com`. A query is about one metric type.
//! Points come newest first, integers as text, and what could not be reached is named.

use super::client::Client;
use super::endpoint::Api;
use super::error::fault;
use super::pages::{items, unclear, unreached};
use super::path::segment;
use crate::core::error::{Fault, FaultKind};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// The shortest alignment period ("must be at least 60 seconds").
const PERIOD: &str = "60s";
/// Most pages of one query: each holds what `pageSize` asks for, or less.
const PAGES: usize = 10;

/// Which points.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    pub project: &'a str,
    /// Google's filter.
    pub filter: &'a str,
    /// `ALIGN_...`: how the points of a minute become one.
    pub aligner: &'a str,
    /// `REDUCE_...`: how series become one.
    pub reducer: Option<&'a str>,
    pub group_by: &'a [String],
    /// Points that end after this moment,
    pub after: Timestamp,
    /// and not after this one. Minutes end here and a whole number of minutes before.
    pub until: Timestamp,
    /// More points than this are refused: they would be cut somewhere.
    pub most: usize,
}

/// What a query brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Points {
    /// Of the values, as UCUM; Google leaves it out where it has none.
    pub unit: String,
    /// The oldest first.
    pub points: Vec<Point>,
    /// What could not be asked; not empty: the points are a part.
    pub missing: Vec<String>,
}

/// One minute of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub end: Timestamp,
    /// A flag is 0 or 1.
    pub value: f64,
}

/// Time series of every project.
pub struct Monitoring {
    client: Arc<Client>,
}

impl Monitoring {
    #[must_use]
    pub fn new(client: Arc<Client>) -> Self {
        Monitoring { client }
    }

    /// The points that a query is about.
    ///
    /// # Errors
    /// Those of a read; `Invalid` for values that are no numbers and for more points than asked.
    pub async fn points(&self, query: &Query<'_>) -> Result<Points, Fault> {
        let path = format!("v3/projects/{}/timeSeries", segment(query.project)?);
        let (after, until) = (query.after.to_string(), query.until.to_string());
        let size = query.most.to_string();
        let mut parameters = vec![
            ("filter", query.filter),
            ("interval.startTime", &*after),
            ("interval.endTime", &*until),
            ("aggregation.alignmentPeriod", PERIOD),
            ("aggregation.perSeriesAligner", query.aligner),
            ("pageSize", &*size),
        ];
        let reducer = query.reducer.map(|r| ("aggregation.crossSeriesReducer", r));
        parameters.extend(reducer);
        let groups = query.group_by.iter();
        parameters.extend(groups.map(|by| ("aggregation.groupByFields", by.as_str())));
        let mut found = Points::default();
        let mut token = String::new();
        for _ in 0..PAGES {
            let mut asked = parameters.clone();
            if !token.is_empty() {
                asked.push(("pageToken", &token));
            }
            let read = self
                .client
                .read(Api::Monitoring, query.project, &path, &asked);
            let mut page = read.await?;
            found.take(&mut page)?;
            let next = page["nextPageToken"].as_str().unwrap_or_default();
            if found.points.len() > query.most
                || (found.points.len() == query.most && !next.is_empty())
            {
                return Err(too_many(query.most));
            }
            if next.is_empty() {
                found.points.sort_by_key(|point| point.end);
                return Ok(found);
            }
            if next == token {
                return Err(unclear("a page token came twice"));
            }
            next.clone_into(&mut token);
        }
        Err(unclear("the series have no end"))
    }
}

impl Points {
    fn take(&mut self, page: &mut Value) -> Result<(), Fault> {
        for series in items(page, "timeSeries")? {
            let points = series["points"].as_array().into_iter().flatten();
            for point in points {
                self.points.push(read(point)?);
            }
        }
        if let Some(unit) = page["unit"].as_str() {
            unit.clone_into(&mut self.unit);
        }
        self.missing.extend(unreached(page));
        let errors = page["executionErrors"].as_array().into_iter().flatten();
        self.missing.extend(errors.map(|error| {
            let said = error["message"].as_str().unwrap_or_default();
            super::error::bounded(said)
        }));
        Ok(())
    }
}

fn read(point: &Value) -> Result<Point, Fault> {
    let end = point["interval"]["endTime"].as_str();
    let end = end.and_then(|text| text.parse().ok());
    let end = end.ok_or_else(|| unclear("a point has no time"))?;
    let value = number(&point["value"])?;
    Ok(Point { end, value })
}

fn number(value: &Value) -> Result<f64, Fault> {
    let double = value["doubleValue"].as_f64();
    let whole = || value["int64Value"].as_str()?.parse().ok();
    let flag = || Some(f64::from(u8::from(value["boolValue"].as_bool()?)));
    let special = || match value["doubleValue"].as_str()? {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    };
    let number = double.or_else(whole).or_else(flag).or_else(special);
    number.ok_or_else(|| {
        let text = if value.get("distributionValue").is_some() {
            "the points are distributions: an aligner such as ALIGN_PERCENTILE_99 makes numbers of them"
        } else {
            "the points are no numbers: choose an aligner that makes numbers of them"
        };
        fault(FaultKind::Invalid, 200, "NOT_A_NUMBER", text)
    })
}

fn too_many(most: usize) -> Fault {
    let text = format!("more than {most} points: reduce the series, or take a shorter window");
    fault(FaultKind::Invalid, 200, "TOO_MANY_POINTS", &text)
}

#[cfg(test)]
#[path = "monitoring_tests.rs"]
mod tests;
