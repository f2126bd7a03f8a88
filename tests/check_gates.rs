//! Rollouts that are judged by what Google says of them, on the whole operator and an emulated GCP.

mod common;

use async_trait::async_trait;
use common::meter::document;
use common::{Operator, PROJECT, World, declared, refusal, run};
use evenkeel::api::{CheckSpec, Declared, Document, Reason};
use evenkeel::check::{Ask, Prober as _, Probers};
use evenkeel::core::check::Verdict;
use evenkeel::emulator::{FaultRule, Match};
use evenkeel::engine::{Declaration, Probe, Prober};
use evenkeel::gcp::clock::Clock;
use evenkeel::secrets::LocalSecrets;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

/// The real probers in the emulated world.
struct Real {
    probers: Probers,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Prober for Real {
    async fn probe(&self, check: &Document<CheckSpec>, step: Option<Timestamp>) -> Probe {
        let ask = Ask {
            now: self.clock.now(),
            not_before: step,
        };
        let reading = self.probers.probe(&check.spec, ask).await;
        Probe {
            since: reading.since,
            outcome: reading.outcome,
        }
    }
}

fn measured(mut world: World) -> World {
    let probers = Probers::new(Arc::new(LocalSecrets::new(None)), 4);
    world.prober = Arc::new(Real {
        probers: probers.with_google(&world.client()),
        clock: Arc::clone(&world.clock),
    });
    world
}

/// The connector grows in one step, verified by `gate`.
fn grown() -> Declared {
    let mut declared = declared(json!({"minInstances": 5, "maxInstances": 10}));
    let rollout = declared.policy.rollout.as_mut().unwrap();
    rollout.max_step.clear();
    rollout.verify = serde_json::from_value(json!(["gate"])).unwrap();
    declared
}

/// How many instances the connector has, as Cloud Monitoring tells it.
fn instances(expect: &str) -> Value {
    let metric = "metric.type=\"vpcaccess.googleapis.com/connector/instances\"";
    json!({
        "interval": "30s", "timeout": "15s", "expect": [expect],
        "metric": {"project": PROJECT, "filter": metric, "align": "ALIGN_MAX", "reduce": "REDUCE_SUM"},
    })
}

fn set(resource: Declared, check: Value) -> Declaration {
    Declaration {
        resources: vec![resource],
        checks: vec![document("gate", check)],
        ..Declaration::default()
    }
}

/// Seconds from when the step had landed to the end of the rollout.
async fn judged(world: &World, operator: &Operator) -> i64 {
    let baking = |operator: &Operator| {
        let rollout = operator.status().rollout;
        rollout.is_some_and(|rollout| rollout.bake_until.is_some())
    };
    operator.until(HOUR, baking).await;
    let landed = world.clock.now();
    operator.settle(HOUR).await;
    world.clock.now().duration_since(landed).as_secs()
}

#[test]
fn a_metric_judges_a_step_by_minutes_after_it() {
    run(|| async {
        let world = measured(World::new());
        let operator = world.operator();
        let mut events = operator.board.events();
        operator
            .declare(set(grown(), instances("value >= 5")))
            .await;
        let took = judged(&world, &operator).await;
        assert!(operator.status().is_ready(), "{:#?}", operator.status());
        // A whole minute, 240 s until it can be read, and three probes.
        assert!((300..=480).contains(&took), "{took} s");
        let mut fixed = Vec::new();
        while let Ok(event) = events.try_recv() {
            fixed.extend((event.reason == "CheckFixed").then_some(event.message));
        }
        let says = "value 6, want >= 5 (baseline 3)";
        assert!(fixed.iter().any(|text| text.contains(says)), "{fixed:?}");
        operator.stop().await;
    });
}

#[test]
fn a_metric_that_gets_worse_is_a_regression() {
    run(|| async {
        let world = measured(World::new());
        let operator = world.operator();
        operator.declare(set(grown(), instances("value < 5"))).await;
        let took = judged(&world, &operator).await;
        let status = operator.status();
        assert!(status.is_stalled(), "{status:#?}");
        assert_eq!(
            common::reason(&status),
            Reason::VerifyFailed,
            "it only grows"
        );
        let message = common::message(&status);
        assert!(message.contains(", want < 5 (baseline 3)"), "{message}");
        assert!((300..=480).contains(&took), "{took} s");
        operator.stop().await;
    });
}

#[test]
fn a_log_judges_a_step_by_a_whole_window_after_it() {
    run(|| async {
        let world = measured(World::new());
        let operator = world.operator();
        let check = json!({
            "interval": "30s", "timeout": "15s", "expect": ["count == 0"],
            "log": {"project": PROJECT, "filter": "severity>=EMERGENCY", "window": "5m"},
        });
        operator.declare(set(grown(), check)).await;
        let took = judged(&world, &operator).await;
        assert!(operator.status().is_ready());
        assert!((360..=540).contains(&took), "{took} s");
        operator.stop().await;
    });
}

#[test]
fn google_that_does_not_answer_holds_a_step_and_never_fails_it() {
    run(|| async {
        let world = measured(World::new());
        let operator = world.operator();
        operator
            .declare(set(grown(), instances("value < 100")))
            .await;
        let landing = |operator: &Operator| operator.status().rollout.is_some();
        operator.until(HOUR, landing).await;
        world.emulator.set_faults(vec![FaultRule {
            name: "monitoring".to_owned(),
            matching: Match {
                path_contains: Some("/timeSeries".to_owned()),
                ..Match::default()
            },
            action: refusal(503, "backendError"),
            times: None,
            probability: None,
        }]);
        operator.settle(2 * HOUR).await;
        let status = operator.status();
        assert_eq!(common::reason(&status), Reason::Inconclusive, "{status:#?}");
        assert_eq!(world.size(), (5, 10), "what landed stays");
        operator.stop().await;
    });
}

#[test]
fn a_managed_resource_is_measured_by_what_was_last_read_of_it() {
    run(|| async {
        let world = measured(World::new());
        let operator = world.operator();
        let mut resource = grown();
        resource.policy.rollout = None;
        let check = |name: &str, expect: Value| {
            let of = json!({"kind": "VpcAccessConnector", "name": "staging-connector"});
            let spec =
                json!({"interval": "10s", "timeout": "5s", "expect": expect, "resource": of});
            document(name, spec)
        };
        operator
            .declare(Declaration {
                resources: vec![resource],
                checks: vec![
                    check(
                        "grown",
                        json!(["minInstances >= 5", "state == READY", "ready == true"]),
                    ),
                    check("another", json!(["machineType == e2-standard-4"])),
                    check("nothing", json!(["nonsense == 1"])),
                ],
                ..Declaration::default()
            })
            .await;
        operator.settle(HOUR).await;
        tokio::time::sleep(3 * MINUTE).await;
        let checks = operator.board.checks();
        let verdict = |name: &str| checks[name].verdict;
        assert_eq!(
            verdict("grown"),
            Verdict::Passing,
            "{:#?}",
            checks["grown"].status
        );
        assert_eq!(verdict("another"), Verdict::Failing);
        assert_eq!(verdict("nothing"), Verdict::Unknown);
        let message = &checks["another"].status.conditions[0].message;
        assert_eq!(message, "machineType e2-micro, want == e2-standard-4");
        let last = checks["grown"].status.last.clone().unwrap();
        let seen: Vec<&String> = last.fields.keys().collect();
        assert_eq!(
            seen,
            ["minInstances", "ready", "state"],
            "no more than is asked about"
        );
        operator.stop().await;
    });
}
