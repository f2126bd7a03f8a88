//! Reading series, and what metrics there are.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::Interval;
use super::aggregation::{Aggregation, refused};
use super::catalog::SAMPLE_SECONDS;
use super::samples;
use super::selector::{self, Selector};
use super::value::{Identity, Kind, Point, Series};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::messages::{int32, unreadable};
use crate::emulator::query::{page, seal_token};
use crate::emulator::timing::{earlier, later};
use crate::emulator::world::World;
use std::collections::BTreeMap;
use std::time::Duration;

/// "If pageSize is empty or more than 100,000 results, the effective pageSize is 100,000 results."
const PAGE_MAX: usize = 100_000;

/// "Metric data is retained for 6 weeks" (Cloud Monitoring, "Quotas and limits", for most metrics).
const RETAINED: Duration = Duration::from_hours(42 * 24);

pub(super) fn list_series(world: &mut World, request: &Request) -> Result<Json, ApiError> {
    world.watch(world.clock);
    let params = request.params;
    let filter = params.get("filter").unwrap_or_default();
    let selector = Selector::read(filter)?;
    let interval = interval(request)?;
    let (primary, secondary) = (
        Aggregation::read(params, "aggregation")?,
        Aggregation::read(params, "secondaryAggregation")?,
    );
    if let Some(order) = params.get("orderBy").filter(|order| !order.is_empty()) {
        return Err(refused("orderBy", order, "The field must be left blank."));
    }
    let headers = match params.get("view").unwrap_or("FULL") {
        "FULL" | "" => false,
        "HEADERS" => true,
        other => {
            let kind =
                "type.googleapis.com/google.monitoring.v3.ListTimeSeriesRequest.TimeSeriesView";
            let text = format!("Invalid value at 'view' ({kind}), \"{other}\"");
            return Err(unreadable(&text, "view"));
        }
    };
    if request.view.partial {
        return Ok(json!({"unreachable": ["us-central1"]}));
    }
    let back = |reach: Duration| Interval {
        start: earlier(interval.start, reach),
        end: interval.end,
    };
    let series = raw(
        world,
        request,
        &selector,
        back(primary.reach() + secondary.reach()),
    );
    let series = primary.apply(series, back(secondary.reach()), "aggregation")?;
    let series = secondary.apply(series, interval, "secondaryAggregation")?;
    let series = series.into_iter().map(|one| within(one, interval));
    let series: Vec<Series> = series.filter(|one| !one.points.is_empty()).collect();
    let (bodies, next) = paged(request, &selector, &series, headers)?;
    let mut reply = json!({"unit": selector.metric.unit});
    if !bodies.is_empty() {
        reply["timeSeries"] = bodies.into();
    }
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    Ok(reply)
}

pub(super) fn list_descriptors(_: &mut World, request: &Request) -> Result<Json, ApiError> {
    let metrics = selector::metrics(request.params.get("filter").unwrap_or_default())?;
    let project = request.route.project();
    let mut metrics = metrics;
    metrics.sort_by_key(|metric| metric.name);
    let bodies = metrics
        .iter()
        .map(|metric| (metric.name, metric.descriptor(project)));
    let (bodies, next) = page(bodies, project, request.params)?;
    let mut reply = json!({"metricDescriptors": bodies});
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    Ok(reply)
}

/// `(start, end]`
fn interval(request: &Request) -> Result<Interval, ApiError> {
    let time = |name: &str| -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = request.params.get(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let time = text.parse().map_err(|_| {
            let text = format!(
                "Invalid value at '{}' (type.googleapis.com/google.protobuf.Timestamp), \"{text}\"",
                crate::emulator::query::snake(name)
            );
            unreadable(&text, name)
        })?;
        Ok(Some(time))
    };
    let end = time("interval.endTime")?;
    let end = end.ok_or_else(|| {
        refused(
            "interval.endTime",
            "",
            "The end time of the interval is required.",
        )
    })?;
    let start = time("interval.startTime")?.unwrap_or(end);
    if start > end {
        let problem = "The start time must be before the end time.";
        return Err(refused("interval.startTime", &start.to_string(), problem));
    }
    Ok(Interval { start, end })
}

/// Every point of the metric that ends within the interval and has come in by now.
fn raw(world: &World, request: &Request, selector: &Selector, interval: Interval) -> Vec<Series> {
    let metric = selector.metric;
    let project = request.route.project();
    let delay = Duration::from_secs(metric.delay.unsigned_abs());
    let newest = earlier(request.view.at, delay).min(interval.end);
    let oldest = interval
        .start
        .max(world.traffic_began())
        .max(earlier(world.clock, RETAINED));
    let mut found: BTreeMap<Identity, Vec<Point>> = BTreeMap::new();
    let first = oldest.as_second().div_euclid(SAMPLE_SECONDS) + 1;
    let last = newest.as_second().div_euclid(SAMPLE_SECONDS);
    for number in first..=last {
        let Ok(end) = Timestamp::from_second(number * SAMPLE_SECONDS) else {
            break;
        };
        let start = earlier(end, Duration::from_secs(SAMPLE_SECONDS.unsigned_abs()));
        // A sample tells of the middle of its minute.
        let middle = later(
            start,
            Duration::from_secs(SAMPLE_SECONDS.unsigned_abs() / 2),
        );
        let Some(load) = world.load_at(middle) else {
            break;
        };
        for sample in samples::of(metric, world, &load, middle, project) {
            if selector.takes(&sample.identity, project) {
                let start = if metric.kind == Kind::Delta {
                    start
                } else {
                    end
                };
                let point = Point {
                    start,
                    end,
                    value: sample.value,
                };
                found.entry(sample.identity).or_default().push(point);
            }
        }
    }
    let series = found.into_iter().map(|(identity, points)| Series {
        identity,
        kind: metric.kind,
        value_type: metric.value_type,
        points,
    });
    series.collect()
}

fn within(mut series: Series, interval: Interval) -> Series {
    series
        .points
        .retain(|point| interval.start < point.end && point.end <= interval.end);
    series
}

/// One page: of points, or of series where only their heads are asked for. Points come newest first.
fn paged(
    request: &Request,
    selector: &Selector,
    series: &[Series],
    headers: bool,
) -> Result<(Vec<Json>, Option<String>), ApiError> {
    let parent = request.params.get("filter").unwrap_or_default();
    let after = request.params.page_token(parent)?;
    let mut skip: usize = after.and_then(|text| text.parse().ok()).unwrap_or_default();
    let size = size(request)?;
    let (mut bodies, mut room, mut passed) = (Vec::new(), size, skip);
    for one in series {
        let weight = if headers { 1 } else { one.points.len() };
        if skip >= weight {
            skip -= weight;
            continue;
        }
        if room == 0 {
            return Ok((bodies, Some(seal_token(&passed.to_string(), parent))));
        }
        let newest_first = one.points.iter().rev().skip(skip).take(room);
        let points: Vec<&Point> = newest_first.collect();
        let taken = if headers { 1 } else { points.len() };
        bodies.push(body(selector, one, if headers { &[] } else { &points }));
        (room, passed) = (room - taken, passed + taken);
        if skip + taken < weight {
            return Ok((bodies, Some(seal_token(&passed.to_string(), parent))));
        }
        skip = 0;
    }
    Ok((bodies, None))
}

fn size(request: &Request) -> Result<usize, ApiError> {
    let Some(text) = request
        .params
        .get("pageSize")
        .filter(|text| !text.is_empty())
    else {
        return Ok(PAGE_MAX);
    };
    let size = int32(&text.into()).ok_or_else(|| {
        let text = format!("Invalid value at 'page_size' (TYPE_INT32), \"{text}\"");
        unreadable(&text, "page_size")
    })?;
    match usize::try_from(size) {
        Ok(0) => Ok(PAGE_MAX),
        Ok(size) => Ok(size.min(PAGE_MAX)),
        Err(_) => Err(refused(
            "pageSize",
            text,
            "The page size must not be negative.",
        )),
    }
}

fn body(selector: &Selector, series: &Series, points: &[&Point]) -> Json {
    let identity = &series.identity;
    let mut body = json!({
        "metric": {"type": selector.metric.name},
        "resource": {"type": selector.metric.resource, "labels": identity.resource},
        "metricKind": series.kind.name(),
        "valueType": series.value_type.name(),
    });
    if !identity.metric.is_empty() {
        body["metric"]["labels"] = json!(identity.metric);
    }
    let point = |point: &&Point| {
        json!({
            "interval": {"startTime": point.start.to_string(), "endTime": point.end.to_string()},
            "value": point.value.body(),
        })
    };
    if !points.is_empty() {
        body["points"] = points.iter().map(point).collect();
    }
    body
}
