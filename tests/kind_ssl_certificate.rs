//! `SslCertificate` through the whole operator, on the emulated Compute Engine.

mod common;

use common::{Operator, World, declared_as, key_of, reason, refusal, run};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key, Kind, Reason};
use evenkeel::emulator::{FaultRule, LogEntry};
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
        let operator = world.start(vec![certificate(&[OLD])]).await;
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
        let operator = world
            .start(vec![certificate(&[OLD, "api.netra.example.com"])])
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
            let operator = world.start(wanted()).await;
            tokio::time::sleep(Duration::from_secs(97)).await;
            assert!(served(&world).iter().any(|(_, active)| *active));
            operator.kill().await;
        }
        let operator = world.start(wanted()).await;
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
fn a_refused_delete_in_a_rotation_is_sent_once_and_then_stalls() {
    run(|| async {
        let refused = refusal(403, "forbidden");
        let world = World::failing(vec![FaultRule::new(refused).on("DELETE", "/")]);
        let operator = world
            .start(vec![certificate(&[OLD, "api.netra.example.com"])])
            .await;
        operator
            .until(24 * HOUR, |o| {
                let resources = o.board.resources();
                let found = resources.get(&key());
                found.is_some_and(|report| report.status.is_stalled())
            })
            .await;
        tokio::time::sleep(10 * HOUR).await;
        let status = operator.status_of(&key());
        assert_eq!(reason(&status), Reason::PermissionDenied, "{status:#?}");
        assert_eq!(world.sent().len(), 4, "{:?}", calls(&world));
        operator.stop().await;
    });
}
