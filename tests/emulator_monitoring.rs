//! Cloud Monitoring: series follow from the load, come late, and are aligned, reduced, filtered and paged as the
//! API reference says.

mod wire;

use std::collections::BTreeSet;
use std::time::Duration;

use evenkeel::emulator::{FaultRule, Scenario, Timing};
use serde_json::{Value, json};
use url::form_urlencoded;
use wire::Surface;
use wire::client::{Gcp, Reply};
use wire::plan;

const SERIES: &str = "/v3/projects/netra-staging/timeSeries";
const DESCRIPTORS: &str = "/v3/projects/netra-staging/metricDescriptors";
const SENT: &str = "vpcaccess.googleapis.com/connector/sent_bytes_count";
const CPU: &str = "vpcaccess.googleapis.com/connector/cpu/utilizations";

fn staging() -> Gcp {
    Gcp::new(Scenario::NetraStaging)
}

fn target(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    format!("{path}?{}", query.finish())
}

/// The series of the last `minutes` minutes that a filter takes.
fn ask(gcp: &Gcp, filter: &str, minutes: u64, more: &[(&str, &str)]) -> Reply {
    let start = (gcp.now - Duration::from_secs(minutes * 60)).to_string();
    let end = gcp.now.to_string();
    let mut parameters = vec![
        ("filter", filter),
        ("interval.startTime", start.as_str()),
        ("interval.endTime", end.as_str()),
    ];
    parameters.extend_from_slice(more);
    gcp.get(&target(SERIES, &parameters))
}

fn aligned(gcp: &Gcp, metric: &str, aligner: &str, more: &[(&str, &str)]) -> Reply {
    let mut parameters = vec![
        ("aggregation.alignmentPeriod", "60s"),
        ("aggregation.perSeriesAligner", aligner),
    ];
    parameters.extend_from_slice(more);
    ask(gcp, &format!("metric.type=\"{metric}\""), 15, &parameters)
}

fn series(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body["timeSeries"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn numbers(series: &Value) -> Vec<f64> {
    let points = series["points"].as_array().unwrap().iter();
    let number = |point: &Value| {
        let value = &point["value"];
        let whole = value["int64Value"]
            .as_str()
            .map(|text| text.parse().unwrap());
        whole.or_else(|| value["doubleValue"].as_f64()).unwrap()
    };
    points.map(number).collect()
}

fn newest(series: &Value) -> f64 {
    numbers(series)[0]
}

#[test]
fn the_connector_is_saturated_until_it_grows() {
    let mut gcp = staging();
    let throughput = |gcp: &Gcp| {
        let rate = aligned(
            gcp,
            SENT,
            "ALIGN_RATE",
            &[
                ("aggregation.crossSeriesReducer", "REDUCE_SUM"),
                ("aggregation.groupByFields", "resource.label.connector_name"),
                ("aggregation.groupByFields", "resource.label.location"),
            ],
        );
        let rate = series(&rate);
        assert_eq!(rate.len(), 1, "one connector");
        let labels = &rate[0]["resource"]["labels"];
        assert_eq!(labels["connector_name"], "staging-connector");
        assert_eq!(labels["location"], "us-central1");
        assert_eq!(
            (&rate[0]["metricKind"], &rate[0]["valueType"]),
            (&json!("GAUGE"), &json!("DOUBLE"))
        );
        let instances = series(&aligned(
            gcp,
            "vpcaccess.googleapis.com/connector/instances",
            "ALIGN_MAX",
            &[],
        ));
        let mbps = 8.0 * newest(&rate[0]) / 1e6;
        (mbps, newest(&instances[0]))
    };
    let cpu = |gcp: &Gcp| newest(&series(&aligned(gcp, CPU, "ALIGN_PERCENTILE_99", &[]))[0]);
    let (mbps, instances) = throughput(&gcp);
    assert!(
        (mbps - 300.0).abs() < 1.0 && (instances - 3.0).abs() < 1e-9,
        "{mbps} {instances}"
    );
    assert!(cpu(&gcp) > 0.9);
    plan::connector(&mut gcp, "e2-standard-4", 5, 10);
    gcp.wait(600);
    let (mbps, instances) = throughput(&gcp);
    assert!((400.0..425.0).contains(&mbps), "{mbps}");
    assert!((instances - 5.0).abs() < 1e-9);
    assert!(mbps / (instances * 1_600.0) < 0.8 && cpu(&gcp) < 0.2);
}

#[test]
fn points_come_late_and_newest_first() {
    let mut gcp = staging();
    gcp.wait(17);
    for (metric, delay) in [
        (SENT, 240),
        ("run.googleapis.com/container/instance_count", 120),
        ("loadbalancing.googleapis.com/https/request_count", 90),
        (
            "cloudsql.googleapis.com/database/postgresql/num_backends",
            165,
        ),
    ] {
        let found = series(&ask(&gcp, &format!("metric.type=\"{metric}\""), 10, &[]));
        let ends = |series: &Value| -> Vec<String> {
            let points = series["points"].as_array().unwrap().iter();
            points
                .map(|point| point["interval"]["endTime"].as_str().unwrap().to_owned())
                .collect()
        };
        let newest: jiff::Timestamp = found
            .iter()
            .map(|one| ends(one)[0].parse().unwrap())
            .max()
            .unwrap();
        let age = gcp.now.duration_since(newest).as_secs();
        assert!((delay..delay + 60).contains(&age), "{metric}: {age}");
        assert_eq!(newest.as_second() % 60, 0);
        let mut sorted = ends(&found[0]);
        sorted.sort_by(|one, other| other.cmp(one));
        assert_eq!(sorted, ends(&found[0]));
    }
    // A change shows only once points after it have come in.
    plan::connector(&mut gcp, "e2-standard-4", 5, 10);
    let changed_at = gcp.now;
    let cpu = |gcp: &Gcp| {
        let found = series(&aligned(gcp, CPU, "ALIGN_PERCENTILE_99", &[]));
        numbers(&found[0])
    };
    assert!(cpu(&gcp)[0] > 0.9 || gcp.now.duration_since(changed_at).as_secs() > 240);
    gcp.wait(300);
    let values = cpu(&gcp);
    assert!(
        values[0] < 0.2 && values.last().unwrap() > &0.9,
        "{values:?}"
    );
}

#[test]
fn requests_follow_the_share_that_fails() {
    let mut gcp = staging();
    let metric = "run.googleapis.com/request_count";
    let by_class = |gcp: &Gcp, class: &str| {
        let filter = format!(
            "metric.type=\"{metric}\" AND metric.labels.response_code_class=\"{class}\" \
                              AND resource.labels.service_name=\"netra-backend\""
        );
        let more = [
            ("aggregation.alignmentPeriod", "300s"),
            ("aggregation.perSeriesAligner", "ALIGN_DELTA"),
            ("aggregation.crossSeriesReducer", "REDUCE_SUM"),
            ("aggregation.groupByFields", "metric.label.response_code"),
        ];
        series(&ask(gcp, &filter, 10, &more))
    };
    let (bad, good) = (by_class(&gcp, "5xx"), by_class(&gcp, "2xx"));
    assert_eq!(bad[0]["metric"]["labels"], json!({"response_code": "503"}));
    let ratio = newest(&bad[0]) / (newest(&bad[0]) + newest(&good[0]));
    let wanted = plan::number(&plan::load(&gcp), "/services/netra-backend/0/unavailable");
    assert!((ratio - wanted).abs() < 0.05, "{ratio} {wanted}");
    plan::all(&mut gcp);
    gcp.wait(900);
    assert_eq!(by_class(&gcp, "5xx"), [json!(null); 0]);
    assert!(newest(&by_class(&gcp, "2xx")[0]) > 7_000.0);
    plan::faults(
        &gcp,
        &json!([{"fault": "app_errors", "ratio": 0.02, "service": "netra-backend"}]),
    );
    gcp.wait(900);
    let bad = by_class(&gcp, "5xx");
    assert_eq!(
        bad[0]["metric"]["labels"]["response_code"], "500",
        "the application's own"
    );
}

#[test]
fn latencies_instances_connections_and_edges_are_there_too() {
    let mut gcp = staging();
    let p99 = |gcp: &Gcp, metric: &str, filter: &str| {
        let filter = format!("metric.type=\"{metric}\"{filter}");
        let more = [
            ("aggregation.alignmentPeriod", "60s"),
            ("aggregation.perSeriesAligner", "ALIGN_PERCENTILE_99"),
            ("aggregation.crossSeriesReducer", "REDUCE_MAX"),
        ];
        let found = series(&ask(gcp, &filter, 10, &more));
        newest(&found[0])
    };
    let count = |gcp: &Gcp, metric: &str| {
        let filter = format!("metric.type=\"{metric}\"");
        let more = [
            ("aggregation.alignmentPeriod", "60s"),
            ("aggregation.perSeriesAligner", "ALIGN_MEAN"),
            ("aggregation.crossSeriesReducer", "REDUCE_MIN"),
        ];
        newest(&series(&ask(gcp, &filter, 10, &more))[0])
    };
    let ok = " AND metric.labels.response_code_class=\"2xx\"";
    let lb = "loadbalancing.googleapis.com/https/total_latencies";
    let run = "run.googleapis.com/request_latencies";
    let starts = "run.googleapis.com/container/startup_latencies";
    let backends = "cloudsql.googleapis.com/database/postgresql/num_backends";
    assert!(p99(&gcp, run, ok) > 7_000.0 && p99(&gcp, lb, ok) > 7_000.0);
    assert!(p99(&gcp, starts, "") > 40_000.0);
    assert!(
        (count(&gcp, backends) - 197.0).abs() < 1e-9,
        "all that the limit allows"
    );
    assert!(count(&gcp, "cloudsql.googleapis.com/database/cpu/utilization") > 0.8);
    plan::all(&mut gcp);
    gcp.wait(900);
    assert!(p99(&gcp, run, ok) < 1_000.0 && p99(&gcp, lb, ok) < 1_000.0);
    assert!(p99(&gcp, starts, "") < 40_000.0);
    assert!((count(&gcp, backends) - 226.0).abs() < 1e-9);
    assert!(count(&gcp, "cloudsql.googleapis.com/database/cpu/utilization") < 0.8);
    assert!((count(&gcp, "cloudsql.googleapis.com/database/up") - 1.0).abs() < 1e-9);
    let filter = "metric.type=\"run.googleapis.com/container/instance_count\" resource.labels.service_name=\"netra-mailer\"";
    let more = [
        ("aggregation.alignmentPeriod", "60s"),
        ("aggregation.perSeriesAligner", "ALIGN_MEAN"),
        ("aggregation.crossSeriesReducer", "REDUCE_SUM"),
        ("aggregation.groupByFields", "resource.label.service_name"),
    ];
    assert!((newest(&series(&ask(&gcp, filter, 10, &more))[0]) - 3.0).abs() < 1e-9);
    let rule = series(&ask(&gcp, &format!("metric.type=\"{lb}\""), 10, &[]));
    let backend = |one: &Value| {
        one["resource"]["labels"]["backend_target_name"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let backends: BTreeSet<String> = rule.iter().map(backend).collect();
    assert_eq!(
        backends.into_iter().collect::<Vec<_>>(),
        ["staging-backend", "staging-vm-backend"]
    );
}

#[test]
fn aligners_and_reducers_agree_with_each_other() {
    let gcp = staging();
    let value = |aligner: &str, more: &[(&str, &str)]| {
        newest(&series(&aligned(&gcp, SENT, aligner, more))[0])
    };
    let delta = value("ALIGN_DELTA", &[]);
    assert!((value("ALIGN_RATE", &[]) * 60.0 - delta).abs() < 1.0);
    assert!((value("ALIGN_SUM", &[]) - delta).abs() < 1.0);
    assert!((value("ALIGN_COUNT", &[]) - 1.0).abs() < 1e-9);
    for aligner in ["ALIGN_MIN", "ALIGN_MAX", "ALIGN_MEAN"] {
        assert!(
            (value(aligner, &[]) - delta).abs() < 1.0,
            "one point a minute: {aligner}"
        );
    }
    let run = "run.googleapis.com/container/instance_count";
    let reduced = |reducer: &str| {
        let more = [("aggregation.crossSeriesReducer", reducer)];
        newest(&series(&aligned(&gcp, run, "ALIGN_MEAN", &more))[0])
    };
    assert!(
        (reduced("REDUCE_COUNT") - 24.0).abs() < 1e-9,
        "12 services, active and idle"
    );
    assert!((reduced("REDUCE_SUM") - 24.0 * reduced("REDUCE_MEAN")).abs() < 1e-6);
    assert!(reduced("REDUCE_MAX") >= reduced("REDUCE_PERCENTILE_95"));
    assert!(reduced("REDUCE_PERCENTILE_50") >= reduced("REDUCE_MIN"));
    // A second aggregation works on what the first one made.
    let more = [
        ("secondaryAggregation.alignmentPeriod", "300s"),
        ("secondaryAggregation.perSeriesAligner", "ALIGN_MAX"),
    ];
    let twice = series(&aligned(&gcp, SENT, "ALIGN_RATE", &more));
    let highest = value("ALIGN_RATE", &[]);
    assert!(newest(&twice[0]) + 1e-6 >= highest);
    assert_eq!(
        twice[0]["points"].as_array().unwrap().len(),
        3,
        "15 minutes in periods of 5"
    );
}

#[test]
fn pages_and_heads() {
    let gcp = staging();
    let filter = "metric.type=\"run.googleapis.com/container/instance_count\"";
    let whole = series(&ask(&gcp, filter, 10, &[]));
    let mut points = 0;
    let mut token = String::new();
    let mut pages = 0;
    loop {
        let reply = ask(
            &gcp,
            filter,
            10,
            &[("pageSize", "50"), ("pageToken", &token)],
        );
        let page = series(&reply);
        let on_page: usize = page
            .iter()
            .map(|one| one["points"].as_array().unwrap().len())
            .sum();
        assert!(on_page <= 50);
        points += on_page;
        pages += 1;
        match reply.body["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    let all: usize = whole
        .iter()
        .map(|one| one["points"].as_array().unwrap().len())
        .sum();
    assert_eq!((points, pages), (all, all.div_ceil(50)));
    let heads = series(&ask(
        &gcp,
        filter,
        10,
        &[("view", "HEADERS"), ("pageSize", "5")],
    ));
    assert_eq!(heads.len(), 5);
    assert!(heads.iter().all(|one| one.get("points").is_none()));
    assert_eq!(
        ask(&gcp, filter, 10, &[("pageToken", "nonsense")]).status,
        400
    );
}

#[test]
fn filters_take_what_they_say() {
    let gcp = staging();
    let run = "metric.type=\"run.googleapis.com/container/instance_count\"";
    let services = |filter: &str| {
        let found = series(&ask(&gcp, filter, 10, &[]));
        let name = |one: &Value| {
            one["resource"]["labels"]["service_name"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        found.iter().map(name).collect::<BTreeSet<_>>().len()
    };
    for (filter, count) in [
        (run.to_owned(), 12),
        (
            format!("{run} AND resource.type=\"cloud_run_revision\""),
            12,
        ),
        (
            format!("{run} AND resource.labels.service_name=\"netra-auth\""),
            1,
        ),
        (
            format!(
                "{run} AND resource.label.\"service_name\"=one_of(\"netra-auth\",\"netra-agents\")"
            ),
            2,
        ),
        (
            format!("{run} resource.labels.service_name=starts_with(\"netra-a\")"),
            3,
        ),
        (
            format!("{run} resource.labels.service_name=ends_with(\"s\")"),
            5,
        ),
        (format!("{run} resource.labels.service_name:\"end\""), 2),
        (
            format!("{run} resource.labels.service_name=has_substring(\"end\")"),
            2,
        ),
        (
            format!(
                "{run} resource.labels.service_name=monitoring.regex.full_match(\"netra-(auth|mail.*)\")"
            ),
            2,
        ),
        (
            format!("{run} resource.labels.service_name!=\"netra-auth\""),
            11,
        ),
        (
            format!(
                "{run} NOT (resource.labels.service_name=\"netra-auth\" OR metric.labels.state=\"idle\")"
            ),
            11,
        ),
        (format!("{run} project=\"netra-staging\""), 12),
        (
            "metric.type=starts_with(\"run.googleapis.com/container/instance\")".to_owned(),
            12,
        ),
    ] {
        assert_eq!(services(&filter), count, "{filter}");
    }
}

#[test]
fn a_filter_that_cannot_be_is_refused_in_googles_words() {
    let gcp = staging();
    for (filter, status, words) in [
        ("", 400, "must specify a restriction on \"metric.type\""),
        (
            "resource.type=\"vpc_access_connector\"",
            400,
            "must specify a restriction on \"metric.type\"",
        ),
        (
            "metric.type=starts_with(\"run.googleapis.com/\")",
            400,
            "matches more than one metric",
        ),
        (
            "metric.type=\"nothing.googleapis.com/x\"",
            404,
            "Cannot find metric(s) that match type = \"nothing.googleapis.com/x\"",
        ),
        (
            "metric.type=\"run.googleapis.com/request_count\" AND colour=\"red\"",
            400,
            "lefthand side",
        ),
        (
            "metric.type=\"run.googleapis.com/request_count\" AND metric.labels.colour=\"red\"",
            400,
            "Unrecognized metric label",
        ),
        (
            "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"gce_instance\"",
            400,
            "valid combination of metric and monitored resource",
        ),
        (
            "metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code>500",
            400,
            "not supported",
        ),
        (
            "metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code=reverse(\"3\")",
            400,
            "Unsupported function",
        ),
        (
            "metric.type=\"run.googleapis.com/request_count\" AND metadata.user_labels.a=\"b\"",
            400,
            "lefthand side",
        ),
        (
            "metric.type=\"run.googleapis.com/request_count\" AND",
            400,
            "syntax error",
        ),
        (
            "metric.type=monitoring.regex.full_match(\"(\")",
            400,
            "Invalid regular expression",
        ),
    ] {
        let refused = ask(&gcp, filter, 10, &[]);
        assert_eq!(refused.status, status, "{filter}: {}", refused.text);
        assert!(
            refused.message().contains(words),
            "{filter}: {}",
            refused.message()
        );
    }
}

#[test]
fn a_query_that_cannot_be_is_refused() {
    let gcp = staging();
    let filter = format!("metric.type=\"{SENT}\"");
    for (parameters, words) in [
        (
            vec![("aggregation.perSeriesAligner", "ALIGN_RATE")],
            "aggregation.alignmentPeriod",
        ),
        (
            vec![
                ("aggregation.perSeriesAligner", "ALIGN_RATE"),
                ("aggregation.alignmentPeriod", "30s"),
            ],
            "at least 60 seconds",
        ),
        (
            vec![
                ("aggregation.perSeriesAligner", "ALIGN_SIDEWAYS"),
                ("aggregation.alignmentPeriod", "60s"),
            ],
            "Invalid value at 'aggregation.per_series_aligner'",
        ),
        (
            vec![
                ("aggregation.perSeriesAligner", "ALIGN_PERCENTILE_99"),
                ("aggregation.alignmentPeriod", "60s"),
            ],
            "The aligner cannot be applied to metrics with kind DELTA and value type INT64.",
        ),
        (
            vec![("aggregation.crossSeriesReducer", "REDUCE_SUM")],
            "aggregation.crossSeriesReducer",
        ),
        (vec![("orderBy", "points")], "orderBy"),
        (vec![("view", "BRIEF")], "Invalid value at 'view'"),
        (vec![("pageSize", "-1")], "pageSize"),
    ] {
        let refused = ask(&gcp, &filter, 10, &parameters);
        assert_eq!(
            (refused.status, refused.rpc()),
            (400, "INVALID_ARGUMENT"),
            "{parameters:?}"
        );
        assert!(
            refused.message().contains(words),
            "{parameters:?}: {}",
            refused.message()
        );
    }
    let gauge = aligned(
        &gcp,
        "vpcaccess.googleapis.com/connector/instances",
        "ALIGN_RATE",
        &[],
    );
    assert!(
        gauge.message().contains("kind GAUGE and value type INT64"),
        "{}",
        gauge.message()
    );
    let spread = aligned(&gcp, CPU, "ALIGN_MEAN", &[]);
    assert!(
        spread.message().contains("value type DISTRIBUTION"),
        "{}",
        spread.message()
    );
    for (parameters, words) in [
        (vec![("filter", filter.as_str())], "interval.endTime"),
        (
            vec![("filter", filter.as_str()), ("interval.endTime", "noon")],
            "Invalid value at",
        ),
        (
            vec![
                ("filter", filter.as_str()),
                ("interval.startTime", "2026-11-23T11:00:00Z"),
                ("interval.endTime", "2026-11-23T10:00:00Z"),
            ],
            "interval.startTime",
        ),
    ] {
        let refused = gcp.get(&target(SERIES, &parameters));
        assert_eq!(refused.status, 400);
        assert!(refused.message().contains(words), "{}", refused.message());
    }
    assert_eq!(
        gcp.get(&target("/v3/projects/other/timeSeries", &[]))
            .status,
        403
    );
}

#[test]
fn there_is_nothing_to_tell_of_where_nobody_wants_anything() {
    let gcp = Gcp::new(Scenario::Empty);
    let reply = gcp.get(&target(
        "/v3/projects/p1/timeSeries",
        &[
            ("filter", "metric.type=\"run.googleapis.com/request_count\""),
            ("interval.endTime", &gcp.now.to_string()),
        ],
    ));
    assert_eq!(reply.body, json!({"unit": "1"}));
}

#[test]
fn a_long_interval_is_read_in_bounded_time() {
    let gcp = staging();
    let filter = format!("metric.type=\"{SENT}\"");
    let parameters = [
        ("filter", filter.as_str()),
        ("interval.startTime", "1970-01-01T00:00:00Z"),
        ("interval.endTime", "2100-01-01T00:00:00Z"),
        ("aggregation.alignmentPeriod", "60s"),
        ("aggregation.perSeriesAligner", "ALIGN_RATE"),
    ];
    let found = series(&gcp.get(&target(SERIES, &parameters)));
    assert_eq!(
        found[0]["points"].as_array().unwrap().len(),
        24 * 60 - 4,
        "a day of incident, less the delay"
    );
}

#[test]
fn descriptors_tell_what_there_is() {
    let gcp = staging();
    let listed = |filter: &str| {
        let reply = gcp.get(&target(DESCRIPTORS, &[("filter", filter)]));
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.body["metricDescriptors"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    assert!(listed("").len() >= 15);
    let connector = listed("metric.type = starts_with(\"vpcaccess.googleapis.com/\")");
    assert_eq!(connector.len(), 6);
    assert_eq!(connector[0]["metadata"]["ingestDelay"], "240s");
    assert_eq!(connector[0]["metadata"]["samplePeriod"], "60s");
    assert_eq!(listed("resource.type=\"cloudsql_database\"").len(), 3);
    let paged = gcp.get(&target(DESCRIPTORS, &[("pageSize", "2")]));
    assert!(paged.body["nextPageToken"].is_string());
}

#[test]
fn faults_and_partial_replies_reach_it() {
    let gcp = staging();
    let rules = json!([{"action": "unreachable-list", "match": {"pathContains": "timeSeries"}, "times": 1},
        {"action": {"error": {"status": 503}}, "match": {"pathContains": "timeSeries", "after": 1}, "times": 1}]);
    gcp.emulator
        .set_faults(FaultRule::list_from_json(&rules).unwrap());
    let filter = format!("metric.type=\"{SENT}\"");
    let partial = ask(&gcp, &filter, 10, &[]);
    assert_eq!(partial.body, json!({"unreachable": ["us-central1"]}));
    assert_eq!(ask(&gcp, &filter, 10, &[]).status, 503);
    assert_eq!(ask(&gcp, &filter, 10, &[]).status, 200);
}

#[test]
fn the_whole_surface_was_met() {
    let gcp = Gcp::timed(Scenario::NetraStaging, 1, Timing::demo());
    ask(
        &gcp,
        &format!("metric.type=\"{SENT}\""),
        10,
        &[("fields", "timeSeries(metric,points),unit")],
    );
    gcp.get(DESCRIPTORS);
    let surface = Surface::monitoring();
    let met: BTreeSet<String> = gcp
        .emulator
        .requests()
        .iter()
        .filter_map(|entry| {
            surface
                .method_id(&entry.method, &entry.path)
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(met.len(), surface.method_ids().len());
}
