//! Health checks through the whole operator, against the emulated GCP.

mod common;

use common::{World, declared_as, key_of, run, verdict};
use evenkeel::api::envelope::Deletion;
use evenkeel::api::{Declared, Key, Kind, Reason};
use evenkeel::emulator::{Action, FaultRule};
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
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
        let (reason, message) = verdict(&operator.status_of(&hc("web")));
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
fn a_lost_reply_is_looked_into_and_nothing_is_sent_twice() {
    run(|| async {
        let world = World::new();
        existing(&world, "web").await;
        world.emulator.set_faults(vec![
            FaultRule::new(Action::ResetAfter).on("PATCH", "/").times(1),
        ]);
        let operator = world.start(vec![check(patient())]).await;
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
