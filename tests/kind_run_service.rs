//! Cloud Run services through the whole operator, on the emulated GCP.

#![allow(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]

mod common;

use common::meter::{Meter, Reads, check};
use common::{CONNECTOR, LOCATION, PROJECT, World, key, reason, refusal, run, verdict};
use evenkeel::api::envelope::{Deletion, OnFailure, RolloutSpec, StepSpec};
use evenkeel::api::{Declared, Finding, Key, Kind, Reason, Reference};
use evenkeel::emulator::{Action, FaultRule, Leaves, LogEntry, Timing};
use evenkeel::engine::Declaration;
use evenkeel::journal::{Journal, SqliteJournal};
use evenkeel::kinds;
use evenkeel::source::{self, Check};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const SERVICE: &str = "netra-backend";
const NAME: &str = "projects/netra-staging/locations/us-central1/services/netra-backend";

fn service_key(name: &str) -> Key {
    Key {
        kind: Kind::RunService,
        name: name.into(),
        ..key(CONNECTOR)
    }
}

fn service(resource: Value) -> Declared {
    let mut declared = common::declared(json!({}));
    declared.key = service_key(SERVICE);
    declared.name = SERVICE.into();
    declared.resource.clone_from(resource.as_object().unwrap());
    declared.policy.rollout = None;
    declared
}

fn env(name: &str, value: &str) -> Value {
    json!({"template": {"containers": [{"env": [{"name": name, "value": value}]}]}})
}

fn wider() -> Value {
    json!({
        "template": {
            "timeout": "600s",
            "vpcAccess": {"connector": CONNECTOR, "egress": "PRIVATE_RANGES_ONLY"},
            "containers": [{
                "env": [
                    {"name": "DB_CONNECTION_TIMEOUT", "value": "600"},
                    {"name": "SQLALCHEMY_POOL_TIMEOUT", "value": "35.0"},
                ],
                "startupProbe": {"initialDelaySeconds": 30, "periodSeconds": 10,
                    "timeoutSeconds": 5, "failureThreshold": 10,
                    "httpGet": {"path": "/health/basic", "port": 8080}},
            }],
        },
    })
}

fn live(world: &World, name: &str) -> Option<Value> {
    world.emulator.advance(world.clock.now());
    world.emulator.truth(&format!(
        "/v2/projects/{PROJECT}/locations/{LOCATION}/services/{name}"
    ))
}

fn variables(service: &Value) -> Vec<(String, String)> {
    let env = service["template"]["containers"][0]["env"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    env.into_iter()
        .flatten()
        .map(|v| (text(&v["name"]), text(&v["value"])))
        .collect()
}

fn traffic(write: &LogEntry) -> Vec<(String, i64)> {
    let targets = write
        .body
        .as_ref()
        .and_then(|b| b["traffic"].as_array().cloned());
    targets
        .into_iter()
        .flatten()
        .map(|target| {
            let who = target["revision"].as_str().unwrap_or("latest").to_owned();
            (who, target["percent"].as_i64().unwrap_or(0))
        })
        .collect()
}

fn in_steps(shares: &[i64]) -> RolloutSpec {
    let step = |share: &i64| StepSpec {
        set: None,
        traffic: Some(*share),
        pause: None,
    };
    RolloutSpec {
        steps: shares.iter().map(step).collect(),
        bake: Some(evenkeel::api::HumanDuration(5 * MINUTE)),
        on_failure: OnFailure::Rollback,
        ..RolloutSpec::default()
    }
}

#[test]
fn changes_what_is_declared_and_nothing_else() {
    run(|| async {
        let world = World::new();
        let before = live(&world, SERVICE).unwrap();
        let operator = world.start(vec![service(wider())]).await;
        operator.ready(&service_key(SERVICE), HOUR).await;
        let writes = world.own_writes();
        assert_eq!(writes.len(), 1);
        assert_eq!(writes[0].update_mask.as_deref(), Some("template"));
        assert!(
            writes[0].body.as_ref().unwrap()["template"]
                .get("revision")
                .is_none()
        );

        let after = live(&world, SERVICE).unwrap();
        assert_eq!(after["template"]["timeout"], "600s");
        let container = |service: &Value| service["template"]["containers"][0].clone();
        assert_eq!(container(&after)["image"], container(&before)["image"]);
        let mut wanted = variables(&before);
        wanted
            .iter_mut()
            .find(|(n, _)| n == "DB_CONNECTION_TIMEOUT")
            .unwrap()
            .1 = "600".into();
        wanted.push(("SQLALCHEMY_POOL_TIMEOUT".into(), "35.0".into()));
        assert_eq!(variables(&after), wanted);

        operator.stop().await;
    });
}

#[test]
fn what_others_write_stays_and_drift_is_corrected() {
    run(|| async {
        let world = World::new();
        let operator = world
            .start(vec![service(env("LOG_LEVEL", "warning"))])
            .await;
        operator.ready(&service_key(SERVICE), HOUR).await;
        let foreign = |level: &str| {
            let mut template = live(&world, SERVICE).unwrap()["template"].clone();
            template.as_object_mut().unwrap().remove("revision");
            template["containers"][0]["image"] = json!("us-docker.pkg.dev/p/r/backend:8");
            template["containers"][0]["env"] = json!([
                {"name": "LOG_LEVEL", "value": level}, {"name": "GIT_SHA", "value": "new"}]);
            let fields = json!({"template": template});
            world.foreign(NAME, fields);
        };
        foreign("warning");
        tokio::time::sleep(5 * MINUTE).await;
        assert_eq!(world.own_writes().len(), 1, "CI deploys as it likes");
        foreign("debug");
        tokio::time::sleep(5 * MINUTE).await;
        operator.ready(&service_key(SERVICE), HOUR).await;
        let after = live(&world, SERVICE).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            variables(&after),
            [pair("LOG_LEVEL", "warning"), pair("GIT_SHA", "new")]
        );
        assert_eq!(
            after["template"]["containers"][0]["image"],
            "us-docker.pkg.dev/p/r/backend:8"
        );

        assert_eq!(world.own_writes().len(), 2);

        // A key that leaves the manifest is released, not deleted.
        operator
            .declare(vec![service(json!({"ingress": "INGRESS_TRAFFIC_ALL"}))])
            .await;
        foreign("debug");
        tokio::time::sleep(5 * MINUTE).await;
        assert_eq!(variables(&live(&world, SERVICE).unwrap())[0].1, "debug");
        operator.stop().await;
    });
}

#[test]
fn says_what_a_create_lacks() {
    run(|| async {
        let world = World::new();
        let mut second = service(wider());
        second.key = service_key("second");
        second.name = "second".into();
        let operator = world.start(vec![second.clone()]).await;
        tokio::time::sleep(MINUTE).await;
        let (reason, message) = verdict(&operator.status_of(&second.key));
        assert_eq!(reason, Reason::InvalidSpec);
        assert!(message.contains("image"), "{message}");
        assert!(world.own_writes().is_empty());
        operator.stop().await;
    });
}

#[test]
fn a_stale_etag_is_read_again_and_nothing_is_lost() {
    run(|| async {
        let world = World::new();
        let before = variables(&live(&world, SERVICE).unwrap()).len();
        let stale = refusal(409, "ABORTED");
        let mut rule = FaultRule::new(stale).on("PATCH", "/");
        rule.times = Some(1);
        world.emulator.set_faults(vec![rule]);
        let operator = world.start(vec![service(env("LOG_LEVEL", "debug"))]).await;
        operator.ready(&service_key(SERVICE), HOUR).await;
        let writes = world.own_writes();
        assert_eq!(writes.len(), 2);
        let etags: Vec<_> = writes
            .iter()
            .map(|w| w.body.as_ref().unwrap()["etag"].clone())
            .collect();
        assert!(etags.iter().all(Value::is_string), "{etags:?}");
        assert_eq!(variables(&live(&world, SERVICE).unwrap()).len(), before);
        operator.stop().await;
    });
}

#[test]
fn traffic_moves_step_by_step() {
    run(|| async {
        let world = World::new();
        let old = live(&world, SERVICE).unwrap()["latestReadyRevision"].clone();
        let old = old.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let operator = world.operator();
        let mut wanted = service(wider());
        wanted.policy.rollout = Some(in_steps(&[10, 50, 100]));
        operator.declare(vec![wanted]).await;
        let status = operator.ready(&service_key(SERVICE), 2 * HOUR).await;
        let writes = world.own_writes();
        let masks: Vec<_> = writes
            .iter()
            .filter_map(|w| w.update_mask.clone())
            .collect();
        assert_eq!(masks, ["template,traffic", "traffic", "traffic", "traffic"]);
        let latest = || "latest".to_owned();
        let shares: Vec<_> = writes.iter().map(traffic).collect();
        assert_eq!(
            shares,
            [
                vec![(old.clone(), 100)],
                vec![(latest(), 10), (old.clone(), 90)],
                vec![(latest(), 50), (old.clone(), 50)],
                vec![(latest(), 100)],
            ]
        );
        assert_eq!(status.observed["traffic"], "100 % latest");
        let after = live(&world, SERVICE).unwrap();
        assert_ne!(
            after["latestReadyRevision"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next(),
            Some(&*old)
        );
        operator.stop().await;
    });
}

#[test]
fn a_revision_that_does_not_start_gets_no_traffic_and_is_held() {
    run(|| async {
        let world = World::new();
        let broken = Action::FailOperation {
            code: 9,
            message: "The user-provided container failed to start.".into(),
            leaves: Leaves::Error,
        };
        let mut rule = FaultRule::new(broken).on("PATCH", "/");
        rule.times = Some(1);
        world.emulator.set_faults(vec![rule]);
        let operator = world.operator();
        let mut wanted = service(wider());
        wanted.policy.rollout = Some(in_steps(&[10, 100]));
        operator.declare(vec![wanted]).await;
        tokio::time::sleep(30 * MINUTE).await;
        let status = operator.status_of(&service_key(SERVICE));
        let (_, message) = verdict(&status);
        assert!(
            status.is_stalled() && message.contains("failed to start"),
            "{status:#?}"
        );
        assert_eq!(
            world.own_writes().len(),
            1,
            "the old revision never lost its traffic"
        );
        assert!(status.held.is_some());
        operator.stop().await;
    });
}

#[test]
fn a_failed_step_goes_back_by_one_call() {
    run(|| async {
        let world = World::new();
        // The third write is the step to 50 %.
        let refused = refusal(400, "INVALID_ARGUMENT");
        let mut rule = FaultRule::new(refused).on("PATCH", "/");
        rule.matching.after = 2;
        rule.times = Some(1);
        world.emulator.set_faults(vec![rule]);
        let old = live(&world, SERVICE).unwrap()["latestReadyRevision"].clone();
        let old = old.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let operator = world.operator();
        let mut wanted = service(wider());
        wanted.policy.rollout = Some(in_steps(&[10, 50, 100]));
        operator.declare(vec![wanted]).await;
        tokio::time::sleep(2 * HOUR).await;
        let status = operator.status_of(&service_key(SERVICE));
        assert_eq!(reason(&status), Reason::RolledBack, "{status:#?}");
        let writes = world.own_writes();
        assert_eq!(writes.len(), 4);
        assert_eq!(writes[3].update_mask.as_deref(), Some("traffic"));
        assert_eq!(traffic(&writes[3]), [(old, 100)]);
        operator.stop().await;
    });
}

/// A check turns red while half of the traffic is on the new revision.
#[test]
fn a_regression_is_back_on_the_old_revision_in_one_traffic_call() {
    run(|| async {
        let mut world = World::new();
        let meter = Meter::new(&world);
        meter.set("load", Reads::Seconds(1.0));
        world.prober = Arc::clone(&meter) as _;
        let before = live(&world, SERVICE).unwrap();
        let old = before["latestReadyRevision"].as_str().unwrap();
        let old = old.rsplit('/').next().unwrap().to_owned();
        let operator = world.operator();
        let mut wanted = service(wider());
        let mut rollout = in_steps(&[10, 50, 100]);
        rollout.verify = serde_json::from_value(json!(["load"])).unwrap();
        wanted.policy.rollout = Some(rollout);
        let set = Declaration {
            resources: vec![wanted],
            checks: vec![check("load")],
            ..Declaration::default()
        };
        operator.declare(set).await;
        let has_written = |count: usize| {
            let world = &world;
            move |_: &_| world.own_writes().len() == count
        };
        operator.until(2 * HOUR, has_written(3)).await;
        assert_eq!(traffic(&world.own_writes()[2])[0].1, 50);
        meter.set("load", Reads::Seconds(7.2));
        operator.until(HOUR, has_written(4)).await;
        // It is the new revision that was slow.
        meter.set("load", Reads::Seconds(1.0));
        tokio::time::sleep(HOUR).await;
        let status = operator.status_of(&service_key(SERVICE));
        assert_eq!(reason(&status), Reason::RolledBack, "{status:#?}");
        let writes = world.own_writes();
        assert_eq!(writes.len(), 4, "one call, and then nothing");
        assert_eq!(writes[3].update_mask.as_deref(), Some("traffic"));
        assert_eq!(traffic(&writes[3]), [(old, 100)]);

        // What others set was in the new revision all the while, and still is.
        let after = variables(&live(&world, SERVICE).unwrap());
        let ours = ["DB_CONNECTION_TIMEOUT", "SQLALCHEMY_POOL_TIMEOUT"];
        for (name, value) in variables(&before) {
            let kept = after.contains(&(name.clone(), value));
            assert!(kept || ours.contains(&&*name), "{name}: {after:?}");
        }
        operator.stop().await;
    });
}

#[test]
fn waits_for_its_connector_and_keeps_it_from_deletion() {
    run(|| async {
        let mut world = World::with_timing(Timing::fixed(5 * MINUTE, Duration::ZERO));
        world.settings.deletes_per_sync = 1;
        let operator = world.operator();
        let mut connector = common::declared(json!({
            "minInstances": 2, "maxInstances": 4, "network": "default", "ipCidrRange": "10.9.0.0/28"
        }));
        connector.key = key("second");
        connector.name = "wide".into();
        connector.policy.deletion = Deletion::Delete;
        let wanted =
            service(json!({"template": {"vpcAccess": {"connectorRef": {"name": "wide"}}}}));
        operator
            .declare(vec![wanted.clone(), connector.clone()])
            .await;
        tokio::time::sleep(MINUTE).await;
        let (reason, message) = verdict(&operator.status_of(&wanted.key));
        assert_eq!(reason, Reason::WaitingForDependency, "{message}");
        operator.ready(&wanted.key, HOUR).await;
        let live = live(&world, SERVICE).unwrap();
        assert_eq!(
            live["template"]["vpcAccess"]["connector"],
            "projects/netra-staging/locations/us-central1/connectors/second"
        );

        // Both manifests go; the service stays, and so does what it needs.
        operator
            .declare(vec![common::declared(
                json!({"minInstances": 2, "maxInstances": 3}),
            )])
            .await;
        tokio::time::sleep(HOUR).await;
        let (reason, message) = verdict(&operator.status_of(&connector.key));
        assert_eq!(reason, Reason::InUse, "{message}");
        assert!(message.contains(SERVICE), "{message}");
        assert!(
            world
                .emulator
                .connector(PROJECT, LOCATION, "second")
                .is_some()
        );
        operator.stop().await;
    });
}

#[test]
fn a_literal_secret_reaches_google_and_nothing_else() {
    run(|| async {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db");
        let journal = Arc::new(SqliteJournal::open(&file, "emulator:test").unwrap());
        let mut world = World::new();
        world.journal = Arc::clone(&journal);
        let operator = world.operator();
        let first = "first-secret-value";
        operator.declare(vec![service(env("API_KEY", first))]).await;
        operator.ready(&service_key(SERVICE), HOUR).await;
        let second = "second-secret-value";
        let mut wanted = service(env("API_KEY", second));
        wanted.policy.suspend = true;
        operator.declare(vec![wanted.clone()]).await;
        tokio::time::sleep(5 * MINUTE).await;
        let planned = format!("{:?}", operator.board.resources());
        wanted.policy.suspend = false;
        operator.declare(vec![wanted]).await;
        tokio::time::sleep(5 * MINUTE).await;
        operator.ready(&service_key(SERVICE), HOUR).await;
        let value = |text: &str| ("API_KEY".to_owned(), text.to_owned());
        assert!(variables(&live(&world, SERVICE).unwrap()).contains(&value(second)));
        let shown = format!("{planned}{:?}", operator.board.resources());
        let records = format!("{:?}", journal.load().unwrap());
        operator.stop().await;
        let mut stored = Vec::new();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            stored.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        let stored = String::from_utf8_lossy(&stored);
        assert!(planned.contains("API_KEY"), "the change shows: {planned}");
        for secret in [first, second] {
            assert!(!shown.contains(secret) && !records.contains(secret));
            assert!(!stored.contains(secret), "on disk");
        }
    });
}

struct KindRules;

impl Check for KindRules {
    fn check(&self, declared: &Declared) -> Vec<Finding> {
        kinds::of(declared.key.kind).check(declared)
    }

    fn references(&self, declared: &Declared) -> Vec<Reference> {
        kinds::of(declared.key.kind).references(declared)
    }
}

fn refused(manifests: &str) -> String {
    let bytes = manifests.as_bytes().to_vec();
    let errors = source::load_bytes("run.yaml", bytes, &KindRules).expect_err("refused");
    errors.render(false).clone()
}

fn manifest(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: evenkeel.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n\
         spec:\n  project: netra-staging\n  location: us-central1\n{spec}\n"
    )
}

#[test]
fn mistakes_are_told_at_their_place_before_anything_is_sent() {
    let connector = manifest("VpcAccessConnector", "wide", "  resource: {}");
    let service = manifest(
        "RunService",
        "api",
        "  resource: {template: {vpcAccess: {connectorRef: {name: wade}}}}",
    );
    let text = refused(&format!("{connector}{service}"));
    assert!(
        text.contains("wade") && text.contains("did you mean `wide`"),
        "{text}"
    );

    let steps = "  resource: {maxInstances: 4}\n  rollout: {steps: [{traffic: 10}]}";
    let text = refused(&manifest("VpcAccessConnector", "wide", steps));
    assert!(text.contains("has no traffic to move"), "{text}");

    let falling = "  resource: {ingress: INGRESS_TRAFFIC_ALL}\n  \
                   rollout: {steps: [{traffic: 50}, {traffic: 10}]}";
    let text = refused(&manifest("RunService", "api", falling));
    assert!(text.contains("10 % after 50 %"), "{text}");

    let slow = "  resource: {template: {containers: [{startupProbe: \
                {periodSeconds: 60, failureThreshold: 10}}]}}";
    let text = refused(&manifest("RunService", "api", slow));
    assert!(
        text.contains("600 s to start") && text.contains("35 s"),
        "{text}"
    );
}
