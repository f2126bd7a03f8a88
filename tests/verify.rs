//! Rollouts that are verified by checks: the matrix of verdicts, cell by cell, on the whole
//! operator.

mod common;

use common::meter::{Meter, Reads, check};
use common::{Operator, World, declared, run};
use evenkeel::api::status::Outcome;
use evenkeel::api::{ConditionStatus, ConditionType, Declared, Reason, Status};
use evenkeel::core::token::Ask;
use evenkeel::engine::Declaration;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

/// A world with one check, `load`, that reads this at first.
fn world(reads: Reads) -> (World, Arc<Meter>) {
    let mut world = World::new();
    let meter = Meter::new(&world);
    meter.set("load", reads);
    world.prober = Arc::clone(&meter) as _;
    (world, meter)
}

/// The connector with these fields, verified by `load` after each step.
fn wanted(resource: Value) -> Declared {
    let mut declared = declared(resource);
    let rollout = declared.policy.rollout.as_mut().unwrap();
    rollout.verify = serde_json::from_value(json!(["load"])).unwrap();
    rollout.allow_disruptive = true;
    rollout.bake = Some("2m".parse().unwrap());
    declared
}

fn larger() -> Value {
    json!({"minInstances": 4, "maxInstances": 5})
}

fn machine() -> Value {
    json!({"machineType": "e2-standard-4"})
}

async fn declare(operator: &Operator, resource: Value) {
    let set = Declaration {
        resources: vec![wanted(resource)],
        checks: vec![check("load")],
        ..Declaration::default()
    };
    operator.declare(set).await;
}

fn ready(status: &Status) -> (Reason, String) {
    let ready = status.condition(ConditionType::Ready).unwrap();
    (ready.reason, ready.message.clone())
}

fn machine_type(world: &World) -> Value {
    world.emulator.advance(world.clock.now());
    world
        .emulator
        .connector(common::PROJECT, common::LOCATION, common::CONNECTOR)
        .unwrap()["machineType"]
        .clone()
}

fn slow_on_standard(connector: &Value) -> f64 {
    if connector["machineType"] == "e2-standard-4" {
        7.2
    } else {
        2.1
    }
}

fn fast_from_five(connector: &Value) -> f64 {
    if connector["maxInstances"].as_i64() >= Some(5) {
        0.4
    } else {
        7.2
    }
}

fn better_and_still_slow(connector: &Value) -> f64 {
    if connector["maxInstances"].as_i64() >= Some(5) {
        6.0
    } else {
        9.0
    }
}

#[test]
fn green_stays_green_and_every_step_holds_for_its_bake() {
    run(|| async {
        let (world, _) = world(Reads::Seconds(1.0));
        let operator = world.operator();
        declare(&operator, larger()).await;
        let status = operator.settle(HOUR).await;
        assert!(status.is_ready(), "{status:#?}");
        assert_eq!(world.size(), (4, 5));
        operator.stop().await;
    });
}

#[test]
fn red_turns_green_and_is_said_to_be_fixed() {
    run(|| async {
        let (world, _) = world(Reads::Connector(fast_from_five));
        let operator = world.operator();
        let mut events = operator.board.events();
        declare(&operator, larger()).await;
        assert!(operator.settle(HOUR).await.is_ready());
        let mut fixed = None;
        while let Ok(event) = events.try_recv() {
            fixed = fixed.or((event.reason == "CheckFixed").then_some(event.message));
        }
        let fixed = fixed.unwrap();
        assert!(
            fixed.contains("connect.max 400ms, want < 5s (baseline 7.2s)"),
            "{fixed}"
        );
        operator.stop().await;
    });
}

/// How often the operator has read what is live.
fn reads(world: &World) -> usize {
    let requests = world.emulator.requests().into_iter();
    let connectors = |path: &str| path.contains("/connectors");
    requests
        .filter(|entry| entry.method == "GET" && connectors(&entry.path))
        .count()
}

#[test]
fn green_to_red_goes_back_and_is_held_through_resyncs_and_restarts() {
    run(|| async {
        let (world, _) = world(Reads::Connector(slow_on_standard));
        let operator = world.operator();
        declare(&operator, machine()).await;
        let status = operator.settle(2 * HOUR).await;
        let (reason, message) = ready(&status);
        assert_eq!(reason, Reason::RolledBack);
        assert!(
            message.contains("connect.max 7.2s, want < 5s (baseline 2.1s)"),
            "{message}"
        );
        assert_eq!(machine_type(&world), "e2-micro");
        let outcomes: Vec<_> = status.history.iter().map(|h| h.outcome).collect();
        assert_eq!(outcomes, [Outcome::Failed, Outcome::RolledBack]);
        let writes = world.writes().len();
        assert_eq!(writes, 2, "there and back");
        operator.stop().await;

        for _ in 0..3 {
            let operator = world.operator();
            declare(&operator, machine()).await;
            let before = reads(&world);
            tokio::time::sleep(101 * MINUTE).await;
            let resyncs = reads(&world) - before;
            assert!(resyncs >= 100, "{resyncs} resyncs");
            assert_eq!(ready(&operator.status()).0, Reason::RolledBack);
            operator.stop().await;
        }
        assert_eq!(world.writes().len(), writes, "held: nothing is written");
    });
}

#[test]
fn each_content_goes_back_once_also_where_another_came_between() {
    run(|| async {
        let (world, _) = world(Reads::Connector(slow_on_standard));
        let operator = world.operator();
        let other = json!({"machineType": "e2-standard-4", "minInstances": 2, "maxInstances": 3});
        for (content, writes) in [
            (machine(), 2),
            (other.clone(), 4),
            (machine(), 4),
            (other, 4),
        ] {
            declare(&operator, content).await;
            let status = operator.settle(2 * HOUR).await;
            assert_eq!(ready(&status).0, Reason::RolledBack);
            assert_eq!(world.writes().len(), writes);
        }
        operator.stop().await;
    });
}

#[test]
fn a_retry_releases_a_fixed_commit_goes_on_and_a_reverted_one_is_ready_at_once() {
    run(|| async {
        let (world, meter) = world(Reads::Connector(slow_on_standard));
        let operator = world.operator();
        declare(&operator, machine()).await;
        assert_eq!(
            ready(&operator.settle(2 * HOUR).await).0,
            Reason::RolledBack
        );
        let writes = world.writes().len();

        declare(&operator, json!({"machineType": "e2-micro"})).await;
        assert!(operator.settle(MINUTE).await.is_ready(), "reverted");
        assert_eq!(world.writes().len(), writes);

        declare(&operator, machine()).await;
        assert_eq!(
            ready(&operator.settle(2 * HOUR).await).0,
            Reason::RolledBack,
            "one attempt for each content"
        );
        assert_eq!(world.writes().len(), writes);
        meter.set("load", Reads::Seconds(0.5));
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(
            ready(&operator.status()).0,
            Reason::RolledBack,
            "held all the same"
        );
        world.ask(&Ask::Retry);
        tokio::time::sleep(MINUTE).await;
        assert!(operator.settle(HOUR).await.is_ready(), "retried");
        assert_eq!(machine_type(&world), "e2-standard-4");
        operator.stop().await;
    });
}

#[test]
fn red_that_improves_and_stays_red_holds_and_does_not_go_back() {
    run(|| async {
        let (world, _) = world(Reads::Connector(better_and_still_slow));
        let operator = world.operator();
        declare(&operator, larger()).await;
        let status = operator.settle(2 * HOUR).await;
        let (reason, message) = ready(&status);
        assert_eq!(reason, Reason::VerifyFailed);
        assert!(
            message.contains("is not fixed: connect.max 6s"),
            "{message}"
        );
        assert_eq!(world.size(), (4, 5), "every step was made");
        let writes = world.writes().len();
        tokio::time::sleep(200 * MINUTE).await;
        assert_eq!(world.writes().len(), writes);
        assert_eq!(ready(&operator.status()).0, Reason::VerifyFailed);
        operator.stop().await;
    });
}

#[test]
fn red_that_gets_much_worse_is_a_regression() {
    run(|| async {
        let (world, _) = world(Reads::Connector(|connector| {
            if connector["machineType"] == "e2-standard-4" {
                12.0
            } else {
                6.0
            }
        }));
        let operator = world.operator();
        declare(&operator, machine()).await;
        assert_eq!(
            ready(&operator.settle(2 * HOUR).await).0,
            Reason::RolledBack
        );
        assert_eq!(machine_type(&world), "e2-micro");
        operator.stop().await;
    });
}

#[test]
fn no_verdict_in_time_holds_and_prober_errors_never_decide() {
    run(|| async {
        let (world, meter) = world(Reads::Seconds(1.0));
        let operator = world.operator();
        declare(&operator, json!({"machineType": "e2-micro"})).await;
        assert!(operator.settle(HOUR).await.is_ready());
        tokio::time::sleep(5 * MINUTE).await;
        meter.set("load", Reads::Nothing);
        declare(&operator, machine()).await;
        let status = operator.settle(2 * HOUR).await;
        let (reason, message) = ready(&status);
        assert_eq!(reason, Reason::Inconclusive, "{message}");
        assert_eq!(
            machine_type(&world),
            "e2-standard-4",
            "neither forward nor back"
        );
        operator.stop().await;
    });
}

#[test]
fn an_unknown_baseline_waits_for_a_first_verdict_and_then_goes_on() {
    run(|| async {
        let (world, meter) = world(Reads::Nothing);
        let operator = world.operator();
        declare(&operator, larger()).await;
        tokio::time::sleep(30 * Duration::from_secs(1)).await;
        assert!(world.writes().is_empty(), "monitors first");
        tokio::time::sleep(3 * MINUTE).await;
        assert!(!world.writes().is_empty(), "and not for ever");
        meter.set("load", Reads::Seconds(1.0));
        assert!(operator.settle(HOUR).await.is_ready());
        operator.stop().await;
    });
}

#[test]
fn a_kill_while_a_step_bakes_neither_repeats_nor_skips_it() {
    run(|| async {
        let (world, _) = world(Reads::Seconds(1.0));
        let operator = world.operator();
        declare(&operator, larger()).await;
        operator
            .until(HOUR, |operator| {
                let ready = operator.status();
                ready
                    .condition(ConditionType::Ready)
                    .is_some_and(|c| c.reason == Reason::Baking)
            })
            .await;
        operator.kill().await;
        let operator = world.operator();
        declare(&operator, larger()).await;
        assert!(operator.settle(HOUR).await.is_ready());
        assert_eq!(world.writes().len(), 2);
        operator.stop().await;
    });
}

#[test]
fn content_that_was_left_in_the_middle_of_its_bake_is_judged_when_it_comes_back() {
    run(|| async {
        let (world, _) = world(Reads::Connector(slow_on_standard));
        let operator = world.operator();
        declare(&operator, machine()).await;
        operator
            .until(HOUR, |operator| {
                let ready = operator.status();
                ready
                    .condition(ConditionType::Ready)
                    .is_some_and(|c| c.reason == Reason::Baking)
            })
            .await;
        // The source is empty for a moment.
        operator.declare(Declaration::default()).await;
        tokio::time::sleep(MINUTE).await;
        declare(&operator, machine()).await;
        let status = operator.settle(2 * HOUR).await;
        assert!(!status.is_ready(), "{status:#?}");
        operator.stop().await;
    });
}

#[test]
fn a_verdict_takes_its_time_from_when_the_operator_is_back() {
    run(|| async {
        let (world, _) = world(Reads::Seconds(1.0));
        let operator = world.operator();
        declare(&operator, machine()).await;
        operator
            .until(HOUR, |operator| {
                let ready = operator.status();
                ready
                    .condition(ConditionType::Ready)
                    .is_some_and(|c| c.reason == Reason::Baking)
            })
            .await;
        operator.kill().await;
        tokio::time::sleep(3 * HOUR).await;
        let operator = world.operator();
        declare(&operator, machine()).await;
        assert!(operator.settle(HOUR).await.is_ready());
        operator.stop().await;
    });
}

#[test]
fn the_wait_for_a_first_verdict_is_not_the_time_of_the_step() {
    run(|| async {
        let (world, meter) = world(Reads::Nothing);
        let operator = world.operator();
        let mut resource = wanted(machine());
        let rollout = resource.policy.rollout.as_mut().unwrap();
        rollout.timeout = Some("1m".parse().unwrap());
        let set = Declaration {
            resources: vec![resource],
            checks: vec![check("load")],
            ..Declaration::default()
        };
        operator.declare(set).await;
        tokio::time::sleep(63 * Duration::from_secs(1)).await;
        assert_eq!(ready(&operator.status()).0, Reason::Progressing);
        meter.set("load", Reads::Seconds(1.0));
        assert!(operator.settle(HOUR).await.is_ready());
        operator.stop().await;
    });
}

fn verified(status: &Status) -> (ConditionStatus, Reason, String) {
    let verified = status.condition(ConditionType::Verified).unwrap();
    (verified.status, verified.reason, verified.message.clone())
}

#[test]
fn status_shows_what_the_checks_said_before_a_step_and_say_now() {
    run(|| async {
        let (world, _) = world(Reads::Connector(fast_from_five));
        let operator = world.operator();
        declare(&operator, larger()).await;
        let checks = |operator: &Operator| operator.status().rollout.map(|now| now.checks);
        let asked = |operator: &Operator| checks(operator).is_some_and(|all| !all.is_empty());
        operator.until(HOUR, asked).await;
        let before = checks(&operator).unwrap().remove(0);
        assert_eq!(before.name, "load");
        assert_eq!(before.baseline, "Failing: connect.max 7.2s");
        assert_eq!(
            (before.now, before.samples),
            (None, 0),
            "nothing landed yet"
        );
        let (status, _, message) = verified(&operator.status());
        assert_eq!(status, ConditionStatus::Unknown);
        assert_eq!(message, "not judged yet by load");

        let mended = |operator: &Operator| {
            let checks = checks(operator).unwrap_or_default();
            let now = checks.first().and_then(|check| check.now.clone());
            now.is_some_and(|now| now.starts_with("Passing"))
        };
        operator.until(HOUR, mended).await;
        let after = checks(&operator).unwrap().remove(0);
        let now = "Passing: connect.max 400ms, want < 5s (baseline 7.2s)";
        assert_eq!(after.now.as_deref(), Some(now));
        assert_eq!(after.samples, 3, "as many as the verdict took");

        let status = operator.settle(HOUR).await;
        let (verdict, reason, message) = verified(&status);
        assert_eq!(
            (verdict, reason),
            (ConditionStatus::True, Reason::ExpectationsMet)
        );
        assert!(message.starts_with("load: connect.max "), "{message}");
        assert!(status.rollout.is_none());
        tokio::time::sleep(100 * MINUTE).await;
        assert_eq!(operator.status(), status, "a resync changes nothing");
        operator.stop().await;
    });
}

#[test]
fn verified_is_about_the_declared_content() {
    run(|| async {
        let (world, meter) = world(Reads::Connector(slow_on_standard));
        let operator = world.operator();
        declare(&operator, machine()).await;
        let (status, reason, message) = verified(&operator.settle(2 * HOUR).await);
        assert_eq!(
            (status, reason),
            (ConditionStatus::False, Reason::VerifyFailed)
        );
        assert!(message.contains("connect.max 7.2s, want < 5s"), "{message}");
        declare(&operator, json!({"machineType": "e2-micro"})).await;
        let reverted = operator.settle(MINUTE).await;
        assert!(reverted.is_ready());
        assert!(reverted.condition(ConditionType::Verified).is_none());
        meter.set("load", Reads::Nothing);
        tokio::time::sleep(10 * MINUTE).await;
        declare(&operator, larger()).await;
        let (status, reason, _) = verified(&operator.settle(4 * HOUR).await);
        assert_eq!(
            (status, reason),
            (ConditionStatus::Unknown, Reason::Inconclusive)
        );
        operator.stop().await;
    });
}

fn slow_on_five_of_standard(connector: &Value) -> f64 {
    let standard = connector["machineType"] == "e2-standard-4";
    if standard && connector["maxInstances"].as_i64() >= Some(5) {
        9.0
    } else {
        1.0
    }
}

#[test]
fn green_to_red_goes_back_on_what_goes_back_and_holds_the_rest() {
    run(|| async {
        let (world, _) = world(Reads::Connector(slow_on_five_of_standard));
        let both = || json!({"machineType": "e2-standard-4", "minInstances": 4, "maxInstances": 5});
        let operator = world.operator();
        let mut events = operator.board.events();
        declare(&operator, both()).await;
        let (reason, message) = ready(&operator.settle(4 * HOUR).await);
        assert_eq!(reason, Reason::RolledBack, "{message}");
        assert_eq!(machine_type(&world), "e2-micro", "goes back");
        assert_eq!(world.size().1, 5, "only grows");
        let mut partly = Vec::new();
        while let Ok(event) = events.try_recv() {
            partly.extend((event.reason == "PartialRollback").then_some(event.message));
        }
        assert!(partly[0].contains("maxInstances 5 -> 3"), "{partly:?}");
        let writes = world.writes().len();
        operator.stop().await;
        for _ in 0..3 {
            let operator = world.operator();
            declare(&operator, both()).await;
            tokio::time::sleep(100 * MINUTE).await;
            assert_eq!(ready(&operator.status()).0, Reason::RolledBack);
            operator.stop().await;
        }
        assert_eq!(world.writes().len(), writes, "held: nothing is written");
    });
}

#[test]
fn a_fixed_commit_goes_on_after_a_rollback() {
    run(|| async {
        let (world, _) = world(Reads::Connector(slow_on_standard));
        let operator = world.operator();
        declare(&operator, machine()).await;
        let held = operator.settle(2 * HOUR).await;
        assert_eq!(ready(&held).0, Reason::RolledBack);
        declare(&operator, larger()).await;
        assert!(operator.settle(2 * HOUR).await.is_ready());
        assert_eq!(world.size(), (4, 5));
        operator.stop().await;
    });
}

/// Where a rollout ends that is judged by this before its step and by that after it.
fn cell(before: Reads, after: Reads, goes_back: bool) -> (Reason, Value) {
    run(|| async {
        let (world, meter) = world(before);
        let operator = world.operator();
        // Probed long enough for a verdict, if there is one.
        declare(&operator, json!({"machineType": "e2-micro"})).await;
        tokio::time::sleep(10 * MINUTE).await;
        declare(&operator, machine()).await;
        operator
            .until(2 * HOUR, |_| machine_type(&world) == "e2-standard-4")
            .await;
        meter.set("load", after);
        if goes_back {
            // What the step did to it goes away with the step.
            let back = |_: &_| machine_type(&world) == "e2-micro";
            operator.until(2 * HOUR, back).await;
            meter.set("load", Reads::Seconds(1.0));
        }
        let status = operator.settle(4 * HOUR).await;
        let end = (ready(&status).0, machine_type(&world));
        operator.stop().await;
        end
    })
}

#[test]
fn every_cell_of_the_table_on_the_whole_operator() {
    let (passing, failing, unknown) = (Reads::Seconds(1.0), Reads::Seconds(6.0), Reads::Nothing);
    let (new, old) = (json!("e2-standard-4"), json!("e2-micro"));
    for (before, after, reason, machine) in [
        (&passing, &passing, Reason::UpToDate, &new),
        (&passing, &failing, Reason::RolledBack, &old),
        (&passing, &unknown, Reason::Inconclusive, &new),
        (&failing, &passing, Reason::UpToDate, &new),
        (&failing, &failing, Reason::VerifyFailed, &new),
        (&failing, &Reads::Seconds(9.0), Reason::RolledBack, &old),
        (&failing, &unknown, Reason::Inconclusive, &new),
        (&unknown, &passing, Reason::UpToDate, &new),
        (&unknown, &failing, Reason::RolledBack, &old),
        (&unknown, &unknown, Reason::Inconclusive, &new),
    ] {
        let end = cell(before.clone(), after.clone(), machine == &old);
        assert_eq!(end, (reason, machine.clone()), "{before:?} -> {after:?}");
    }
}
