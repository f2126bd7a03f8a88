//! `SslCertificate` through the whole operator, on the emulated Compute Engine.

mod common;

use common::{Operator, World, declared_as, key_of, reason, refusal, run, verdict};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{ConditionType, Declared, Key, Kind, Reason, Status};
use evenkeel::emulator::{FaultRule, LogEntry};
use evenkeel::kinds;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const OLD: &str = "staging.netra.example.com";
const CERTIFICATE: &str = "projects/netra-staging/global/sslCertificates/staging-cert";
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
        tokio::time::sleep(HOUR).await;
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
        tokio::time::sleep(HOUR).await;
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

/// A manifest that says nothing is not a wish for a removal.
#[test]
fn a_manifest_without_content_deletes_nothing() {
    run(|| async {
        let world = World::new();
        let spare = json!({"name": "spare", "type": "MANAGED", "managed": {"domains": [OLD]}});
        let all = "projects/netra-staging/global/sslCertificates";
        world.google("POST", all, spare).await;
        let spare = key_of(Kind::SslCertificate, "global", "spare");
        for resource in [json!({}), json!({"attachTo": [PROXY]})] {
            let empty = declared_as(spare.clone(), resource);
            let findings = kinds::of(Kind::SslCertificate).check(&empty);
            assert!(findings[0].help.contains("managed.domains"), "{findings:?}");
            let operator = world.start(vec![empty]).await;
            tokio::time::sleep(HOUR).await;
            let status = operator.status_of(&spare);
            assert_eq!(reason(&status), Reason::InvalidSpec, "{status:#?}");
            operator.stop().await;
        }
        assert!(world.sent().is_empty(), "{:?}", calls(&world));
    });
}

fn expiring(status: &Status) -> Option<(Reason, String, Timestamp)> {
    let found = status.condition(ConditionType::Expiring)?;
    Some((
        found.reason,
        found.message.clone(),
        found.last_transition_time,
    ))
}

#[test]
fn an_end_that_is_near_is_a_condition() {
    run(|| async {
        let world = World::new();
        let ends = |hours: u32| {
            let at = world.clock.now().checked_add(HOUR * hours);
            let at = at.expect("in time");
            world.foreign(CERTIFICATE, json!({"expireTime": at.to_string()}));
            at
        };
        let at = ends(30 * 24 + 1);
        let operator = world.start(vec![certificate(&[OLD])]).await;
        let status = operator.ready(&key(), HOUR).await;
        assert_eq!(status.expire_time(), Some(at));
        assert_eq!(status.observed["state"], "ACTIVE");
        assert_eq!(expiring(&status), None);

        tokio::time::sleep(2 * HOUR).await;
        let status = operator.status_of(&key());
        let (reason, message, since) = expiring(&status).expect("within 30 days");
        assert_eq!(reason, Reason::ExpiresSoon);
        assert!(message.starts_with("warning: certificate staging-cert expires in less than 30"));
        assert!(message.contains(&at.to_string()), "{message}");
        assert!(message.contains("points at the load balancer"), "{message}");
        assert!(status.is_ready(), "it serves");
        tokio::time::sleep(12 * HOUR).await;
        assert_eq!(operator.status_of(&key()), status, "no-ops change nothing");

        ends(7 * 24 + 1);
        tokio::time::sleep(2 * HOUR).await;
        let (reason, message, still) = expiring(&operator.status_of(&key())).expect("7 days");
        assert_eq!((reason, still), (Reason::ExpiresSoon, since), "no flip");
        assert!(message.starts_with("critical:"), "{message}");
        ends(1);
        tokio::time::sleep(2 * HOUR).await;
        let (reason, _, still) = expiring(&operator.status_of(&key())).expect("past");
        assert_eq!((reason, still), (Reason::Expired, since));

        // What cannot be read is not renewed.
        let broken = FaultRule::new(refusal(503, "backendError"));
        world.emulator.set_faults(vec![broken]);
        tokio::time::sleep(HOUR).await;
        let status = operator.status_of(&key());
        assert_eq!(verdict(&status).0, Reason::Error);
        assert!(expiring(&status).is_some());
        world.emulator.set_faults(vec![]);
        ends(90 * 24);
        tokio::time::sleep(HOUR).await;
        assert_eq!(expiring(&operator.status_of(&key())), None);
        assert!(world.sent().is_empty(), "{:?}", calls(&world));
        operator.stop().await;
    });
}

/// While nothing is ACTIVE, what the proxy still has is what ends.
#[test]
fn in_a_rotation_the_end_is_that_of_what_serves() {
    let one = |name: &str, status: &str, expires: &str| {
        json!({"name": name, "creationTimestamp": name, "expireTime": expires,
            "managed": {"domains": [OLD], "status": status}})
    };
    let old = |status: &str| one("a", status, "2027-01-01T00:00:00.000-08:00");
    let proxy = json!({"name": PROXY, "sslCertificates": ["x/a", "x/b"]});
    let ends = |certificates: Value| {
        let raw = json!({"name": "a", "certificates": certificates, "proxies": [proxy]});
        let expiry = kinds::of(Kind::SslCertificate).live(raw).expiry;
        expiry.map(|expiry| expiry.at.to_string())
    };
    let (first, second) = ("2027-01-01T08:00:00Z", "2027-03-01T00:00:00Z");
    let none = || one("b", "PROVISIONING", "");
    let new = || one("b", "ACTIVE", second);
    assert_eq!(ends(json!([old("ACTIVE"), none()])).as_deref(), Some(first));
    assert_eq!(
        ends(json!([old("RENEWAL_FAILED"), none()])).as_deref(),
        Some(first)
    );
    assert_eq!(
        ends(json!([old("RENEWAL_FAILED"), new()])).as_deref(),
        Some(second)
    );
    assert_eq!(ends(json!([none()])), None);
}
