//! Phases: one after the other, each proved, and back in reverse order where that is asked for.

mod common;

use common::meter::{Meter, Reads, check, document};
use common::{CONNECTOR, Operator, World, declared, declared_as, key, run};
use evenkeel::api::{ConditionType, Declared, Document, Key, PhaseSpec, Reason, Subject};
use evenkeel::cli::embedded::Embedded;
use evenkeel::core::token::Ask;
use evenkeel::engine::Declaration;
use evenkeel::gcp::clock::SystemClock;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const OTHER: &str = "other";

fn world() -> (World, Arc<Meter>) {
    let mut world = World::new();
    let meter = Meter::new(&world);
    meter.set("load", Reads::Seconds(1.0));
    world.prober = Arc::clone(&meter) as _;
    (world, meter)
}

fn member(mut declared: Declared, phase: &str) -> Declared {
    declared.policy.rollout = None;
    declared.labels = [("phase".to_owned(), phase.to_owned())].into();
    declared
}

fn first(resource: Value) -> Declared {
    member(declared(resource), "1")
}

fn second() -> Declared {
    let resource = json!({"network": "default", "ipCidrRange": "10.9.0.0/28",
                          "minInstances": 2, "maxInstances": 3});
    member(declared_as(key(OTHER), resource), "2")
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]
fn phase(name: &str, number: &str, more: Value) -> Document<PhaseSpec> {
    let mut spec = json!({"select": {"matchLabels": {"phase": number}}});
    let fields = spec.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    document(name, spec)
}

fn set(resources: Vec<Declared>, phases: Vec<Document<PhaseSpec>>) -> Declaration {
    Declaration {
        resources,
        checks: vec![check("load")],
        phases,
    }
}

fn two_phases(one: Value, two: Value) -> Vec<Document<PhaseSpec>> {
    let mut two = two;
    two["dependsOn"] = json!([{"name": "1-connector"}]);
    // In the wrong order: what counts is dependsOn.
    vec![phase("2-other", "2", two), phase("1-connector", "1", one)]
}

fn reason_of(operator: &Operator, phase: &str) -> (Reason, String) {
    let phases = operator.board.phases();
    let status = &phases[phase].status;
    let ready = status
        .conditions
        .iter()
        .find(|c| c.kind == ConditionType::Ready);
    let ready = ready.unwrap();
    (ready.reason, ready.message.clone())
}

fn resource_reason(operator: &Operator, key: &Key) -> Option<Reason> {
    let status = operator.board.resources().get(key)?.status.clone();
    Some(status.condition(ConditionType::Ready)?.reason)
}

fn exists(world: &World, name: &str) -> bool {
    world.emulator.advance(world.clock.now());
    world
        .emulator
        .connector(common::PROJECT, common::LOCATION, name)
        .is_some()
}

fn larger() -> Value {
    json!({"minInstances": 4, "maxInstances": 5})
}

#[test]
fn a_phase_waits_for_the_one_before_and_for_its_bake() {
    run(|| async {
        let (world, _) = world();
        let operator = world.operator();
        let phases = two_phases(json!({"verify": ["load"], "bake": "10m"}), json!({}));
        operator
            .declare(set(vec![first(larger()), second()], phases))
            .await;
        tokio::time::sleep(5 * MINUTE).await;
        assert_eq!(world.size(), (4, 5));
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::Baking);
        assert_eq!(
            reason_of(&operator, "2-other").0,
            Reason::WaitingForDependency
        );
        let waits = resource_reason(&operator, &key(OTHER));
        assert_eq!(waits, Some(Reason::WaitingForDependency));
        assert!(!exists(&world, OTHER));
        operator.settle(2 * HOUR).await;
        assert!(exists(&world, OTHER));
        for name in ["1-connector", "2-other"] {
            let (reason, message) = reason_of(&operator, name);
            assert_eq!(reason, Reason::UpToDate, "{message}");
        }
        operator.stop().await;
    });
}

#[test]
fn what_was_proved_is_not_proved_again_by_a_commit_that_changes_nothing_of_it() {
    run(|| async {
        let (world, meter) = world();
        let operator = world.operator();
        let phases = || two_phases(json!({"verify": ["load"]}), json!({}));
        operator.declare(set(vec![first(larger())], phases())).await;
        operator.settle(HOUR).await;
        let writes = world.writes().len();
        meter.set("load", Reads::Seconds(9.0));
        tokio::time::sleep(5 * MINUTE).await;
        // Another revision, with a resource more in the second phase.
        let mut next = set(vec![first(larger()), second()], phases());
        for resource in &mut next.resources {
            resource.origin.revision = "files@sha256:next".to_owned();
        }
        for phase in &mut next.phases {
            phase.origin.revision = "files@sha256:next".to_owned();
        }
        operator.declare(next).await;
        operator.settle(HOUR).await;
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::UpToDate);
        assert_eq!(
            world.writes().len(),
            writes + 1,
            "the second phase was not held up"
        );
        operator.stop().await;
    });
}

#[test]
fn a_failed_phase_holds_and_the_next_one_never_starts() {
    run(|| async {
        let (world, meter) = world();
        let operator = world.operator();
        let phases = two_phases(json!({"verify": ["load"], "bake": "5m"}), json!({}));
        operator
            .declare(set(vec![first(larger()), second()], phases))
            .await;
        tokio::time::sleep(3 * MINUTE).await;
        meter.set("load", Reads::Seconds(7.2));
        operator.settle(HOUR).await;
        let (reason, message) = reason_of(&operator, "1-connector");
        assert_eq!(reason, Reason::VerifyFailed);
        assert!(
            message.contains("connect.max 7.2s, want < 5s (baseline 1s)"),
            "{message}"
        );
        assert_eq!(world.size(), (4, 5), "onFailure: Hold leaves what was done");
        tokio::time::sleep(100 * MINUTE).await;
        assert!(!exists(&world, OTHER));

        // A restart changes nothing; a person does.
        operator.stop().await;
        meter.set("load", Reads::Seconds(1.0));
        let operator = world.operator();
        let phases = two_phases(json!({"verify": ["load"], "bake": "5m"}), json!({}));
        operator
            .declare(set(vec![first(larger()), second()], phases))
            .await;
        tokio::time::sleep(30 * MINUTE).await;
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::VerifyFailed);
        let phase = Subject::Phase("1-connector".to_owned());
        world
            .journal
            .ask(phase, &Ask::Retry, world.clock.now())
            .unwrap();
        tokio::time::sleep(MINUTE).await;
        operator.settle(HOUR).await;
        assert!(exists(&world, OTHER));
        operator.stop().await;
    });
}

#[test]
fn a_failed_phase_goes_back_on_what_it_changed() {
    run(|| async {
        let (world, meter) = world();
        let operator = world.operator();
        let more = json!({"verify": ["load"], "bake": "5m", "onFailure": "Rollback"});
        let mut machine = first(json!({"machineType": "e2-standard-4"}));
        machine.policy.rollout =
            Some(serde_json::from_value(json!({"allowDisruptive": true})).unwrap());
        operator
            .declare(set(vec![machine], vec![phase("1-connector", "1", more)]))
            .await;
        tokio::time::sleep(3 * MINUTE).await;
        let live = || {
            world.emulator.advance(world.clock.now());
            world
                .emulator
                .connector(common::PROJECT, common::LOCATION, CONNECTOR)
                .unwrap()
        };
        assert_eq!(live()["machineType"], "e2-standard-4");
        meter.set("load", Reads::Seconds(9.0));
        operator.settle(HOUR).await;
        assert_eq!(live()["machineType"], "e2-micro");
        let ready = operator.status();
        let ready = ready.condition(ConditionType::Ready).unwrap();
        assert_eq!(ready.reason, Reason::RolledBack);
        assert!(
            ready.message.contains("phase 1-connector failed"),
            "{}",
            ready.message
        );
        let writes = world.writes().len();
        assert_eq!(writes, 2);
        tokio::time::sleep(100 * MINUTE).await;
        assert_eq!(world.writes().len(), writes);
        operator.stop().await;
    });
}

#[test]
fn an_approval_is_of_one_plan() {
    run(|| async {
        let (world, _) = world();
        let operator = world.operator();
        let phases = || vec![phase("1-connector", "1", json!({"approval": "Manual"}))];
        operator.declare(set(vec![first(larger())], phases())).await;
        tokio::time::sleep(10 * MINUTE).await;
        let (reason, message) = reason_of(&operator, "1-connector");
        assert_eq!(reason, Reason::AwaitingApproval);
        assert!(
            message.contains("rollout approve phase/1-connector"),
            "{message}"
        );
        assert!(world.writes().is_empty());
        let about = || Subject::Phase("1-connector".to_owned());
        let other = Ask::Approve {
            plan: "sha256:other".to_owned(),
        };
        world
            .journal
            .ask(about(), &other, world.clock.now())
            .unwrap();
        tokio::time::sleep(MINUTE).await;
        assert!(world.writes().is_empty(), "of another plan");
        let plan = operator.board.phases()["1-connector"].plan.clone().unwrap();
        world
            .journal
            .ask(about(), &Ask::Approve { plan }, world.clock.now())
            .unwrap();
        tokio::time::sleep(MINUTE).await;
        operator.settle(HOUR).await;
        assert_eq!(world.size(), (4, 5));
        operator.stop().await;
    });
}

#[test]
fn exit_criteria_without_a_verdict_take_nothing_back() {
    run(|| async {
        let (world, meter) = world();
        let operator = world.operator();
        let more = json!({"verify": ["load"], "bake": "5m", "onFailure": "Rollback"});
        let mut machine = first(json!({"machineType": "e2-standard-4"}));
        machine.policy.rollout =
            Some(serde_json::from_value(json!({"allowDisruptive": true})).unwrap());
        operator
            .declare(set(vec![machine], vec![phase("1-connector", "1", more)]))
            .await;
        tokio::time::sleep(3 * MINUTE).await;
        meter.set("load", Reads::Nothing);
        operator.settle(2 * HOUR).await;
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::Inconclusive);
        assert_eq!(world.writes().len(), 1, "neither forward nor back");
        operator.stop().await;
    });
}

#[test]
fn a_phase_rests_while_a_resource_of_it_waits_for_a_person() {
    run(|| async {
        let (world, _) = world();
        let operator = world.operator();
        let machine = first(json!({"machineType": "e2-standard-4"}));
        let phases = vec![phase("1-connector", "1", json!({}))];
        operator.declare(set(vec![machine], phases)).await;
        operator.settle(HOUR).await;
        assert_eq!(
            resource_reason(&operator, &key(CONNECTOR)),
            Some(Reason::AwaitingApproval)
        );
        operator.stop().await;
    });
}

/// The call that goes back is answered late: the phase looks many times meanwhile.
#[test]
fn a_resource_is_asked_to_go_back_once() {
    run(|| async {
        let (world, meter) = world();
        let operator = world.operator();
        let more = json!({"verify": ["load"], "bake": "5m", "onFailure": "Rollback"});
        let mut machine = first(json!({"machineType": "e2-standard-4"}));
        machine.policy.rollout =
            Some(serde_json::from_value(json!({"allowDisruptive": true})).unwrap());
        operator
            .declare(set(vec![machine], vec![phase("1-connector", "1", more)]))
            .await;
        tokio::time::sleep(3 * MINUTE).await;
        world.emulator.set_timing(evenkeel::emulator::Timing::fixed(
            5 * MINUTE,
            Duration::ZERO,
        ));
        meter.set("load", Reads::Seconds(9.0));
        operator.settle(HOUR).await;
        let status = operator.status();
        let undone = status.history.iter().filter(|h| h.revision == 2).count();
        assert_eq!(
            (world.writes().len(), undone),
            (2, 1),
            "{:#?}",
            status.history
        );
        operator.stop().await;
    });
}

fn ask_phase(world: &World, name: &str, ask: &Ask) {
    let about = Subject::Phase(name.to_owned());
    world.journal.ask(about, ask, world.clock.now()).unwrap();
}

fn machine() -> Declared {
    let mut machine = first(json!({"machineType": "e2-standard-4"}));
    machine.policy.rollout =
        Some(serde_json::from_value(json!({"allowDisruptive": true})).unwrap());
    machine
}

fn machine_type(world: &World) -> Value {
    world.emulator.advance(world.clock.now());
    let live = world
        .emulator
        .connector(common::PROJECT, common::LOCATION, CONNECTOR);
    live.unwrap()["machineType"].clone()
}

/// A phase that failed, and whose resource went back and is held.
async fn gone_back(world: &World, meter: &Meter) -> Operator {
    let operator = world.operator();
    let more = json!({"verify": ["load"], "bake": "5m", "onFailure": "Rollback"});
    let phases = vec![phase("1-connector", "1", more)];
    operator.declare(set(vec![machine()], phases)).await;
    tokio::time::sleep(3 * MINUTE).await;
    meter.set("load", Reads::Seconds(9.0));
    operator.settle(HOUR).await;
    assert_eq!(machine_type(world), "e2-micro");
    let held = resource_reason(&operator, &key(CONNECTOR));
    assert_eq!(held, Some(Reason::RolledBack));
    operator
}

#[test]
fn a_retry_of_a_phase_releases_what_it_left_on_hold() {
    run(|| async {
        let (world, meter) = world();
        let operator = gone_back(&world, &meter).await;
        let mut events = operator.board.events();
        meter.set("load", Reads::Seconds(1.0));
        ask_phase(&world, "1-connector", &Ask::Retry);
        tokio::time::sleep(MINUTE).await;
        operator.settle(HOUR).await;
        let (reason, message) = reason_of(&operator, "1-connector");
        assert_eq!(reason, Reason::UpToDate, "{message}");
        assert_eq!(machine_type(&world), "e2-standard-4");
        let mut told = Vec::new();
        while let Ok(event) = events.try_recv() {
            told.extend((event.reason == "Retried").then_some(event.message));
        }
        let says = "a person asked for another attempt: vac/staging-connector released";
        assert_eq!(told, [says]);

        // It acted once: what fails again is held again, also through a restart.
        let writes = world.writes().len();
        operator.stop().await;
        let operator = gone_back_again(&world, &meter).await;
        assert_eq!(
            world.writes().len(),
            writes,
            "nothing to change, nothing to take back"
        );
        operator.stop().await;
    });
}

/// The same set on a new operator, with a check that fails.
async fn gone_back_again(world: &World, meter: &Meter) -> Operator {
    meter.set("load", Reads::Seconds(9.0));
    let operator = world.operator();
    let more = json!({"verify": ["load"], "bake": "5m", "onFailure": "Rollback"});
    let phases = vec![phase("1-connector", "1", more)];
    operator.declare(set(vec![machine()], phases)).await;
    tokio::time::sleep(100 * MINUTE).await;
    operator
}

#[test]
fn a_retry_that_fails_again_holds_again() {
    run(|| async {
        let (world, meter) = world();
        let operator = gone_back(&world, &meter).await;
        meter.set("load", Reads::Seconds(1.0));
        tokio::time::sleep(5 * MINUTE).await;
        ask_phase(&world, "1-connector", &Ask::Retry);
        operator
            .until(HOUR, |_| machine_type(&world) == "e2-standard-4")
            .await;
        meter.set("load", Reads::Seconds(9.0));
        tokio::time::sleep(HOUR).await;
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::VerifyFailed);
        assert_eq!(machine_type(&world), "e2-micro", "it went back");
        let writes = world.writes().len();
        assert_eq!(writes, 4, "there and back, twice");
        operator.stop().await;
        let operator = gone_back_again(&world, &meter).await;
        assert_eq!(world.writes().len(), writes, "the request acted once");
        operator.stop().await;
    });
}

#[test]
fn what_a_person_stopped_is_not_released_with_its_phase_and_the_message_says_so() {
    run(|| async {
        let (world, _) = world();
        let operator = world.operator();
        let phases = || vec![phase("1-connector", "1", json!({"verify": ["load"]}))];
        let mut slow = first(json!({"minInstances": 5, "maxInstances": 10}));
        slow.policy.rollout = Some(common::steps_of(1, 2));
        operator.declare(set(vec![slow], phases())).await;
        operator.until(HOUR, |_| !world.writes().is_empty()).await;
        world.ask(&Ask::Abort);
        tokio::time::sleep(10 * MINUTE).await;
        let (reason, message) = reason_of(&operator, "1-connector");
        assert_eq!(reason, Reason::Aborted, "{message}");
        let way_out = "`evenkeel rollout retry vac/staging-connector` (a person stopped it), then \
                       `evenkeel rollout retry phase/1-connector`";
        assert!(message.contains(way_out), "{message}");
        let writes = world.writes().len();
        ask_phase(&world, "1-connector", &Ask::Retry);
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::Aborted);
        assert_eq!(world.writes().len(), writes, "still held");

        world.ask(&Ask::Retry);
        ask_phase(&world, "1-connector", &Ask::Retry);
        tokio::time::sleep(MINUTE).await;
        operator.settle(2 * HOUR).await;
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::UpToDate);
        assert_eq!(world.size(), (5, 10));
        operator.stop().await;
    });
}

/// An operator that starts with a clock six hours behind that of the last one.
fn set_back(world: &World) -> Operator {
    let earlier = world.clock.now() - jiff::SignedDuration::from_hours(6);
    let astray = World {
        emulator: Arc::clone(&world.emulator),
        clock: Arc::new(SystemClock::starting_at(earlier)),
        journal: Arc::clone(&world.journal),
        settings: world.settings.clone(),
        prober: Arc::clone(&world.prober),
        seed: world.seed,
        wire: world.wire.clone(),
    };
    let google = Embedded {
        emulator: Arc::clone(&world.emulator),
        clock: Arc::clone(&world.clock),
    };
    astray.operator_on(Arc::new(google), Arc::clone(&world.journal) as _)
}

#[test]
fn what_goes_back_does_not_depend_on_a_clock_that_was_set_back() {
    run(|| async {
        let (world, meter) = world();
        let more = json!({"verify": ["load"], "bake": "30m", "onFailure": "Rollback"});
        let phases = || vec![phase("1-connector", "1", more.clone())];
        let operator = world.operator();
        operator.declare(set(vec![machine()], phases())).await;
        operator
            .until(HOUR, |operator| {
                let phases = operator.board.phases();
                let phase = phases.get("1-connector");
                let ready = phase.and_then(|phase| phase.status.conditions.first());
                ready.is_some_and(|ready| ready.reason == Reason::Baking)
            })
            .await;
        operator.stop().await;
        let operator = set_back(&world);
        operator.declare(set(vec![machine()], phases())).await;
        tokio::time::sleep(5 * MINUTE).await;
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::Baking);
        meter.set("load", Reads::Seconds(9.0));
        tokio::time::sleep(2 * HOUR).await;
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::VerifyFailed);
        assert_eq!(
            machine_type(&world),
            "e2-micro",
            "what it changed went back"
        );
        operator.stop().await;
    });
}

#[test]
fn a_bake_is_over_in_time_though_the_clock_was_set_back() {
    run(|| async {
        let (world, _) = world();
        let more = json!({"verify": ["load"], "bake": "30m"});
        let phases = || vec![phase("1-connector", "1", more.clone())];
        let operator = world.operator();
        operator.declare(set(vec![machine()], phases())).await;
        operator
            .until(HOUR, |_| machine_type(&world) == "e2-standard-4")
            .await;
        tokio::time::sleep(5 * MINUTE).await;
        assert_eq!(reason_of(&operator, "1-connector").0, Reason::Baking);
        operator.stop().await;
        let operator = set_back(&world);
        operator.declare(set(vec![machine()], phases())).await;
        tokio::time::sleep(40 * MINUTE).await;
        let (reason, message) = reason_of(&operator, "1-connector");
        assert_eq!(reason, Reason::UpToDate, "{message}");
        operator.stop().await;
    });
}
