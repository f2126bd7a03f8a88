//! Health checks through the whole operator, against the emulated GCP.

mod common;

use common::{World, declared_as, key_of, run};
use evenkeel::api::envelope::{Deletion, Drift};
use evenkeel::api::{ConditionType, Declared, Key, Kind, Reason, Status};
use evenkeel::emulator::{Action, FaultRule};
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const CHECKS: &str = "projects/netra-staging/global/healthChecks";
const SERVICES: &str = "projects/netra-staging/global/backendServices";

fn hc(name: &str) -> Key {
    key_of(Kind::HealthCheck, "global", name)
}

fn check(resource: Value) -> Declared {
    declared_as(hc("web"), resource)
}

fn patient() -> Value {
    json!({"checkIntervalSec": 10, "timeoutSec": 5, "unhealthyThreshold": 3,
        "httpHealthCheck": {"port": 8080, "requestPath": "/healthz"}})
}

fn ready(status: &Status) -> (Reason, String) {
    let ready = status.condition(ConditionType::Ready).expect("Ready");
    (ready.reason, ready.message.clone())
}

async fn live(world: &World, name: &str) -> Value {
    world
        .google("GET", &format!("{CHECKS}/{name}"), Value::Null)
        .await
}

/// A health check that people made, with Google's defaults.
async fn existing(world: &World, name: &str) {
    let body = json!({"name": name, "type": "HTTP", "httpHealthCheck": {"port": 80},
        "description": "by hand"});
    world.google("POST", CHECKS, body).await;
}

#[test]
fn creates_once_and_then_writes_nothing() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![check(patient())]).await;
        let status = operator.ready(&hc("web"), HOUR).await;
        assert_eq!(status.observed["checkIntervalSec"], 10);
        assert!(!status.observed.contains_key("state"), "there is none");
        let made = live(&world, "web").await;
        assert_eq!(
            (&made["type"], &made["httpHealthCheck"]["port"]),
            (&json!("HTTP"), &json!(8080))
        );
        operator.declare(vec![check(patient())]).await;
        tokio::time::sleep(1000 * MINUTE).await;
        let sent = world.sent();
        assert_eq!(sent.len(), 1, "{sent:#?}");
        assert_eq!(
            (
                sent[0].method.as_str(),
                &sent[0].body.as_ref().unwrap()["name"]
            ),
            ("POST", &json!("web"))
        );
        operator.stop().await;
    });
}

#[test]
fn a_regional_check_lives_in_its_region() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let key = key_of(Kind::HealthCheck, "us-central1", "web");
        operator
            .declare(vec![declared_as(key.clone(), patient())])
            .await;
        operator.ready(&key, HOUR).await;
        let path = "projects/netra-staging/regions/us-central1/healthChecks/web";
        assert_eq!(
            world.google("GET", path, Value::Null).await["checkIntervalSec"],
            10
        );
        operator.stop().await;
    });
}

#[test]
fn adopts_and_sends_only_what_differs() {
    run(|| async {
        let world = World::new();
        existing(&world, "web").await;
        let operator = world.operator();
        let mut manifest = check(patient());
        manifest.policy.adopt = false;
        operator.declare(vec![manifest]).await;
        operator.settle(HOUR).await;
        assert_eq!(
            ready(&operator.status_of(&hc("web"))).0,
            Reason::AlreadyExists
        );
        assert!(world.sent().is_empty());
        operator.declare(vec![check(patient())]).await;
        operator.ready(&hc("web"), HOUR).await;
        let sent = world.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(
            sent[0].body,
            Some(json!({"checkIntervalSec": 10, "unhealthyThreshold": 3,
                "httpHealthCheck": {"port": 8080, "requestPath": "/healthz"}}))
        );
        assert_eq!(live(&world, "web").await["description"], "by hand");
        operator.stop().await;
    });
}

#[test]
fn drift_is_corrected_or_only_told() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![check(patient())]).await;
        operator.ready(&hc("web"), HOUR).await;
        let strict = json!({"unhealthyThreshold": 1});
        let path = format!("{CHECKS}/web");
        let drift = || {
            let now = world.clock.now();
            let done = world.emulator.foreign_patch(now, &path, &strict);
            done.unwrap();
        };
        drift();
        tokio::time::sleep(3 * MINUTE).await;
        operator.ready(&hc("web"), HOUR).await;
        assert_eq!(live(&world, "web").await["unhealthyThreshold"], 3);
        assert_eq!(world.sent().len(), 2);

        let mut manifest = check(patient());
        manifest.policy.drift = Drift::Observe;
        operator.declare(vec![manifest]).await;
        tokio::time::sleep(3 * MINUTE).await;
        drift();
        tokio::time::sleep(10 * MINUTE).await;
        let status = operator.status_of(&hc("web"));
        assert_eq!(ready(&status).0, Reason::Drifted);
        assert!(
            ready(&status).1.contains("unhealthyThreshold 1 -> 3"),
            "{status:#?}"
        );
        assert_eq!(world.sent().len(), 2);
        operator.stop().await;
    });
}

#[test]
fn a_field_that_leaves_the_manifest_is_released() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![check(patient())]).await;
        operator.ready(&hc("web"), HOUR).await;
        let rest = json!({"httpHealthCheck": {"port": 8080}});
        operator.declare(vec![check(rest)]).await;
        tokio::time::sleep(MINUTE).await;
        let other = json!({"checkIntervalSec": 60});
        let path = format!("{CHECKS}/web");
        world
            .emulator
            .foreign_patch(world.clock.now(), &path, &other)
            .unwrap();
        tokio::time::sleep(HOUR).await;
        assert!(operator.status_of(&hc("web")).is_ready());
        assert_eq!(live(&world, "web").await["checkIntervalSec"], 60);
        assert_eq!(world.sent().len(), 1);
        operator.stop().await;
    });
}

#[test]
fn a_missing_manifest_orphans_by_default() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let other = || declared_as(hc("other"), patient());
        operator.declare(vec![check(patient()), other()]).await;
        operator.ready(&hc("web"), HOUR).await;
        operator.ready(&hc("other"), HOUR).await;
        operator.declare(vec![other()]).await;
        tokio::time::sleep(HOUR).await;
        assert!(world.sent().iter().all(|write| write.method != "DELETE"));
        assert_eq!(live(&world, "web").await["name"], "web");
        operator.stop().await;
    });
}

#[test]
fn a_delete_names_the_users_and_waits_for_them_without_a_write() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 5;
        let operator = world.operator();
        let mut going = check(patient());
        going.policy.deletion = Deletion::Delete;
        let other = || declared_as(hc("other"), patient());
        operator.declare(vec![going, other()]).await;
        operator.ready(&hc("web"), HOUR).await;
        operator.ready(&hc("other"), HOUR).await;
        let user = json!({"name": "api", "healthChecks": [format!("http://127.0.0.1:1/compute/v1/{CHECKS}/web")]});
        world.google("POST", SERVICES, user).await;
        let writes = world.sent().len();
        operator.declare(vec![other()]).await;
        tokio::time::sleep(HOUR).await;
        let (reason, message) = ready(&operator.status_of(&hc("web")));
        assert_eq!(reason, Reason::InUse, "{message}");
        assert!(message.contains(&format!("{SERVICES}/api")), "{message}");
        assert_eq!(world.sent().len(), writes, "no write while it is in use");

        world
            .google("DELETE", &format!("{SERVICES}/api"), Value::Null)
            .await;
        operator
            .until(HOUR, |o| !o.board.resources().contains_key(&hc("web")))
            .await;
        let deletes = world
            .sent()
            .into_iter()
            .filter(|w| w.method == "DELETE")
            .count();
        assert_eq!(deletes, 1);
        operator.stop().await;
    });
}

#[test]
fn another_protocol_is_refused_in_place() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![check(patient())]).await;
        operator.ready(&hc("web"), HOUR).await;
        operator
            .declare(vec![check(json!({"tcpHealthCheck": {"port": 5432}}))])
            .await;
        tokio::time::sleep(MINUTE).await;
        let (reason, message) = ready(&operator.status_of(&hc("web")));
        assert_eq!(reason, Reason::IrreversibleChange);
        assert!(message.contains("under a new name"), "{message}");
        assert_eq!(world.sent().len(), 1);
        operator.stop().await;
    });
}

#[test]
fn a_lost_reply_is_looked_into_and_nothing_is_sent_twice() {
    run(|| async {
        let world = World::new();
        existing(&world, "web").await;
        world.emulator.set_faults(vec![
            FaultRule::new(Action::ResetAfter).on("PATCH", "/").times(1),
        ]);
        let operator = world.operator();
        operator.declare(vec![check(patient())]).await;
        operator.ready(&hc("web"), HOUR).await;
        assert_eq!(world.sent().len(), 1);
        assert_eq!(live(&world, "web").await["unhealthyThreshold"], 3);
        operator.stop().await;
    });
}

#[test]
fn a_fixed_port_goes_when_the_serving_port_is_probed() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 1;
        existing(&world, "web").await;
        let operator = world.operator();
        let mut going = declared_as(hc("going"), json!({"grpcTlsHealthCheck": {"port": 50051}}));
        going.policy.deletion = Deletion::Delete;
        // The fixed port of the live check goes with the change: Google refuses both.
        let serving = json!({"httpHealthCheck": {"portSpecification": "USE_SERVING_PORT"}});
        operator.declare(vec![check(serving.clone()), going]).await;
        operator.ready(&hc("web"), HOUR).await;
        operator.ready(&hc("going"), HOUR).await;
        assert_eq!(
            live(&world, "web").await["httpHealthCheck"].get("port"),
            None
        );
        operator.declare(vec![check(serving)]).await;
        operator
            .until(HOUR, |o| !o.board.resources().contains_key(&hc("going")))
            .await;
        operator.stop().await;
    });
}
