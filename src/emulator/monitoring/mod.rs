//! Cloud Monitoring v3: reading time series that the traffic model makes, each as late as Google's is.

mod aggregation;
mod align;
mod catalog;
mod distribution;
mod methods;
mod reduce;
mod samples;
mod selector;
mod value;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::{Api, Eye, Method};
use super::errors::ApiError;
use super::messages::{Kind, Message, field, many};
use super::operations::{Ending, Operation};
use super::route::Route;
use super::scenario::Scenario;
use super::world::World;

pub(super) struct Monitoring;

/// From after `start` until `end`, which belongs to it.
#[derive(Debug, Clone, Copy)]
struct Interval {
    start: Timestamp,
    end: Timestamp,
}

impl Api for Monitoring {
    fn service(&self) -> &'static str {
        "monitoring.googleapis.com"
    }

    fn title(&self) -> &'static str {
        "Stackdriver Monitoring API"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn admit(&self, world: &World, route: &Route) -> Result<(), ApiError> {
        world.check_project(route)
    }

    /// There are no records: series follow from those of other APIs.
    fn show(&self, _key: &str, _record: &Value, _eye: &Eye) -> Value {
        json!({})
    }

    fn operation(&self, _operation: &Operation, _eye: &Eye) -> Value {
        json!({})
    }

    fn finish(&self, _world: &mut World, _operation: &Operation) -> Ending {
        Ending::Done(json!({}))
    }

    fn overwrite(&self, _key: &str, _record: &Value, _fields: &Value) -> Result<Value, String> {
        Err("there is nothing to set here: change what the metrics tell of".to_owned())
    }

    fn seed(&self, _scenario: Scenario) -> Vec<(String, Value)> {
        Vec::new()
    }
}

static TIME_SERIES: Message = Message {
    type_name: "google.monitoring.v3.TimeSeries",
    fields: &[
        field("metric", "metric", Kind::Open),
        field("resource", "resource", Kind::Open),
        field("metadata", "metadata", Kind::Open),
        field("metricKind", "metric_kind", Kind::Text),
        field("valueType", "value_type", Kind::Text),
        many("points", "points", Kind::Open),
        field("unit", "unit", Kind::Text),
        field("description", "description", Kind::Text),
    ],
};

static LIST_TIME_SERIES: Message = Message {
    type_name: "google.monitoring.v3.ListTimeSeriesResponse",
    fields: &[
        many("timeSeries", "time_series", Kind::Message(&TIME_SERIES)),
        field("nextPageToken", "next_page_token", Kind::Text),
        many("executionErrors", "execution_errors", Kind::Open),
        many("unreachable", "unreachable", Kind::Text),
        field("unit", "unit", Kind::Text),
    ],
};

static LIST_DESCRIPTORS: Message = Message {
    type_name: "google.monitoring.v3.ListMetricDescriptorsResponse",
    fields: &[
        many("metricDescriptors", "metric_descriptors", Kind::Open),
        field("nextPageToken", "next_page_token", Kind::Text),
    ],
};

static METHODS: &[Method] = &[
    Method::list(
        "/v3/projects/{project}/timeSeries",
        &LIST_TIME_SERIES,
        methods::list_series,
    )
    .query(&[
        "aggregation.alignmentPeriod",
        "aggregation.crossSeriesReducer",
        "aggregation.groupByFields",
        "aggregation.perSeriesAligner",
        "filter",
        "interval.endTime",
        "interval.startTime",
        "orderBy",
        "pageSize",
        "pageToken",
        "secondaryAggregation.alignmentPeriod",
        "secondaryAggregation.crossSeriesReducer",
        "secondaryAggregation.groupByFields",
        "secondaryAggregation.perSeriesAligner",
        "view",
    ])
    .called(
        "monitoring.timeSeries.list",
        "google.monitoring.v3.MetricService.ListTimeSeries",
    ),
    Method::list(
        "/v3/projects/{project}/metricDescriptors",
        &LIST_DESCRIPTORS,
        methods::list_descriptors,
    )
    .query(&["activeOnly", "filter", "pageSize", "pageToken"])
    .called(
        "monitoring.metricDescriptors.list",
        "google.monitoring.v3.MetricService.ListMetricDescriptors",
    ),
];
