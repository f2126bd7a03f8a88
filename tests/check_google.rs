//! Probes that ask Google: right numbers, as old as Google makes them, and never a verdict where
//! Google does not answer.

mod common;

use common::{LOCATION, PROJECT, World, refusal, run};
use evenkeel::api::CheckSpec;
use evenkeel::check::{Ask, Prober as _, Probers, Reading};
use evenkeel::core::check::{Criteria, ProberError, ProberFault, Stat, Value, Verdict, Window};
use evenkeel::emulator::{Action, FaultRule, Match};
use evenkeel::secrets::LocalSecrets;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const SENT: &str = "metric.type=\"vpcaccess.googleapis.com/connector/sent_bytes_count\"";
const CPU: &str = "metric.type=\"vpcaccess.googleapis.com/connector/cpu/utilizations\"";
const SERIES: &str = "/v3/projects/netra-staging/timeSeries";
const ENTRIES: &str = "/v2/entries:list";

struct Bench {
    world: World,
    probers: Arc<Probers>,
}

impl Bench {
    fn new() -> Bench {
        Bench::of(World::new())
    }

    fn of(world: World) -> Bench {
        let probers = Probers::new(Arc::new(LocalSecrets::new(None)), 4);
        let probers = Arc::new(probers.with_google(&world.client()));
        Bench { world, probers }
    }

    fn ask(&self, not_before: Option<Timestamp>) -> Ask {
        Ask {
            now: self.world.clock.now(),
            not_before,
        }
    }

    async fn read(&self, check: &CheckSpec) -> Reading {
        self.probers.probe(check, self.ask(None)).await
    }

    async fn window(&self, check: &CheckSpec) -> Window {
        let outcome = self.read(check).await.outcome;
        outcome.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn error(&self, check: &CheckSpec) -> ProberError {
        match self.read(check).await.outcome {
            Ok(window) => panic!("{window:?}"),
            Err(error) => error,
        }
    }

    /// Calls to an address so far.
    fn calls(&self, path: &str) -> usize {
        let requests = self.world.emulator.requests().into_iter();
        requests.filter(|entry| entry.path.contains(path)).count()
    }

    async fn grow_connector(&self) {
        let fields = json!({"machineType": "e2-standard-4", "minInstances": 5, "maxInstances": 10});
        let name = format!("projects/{PROJECT}/locations/{LOCATION}/connectors/staging-connector");
        self.world.foreign(&name, fields);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn spec(source: &str, fields: Json, expect: &str) -> CheckSpec {
    let mut spec = json!({"interval": "30s", "timeout": "15s", "expect": [expect]});
    spec[source] = fields;
    spec[source]["project"] = PROJECT.into();
    serde_json::from_value(spec).unwrap()
}

fn metric(filter: &str, align: &str, expect: &str) -> CheckSpec {
    spec("metric", json!({"filter": filter, "align": align}), expect)
}

fn log(filter: &str, expect: &str) -> CheckSpec {
    spec("log", json!({"filter": filter}), expect)
}

fn number(window: &Window, field: &str, stat: Stat) -> f64 {
    match window.stat(field, stat) {
        Some(Value::Number(number)) => number,
        other => panic!("{field}.{stat} is {other:?}"),
    }
}

fn verdict(check: &CheckSpec, reading: &Reading) -> Verdict {
    let criteria = Criteria::of(check).unwrap();
    criteria.evaluate(reading.since, &reading.outcome).verdict
}

/// Each call to this address is answered so.
fn failing(path: &str, action: Action) -> World {
    let matching = Match {
        path_contains: Some(path.to_owned()),
        ..Match::default()
    };
    World::failing(vec![FaultRule {
        name: "fault".to_owned(),
        matching,
        action,
        times: None,
        probability: None,
    }])
}

#[test]
fn a_metric_comes_in_the_units_of_expressions() {
    run(|| async {
        let bench = Bench::new();
        let mut rate = metric(SENT, "ALIGN_RATE", "value < 250Mbps");
        let probe = rate.metric.as_mut().unwrap();
        probe.reduce = Some("REDUCE_SUM".into());
        probe.group_by = vec![
            "resource.label.connector_name".into(),
            "resource.label.location".into(),
        ];
        let reading = bench.read(&rate).await;
        assert_eq!(verdict(&rate, &reading), Verdict::Failing);
        let window = reading.outcome.unwrap();
        assert_eq!(window.samples(), 5, "one a minute");
        let mbps = number(&window, "value", Stat::Last);
        assert!(
            (mbps - 300.0).abs() < 1.0,
            "{mbps} Mbit/s, all that three instances carry"
        );
        let cpu = bench
            .window(&metric(CPU, "ALIGN_PERCENTILE_99", "value < 70%"))
            .await;
        assert!(
            (0.9..=1.0).contains(&number(&cpu, "value", Stat::Min)),
            "a share"
        );
        let latencies = "metric.type=\"run.googleapis.com/request_latencies\" \
                         metric.labels.response_code_class=\"2xx\"";
        let slow = bench
            .window(&metric(latencies, "ALIGN_PERCENTILE_99", "value < 5s"))
            .await;
        let seconds = number(&slow, "value", Stat::Max);
        assert!((5.0..60.0).contains(&seconds), "{seconds} s");
        assert!(slow.samples() > 5, "series stay apart");
        let mut counted = metric(latencies, "ALIGN_PERCENTILE_99", "value > 0");
        counted.metric.as_mut().unwrap().reduce = Some("REDUCE_COUNT".into());
        let counted = bench.window(&counted).await;
        assert!(
            number(&counted, "value", Stat::Min) >= 1.0,
            "a count has no unit"
        );
    });
}

#[test]
fn a_metric_is_never_judged_by_what_was_before_the_step() {
    run(|| async {
        let bench = Bench::new();
        let mut cpu = metric(CPU, "ALIGN_PERCENTILE_99", "value < 70%");
        cpu.metric.as_mut().unwrap().window = "10m".parse().unwrap();
        let step = bench.world.clock.now();
        bench.grow_connector().await;
        let mut first = None;
        for _ in 0..46 {
            tokio::time::sleep(Duration::from_secs(20)).await;
            let reading = bench.probers.probe(&cpu, bench.ask(Some(step))).await;
            assert_ne!(
                verdict(&cpu, &reading),
                Verdict::Unknown,
                "the monitor goes on"
            );
            if reading.since >= step {
                assert_eq!(verdict(&cpu, &reading), Verdict::Passing, "{reading:?}");
                first = first.or(Some(bench.world.clock.now().duration_since(step)));
            }
        }
        let first = first.unwrap().as_secs();
        assert!(
            (300..=320).contains(&first),
            "a minute, and 240 s until it is there: {first} s"
        );
        let reading = bench.read(&cpu).await;
        assert_eq!(reading.outcome.unwrap().samples(), 10);
    });
}

#[test]
fn without_points_there_is_no_verdict() {
    run(|| async {
        let bench = Bench::new();
        let filter = format!("{SENT} resource.labels.connector_name=\"another\"");
        for expect in ["value < 1Mbps", "value.count == 0", "value.max > 0"] {
            let check = metric(&filter, "ALIGN_RATE", expect);
            let reading = bench.read(&check).await;
            assert_eq!(reading.outcome.as_ref().unwrap().samples(), 0);
            assert_eq!(verdict(&check, &reading), Verdict::Unknown, "{expect}");
        }
    });
}

#[test]
fn a_count_of_entries_may_be_nothing_and_numbers_come_out_of_texts() {
    run(|| async {
        let bench = Bench::new();
        tokio::time::sleep(MINUTE).await;
        let none = log("resource.type=\"nothing\"", "count == 0");
        let reading = bench.read(&none).await;
        assert_eq!(verdict(&none, &reading), Verdict::Passing);
        let filter = "resource.type=\"cloud_run_revision\" -- a comment\nhttpRequest.status=503 OR severity=CRITICAL";
        let refused = log(filter, "count == 0");
        let reading = bench.read(&refused).await;
        assert_eq!(verdict(&refused, &reading), Verdict::Failing);
        let seen = bench
            .world
            .clock
            .now()
            .duration_since(reading.since)
            .as_secs();
        assert_eq!(seen, 6 * 60, "five minutes, and one for entries to come in");
        let count = number(&reading.outcome.unwrap(), "count", Stat::Last);
        assert!((1.0..=1000.0).contains(&count), "{count}");
        let mut started = log(
            "textPayload:\"startup phase database completed\"",
            "value.max < 60s",
        );
        let probe = started.log.as_mut().unwrap();
        probe.extract = Some("completed in ([0-9.]+)s".into());
        probe.window = "30m".parse().unwrap();
        let window = bench.window(&started).await;
        let longest = number(&window, "value", Stat::Max);
        assert!((1.0..1000.0).contains(&longest), "{longest}");
        assert!(number(&window, "value", Stat::Count) <= number(&window, "count", Stat::Last));
    });
}

#[test]
fn many_checks_of_one_projects_logs_keep_to_sixty_searches_a_minute() {
    run(|| async {
        let bench = Arc::new(Bench::new());
        let began = bench.world.clock.now();
        let mut tasks = Vec::new();
        for index in 0..30 {
            let bench = Arc::clone(&bench);
            let check = log(&format!("severity>=ERROR \"{index}\""), "count >= 0");
            tasks.push(tokio::task::spawn_local(async move {
                let mut probes = 0;
                while bench.world.clock.now().duration_since(began).as_secs() < 300 {
                    let next = tokio::time::Instant::now() + check.interval.0;
                    bench.window(&check).await;
                    probes += 1;
                    tokio::time::sleep_until(next).await;
                }
                probes
            }));
        }
        let mut probes = Vec::new();
        for task in tasks {
            probes.push(task.await.unwrap());
        }
        // A round is 30 searches, 48 a minute.
        assert!(
            probes.iter().all(|count| (8..=9).contains(count)),
            "{probes:?}"
        );
        let mut minutes = std::collections::BTreeMap::<i64, usize>::new();
        let requests = bench.world.emulator.requests();
        for entry in requests.iter().filter(|entry| entry.path == ENTRIES) {
            *minutes
                .entry(entry.at.as_second().div_euclid(60))
                .or_default() += 1;
        }
        assert!(minutes.len() >= 5);
        assert!(minutes.values().all(|calls| *calls <= 48), "{minutes:?}");
    });
}

#[test]
fn the_same_search_is_made_once_for_all_that_wait() {
    run(|| async {
        let bench = Bench::new();
        let check = log("severity>=ERROR", "count >= 0");
        let probes = (0..30).map(|_| bench.window(&check));
        let windows = futures::future::join_all(probes).await;
        assert!(windows.iter().all(|window| *window == windows[0]));
        assert_eq!(
            bench.calls(ENTRIES),
            2,
            "for the first, and for all that asked meanwhile"
        );
        bench.window(&check).await;
        assert_eq!(
            bench.calls(ENTRIES),
            3,
            "an old answer is no new measurement"
        );
    });
}

#[test]
fn what_google_does_not_answer_decides_nothing() {
    run(|| async {
        let denied = refusal(403, "forbidden");
        let limit = refusal(429, "rateLimitExceeded");
        let down = refusal(503, "backendError");
        for (action, fault) in [
            (limit, ProberFault::Unavailable),
            (down, ProberFault::Unavailable),
            (denied, ProberFault::Credentials),
        ] {
            for (path, check) in [
                (SERIES, metric(SENT, "ALIGN_RATE", "value < 1Mbps")),
                (ENTRIES, log("", "count == 0")),
                ("/backendServices/", health("staging-vm-backend")),
            ] {
                let bench = Bench::of(failing(path, action.clone()));
                let reading = bench.read(&check).await;
                assert_eq!(verdict(&check, &reading), Verdict::Unknown);
                let error = reading.outcome.unwrap_err();
                assert_eq!(error.fault, fault, "{path} {action:?}: {error}");
            }
        }
    });
}

#[test]
fn what_google_cannot_understand_is_the_checks_fault() {
    run(|| async {
        let bench = Bench::new();
        for (check, says) in [
            (
                metric("metric.type=\"no.such/metric\"", "ALIGN_RATE", "value > 0"),
                "Cannot find metric",
            ),
            (
                metric(CPU, "ALIGN_DELTA", "value > 0"),
                "an aligner such as ALIGN_PERCENTILE_99",
            ),
            (
                log("colour=\"red\"", "count == 0"),
                "Field not found: 'colour'",
            ),
            (health("nobody"), "nobody"),
        ] {
            let error = bench.error(&check).await;
            assert_eq!(error.fault, ProberFault::Invalid, "{error}");
            assert!(error.message.contains(says), "{error}");
        }
    });
}

fn health(backend_service: &str) -> CheckSpec {
    spec(
        "backendHealth",
        json!({"backendService": backend_service}),
        "healthy.ratio >= 1",
    )
}

#[test]
fn the_health_of_each_backend_counts_and_is_named() {
    run(|| async {
        let bench = Bench::new();
        tokio::time::sleep(5 * MINUTE).await;
        let check = health("staging-vm-backend");
        let reading = bench.read(&check).await;
        let window = reading.outcome.clone().unwrap();
        let (all, sick) = (window.samples(), window.failures());
        assert!(all > 0);
        let healthy = window.trues("healthy").unwrap();
        assert_eq!(
            healthy + sick.iter().map(|(_, count)| count).sum::<u64>(),
            all
        );
        let serverless = bench.read(&health("staging-backend")).await;
        assert_eq!(
            serverless.outcome.as_ref().unwrap().samples(),
            0,
            "serverless backends have no health"
        );
        assert_eq!(verdict(&check, &serverless), Verdict::Unknown);
    });
}
