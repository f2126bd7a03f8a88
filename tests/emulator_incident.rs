//! The incident of `netra-staging` as clients meet it: each criterion of the remediation plan is measured over the
//! data plane, Cloud Monitoring, Cloud Logging and getHealth, before the plan and after it.

mod plane;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use evenkeel::emulator::{Outcome, Scenario};
use futures::future::join_all;
use hickory_proto::rr::RecordType;
use plane::{DATABASE, HOST, World, paused, question};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use url::form_urlencoded;
use wire::client::Gcp;
use wire::plan;

const SAMPLES: usize = 20;

/// How long a client waits at all: longer than any criterion.
const PATIENCE: Duration = Duration::from_secs(45);

/// What a client measured: seconds for those who got an answer.
async fn measured<F: Future>(count: usize, one: impl Fn() -> F) -> Vec<Option<(F::Output, f64)>> {
    let one = || async {
        let began = Instant::now();
        let done = timeout(PATIENCE, one()).await.ok()?;
        Some((done, began.elapsed().as_secs_f64()))
    };
    join_all((0..count).map(|_| one())).await
}

/// Every sample came to a good end within the limit.
fn all<T>(samples: &[Option<(T, f64)>], limit: f64, good: impl Fn(&T) -> bool) -> bool {
    let within = |sample: &Option<(T, f64)>| matches!(sample, Some((done, took)) if good(done) && *took < limit);
    samples.iter().all(within)
}

fn call(world: &World, method: &str, path: &str, body: &Value) -> Value {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .body(Bytes::from(body))
        .unwrap();
    let Outcome::Reply(reply) = world.emulator.handle(world.now(), &request).outcome else {
        panic!("{method} {path}: no reply");
    };
    assert!(reply.status().is_success(), "{path}: {:?}", reply.body());
    serde_json::from_slice(reply.body()).unwrap()
}

/// The newest point of one reduced series of the last minutes.
fn metric(world: &World, filter: &str, aligner: &str, reducer: &str) -> f64 {
    let (from, to) = (
        (world.now() - Duration::from_mins(10)).to_string(),
        world.now().to_string(),
    );
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([
        ("filter", filter),
        ("interval.startTime", &from),
        ("interval.endTime", &to),
        ("aggregation.alignmentPeriod", "60s"),
        ("aggregation.perSeriesAligner", aligner),
        ("aggregation.crossSeriesReducer", reducer),
    ]);
    let path = format!("/v3/projects/netra-staging/timeSeries?{}", query.finish());
    let found = call(world, "GET", &path, &Value::Null);
    let value = &found["timeSeries"][0]["points"][0]["value"];
    let whole = value["int64Value"]
        .as_str()
        .and_then(|text| text.parse().ok());
    whole
        .or_else(|| value["doubleValue"].as_f64())
        .unwrap_or_else(|| panic!("{filter}: {found}"))
}

fn entries(world: &World, filter: &str) -> usize {
    let from = world.now() - Duration::from_mins(5);
    let filter = format!("timestamp>=\"{from}\" {filter}");
    let body =
        json!({"resourceNames": ["projects/netra-staging"], "filter": filter, "pageSize": 1000});
    let found = call(world, "POST", "/v2/entries:list", &body);
    found["entries"].as_array().map_or(0, Vec::len)
}

async fn session(world: &World) -> Result<f64, String> {
    let stream = world
        .plane
        .dial(DATABASE, 5432)
        .await
        .map_err(|error| error.to_string())?;
    let mut config = Config::new();
    config
        .user("probe")
        .dbname("netra")
        .ssl_mode(SslMode::Disable);
    let connected = config.connect_raw(stream, NoTls).await;
    let (client, connection) = connected.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let began = Instant::now();
    client
        .simple_query("SELECT 1")
        .await
        .map_err(|error| error.to_string())?;
    let took = began.elapsed().as_secs_f64();
    // Held until all the others have been let in.
    tokio::time::sleep(Duration::from_secs(5)).await;
    Ok(took)
}

fn connector(world: &World) -> (f64, f64, f64) {
    let of = |name: &str, aligner: &str| {
        let filter = format!("metric.type=\"vpcaccess.googleapis.com/connector/{name}\"");
        metric(world, &filter, aligner, "REDUCE_MAX")
    };
    let mbps = 8.0 * of("sent_bytes_count", "ALIGN_RATE") / 1e6;
    let instances = of("instances", "ALIGN_MAX");
    let live = "/v1/projects/netra-staging/locations/us-central1/connectors/staging-connector";
    let each = match call(world, "GET", live, &Value::Null)["machineType"].as_str() {
        Some("e2-standard-4") => 1_600.0,
        _ => 100.0,
    };
    (
        mbps / (instances * each),
        of("cpu/utilizations", "ALIGN_PERCENTILE_99"),
        instances,
    )
}

fn machines_are_well(world: &World) -> bool {
    let group = "projects/netra-staging/zones/us-central1-a/instanceGroups/staging-group";
    let path = format!("{}/getHealth", wire::compute::SERVICE);
    let health = call(world, "POST", &path, &json!({"group": group}));
    let states = health["healthStatus"].as_array().unwrap().iter();
    states
        .map(|one| &one["healthState"])
        .all(|state| state == "HEALTHY")
}

/// The criteria that do not hold, by the row of the plan.
async fn broken(world: &World) -> Vec<&'static str> {
    let connects = measured(SAMPLES, || world.plane.dial(DATABASE, 5432)).await;
    let sessions = measured(50, || session(world)).await;
    let handshakes = measured(SAMPLES, || async { world.tls(HOST).await.0 }).await;
    let asked = question(&format!("{HOST}."), RecordType::A);
    let names = measured(SAMPLES, || world.plane.resolve(&asked)).await;
    let pages = measured(SAMPLES, || world.get("/api/items")).await;
    let golden = measured(3, || world.get("/golden-path")).await;
    let mut health = Vec::new();
    for path in [
        "/health",
        "/health/basic",
        "/health/ready",
        "/vm/health/basic",
    ] {
        health.extend(measured(5, || world.get(path)).await);
    }
    let startup = health
        .iter()
        .flatten()
        .filter_map(|(reply, _)| reply.json()["startup"]["databaseSeconds"].as_f64());
    let startup = startup.fold(0.0, f64::max);
    let (used, cpu, _) = connector(world);
    let instances = "metric.type=\"run.googleapis.com/container/instance_count\" resource.labels.service_name=\"netra-backend\"";
    let ok = |reply: &plane::Reply| reply.status == 200;
    let rows = [
        (
            "20 connections, each < 5 s",
            all(&connects, 5.0, Result::is_ok),
        ),
        (
            "no capacity warnings",
            entries(
                world,
                "resource.type=\"vpc_access_connector\" severity>=WARNING",
            ) == 0,
        ),
        ("throughput < 80 %", used < 0.8),
        ("cpu < 80 %", cpu < 0.8),
        ("50 sessions", all(&sessions, 20.0, Result::is_ok)),
        (
            "query < 30 s",
            sessions
                .iter()
                .flatten()
                .all(|(done, _)| !matches!(done, Ok(took) if *took >= 30.0)),
        ),
        ("database phase < 40 s", startup > 0.0 && startup < 40.0),
        ("health within 15 s, all 200", all(&health, 15.0, ok)),
        (
            "no 503",
            pages.iter().flatten().all(|(reply, _)| reply.status != 503),
        ),
        ("tls < 5 s", all(&handshakes, 5.0, Result::is_ok)),
        ("dns < 2 s", all(&names, 2.0, Option::is_some)),
        (
            "3 instances",
            metric(world, instances, "ALIGN_MIN", "REDUCE_SUM") >= 3.0,
        ),
        ("machines well", machines_are_well(world)),
        ("golden path < 30 s", all(&golden, 30.0, ok)),
    ];
    let broken = rows.into_iter().filter(|(_, holds)| !holds);
    broken.map(|(row, _)| row).collect()
}

#[test]
fn the_whole_incident_is_there_to_measure() {
    paused(async {
        let world = World::on(Gcp::new(Scenario::NetraStaging).emulator).await;
        let expected = [
            "20 connections, each < 5 s",
            "no capacity warnings",
            "throughput < 80 %",
            "cpu < 80 %",
            "50 sessions",
            "database phase < 40 s",
            "health within 15 s, all 200",
            "no 503",
            "tls < 5 s",
            "3 instances",
            "machines well",
            "golden path < 30 s",
        ];
        assert_eq!(broken(&world).await, expected);
    });
}

#[test]
fn the_plan_ends_all_green() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    plan::all(&mut gcp);
    paused(async {
        let world = World::on(gcp.emulator).await;
        for _ in 0..3 {
            assert_eq!(broken(&world).await, [""; 0]);
            tokio::time::sleep(Duration::from_mins(20)).await;
        }
    });
}

#[test]
fn each_row_breaks_alone_for_clients_too() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    plan::all(&mut gcp);
    paused(async {
        let world = World::on(gcp.emulator).await;
        for (fault, rows) in [
            (
                json!({"fault": "connector_cpu", "ratio": 0.9}),
                vec!["no capacity warnings", "cpu < 80 %"],
            ),
            (
                json!({"fault": "db_connections", "count": 130}),
                vec!["50 sessions"],
            ),
            (
                json!({"fault": "startup_slow", "seconds": 45}),
                vec!["database phase < 40 s"],
            ),
            (
                json!({"fault": "app_slow", "seconds": 29, "service": "netra-backend"}),
                vec!["health within 15 s, all 200", "golden path < 30 s"],
            ),
            (
                json!({"fault": "app_errors", "ratio": 0.3, "service": "netra-backend"}),
                vec!["health within 15 s, all 200", "golden path < 30 s"],
            ),
            (
                json!({"fault": "instances_lost", "count": 1}),
                vec!["3 instances"],
            ),
            (
                json!({"fault": "tls_slow", "seconds": 7}),
                vec!["tls < 5 s"],
            ),
            (
                json!({"fault": "dns_slow", "seconds": 3}),
                vec!["dns < 2 s"],
            ),
        ] {
            world.faults(&json!([fault]));
            tokio::time::sleep(Duration::from_mins(10)).await;
            let found = broken(&world).await;
            // What lies behind a slow handshake is late as well.
            let others: Vec<_> = found.iter().filter(|row| !rows.contains(row)).collect();
            assert!(
                rows.iter().all(|row| found.contains(row)),
                "{fault}: {found:?}"
            );
            assert!(others.is_empty(), "{fault}: {others:?}");
        }
    });
}
