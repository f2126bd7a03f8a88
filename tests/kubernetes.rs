//! The operator in a cluster: a whole fleet on an API server and a GCP in the same process, on a
//! paused clock.

#[path = "kubernetes/cluster.rs"]
mod cluster;
mod common;

use async_trait::async_trait;
use bytes::Bytes;
use cluster::{Cluster, Place, place};
use common::{CONNECTOR, LOCATION, PROJECT, World, run};
use evenkeel::alert::{self, Courier, Desk};
use evenkeel::api::{Declared, SecretRef};
use evenkeel::cli::embedded::Embedded;
use evenkeel::core::alert::{Context, Object, judge};
use evenkeel::engine::Board;
use evenkeel::engine::{Prober, Services};
use evenkeel::gcp::access::Access;
use evenkeel::gcp::budget::Budgets;
use evenkeel::gcp::client::{Client, Ports};
use evenkeel::gcp::endpoint::EmulatorBase;
use evenkeel::gcp::entropy::Entropy;
use evenkeel::gcp::http::Http;
use evenkeel::gcp::secrets::Keys;
use evenkeel::kubernetes::ClusterSecrets;
use evenkeel::kubernetes::alerts::{Teller, Tellers};
use evenkeel::kubernetes::fleet::ServicesOf;
use evenkeel::kubernetes::{Fleet, Options, Outfit};
use evenkeel::secrets::Secrets;
use evenkeel::source::Set;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const NS: &str = "netra";
const API: &str = "evenkeel.dev/v1alpha1";

struct Scene {
    world: World,
    cluster: Cluster,
    mailbox: Mailbox,
}

impl Scene {
    fn new() -> Scene {
        let mut world = World::new();
        world.settings.deletes_per_sync = 1;
        Scene {
            world,
            cluster: Cluster::new(),
            mailbox: Mailbox::default(),
        }
    }

    fn start(&self) -> Fleet {
        self.start_on(&self.world.client())
    }

    fn start_on(&self, client: &Arc<Client>) -> Fleet {
        let prober = Arc::clone(&self.world.prober);
        let outfit = Outfit {
            services: self.services(client),
            prober: Arc::new(move |_: &str| Arc::clone(&prober) as Arc<dyn Prober>),
            clock: Arc::clone(&self.world.clock),
            entropy: Arc::new(Entropy::seeded(self.world.seed)),
            settings: self.world.settings.clone(),
            leadership: None,
            tellers: self.tellers(),
        };
        Fleet::start(self.cluster.client(), outfit, Options::default())
    }

    /// Those of the command line: private keys are looked up in the namespace.
    fn services(&self, client: &Arc<Client>) -> ServicesOf {
        let (google, cluster) = (Arc::clone(client), self.cluster.client());
        Arc::new(move |namespace| {
            let keys = Named(ClusterSecrets::new(cluster.clone(), namespace));
            Services::new(&google).with_keys(&google, Arc::new(keys))
        })
    }

    /// The real desk, with a mailbox instead of a network.
    fn tellers(&self) -> Tellers {
        let (clock, mailbox) = (Arc::clone(&self.world.clock), self.mailbox.clone());
        let client = self.cluster.client();
        Arc::new(move |namespace, store, board| {
            let clock = Arc::clone(&clock);
            let secrets = Named(ClusterSecrets::new(client.clone(), namespace));
            let secrets = alert::Secrets::elsewhere(Arc::new(secrets));
            let desk = Desk::start(alert::Ports {
                store,
                courier: Courier::new(Arc::new(mailbox.clone()), secrets),
                now: Arc::new(move || clock.now()),
                jitter: Arc::new(|| 0.0),
            });
            Some(Box::new(Tells(desk.unwrap(), board)) as Box<dyn Teller>)
        })
    }

    /// A client whose writes never arrive anywhere.
    fn mute(&self) -> Arc<Client> {
        let http = Mute(Embedded {
            emulator: Arc::clone(&self.world.emulator),
            clock: Arc::clone(&self.world.clock),
        });
        Arc::new(Client::new(Ports {
            http: Arc::new(http),
            access: Access::emulator(EmulatorBase::parse("http://127.0.0.1:1/", false).unwrap()),
            budgets: Budgets::new(),
            entropy: Arc::new(Entropy::seeded(1)),
            clock: Arc::clone(&self.world.clock),
        }))
    }

    fn apply(&self, object: Value) {
        self.apply_in(NS, object);
    }

    fn apply_in(&self, namespace: &str, object: Value) {
        let plural = match object["kind"].as_str().unwrap() {
            "VpcAccessConnector" => "vpcaccessconnectors",
            "HealthCheck" => "healthchecks",
            "Phase" => "phases",
            "Alert" => "alerts",
            "SslCertificate" => "sslcertificates",
            other => panic!("{other}"),
        };
        self.cluster.apply(plural, namespace, object);
    }

    fn condition(&self, at: &Place, kind: &str) -> Value {
        let status = self.cluster.status(at);
        let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        let found = conditions
            .into_iter()
            .find(|condition| condition["type"] == kind);
        found.unwrap_or_default()
    }

    /// Runs until a condition has this reason.
    async fn until(&self, at: &Place, kind: &str, reason: &str) -> Value {
        for _ in 0..7200 {
            let condition = self.condition(at, kind);
            if condition["reason"] == reason {
                return condition;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("{at:?}: no {kind}/{reason}: {:#}", self.cluster.status(at));
    }

    async fn ready(&self, at: &Place) -> Value {
        self.until(at, "Ready", "UpToDate").await
    }

    fn patches(&self) -> usize {
        let writes = self.world.own_writes();
        writes
            .iter()
            .filter(|write| write.method == "PATCH")
            .count()
    }
}

/// Messages that were sent: their bodies and headers.
#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Vec<(Value, String)>>>);

impl Mailbox {
    fn told(&self, status: &str) -> Vec<String> {
        let sent = self.0.lock().unwrap();
        let those = sent
            .iter()
            .filter(|(body, _)| body.to_string().contains(status));
        those.map(|(_, headers)| headers.clone()).collect()
    }
}

#[async_trait]
impl alert::Post for Mailbox {
    async fn post(&self, request: alert::Request) -> Result<alert::Reply, alert::PostError> {
        let body = serde_json::from_str(&request.body).unwrap();
        let headers = format!("{:?}", request.headers);
        self.0.lock().unwrap().push((body, headers));
        Ok(alert::Reply {
            status: 200,
            body: String::new(),
            retry_after: None,
        })
    }
}

/// Brings the desk what the board shows about resources whenever the set is declared.
struct Tells(Desk, Board);

impl Teller for Tells {
    fn declare(&self, set: &Set) {
        let object = |declared: &Declared| Object::new(declared.key.kind.into(), &declared.name);
        let objects = set.declared.iter().map(object).collect();
        self.0.handle().declare(set.alerts.clone(), objects);
        let (handle, board) = (self.0.handle(), self.1.clone());
        tokio::spawn(async move {
            let mut changes = board.changes();
            while changes.changed().await.is_ok() {
                for (key, report) in board.resources() {
                    let context = Context::managed(key.kind, &report.name, "");
                    let sight = judge(&context, &report.status.conditions);
                    handle.report(context.object.clone(), sight);
                }
            }
        });
    }
}

struct Named(ClusterSecrets);

#[async_trait]
impl Keys for Named {
    async fn read(&self, secret: &str, key: &str) -> Result<String, String> {
        alert::Named::read(self, secret, key).await
    }
}

#[async_trait]
impl alert::Named for Named {
    async fn read(&self, name: &str, key: &str) -> Result<String, String> {
        let reference = SecretRef {
            name: Some(name.to_owned()),
            key: Some(key.to_owned()),
            ..SecretRef::default()
        };
        let read = self.0.read(&reference).await;
        read.map(|secret| secret.expose().to_owned())
            .map_err(|error| error.to_string())
    }
}

/// Reads go through, writes hang.
struct Mute(Embedded);

#[async_trait]
impl Http for Mute {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, evenkeel::gcp::http::TransportError> {
        if request.method() != http::Method::GET {
            std::future::pending::<()>().await;
        }
        self.0.send(request).await
    }
}

fn connector() -> Place {
    place("vpcaccessconnectors", NS, CONNECTOR)
}

fn vac(min: i64, max: i64) -> Value {
    json!({
        "apiVersion": API, "kind": "VpcAccessConnector",
        "metadata": {"name": CONNECTOR, "labels": {"phase": "1"}},
        "spec": {
            "project": PROJECT, "location": LOCATION, "adopt": true,
            "resource": {"minInstances": min, "maxInstances": max},
            "rollout": {"maxStep": {"minInstances": 1, "maxInstances": 2}},
        },
    })
}

fn probe(name: &str, deletion: &str) -> Value {
    json!({
        "apiVersion": API, "kind": "HealthCheck",
        "metadata": {"name": name},
        "spec": {
            "project": PROJECT, "location": "global", "deletion": deletion,
            "resource": {"type": "HTTP", "checkIntervalSec": 10, "timeoutSec": 5,
                         "httpHealthCheck": {"port": 8000, "requestPath": "/health/basic"}},
        },
    })
}

fn health(name: &str) -> Place {
    place("healthchecks", NS, name)
}

fn live(scene: &Scene, name: &str) -> Value {
    scene
        .world
        .truth(&format!("projects/{PROJECT}/global/healthChecks/{name}"))
}

#[test]
fn what_an_object_declares_comes_about_and_is_told_in_its_status() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(vac(5, 10));
        let fleet = scene.start();
        let ready = scene.ready(&connector()).await;
        assert_eq!(scene.world.size(), (5, 10));
        assert_eq!(ready["observedGeneration"], 1);
        let status = scene.cluster.status(&connector());
        assert_eq!(status["observed"]["maxInstances"], 10);
        assert!(status["journal"].as_str().unwrap().starts_with("v1."));
        let saved = scene.cluster.list("controllerrevisions", NS);
        assert_eq!(
            saved[0]["metadata"]["ownerReferences"][0]["name"],
            CONNECTOR
        );
        assert_eq!(saved[0]["data"]["fields"]["minInstances"], 2);
        let events = scene.cluster.list("events", NS);
        let told = |reason: &str| events.iter().any(|event| event["reason"] == reason);
        assert!(told("StepLanded") && told("Saved"), "{events:#?}");
        let finalizers = &scene.cluster.object(&connector()).unwrap()["metadata"]["finalizers"];
        assert!(
            finalizers.is_null(),
            "nothing keeps what is left in place anyway"
        );
        fleet.stop().await;
    });
}

#[test]
fn at_rest_nothing_is_written_anywhere() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(vac(5, 10));
        scene.apply(probe("web", "Delete"));
        let fleet = scene.start();
        scene.ready(&connector()).await;
        scene.ready(&health("web")).await;
        tokio::time::sleep(5 * MINUTE).await;
        let (told, made) = (scene.cluster.writes().len(), scene.world.writes().len());
        let reads = scene.world.emulator.requests().len();
        tokio::time::sleep(1000 * MINUTE).await;
        assert!(
            scene.world.emulator.requests().len() >= reads + 1000,
            "it looks"
        );
        assert_eq!(scene.cluster.writes()[told..], Vec::<String>::new());
        assert_eq!(scene.world.writes().len(), made);
        fleet.stop().await;
    });
}

/// An hour of many objects costs the cluster nothing. `EVENKEEL_OBJECTS=1000` takes minutes.
#[test]
fn many_objects_at_rest_write_nothing_in_an_hour() {
    run(|| async {
        let scene = Scene::new();
        let count = std::env::var("EVENKEEL_OBJECTS").map_or(50, |text| text.parse().unwrap());
        let names: Vec<String> = (0..count).map(|at| format!("web-{at}")).collect();
        for name in &names {
            scene.apply(probe(name, "Orphan"));
        }
        let fleet = scene.start();
        for name in &names {
            scene.ready(&health(name)).await;
        }
        tokio::time::sleep(5 * MINUTE).await;
        let (told, made) = (scene.cluster.writes().len(), scene.world.writes().len());
        assert_eq!(made, names.len(), "one create each");
        tokio::time::sleep(60 * MINUTE).await;
        assert_eq!(scene.cluster.writes()[told..], Vec::<String>::new());
        assert_eq!(scene.world.writes().len(), made);
        fleet.stop().await;
    });
}

#[test]
fn drift_is_brought_back_and_a_change_is_rolled_out() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(probe("web", "Orphan"));
        let fleet = scene.start();
        scene.ready(&health("web")).await;
        let path = format!("projects/{PROJECT}/global/healthChecks/web");
        scene.world.foreign(&path, json!({"checkIntervalSec": 77}));
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(live(&scene, "web")["checkIntervalSec"], 10);
        let mut changed = probe("web", "Orphan");
        changed["spec"]["resource"]["checkIntervalSec"] = json!(20);
        scene.apply(changed);
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(live(&scene, "web")["checkIntervalSec"], 20);
        assert_eq!(scene.ready(&health("web")).await["observedGeneration"], 2);
        fleet.stop().await;
    });
}

#[test]
fn a_bad_object_says_what_is_wrong_and_stops_no_other() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(vac(5, 50));
        scene.apply(probe("web", "Orphan"));
        let fleet = scene.start();
        scene.ready(&health("web")).await;
        let refused = scene.until(&connector(), "Ready", "InvalidSpec").await;
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.contains("maxInstances") && message.contains("10"),
            "{message}"
        );
        assert_eq!(scene.condition(&connector(), "Stalled")["status"], "True");
        assert_eq!(scene.world.size(), (2, 3), "untouched");

        scene.apply(vac(5, 10));
        scene.ready(&connector()).await;
        assert!(scene.condition(&connector(), "Stalled").is_null());
        scene.apply(vac(5, 50));
        let refused = scene.until(&connector(), "Ready", "InvalidSpec").await;
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("stays in force"), "{message}");
        assert_eq!(refused["observedGeneration"], 3);
        fleet.stop().await;
        let fleet = scene.start();
        scene.ready(&health("web")).await;
        scene.apply(probe("other", "Orphan"));
        scene.ready(&health("other")).await;
        assert!(
            !is_released(&scene),
            "a restart forgets nothing that is in force"
        );
        scene.apply(vac(5, 10));
        scene.ready(&connector()).await;
        assert!(scene.cluster.status(&connector())["inForce"].is_null());
        fleet.stop().await;
    });
}

/// What is remembered of the connector says that its object is gone.
fn is_released(scene: &Scene) -> bool {
    let text = scene.cluster.status(&connector())["journal"]
        .as_str()
        .unwrap()
        .to_owned();
    let memo: evenkeel::kubernetes::memo::Memo<evenkeel::core::record::Record> =
        evenkeel::kubernetes::memo::Memo::unpack(&text).unwrap();
    memo.record.released
}

#[test]
fn delete_takes_the_resource_along_and_orphan_leaves_it() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(probe("gone", "Delete"));
        scene.apply(probe("left", "Orphan"));
        let fleet = scene.start();
        scene.ready(&health("gone")).await;
        scene.ready(&health("left")).await;
        let kept = &scene.cluster.object(&health("gone")).unwrap()["metadata"]["finalizers"];
        assert_eq!(*kept, json!(["evenkeel.dev/delete"]));
        let first = |what: &str| {
            let writes = scene.cluster.writes();
            writes.iter().position(|write| write == what).unwrap()
        };
        assert!(first("PATCH healthchecks/gone") < first("PUT healthchecks/gone/status"));
        scene.cluster.delete(&health("gone"));
        scene.cluster.delete(&health("left"));
        assert!(scene.cluster.object(&health("left")).is_none(), "at once");
        assert!(
            scene.cluster.object(&health("gone")).is_some(),
            "only after its resource"
        );
        tokio::time::sleep(10 * MINUTE).await;
        assert!(scene.cluster.object(&health("gone")).is_none());
        assert_eq!(live(&scene, "gone"), Value::Null);
        assert_eq!(live(&scene, "left")["checkIntervalSec"], 10);
        assert!(scene.cluster.list("controllerrevisions", NS).is_empty());
        fleet.stop().await;
    });
}

#[test]
fn the_policy_decides_about_the_finalizer() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(probe("web", "Delete"));
        let fleet = scene.start();
        scene.ready(&health("web")).await;
        scene.apply(probe("web", "Orphan"));
        tokio::time::sleep(MINUTE).await;
        let object = scene.cluster.object(&health("web")).unwrap();
        assert_eq!(object["metadata"]["finalizers"], json!([]));
        scene.cluster.delete(&health("web"));
        tokio::time::sleep(10 * MINUTE).await;
        assert!(!live(&scene, "web").is_null());
        fleet.stop().await;
    });
}

#[test]
fn of_two_namespaces_that_declare_the_same_the_older_keeps_it() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(vac(5, 10));
        scene.apply_in("other", vac(3, 4));
        scene.apply_in("other", probe("web", "Orphan"));
        let fleet = scene.start();
        scene.ready(&connector()).await;
        let other = |plural: &str, name: &str| place(plural, "other", name);
        scene.ready(&other("healthchecks", "web")).await;
        let late = other("vpcaccessconnectors", CONNECTOR);
        let stalled = scene.until(&late, "Stalled", "AlreadyExists").await;
        let message = stalled["message"].as_str().unwrap();
        assert!(
            message.contains("netra/VpcAccessConnector/staging-connector"),
            "{message}"
        );
        assert_eq!(scene.world.size(), (5, 10));
        fleet.stop().await;
    });
}

#[test]
fn a_kill_in_mid_rollout_repeats_nothing_and_skips_nothing() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(vac(5, 10));
        let fleet = scene.start();
        while scene.patches() < 2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        fleet.kill();
        tokio::time::sleep(MINUTE).await;
        let fleet = scene.start();
        scene.ready(&connector()).await;
        assert_eq!(scene.world.size(), (5, 10));
        assert_eq!(
            scene.patches(),
            4,
            "2/3 to 5/10 by 1/2: {:#?}",
            scene.world.own_writes()
        );
        fleet.stop().await;
    });
}

#[test]
fn a_call_that_was_written_down_and_never_made_is_made_once() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(vac(3, 5));
        let fleet = scene.start_on(&scene.mute());
        while scene.cluster.list("controllerrevisions", NS).is_empty() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        fleet.kill();
        assert_eq!(scene.patches(), 0);
        let fleet = scene.start();
        scene.ready(&connector()).await;
        assert_eq!(scene.patches(), 1);
        fleet.stop().await;
    });
}

#[test]
fn whoever_finds_the_memory_of_another_writes_nothing_to_google() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(vac(2, 3));
        let fleet = scene.start();
        scene.ready(&connector()).await;
        // What another operator remembers: the same resource, paused by a person.
        let rival = {
            let text = scene.cluster.status(&connector())["journal"]
                .as_str()
                .unwrap()
                .to_owned();
            let mut memo: evenkeel::kubernetes::memo::Memo<evenkeel::core::record::Record> =
                evenkeel::kubernetes::memo::Memo::unpack(&text).unwrap();
            memo.record.paused = true;
            memo.pack().unwrap()
        };
        scene.cluster.intrude(move |inner| {
            inner.change(&connector(), |object| {
                object["status"]["journal"] = json!(rival);
            });
        });
        scene.apply(vac(3, 5));
        scene.until(&connector(), "Ready", "Suspended").await;
        tokio::time::sleep(HOUR).await;
        assert_eq!(scene.patches(), 0, "the other's memory counts");
        scene
            .cluster
            .annotate(&connector(), "evenkeel.dev/promote", "1");
        scene.ready(&connector()).await;
        assert_eq!(scene.patches(), 1);
        fleet.stop().await;
    });
}

#[test]
fn a_write_of_somebody_else_to_the_object_is_no_race_lost() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(vac(3, 5));
        scene.cluster.intrude(|inner| {
            inner.change(&connector(), |object| {
                object["metadata"]["labels"]["touched"] = json!("1");
            });
        });
        let fleet = scene.start();
        scene.ready(&connector()).await;
        assert_eq!(scene.patches(), 1);
        fleet.stop().await;
    });
}

#[test]
fn without_an_api_server_nothing_is_written_to_google() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(vac(5, 10));
        let fleet = scene.start();
        while scene.patches() < 1 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        scene.cluster.set_down(true);
        tokio::time::sleep(HOUR).await;
        assert_eq!(scene.patches(), 1, "the step under way, and no other");
        let reads = scene.world.emulator.requests().len();
        tokio::time::sleep(5 * MINUTE).await;
        assert!(
            scene.world.emulator.requests().len() > reads,
            "it goes on looking"
        );
        scene.cluster.set_down(false);
        scene.ready(&connector()).await;
        assert_eq!(scene.patches(), 4);
        fleet.stop().await;
    });
}

#[test]
fn what_people_ask_by_annotation_acts_once() {
    run(|| async {
        let scene = Scene::new();
        scene.apply(probe("web", "Orphan"));
        let fleet = scene.start();
        scene.ready(&health("web")).await;
        let mut changed = probe("web", "Orphan");
        changed["spec"]["resource"]["checkIntervalSec"] = json!(20);
        scene.apply(changed.clone());
        tokio::time::sleep(5 * MINUTE).await;
        assert_eq!(live(&scene, "web")["checkIntervalSec"], 20);
        let saved = scene.cluster.list("controllerrevisions", NS);
        let number = saved
            .iter()
            .map(|one| one["revision"].as_i64().unwrap())
            .max()
            .unwrap();

        scene.cluster.annotate(
            &health("web"),
            "evenkeel.dev/rollback-to",
            &number.to_string(),
        );
        scene.until(&health("web"), "Stalled", "RolledBack").await;
        tokio::time::sleep(5 * MINUTE).await;
        assert_eq!(live(&scene, "web")["checkIntervalSec"], 10);
        let handled = scene.cluster.status(&health("web"))["lastHandled"].clone();
        assert_eq!(handled["rollbackTo"], number.to_string());

        fleet.stop().await;
        let fleet = scene.start();
        tokio::time::sleep(HOUR).await;
        assert_eq!(
            live(&scene, "web")["checkIntervalSec"],
            10,
            "held through a restart"
        );
        scene
            .cluster
            .annotate(&health("web"), "evenkeel.dev/retry", "now");
        scene.ready(&health("web")).await;
        assert_eq!(live(&scene, "web")["checkIntervalSec"], 20);
        tokio::time::sleep(HOUR).await;
        assert_eq!(
            live(&scene, "web")["checkIntervalSec"],
            20,
            "and not back again"
        );
        fleet.stop().await;
    });
}

#[test]
fn phases_of_a_namespace_come_one_after_the_other() {
    run(|| async {
        let scene = Scene::new();
        let phase = |name: &str, label: &str, on: Value| {
            json!({"apiVersion": API, "kind": "Phase", "metadata": {"name": name},
                   "spec": {"select": {"matchLabels": {"phase": label}}, "dependsOn": on}})
        };
        let mut web = probe("web", "Orphan");
        web["metadata"]["labels"] = json!({"phase": "2"});
        scene.apply(web);
        scene.apply(vac(3, 5));
        scene.apply(phase("first", "1", json!([])));
        scene.apply(phase("second", "2", json!([{"name": "first"}])));
        let fleet = scene.start();
        scene.ready(&place("phases", NS, "second")).await;
        let writes = scene.world.own_writes();
        let methods: Vec<_> = writes.iter().map(|write| write.method.as_str()).collect();
        assert_eq!(
            methods,
            ["PATCH", "POST"],
            "the connector, and then the health check"
        );
        let status = scene.cluster.status(&place("phases", NS, "first"));
        assert_eq!(status["observedGeneration"], 1);
        fleet.stop().await;
    });
}

#[test]
fn people_are_told_once_through_restarts_with_a_secret_of_the_cluster() {
    run(|| async {
        let scene = Scene::new();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook"},
                            "data": {"token": "Y2FuYXJ5LXRva2Vu"}});
        scene.cluster.apply("secrets", NS, secret);
        scene.apply(json!({
            "apiVersion": API, "kind": "Alert", "metadata": {"name": "infra"},
            "spec": {"provider": {"type": "webhook", "url": "https://hooks.example/a",
                                  "secretRef": {"name": "hook", "key": "token"}},
                     "select": [{"kind": "VpcAccessConnector", "name": "*"}]},
        }));
        let mut taken = vac(3, 5);
        taken["spec"]["adopt"] = json!(false);
        scene.apply(taken);
        let fleet = scene.start();
        scene.until(&connector(), "Stalled", "AlreadyExists").await;
        tokio::time::sleep(HOUR).await;
        let told = scene.mailbox.told("firing");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("canary-token"));
        fleet.stop().await;

        let fleet = scene.start();
        tokio::time::sleep(HOUR).await;
        assert_eq!(
            scene.mailbox.told("firing").len(),
            1,
            "once, through a restart"
        );
        scene.apply(vac(3, 5));
        scene.ready(&connector()).await;
        tokio::time::sleep(MINUTE).await;
        assert_eq!(scene.mailbox.told("resolved").len(), 1);
        fleet.stop().await;
        let everything = format!("{:?}", scene.cluster.list("alerts", NS));
        assert!(everything.contains("v1.") && !everything.contains("canary"));
    });
}

#[test]
fn a_private_key_comes_from_a_secret_of_the_namespace_and_stays_nowhere() {
    use base64::Engine as _;
    run(|| async {
        let scene = Scene::new();
        let own = rcgen::generate_simple_self_signed(["a.example.com".to_owned()]).unwrap();
        let key = own.signing_key.serialize_pem();
        let encoded = base64::engine::general_purpose::STANDARD.encode(&key);
        let secret = |namespace: &str| {
            let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"},
                                "data": {"tls.key": encoded}});
            scene.cluster.apply("secrets", namespace, object);
        };
        secret("other");
        scene.apply(json!({
            "apiVersion": API, "kind": "SslCertificate", "metadata": {"name": "web"},
            "spec": {"project": PROJECT, "location": "global", "resource": {"selfManaged": {
                "certificate": own.cert.pem(),
                "privateKeyRef": {"kubernetes": {"secret": "web", "key": "tls.key"}},
            }}},
        }));
        let fleet = scene.start();
        let at = place("sslcertificates", NS, "web");
        let refused = scene.until(&at, "Stalled", "PermissionDenied").await;
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.contains("web/tls.key"),
            "that of another namespace: {message}"
        );
        secret(NS);
        scene.cluster.annotate(&at, "evenkeel.dev/retry", "1");
        scene.ready(&at).await;
        let stored = format!(
            "{}{:?}",
            scene.cluster.object(&at).unwrap(),
            scene.cluster.list("controllerrevisions", NS)
        );
        let part = key.lines().nth(1).unwrap();
        assert!(!stored.contains(part));
        fleet.stop().await;
    });
}
