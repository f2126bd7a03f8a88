//! Another protocol for a health check in use, through the whole operator: another check takes
//! over, and no backend service is ever without one.

mod common;

use common::{Operator, World, declared_as, key_of, message, reason, run};
use evenkeel::api::envelope::{Deletion, RolloutSpec};
use evenkeel::api::{Declared, Key, Kind, Reason};
use evenkeel::emulator::{Action, ErrorFault, FaultRule};
use evenkeel::kinds::health_check_base as base_of;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const GLOBAL: &str = "projects/netra-staging/global";
/// The checks that take over from `web`.
const TCP: &str = "web-65f0f8eb";

fn check_key() -> Key {
    key_of(Kind::HealthCheck, "global", "web")
}

fn service_key() -> Key {
    key_of(Kind::BackendService, "global", "managed")
}

fn check(block: Value) -> Declared {
    let mut manifest = declared_as(check_key(), block);
    manifest.policy.rollout = Some(RolloutSpec {
        bake: Some("10m".parse().unwrap()),
        ..RolloutSpec::default()
    });
    manifest
}

fn http() -> Declared {
    check(json!({"checkIntervalSec": 10, "httpHealthCheck": {"port": 8080, "requestPath": "/up"}}))
}

fn tcp() -> Declared {
    check(json!({"checkIntervalSec": 10, "tcpHealthCheck": {"port": 8080}}))
}

fn service(timeout: i64) -> Declared {
    let resource = json!({"healthChecksRef": [{"name": "web"}], "timeoutSec": timeout});
    declared_as(service_key(), resource)
}

/// A bystander, so that the set is never empty.
fn other() -> Declared {
    let key = key_of(Kind::HealthCheck, "global", "other");
    declared_as(key, json!({"tcpHealthCheck": {"port": 80}}))
}

/// A world with the HTTP check, a managed backend service on it and one that people made.
async fn started() -> (World, Operator) {
    let mut world = World::new();
    world.settings.deletes_per_sync = 2;
    let operator = world.start(vec![http(), service(30), other()]).await;
    operator.ready(&service_key(), HOUR).await;
    let link = format!("https://www.googleapis.com/compute/v1/{GLOBAL}/healthChecks/web");
    let body =
        json!({"name": "by-hand", "loadBalancingScheme": "EXTERNAL", "healthChecks": [link]});
    world
        .google("POST", &format!("{GLOBAL}/backendServices"), body)
        .await;
    assert_eq!(world.own_writes().len(), 4, "two checks, and both services");
    (world, operator)
}

/// The check of a backend service, which must exist.
fn check_of(world: &World, service: &str) -> String {
    let service = world.truth(&format!("{GLOBAL}/backendServices/{service}"));
    let list = service["healthChecks"].as_array().expect("a list");
    assert_eq!(list.len(), 1, "{service}");
    let link = list[0].as_str().expect("a link");
    let name = link.rsplit('/').next().expect("a name").to_owned();
    assert!(exists(world, &name), "{service} uses what is not there");
    name
}

fn exists(world: &World, name: &str) -> bool {
    world
        .truth(&format!("{GLOBAL}/healthChecks/{name}"))
        .is_object()
}

fn checks(world: &World) -> [String; 2] {
    ["managed", "by-hand"].map(|service| check_of(world, service))
}

/// Everybody has this check, and it is the only one of the family.
fn all_on(world: &World, name: &str, old: &str) -> bool {
    checks(world) == [name, name] && !exists(world, old)
}

/// Lets time pass until `done`, and checks all the while that nobody is without a check.
async fn watch(world: &World, limit: Duration, done: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + limit;
    while !done() {
        checks(world);
        assert!(
            tokio::time::Instant::now() < deadline,
            "{:#?}",
            calls(world, 0)
        );
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
}

/// What the operator wrote after the first `skip` calls.
fn calls(world: &World, skip: usize) -> Vec<String> {
    let sent = world.sent().into_iter().skip(skip);
    sent.map(|call| {
        let object = call.path.rsplit("/global/").next().unwrap_or_default();
        format!("{} {object}", call.method)
    })
    .collect()
}

#[test]
fn another_check_takes_over_and_the_old_one_goes_last() {
    run(|| async {
        let (world, operator) = started().await;
        assert_eq!(base_of(TCP), "web");
        let before = world.sent().len();
        let started = tokio::time::Instant::now();
        operator.declare(vec![tcp(), service(30), other()]).await;
        let held = || calls(&world, before).len() == 3 && checks(&world) == [TCP, TCP];
        watch(&world, 5 * MINUTE, held).await;
        tokio::time::sleep(5 * MINUTE).await;
        let status = operator.status_of(&check_key());
        assert_eq!(reason(&status), Reason::Baking, "{status:#?}");
        assert!(
            message(&status).contains("moves its users back"),
            "{}",
            message(&status)
        );
        assert!(
            operator.status_of(&service_key()).is_ready(),
            "it has followed"
        );
        watch(&world, HOUR, || all_on(&world, TCP, "web")).await;
        assert!(started.elapsed() >= 10 * MINUTE, "it held");
        let status = operator.ready(&check_key(), HOUR).await;
        assert_eq!(status.observed["name"], TCP);
        operator.ready(&service_key(), HOUR).await;
        assert_eq!(
            calls(&world, before),
            [
                "POST healthChecks",
                "PATCH backendServices/by-hand",
                "PATCH backendServices/managed",
                "DELETE healthChecks/web",
            ]
        );
        settled(&world, &operator).await;
        operator.stop().await;

        // A restart knows the name, and so does an operator that has lost everything.
        let again = || vec![tcp(), service(30), other()];
        let operator = world.start(again()).await;
        operator.ready(&service_key(), HOUR).await;
        operator.stop().await;
        let world = world.forgotten();
        let operator = world.start(again()).await;
        operator.ready(&service_key(), HOUR).await;
        operator.ready(&check_key(), HOUR).await;
        assert_eq!(calls(&world, before).len(), 4);
        operator.stop().await;
    });
}

/// One LIST a scope and poll, and no change of anything.
async fn settled(world: &World, operator: &Operator) {
    let requests = world.emulator.requests().len();
    let before = operator.board.resources().clone();
    tokio::time::sleep(30 * MINUTE).await;
    let mut reads: BTreeMap<String, usize> = BTreeMap::new();
    for entry in world.emulator.requests().into_iter().skip(requests) {
        assert_eq!(
            (entry.method.as_str(), entry.query.as_str()),
            ("GET", "maxResults=500")
        );
        *reads.entry(entry.path).or_default() += 1;
    }
    assert_eq!(reads.len(), 2, "{reads:?}");
    assert!(
        reads.values().all(|count| (27..=34).contains(count)),
        "{reads:?}"
    );
    let statuses = |resources: &evenkeel::engine::Board| {
        let all = resources.resources().into_iter();
        all.map(|(key, report)| (key, report.status))
            .collect::<BTreeMap<_, _>>()
    };
    let now = statuses(&operator.board);
    assert!(before.iter().all(|(key, report)| now[key] == report.status));
}

#[test]
fn drift_is_brought_back_to_the_check_that_took_over_and_the_next_swap_takes_the_plain_name() {
    run(|| async {
        let (world, operator) = started().await;
        operator.declare(vec![tcp(), service(30), other()]).await;
        watch(&world, HOUR, || all_on(&world, TCP, "web")).await;
        operator.ready(&service_key(), HOUR).await;
        let before = world.sent().len();

        world.foreign(
            &format!("{GLOBAL}/healthChecks/{TCP}"),
            json!({"checkIntervalSec": 60}),
        );
        let elsewhere = format!("{GLOBAL}/healthChecks/other");
        world.foreign(
            &format!("{GLOBAL}/backendServices/managed"),
            json!({"healthChecks": [elsewhere]}),
        );
        tokio::time::sleep(5 * MINUTE).await;
        operator.ready(&check_key(), HOUR).await;
        operator.ready(&service_key(), HOUR).await;
        let mut made = calls(&world, before);
        made.sort();
        assert_eq!(
            made,
            [
                "PATCH backendServices/managed".to_owned(),
                format!("PATCH healthChecks/{TCP}")
            ]
        );
        assert_eq!(checks(&world), [TCP, TCP]);
        let live = world.truth(&format!("{GLOBAL}/healthChecks/{TCP}"));
        assert_eq!(live["checkIntervalSec"], 10);

        let before = world.sent().len();
        operator.declare(vec![http(), service(30), other()]).await;
        watch(&world, HOUR, || all_on(&world, "web", TCP)).await;
        let status = operator.ready(&check_key(), HOUR).await;
        assert!(!status.observed.contains_key("name"));
        operator.ready(&service_key(), HOUR).await;
        assert_eq!(calls(&world, before)[0], "POST healthChecks");
        assert_eq!(calls(&world, before).len(), 4);
        operator.stop().await;
    });
}

#[test]
fn a_removed_manifest_takes_the_check_that_took_over_along() {
    run(|| async {
        let (world, operator) = started().await;
        let going = |mut manifest: Declared| {
            manifest.policy.deletion = Deletion::Delete;
            manifest
        };
        operator
            .declare(vec![going(tcp()), going(service(30)), other()])
            .await;
        watch(&world, HOUR, || all_on(&world, TCP, "web")).await;
        operator.ready(&service_key(), HOUR).await;
        operator.declare(vec![other()]).await;
        tokio::time::sleep(10 * MINUTE).await;
        let status = operator.status_of(&check_key());
        assert_eq!(reason(&status), Reason::InUse, "{status:#?}");
        assert!(
            message(&status).contains("backendServices/by-hand"),
            "{status:#?}"
        );
        let by_hand = format!("{GLOBAL}/backendServices/by-hand");
        world.google("DELETE", &by_hand, Value::Null).await;
        operator
            .until(HOUR, |o| !o.board.resources().contains_key(&check_key()))
            .await;
        assert!(!exists(&world, TCP));
        operator.stop().await;
    });
}

#[test]
fn a_swap_goes_on_after_kills() {
    run(|| async {
        let (world, operator) = started().await;
        let before = world.sent().len();
        operator.kill().await;
        let set = || vec![tcp(), service(30), other()];
        for round in 0..60 {
            let operator = world.start(set()).await;
            let at = tokio::time::Instant::now();
            while at.elapsed() < Duration::from_secs(2 + round % 23) {
                checks(&world);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            operator.kill().await;
        }
        let operator = world.start(set()).await;
        watch(&world, HOUR, || all_on(&world, TCP, "web")).await;
        operator.ready(&check_key(), HOUR).await;
        operator.ready(&service_key(), HOUR).await;
        let landed = world
            .sent()
            .into_iter()
            .skip(before)
            .filter(|call| call.landed);
        assert_eq!(landed.count(), 4, "{:#?}", calls(&world, before));
        operator.stop().await;
    });
}

#[test]
fn the_former_content_moves_the_users_back_until_the_old_check_is_deleted() {
    run(|| async {
        let (world, operator) = started().await;
        operator.declare(vec![tcp(), service(30), other()]).await;
        watch(&world, HOUR, || checks(&world) == [TCP, TCP]).await;
        tokio::time::sleep(2 * MINUTE).await;
        let before = world.sent().len();
        operator.declare(vec![http(), service(30), other()]).await;
        watch(&world, HOUR, || all_on(&world, "web", TCP)).await;
        operator.ready(&check_key(), HOUR).await;
        operator.ready(&service_key(), HOUR).await;
        assert_eq!(
            calls(&world, before),
            [
                "PATCH backendServices/by-hand".to_owned(),
                "PATCH backendServices/managed".to_owned(),
                format!("DELETE healthChecks/{TCP}"),
            ]
        );
        operator.stop().await;
    });
}

/// A rollout of the backend service and the swap are both under way, from one commit.
#[test]
fn one_commit_changes_the_protocol_and_the_backend_service() {
    run(|| async {
        let (world, operator) = started().await;
        let before = world.sent().len();
        let mut slow = service(60);
        slow.policy.rollout.clone_from(&tcp().policy.rollout);
        operator.declare(vec![tcp(), slow, other()]).await;
        watch(&world, 2 * HOUR, || all_on(&world, TCP, "web")).await;
        operator.ready(&check_key(), 2 * HOUR).await;
        operator.ready(&service_key(), 2 * HOUR).await;
        let live = world.truth(&format!("{GLOBAL}/backendServices/managed"));
        assert_eq!(live["timeoutSec"], 60);
        assert_eq!(
            calls(&world, before).len(),
            5,
            "{:#?}",
            calls(&world, before)
        );
        operator.stop().await;
    });
}

#[test]
fn a_suspended_user_is_not_written_to() {
    run(|| async {
        let (world, operator) = started().await;
        let before = world.sent().len();
        let mut suspended = service(30);
        suspended.policy.suspend = true;
        operator.declare(vec![tcp(), suspended, other()]).await;
        tokio::time::sleep(HOUR).await;
        let status = operator.status_of(&check_key());
        assert_eq!(reason(&status), Reason::WaitingForDependency, "{status:#?}");
        assert!(
            message(&status).contains("managed: it is suspended"),
            "{status:#?}"
        );
        assert!(calls(&world, before).is_empty());
        operator.declare(vec![tcp(), service(30), other()]).await;
        watch(&world, HOUR, || all_on(&world, TCP, "web")).await;
        operator.stop().await;
    });
}

/// A user that no list shows, such as the autohealing of an instance group: Google refuses the
/// delete and names it.
#[test]
fn what_uses_the_old_check_unseen_keeps_it() {
    run(|| async {
        let (world, operator) = started().await;
        let user = ErrorFault {
            status: 400,
            reason: Some("resourceInUseByAnotherResource".to_owned()),
            message: Some("already being used by 'instanceGroupManagers/workers'".to_owned()),
            ..ErrorFault::default()
        };
        let rule = FaultRule::new(Action::Error(user)).on("DELETE", "/");
        world.emulator.set_faults(vec![rule]);
        operator.declare(vec![tcp(), service(30), other()]).await;
        let stalled = |o: &Operator| o.status_of(&check_key()).is_stalled();
        operator.until(3 * HOUR, stalled).await;
        let status = operator.status_of(&check_key());
        assert_eq!(reason(&status), Reason::DeadlineExceeded);
        assert!(
            message(&status).contains("instanceGroupManagers/workers"),
            "{}",
            message(&status)
        );
        assert!(exists(&world, "web") && checks(&world) == [TCP, TCP]);
        operator.stop().await;
    });
}
