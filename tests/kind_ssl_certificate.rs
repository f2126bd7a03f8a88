//! `SslCertificate` through the whole operator, on the emulated Compute Engine.

mod common;

use common::{Operator, World, declared_as, key_of, run};
use evenkeel::api::envelope::{Deletion, RolloutSpec};
use evenkeel::api::{ConditionType, Declared, Key, Kind, Reason};
use evenkeel::emulator::LogEntry;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const OLD: &str = "staging.netra.example.com";
const PROXY: &str = "staging-https-proxy";

fn key() -> Key {
    key_of(Kind::SslCertificate, "global", "staging-cert")
}

fn certificate(domains: &[&str]) -> Declared {
    let resource = json!({"managed": {"domains": domains}, "attachTo": [PROXY]});
    let mut manifest = declared_as(key(), resource);
    manifest.policy.rollout = Some(RolloutSpec {
        bake: Some("10m".parse().expect("a duration")),
        timeout: Some("3h".parse().expect("a duration")),
        ..RolloutSpec::default()
    });
    manifest
}

fn truth(world: &World, object: &str) -> Option<Value> {
    world.emulator.advance(world.clock.now());
    world.emulator.truth(&format!(
        "/compute/v1/projects/netra-staging/global/{object}"
    ))
}

/// The certificates that the proxy serves, and whether each of them is ACTIVE.
fn served(world: &World) -> Vec<(String, bool)> {
    let proxy = truth(world, &format!("targetHttpsProxies/{PROXY}")).expect("the proxy");
    let list = proxy["sslCertificates"].as_array().expect("a list").iter();
    list.map(|url| {
        let name = url
            .as_str()
            .and_then(|url| url.rsplit('/').next())
            .expect("a name");
        let found = truth(world, &format!("sslCertificates/{name}")).expect("it exists");
        (name.to_owned(), found["managed"]["status"] == "ACTIVE")
    })
    .collect()
}

/// Waits, and checks all the while that the proxy serves an ACTIVE certificate.
async fn watch(world: &World, operator: &Operator, limit: Duration, done: impl Fn(&World) -> bool) {
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        assert!(
            served(world).iter().any(|(_, active)| *active),
            "a gap: {:?}",
            served(world)
        );
        if done(world) {
            return;
        }
        let late = tokio::time::Instant::now() >= deadline;
        assert!(
            !late,
            "not within {limit:?}: {:#?}",
            operator.board.resources()
        );
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

fn calls(world: &World) -> Vec<String> {
    let text = |entry: LogEntry| {
        let object = entry
            .path
            .rsplit("/global/")
            .next()
            .unwrap_or_default()
            .to_owned();
        format!("{} {object}", entry.method)
    };
    world.sent().into_iter().map(text).collect()
}

fn rotated(world: &World) -> bool {
    matches!(served(world).as_slice(), [(name, true)] if name != "staging-cert")
        && truth(world, "sslCertificates/staging-cert").is_none()
}

#[test]
fn what_serves_already_is_adopted_without_a_write() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![certificate(&[OLD])]).await;
        operator.ready(&key(), HOUR).await;
        tokio::time::sleep(1000 * MINUTE).await;
        assert!(world.sent().is_empty(), "{:?}", calls(&world));
        operator.stop().await;
    });
}

#[test]
fn a_change_of_domains_rotates_without_a_gap() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator
            .declare(vec![certificate(&[OLD, "api.netra.example.com"])])
            .await;
        watch(&world, &operator, 24 * HOUR, rotated).await;
        operator.ready(&key(), HOUR).await;
        let calls = calls(&world);
        assert_eq!(calls.len(), 4, "create, attach, detach, delete: {calls:?}");
        assert_eq!(calls[0], "POST sslCertificates");
        assert_eq!(calls[3], "DELETE sslCertificates/staging-cert");
        tokio::time::sleep(1000 * MINUTE).await;
        assert_eq!(world.sent().len(), 4, "and then nothing");
        operator.stop().await;
    });
}

#[test]
fn a_rotation_goes_on_after_kills() {
    run(|| async {
        let world = World::new();
        let wanted = || vec![certificate(&[OLD, "api.netra.example.com"])];
        for _ in 0..30 {
            let operator = world.operator();
            operator.declare(wanted()).await;
            tokio::time::sleep(Duration::from_secs(97)).await;
            assert!(served(&world).iter().any(|(_, active)| *active));
            operator.kill().await;
        }
        let operator = world.operator();
        operator.declare(wanted()).await;
        watch(&world, &operator, 24 * HOUR, rotated).await;
        let landed: Vec<_> = world
            .sent()
            .into_iter()
            .filter(|entry| entry.landed)
            .collect();
        assert_eq!(landed.len(), 4, "{:?}", calls(&world));
        operator.stop().await;
    });
}

#[test]
fn an_existing_certificate_is_left_alone_without_adopt() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let mut manifest = certificate(&[OLD, "api.netra.example.com"]);
        manifest.policy.adopt = false;
        operator.declare(vec![manifest]).await;
        tokio::time::sleep(10 * MINUTE).await;
        let status = operator.status_of(&key());
        let ready = status.condition(ConditionType::Ready).expect("a condition");
        assert_eq!(ready.reason, Reason::AlreadyExists, "{ready:?}");
        assert!(world.sent().is_empty());
        operator.stop().await;
    });
}

#[test]
fn a_certificate_in_use_is_not_deleted() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 9;
        let operator = world.operator();
        let mut manifest = certificate(&[OLD]);
        manifest.policy.deletion = Deletion::Delete;
        let other = declared_as(
            key_of(Kind::HealthCheck, "global", "other"),
            json!({"tcpHealthCheck": {"port": 80}}),
        );
        operator.declare(vec![manifest, other.clone()]).await;
        operator.ready(&key(), HOUR).await;
        operator.declare(vec![other]).await;
        tokio::time::sleep(HOUR).await;
        let status = operator.status_of(&key());
        let ready = status.condition(ConditionType::Ready).expect("a condition");
        assert_eq!(ready.reason, Reason::InUse, "{ready:?}");
        assert!(ready.message.contains(PROXY), "{}", ready.message);
        assert!(
            calls(&world).iter().all(|call| !call.starts_with("DELETE")),
            "{:?}",
            calls(&world)
        );
        operator.stop().await;
    });
}

#[test]
fn the_last_certificate_goes_and_takes_the_resource_with_it() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 9;
        let operator = world.operator();
        let key = key_of(Kind::SslCertificate, "global", "alone");
        let resource = json!({"managed": {"domains": ["alone.example.com"]}});
        let mut manifest = declared_as(key.clone(), resource);
        manifest.policy.deletion = Deletion::Delete;
        let other = certificate(&[OLD]);
        operator.declare(vec![manifest, other.clone()]).await;
        operator.until(HOUR, |_| world.sent().len() == 1).await;
        tokio::time::sleep(10 * MINUTE).await;
        operator.declare(vec![other]).await;
        let gone = |operator: &Operator| !operator.board.resources().contains_key(&key);
        operator.until(10 * HOUR, gone).await;
        let deletes = calls(&world);
        assert_eq!(deletes.len(), 2, "{deletes:?}");
        assert!(
            deletes[1].starts_with("DELETE sslCertificates/alone"),
            "{deletes:?}"
        );
        operator.stop().await;
    });
}
