//! Backend services through the whole operator, against the emulated GCP.

mod common;

use async_trait::async_trait;
use bytes::Bytes;
use common::{World, declared_as, key_of, run, steps_of};
use evenkeel::api::envelope::{Deletion, RolloutSpec, StepSpec};
use evenkeel::api::{ConditionType, Declared, Key, Kind, Reason, Status};
use evenkeel::cli::embedded::Embedded;
use evenkeel::emulator::LogStatus;
use evenkeel::gcp::http::{Http, TransportError};
use evenkeel::journal::Journal;
use http::{Request, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const GLOBAL: &str = "projects/netra-staging/global";
const ZONE: &str = "projects/netra-staging/zones/us-central1-a";
const REGION: &str = "projects/netra-staging/regions/us-central1";

fn hc(name: &str) -> Key {
    key_of(Kind::HealthCheck, "global", name)
}

fn web() -> Key {
    key_of(Kind::BackendService, "global", "web")
}

fn check(name: &str) -> Declared {
    declared_as(hc(name), json!({"httpHealthCheck": {"port": 8080}}))
}

fn service(resource: Value) -> Declared {
    declared_as(web(), resource)
}

fn referring(to: &str) -> Declared {
    service(json!({"healthChecksRef": [{"name": to}], "timeoutSec": 60}))
}

fn ready(status: &Status) -> (Reason, String) {
    let ready = status.condition(ConditionType::Ready).expect("Ready");
    (ready.reason, ready.message.clone())
}

fn link(name: &str) -> String {
    format!("https://www.googleapis.com/compute/v1/{name}")
}

async fn live(world: &World) -> Value {
    let path = format!("{GLOBAL}/backendServices/web");
    world.google("GET", &path, Value::Null).await
}

/// A zonal endpoint group, as GKE makes them.
async fn group(world: &World, name: &str) -> String {
    let body = json!({"name": name, "networkEndpointType": "GCE_VM_IP_PORT"});
    let groups = format!("{ZONE}/networkEndpointGroups");
    world.google("POST", &groups, body).await;
    format!("{groups}/{name}")
}

/// A backend service that people made, with a health check and these groups.
async fn existing(world: &World, groups: &[&String]) {
    let body = json!({"name": "by-hand", "type": "TCP", "tcpHealthCheck": {"port": 80}});
    world
        .google("POST", &format!("{GLOBAL}/healthChecks"), body)
        .await;
    let backends: Vec<_> = groups
        .iter()
        .map(|group| json!({"group": link(group), "balancingMode": "RATE", "maxRatePerEndpoint": 100}))
        .collect();
    let body = json!({"name": "web", "backends": backends, "loadBalancingScheme": "EXTERNAL_MANAGED",
        "healthChecks": [link(&format!("{GLOBAL}/healthChecks/by-hand"))]});
    world
        .google("POST", &format!("{GLOBAL}/backendServices"), body)
        .await;
}

fn backend<'v>(live: &'v Value, group: &str) -> &'v Value {
    let backends = live["backends"].as_array().unwrap();
    let found = backends
        .iter()
        .find(|b| b["group"].as_str().unwrap().ends_with(group));
    found.unwrap_or_else(|| panic!("no {group} in {live:#}"))
}

#[test]
fn waits_for_its_health_check_and_goes_on_at_once() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        // The service first: the order in the set says nothing.
        operator
            .declare(vec![referring("health"), check("health")])
            .await;
        operator
            .until(MINUTE, |o| {
                let resources = o.board.resources();
                let web = resources.get(&web());
                let ready = web.and_then(|web| web.status.condition(ConditionType::Ready));
                ready.is_some_and(|r| r.reason == Reason::WaitingForDependency)
            })
            .await;
        operator
            .until(HOUR, |o| o.status_of(&hc("health")).is_ready())
            .await;
        let woken = tokio::time::Instant::now();
        operator.ready(&web(), HOUR).await;
        assert!(
            woken.elapsed() < Duration::from_secs(15),
            "{:?}",
            woken.elapsed()
        );
        let sent: Vec<String> = world
            .sent()
            .iter()
            .map(|w| format!("{} {}", w.method, w.path))
            .collect();
        assert_eq!(
            sent,
            [
                format!("POST /compute/v1/{GLOBAL}/healthChecks"),
                format!("POST /compute/v1/{GLOBAL}/backendServices"),
            ]
        );
        let made = live(&world).await;
        assert!(
            made["healthChecks"][0]
                .as_str()
                .unwrap()
                .ends_with("/healthChecks/health")
        );
        operator
            .declare(vec![referring("health"), check("health")])
            .await;
        tokio::time::sleep(1000 * MINUTE).await;
        assert_eq!(
            world.sent().len(),
            2,
            "applying twice and 1,000 polls write nothing"
        );
        operator.stop().await;
    });
}

#[test]
fn backends_of_other_writers_survive() {
    run(|| async {
        let world = World::new();
        let (ours, theirs) = (group(&world, "ours").await, group(&world, "theirs").await);
        existing(&world, &[&ours, &theirs]).await;
        let operator = world.operator();
        let drained = json!({"backends": [{"group": ours, "capacityScaler": 0}]});
        operator.declare(vec![service(drained)]).await;
        operator.ready(&web(), HOUR).await;
        let after = live(&world).await;
        assert_eq!(backend(&after, "/ours")["capacityScaler"], 0.0);
        assert_eq!(backend(&after, "/ours")["maxRatePerEndpoint"], 100.0);
        assert_eq!(backend(&after, "/theirs")["capacityScaler"], 1.0);

        // A group that leaves the manifest is released, and a new one is added beside the others.
        let added = group(&world, "added").await;
        let next = json!({"backends": [{"group": link(&added), "balancingMode": "RATE",
            "maxRatePerEndpoint": 5.5}]});
        operator.declare(vec![service(next)]).await;
        tokio::time::sleep(MINUTE).await;
        operator.ready(&web(), HOUR).await;
        let after = live(&world).await;
        assert_eq!(after["backends"].as_array().unwrap().len(), 3);
        assert_eq!(backend(&after, "/ours")["capacityScaler"], 0.0);
        assert_eq!(backend(&after, "/added")["maxRatePerEndpoint"], 5.5);
        let sent = world.sent();
        assert_eq!(sent.len(), 2);
        assert!(
            sent.iter()
                .all(|w| w.body.as_ref().unwrap()["fingerprint"].is_string())
        );
        operator.stop().await;
    });
}

#[test]
fn links_in_other_writings_are_no_difference() {
    run(|| async {
        let world = World::new();
        let ours = group(&world, "ours").await;
        existing(&world, &[&ours]).await;
        let operator = world.operator();
        let manifest = json!({
            "healthChecks": [format!("https://compute.googleapis.com/compute/beta/{GLOBAL}/healthChecks/by-hand")],
            "backends": [{"group": format!("//www.googleapis.com/compute/alpha/{ours}"),
                "maxRatePerEndpoint": 100, "capacityScaler": 1.0}],
            "connectionDraining": {"drainingTimeoutSec": 0}, "description": "",
        });
        operator.declare(vec![service(manifest)]).await;
        operator.ready(&web(), HOUR).await;
        tokio::time::sleep(HOUR).await;
        assert!(world.sent().is_empty(), "{:#?}", world.sent());
        operator.stop().await;
    });
}

/// Changes the backend service right before the first patch of it reaches Google.
struct Rival {
    inner: Embedded,
    done: AtomicBool,
}

#[async_trait]
impl Http for Rival {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if request.method() == "PATCH" && !self.done.swap(true, Ordering::Relaxed) {
            let path = format!("{GLOBAL}/backendServices/web");
            let change = json!({"timeoutSec": 45});
            let now = self.inner.clock.now();
            self.inner
                .emulator
                .foreign_patch(now, &path, &change)
                .unwrap();
        }
        self.inner.send(request).await
    }
}

#[test]
fn a_change_in_between_is_read_again_and_kept() {
    run(|| async {
        let world = World::new();
        let ours = group(&world, "ours").await;
        existing(&world, &[&ours]).await;
        let rival = Rival {
            inner: Embedded {
                emulator: Arc::clone(&world.emulator),
                clock: Arc::clone(&world.clock),
            },
            done: AtomicBool::new(false),
        };
        let journal = Arc::clone(&world.journal) as Arc<dyn Journal>;
        let operator = world.operator_on(Arc::new(rival), journal);
        let drained = json!({"backends": [{"group": ours, "capacityScaler": 0.5}]});
        operator.declare(vec![service(drained)]).await;
        operator.ready(&web(), HOUR).await;
        let codes: Vec<_> = world.sent().iter().map(|write| write.status).collect();
        assert_eq!(codes, [LogStatus::Code(412), LogStatus::Code(200)]);
        let after = live(&world).await;
        assert_eq!(backend(&after, "/ours")["capacityScaler"], 0.5);
        assert_eq!(after["timeoutSec"], 45, "the other change stays");
        operator.stop().await;
    });
}

#[test]
fn traffic_moves_in_steps() {
    run(|| async {
        let world = World::new();
        let ours = group(&world, "ours").await;
        existing(&world, &[&ours]).await;
        let operator = world.operator();
        let to = |scaler: f64| json!({"backends": [{"group": ours, "capacityScaler": scaler}]});
        let step = |scaler: f64| StepSpec {
            set: to(scaler).as_object().cloned(),
            traffic: None,
            pause: None,
        };
        let mut manifest = service(to(0.2));
        manifest.policy.rollout = Some(RolloutSpec {
            steps: vec![step(0.8), step(0.5)],
            max_step: std::collections::BTreeMap::new(),
            ..steps_of(1, 1)
        });
        operator.declare(vec![manifest]).await;
        operator.ready(&web(), HOUR).await;
        let scalers: Vec<Value> = world
            .sent()
            .iter()
            .map(|w| w.body.as_ref().unwrap()["backends"][0]["capacityScaler"].clone())
            .collect();
        assert_eq!(scalers, [json!(0.8), json!(0.5), json!(0.2)]);
        operator.stop().await;
    });
}

#[test]
fn a_health_check_beside_serverless_backends_is_refused_before_google_is_asked() {
    run(|| async {
        let world = World::new();
        let body = json!({"name": "run", "networkEndpointType": "SERVERLESS",
            "cloudRun": {"service": "api"}});
        let groups = format!("{REGION}/networkEndpointGroups");
        world.google("POST", &groups, body).await;
        let body = json!({"name": "web", "loadBalancingScheme": "EXTERNAL_MANAGED",
            "backends": [{"group": link(&format!("{groups}/run"))}]});
        world
            .google("POST", &format!("{GLOBAL}/backendServices"), body)
            .await;
        let operator = world.operator();
        operator
            .declare(vec![
                check("health"),
                service(json!({"healthChecksRef": [{"name": "health"}]})),
            ])
            .await;
        operator.ready(&hc("health"), HOUR).await;
        tokio::time::sleep(MINUTE).await;
        let (reason, message) = ready(&operator.status_of(&web()));
        assert_eq!(reason, Reason::InvalidSpec, "{message}");
        assert!(message.contains("outlierDetection"), "{message}");
        assert_eq!(world.sent().len(), 1, "the health check only");
        operator.stop().await;
    });
}

#[test]
fn one_commit_changes_the_protocol_in_the_right_order() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 1;
        let operator = world.operator();
        let mut old = check("health");
        old.policy.deletion = Deletion::Delete;
        operator.declare(vec![old, referring("health")]).await;
        operator.ready(&web(), HOUR).await;
        let new = declared_as(hc("health-tcp"), json!({"tcpHealthCheck": {"port": 8080}}));
        operator.declare(vec![referring("health-tcp"), new]).await;
        operator
            .until(HOUR, |o| !o.board.resources().contains_key(&hc("health")))
            .await;
        operator.ready(&web(), HOUR).await;
        let sent: Vec<String> = world
            .sent()
            .iter()
            .skip(2)
            .map(|w| format!("{} {}", w.method, w.path))
            .collect();
        assert_eq!(
            sent,
            [
                format!("POST /compute/v1/{GLOBAL}/healthChecks"),
                format!("PATCH /compute/v1/{GLOBAL}/backendServices/web"),
                format!("DELETE /compute/v1/{GLOBAL}/healthChecks/health"),
            ]
        );
        operator.stop().await;
    });
}

#[test]
fn a_rich_service_is_made_changed_and_deleted() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 1;
        let ours = group(&world, "ours").await;
        let operator = world.operator();
        let mut manifest = service(json!({
            "healthChecksRef": [{"name": "health"}],
            "loadBalancingScheme": "EXTERNAL_MANAGED",
            "protocol": "HTTP2",
            "timeoutSec": 60,
            "connectionDraining": {"drainingTimeoutSec": 300},
            "logConfig": {"enable": true, "sampleRate": 0.25},
            "outlierDetection": {"consecutiveErrors": 5, "interval": {"seconds": 10},
                "baseEjectionTime": {"seconds": 30, "nanos": 0}},
            "customRequestHeaders": ["X-Region: {client_region}"],
            "enableCDN": false,
            "backends": [{"group": ours, "balancingMode": "RATE", "maxRatePerEndpoint": 10}],
        }));
        manifest.policy.deletion = Deletion::Delete;
        operator
            .declare(vec![check("health"), manifest.clone()])
            .await;
        operator.ready(&web(), HOUR).await;
        manifest.resource.insert("timeoutSec".to_owned(), json!(90));
        let later = json!({"interval": {"seconds": 20}});
        manifest
            .resource
            .insert("outlierDetection".to_owned(), later);
        operator.declare(vec![check("health"), manifest]).await;
        tokio::time::sleep(MINUTE).await;
        operator.ready(&web(), HOUR).await;
        let after = live(&world).await;
        assert_eq!(after["outlierDetection"]["interval"]["seconds"], "20");
        assert_eq!(after["outlierDetection"]["consecutiveErrors"], 5);
        assert_eq!(world.sent().len(), 3, "{:#?}", world.sent());
        operator.declare(vec![check("health")]).await;
        operator
            .until(HOUR, |o| !o.board.resources().contains_key(&web()))
            .await;
        operator.stop().await;
    });
}
