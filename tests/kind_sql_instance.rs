//! Cloud SQL instances through the whole operator, on the emulated GCP.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]

mod common;

use common::{CONNECTOR, LOCATION, World, key, run, verdict};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key, Kind, Reason};
use evenkeel::emulator::{Action, ErrorFault, FaultRule, Shape};
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
    world.truth(NAME)
}

#[test]
fn a_change_is_merged_under_the_version_it_was_read_with() {
    run(|| async {
        let world = World::new();
        let operator = world.start(vec![new_instance()]).await;
        operator.ready(&instance_key("staging-db"), 2 * HOUR).await;
        assert_eq!(world.own_writes().len(), 1);
        assert_eq!(live(&world)["region"], LOCATION);

        let wider = instance(
            "staging-db",
            settings(json!({
                "tier": "db-custom-2-8192", "dataDiskSizeGb": 100,
                "databaseFlags": [{"name": "log_lock_waits", "value": "on"}],
            })),
        );
        operator.declare(vec![wider]).await;
        tokio::time::sleep(MINUTE).await;
        operator.ready(&instance_key("staging-db"), 2 * HOUR).await;
        let writes = world.own_writes();
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

        operator.stop().await;
    });
}

#[test]
fn a_grown_disk_is_no_drift_and_is_left_alone() {
    run(|| async {
        let world = World::new();
        let key = instance_key("staging-db");
        let operator = world.start(vec![new_instance()]).await;
        operator.ready(&key, 2 * HOUR).await;
        world.foreign(NAME, settings(json!({"dataDiskSizeGb": "80"})));
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(world.own_writes().len(), 1, "the disk grew by itself");

        world.foreign(NAME, settings(json!({"tier": "db-custom-4-15360"})));
        tokio::time::sleep(10 * MINUTE).await;
        operator.ready(&key, HOUR).await;
        assert_eq!(live(&world)["settings"]["tier"], "db-custom-1-3840");
        assert_eq!(live(&world)["settings"]["dataDiskSizeGb"], "80");
        operator.stop().await;
    });
}

#[test]
fn a_shrink_is_refused_and_a_restart_waits_for_a_person() {
    run(|| async {
        let world = World::new();
        let key = instance_key("staging-db");
        let operator = world.start(vec![new_instance()]).await;
        operator.ready(&key, 2 * HOUR).await;
        let smaller = settings(json!({"dataDiskSizeGb": 20, "storageAutoResize": false}));
        operator
            .declare(vec![instance("staging-db", smaller)])
            .await;
        tokio::time::sleep(5 * MINUTE).await;
        let (reason, message) = verdict(&operator.status_of(&key));
        assert_eq!(reason, Reason::IrreversibleChange);
        assert!(message.contains("does not shrink"), "{message}");

        let mut wanted = instance("staging-db", settings(json!({"tier": "db-custom-2-8192"})));
        wanted.policy.rollout = None;
        operator.declare(vec![wanted]).await;
        tokio::time::sleep(5 * MINUTE).await;
        let (reason, message) = verdict(&operator.status_of(&key));
        assert_eq!(reason, Reason::AwaitingApproval);
        assert!(message.contains("restarts"), "{message}");
        assert_eq!(world.own_writes().len(), 1);
        operator.stop().await;
    });
}

#[test]
fn a_stale_version_and_a_running_operation_are_waited_out() {
    run(|| async {
        let world = World::new();
        let key = instance_key("staging-db");
        let operator = world.start(vec![new_instance()]).await;
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
            world.own_writes().len(),
            4,
            "create, two refused, one that landed"
        );
        assert_eq!(live(&world)["settings"]["tier"], "db-custom-2-8192");
        operator.stop().await;
    });
}
