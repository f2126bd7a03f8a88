//! Cloud SQL instances through the whole operator, on the emulated GCP.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]

mod common;

use common::{CONNECTOR, LOCATION, PROJECT, World, key, run};
use evenkeel::api::envelope::{Deletion, Drift, RolloutSpec};
use evenkeel::api::{ConditionType, Declared, Key, Kind, Reason, Status};
use evenkeel::emulator::{Action, ErrorFault, FaultRule, LogEntry, Shape};
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const NAME: &str = "projects/netra-staging/instances/staging-db";

fn instance_key(name: &str) -> Key {
    Key {
        kind: Kind::SqlInstance,
        name: name.into(),
        ..key(CONNECTOR)
    }
}

fn instance(name: &str, resource: Value) -> Declared {
    let mut declared = common::declared(json!({}));
    declared.key = instance_key(name);
    declared.name = name.into();
    declared.resource.clone_from(resource.as_object().unwrap());
    declared.policy.rollout = Some(RolloutSpec {
        allow_disruptive: true,
        ..RolloutSpec::default()
    });
    declared
}

fn settings(settings: Value) -> Value {
    json!({"settings": settings})
}

fn new_instance() -> Declared {
    instance(
        "staging-db",
        json!({
            "databaseVersion": "POSTGRES_15",
            "settings": {"tier": "db-custom-1-3840", "dataDiskSizeGb": 50,
                "databaseFlags": [{"name": "max_connections", "value": "100"}],
                "userLabels": {"team": "core"}},
        }),
    )
}

fn live(world: &World) -> Value {
    world.emulator.advance(world.clock.now());
    let path = format!("/v1/{NAME}");
    world.emulator.truth(&path).unwrap_or_default()
}

fn own_writes(world: &World) -> Vec<LogEntry> {
    let writes = world.writes();
    writes.into_iter().filter(|write| !write.foreign).collect()
}

fn ready(status: &Status) -> (Reason, String) {
    let ready = status.condition(ConditionType::Ready).expect("a condition");
    (ready.reason, ready.message.clone())
}

fn foreign(world: &World, fields: Value) {
    let now = world.clock.now();
    world.emulator.foreign_patch(now, NAME, &fields).unwrap();
}

#[test]
fn creates_changes_and_then_writes_nothing() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![new_instance()]).await;
        operator.ready(&instance_key("staging-db"), 2 * HOUR).await;
        assert_eq!(own_writes(&world).len(), 1);
        assert_eq!(live(&world)["region"], LOCATION);

        let wider = instance(
            "staging-db",
            settings(json!({
                "tier": "db-custom-2-8192", "dataDiskSizeGb": 100,
                "databaseFlags": [{"name": "log_lock_waits", "value": "on"}],
            })),
        );
        operator.declare(vec![wider.clone()]).await;
        tokio::time::sleep(MINUTE).await;
        operator.ready(&instance_key("staging-db"), 2 * HOUR).await;
        let writes = own_writes(&world);
        assert_eq!(writes.len(), 2);
        let body = writes[1].body.as_ref().unwrap();
        assert!(body["settings"]["settingsVersion"].is_string(), "{body}");
        let now = live(&world);
        assert_eq!(now["settings"]["tier"], "db-custom-2-8192");
        assert_eq!(
            now["settings"]["databaseFlags"].as_array().unwrap().len(),
            2
        );
        assert_eq!(now["settings"]["userLabels"]["team"], "core");

        operator.declare(vec![wider]).await;
        tokio::time::sleep(1000 * MINUTE).await;
        assert_eq!(
            own_writes(&world).len(),
            2,
            "a thousand polls write nothing"
        );
        operator.stop().await;
    });
}

#[test]
fn drift_is_corrected_or_told_and_a_grown_disk_is_none() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let key = instance_key("staging-db");
        operator.declare(vec![new_instance()]).await;
        operator.ready(&key, 2 * HOUR).await;
        foreign(&world, settings(json!({"dataDiskSizeGb": "80"})));
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(own_writes(&world).len(), 1, "the disk grew by itself");

        foreign(&world, settings(json!({"tier": "db-custom-4-15360"})));
        tokio::time::sleep(10 * MINUTE).await;
        operator.ready(&key, HOUR).await;
        assert_eq!(live(&world)["settings"]["tier"], "db-custom-1-3840");
        assert_eq!(live(&world)["settings"]["dataDiskSizeGb"], "80");

        let mut observed = new_instance();
        observed.policy.drift = Drift::Observe;
        operator.declare(vec![observed]).await;
        tokio::time::sleep(MINUTE).await;
        let writes = own_writes(&world).len();
        foreign(&world, settings(json!({"tier": "db-custom-4-15360"})));
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(ready(&operator.status_of(&key)).0, Reason::Drifted);
        assert_eq!(own_writes(&world).len(), writes);
        operator.stop().await;
    });
}

#[test]
fn a_shrink_is_refused_and_a_restart_waits_for_a_person() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let key = instance_key("staging-db");
        operator.declare(vec![new_instance()]).await;
        operator.ready(&key, 2 * HOUR).await;
        let smaller = settings(json!({"dataDiskSizeGb": 20, "storageAutoResize": false}));
        operator
            .declare(vec![instance("staging-db", smaller)])
            .await;
        tokio::time::sleep(5 * MINUTE).await;
        let (reason, message) = ready(&operator.status_of(&key));
        assert_eq!(reason, Reason::IrreversibleChange);
        assert!(message.contains("does not shrink"), "{message}");

        let mut wanted = instance("staging-db", settings(json!({"tier": "db-custom-2-8192"})));
        wanted.policy.rollout = None;
        operator.declare(vec![wanted]).await;
        tokio::time::sleep(5 * MINUTE).await;
        let (reason, message) = ready(&operator.status_of(&key));
        assert_eq!(reason, Reason::AwaitingApproval);
        assert!(message.contains("restarts"), "{message}");
        assert_eq!(own_writes(&world).len(), 1);
        operator.stop().await;
    });
}

#[test]
fn a_stale_version_and_a_running_operation_are_waited_out() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let key = instance_key("staging-db");
        operator.declare(vec![new_instance()]).await;
        operator.ready(&key, 2 * HOUR).await;
        let once = |status, reason: &str, after| {
            let mut rule = FaultRule::new(Action::Error(ErrorFault {
                status,
                shape: Shape::Compute,
                reason: Some(reason.to_owned()),
                message: Some("no".to_owned()),
                ..ErrorFault::default()
            }))
            .on("PATCH", "/");
            rule.times = Some(1);
            rule.matching.after = after;
            rule
        };
        world.emulator.set_faults(vec![
            once(412, "staleData", 0),
            once(409, "operationInProgress", 1),
        ]);
        let wanted = instance("staging-db", settings(json!({"tier": "db-custom-2-8192"})));
        operator.declare(vec![wanted]).await;
        tokio::time::sleep(MINUTE).await;
        operator.ready(&key, 2 * HOUR).await;
        assert_eq!(
            own_writes(&world).len(),
            4,
            "create, two refused, one that landed"
        );
        assert_eq!(live(&world)["settings"]["tier"], "db-custom-2-8192");
        operator.stop().await;
    });
}

#[test]
fn orphans_by_default_and_deletes_when_asked() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 1;
        let operator = world.operator();
        let other = common::declared(json!({"minInstances": 2, "maxInstances": 3}));
        let mut wanted = new_instance();
        operator.declare(vec![wanted.clone(), other.clone()]).await;
        operator.ready(&wanted.key, 2 * HOUR).await;
        operator.declare(vec![other.clone()]).await;
        tokio::time::sleep(30 * MINUTE).await;
        assert!(live(&world).is_object(), "orphaned");
        wanted.policy.deletion = Deletion::Delete;
        operator.declare(vec![wanted.clone(), other.clone()]).await;
        operator.ready(&wanted.key, HOUR).await;
        operator.declare(vec![other]).await;
        tokio::time::sleep(30 * MINUTE).await;
        assert!(live(&world).is_null(), "{}", live(&world));
        let last = own_writes(&world).pop().unwrap();
        assert_eq!(last.method, "DELETE");
        assert!(
            last.path
                .ends_with(&format!("{PROJECT}/instances/staging-db"))
        );
        operator.stop().await;
    });
}

#[test]
fn an_existing_instance_is_left_alone_without_adopt() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![new_instance()]).await;
        operator.ready(&instance_key("staging-db"), 2 * HOUR).await;
        operator.stop().await;
        let stranger = World {
            journal: std::sync::Arc::new(evenkeel::journal::SqliteJournal::in_memory().unwrap()),
            ..world
        };
        let operator = stranger.operator();
        let mut wanted = new_instance();
        wanted.policy.adopt = false;
        operator.declare(vec![wanted]).await;
        tokio::time::sleep(5 * MINUTE).await;
        let status = operator.status_of(&instance_key("staging-db"));
        assert_eq!(ready(&status).0, Reason::AlreadyExists);
        assert_eq!(own_writes(&stranger).len(), 1);
        operator.stop().await;
    });
}
