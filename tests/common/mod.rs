//! A whole operator on an emulated GCP, in one thread, on a paused clock.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]

pub mod manager;
pub mod meter;
mod recorded;
#[path = "../wire/mod.rs"]
pub mod wire;

use bytes::Bytes;
use evenkeel::api::envelope::{Deletion, Drift, Policy, RolloutSpec};
use evenkeel::api::{ConditionType, Declared, Key, Kind, Origin, Reason, Status};
use evenkeel::cli::embedded::Embedded;
use evenkeel::core::token::Ask;
use evenkeel::emulator::{
    Action, Emulator, ErrorFault, FaultRule, LogEntry, Options, Outcome, Scenario, Timing,
};
use evenkeel::engine::{
    Blindfold, Board, Command, Declaration, Engine, Ports, Prober, Services, Settings,
};
use evenkeel::gcp::access::Access;
use evenkeel::gcp::budget::Budgets;
use evenkeel::gcp::client::{Client, Ports as ClientPorts};
use evenkeel::gcp::clock::{Clock, SystemClock};
use evenkeel::gcp::endpoint::EmulatorBase;
use evenkeel::gcp::entropy::Entropy;
use evenkeel::gcp::http::Http;
use evenkeel::journal::{Journal, SqliteJournal};
use recorded::{Recorded, Wire};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub const PROJECT: &str = "netra-staging";
pub const LOCATION: &str = "us-central1";
pub const CONNECTOR: &str = "staging-connector";

/// A runtime with paused time: sleeping costs nothing, and runs are the same each time.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
}

pub fn key(name: &str) -> Key {
    Key {
        kind: Kind::VpcAccessConnector,
        project: PROJECT.into(),
        location: LOCATION.into(),
        name: name.into(),
    }
}

/// The identity of a resource of any kind.
pub fn key_of(kind: Kind, location: &str, name: &str) -> Key {
    Key {
        kind,
        location: location.into(),
        ..key(name)
    }
}

/// A manifest of the incident's connector with these desired fields.
pub fn declared(resource: Value) -> Declared {
    let mut manifest = declared_as(key(CONNECTOR), resource);
    manifest.policy.rollout = Some(steps_of(1, 2));
    manifest
}

/// A manifest of any kind: adopts what is there, brings drift back, leaves the resource when it
/// goes.
pub fn declared_as(key: Key, resource: Value) -> Declared {
    Declared {
        name: key.name.clone(),
        key,
        labels: std::collections::BTreeMap::new(),
        resource: resource.as_object().unwrap().clone(),
        policy: Policy {
            rollout: None,
            drift: Drift::Enforce,
            deletion: Deletion::Orphan,
            adopt: true,
            suspend: false,
        },
        origin: Origin {
            file: "test.yaml".into(),
            line: 1,
            revision: "files@test".into(),
        },
    }
}

pub fn steps_of(min: i64, max: i64) -> RolloutSpec {
    RolloutSpec {
        max_step: [
            ("minInstances".to_owned(), min),
            ("maxInstances".to_owned(), max),
        ]
        .into(),
        ..RolloutSpec::default()
    }
}

/// An error that GCP answers with.
pub fn refusal(status: u16, reason: &str) -> Action {
    Action::Error(ErrorFault {
        status,
        reason: Some(reason.to_owned()),
        message: Some("no".to_owned()),
        ..ErrorFault::default()
    })
}

pub fn grown() -> Value {
    json!({"minInstances": 5, "maxInstances": 10})
}

/// Why Ready is as it is, and what it says.
pub fn verdict(status: &Status) -> (Reason, String) {
    let ready = status.condition(ConditionType::Ready);
    let ready = ready.expect("a Ready condition");
    (ready.reason, ready.message.clone())
}

pub fn reason(status: &Status) -> Reason {
    verdict(status).0
}

pub fn message(status: &Status) -> String {
    verdict(status).1
}

/// The world around an operator. It outlives the operators that run in it.
pub struct World {
    pub emulator: Arc<Emulator>,
    pub clock: Arc<dyn Clock>,
    pub journal: Arc<SqliteJournal>,
    pub settings: Settings,
    pub prober: Arc<dyn Prober>,
    pub seed: u64,
    /// What all operators of this world send and get.
    pub wire: Wire,
}

impl World {
    /// Call inside a paused runtime.
    pub fn new() -> World {
        World::with_timing(Timing::fixed(Duration::from_secs(90), Duration::ZERO))
    }

    /// A world where GCP does not do what it should.
    pub fn failing(rules: Vec<FaultRule>) -> World {
        let world = World::new();
        world.emulator.set_faults(rules);
        world
    }

    pub fn with_timing(timing: Timing) -> World {
        let start = "2026-11-23T10:00:00Z".parse().unwrap();
        World {
            emulator: Arc::new(Emulator::new(Options {
                scenario: Scenario::NetraStaging,
                seed: 7,
                timing,
            })),
            clock: Arc::new(SystemClock::starting_at(start)),
            journal: Arc::new(SqliteJournal::in_memory().unwrap()),
            settings: Settings::default(),
            prober: Arc::new(Blindfold),
            seed: 7,
            wire: Wire::default(),
        }
    }

    pub fn operator(&self) -> Operator {
        let embedded = Embedded {
            emulator: Arc::clone(&self.emulator),
            clock: Arc::clone(&self.clock),
        };
        self.operator_on(
            Arc::new(embedded),
            Arc::clone(&self.journal) as Arc<dyn Journal>,
        )
    }

    /// An operator that has these manifests.
    pub async fn start(&self, set: Vec<Declared>) -> Operator {
        let operator = self.operator();
        operator.declare(set).await;
        operator
    }

    /// The same world to an operator that knows nothing of it yet.
    pub fn forgotten(self) -> World {
        World {
            journal: Arc::new(SqliteJournal::in_memory().unwrap()),
            ..self
        }
    }

    /// An operator on other ports, such as ones with faults.
    pub fn operator_on(&self, http: Arc<dyn Http>, journal: Arc<dyn Journal>) -> Operator {
        let entropy = Arc::new(Entropy::seeded(self.seed));
        let client = self.client_on(http, &entropy);
        let ports = Ports {
            services: Services::new(&client),
            journal,
            prober: Arc::clone(&self.prober),
            clock: Arc::clone(&self.clock),
            entropy,
        };
        let engine = Engine::new(ports, self.settings.clone()).unwrap();
        let board = engine.board();
        let (commands, receiver) = mpsc::channel(16);
        let stop = CancellationToken::new();
        let task = tokio::task::spawn_local(engine.run(receiver, stop.clone()));
        Operator {
            board,
            commands,
            stop,
            task,
        }
    }

    /// A client of the emulated GCP, with the budgets that Google gets.
    pub fn client(&self) -> Arc<Client> {
        let http = Embedded {
            emulator: Arc::clone(&self.emulator),
            clock: Arc::clone(&self.clock),
        };
        self.client_on(Arc::new(http), &Arc::new(Entropy::seeded(self.seed)))
    }

    fn client_on(&self, http: Arc<dyn Http>, entropy: &Arc<Entropy>) -> Arc<Client> {
        let http = Arc::new(Recorded {
            inner: http,
            wire: self.wire.clone(),
        });
        Arc::new(Client::new(ClientPorts {
            http,
            access: Access::emulator(EmulatorBase::parse("http://127.0.0.1:1/", false).unwrap()),
            budgets: Budgets::new(),
            entropy: Arc::clone(entropy),
            clock: Arc::clone(&self.clock),
        }))
    }

    /// The mutating requests, in order.
    pub fn writes(&self) -> Vec<LogEntry> {
        self.emulator
            .requests()
            .into_iter()
            .filter(|entry| entry.method != "GET")
            .collect()
    }

    /// The writes of the operator alone.
    pub fn own_writes(&self) -> Vec<LogEntry> {
        let writes = self.writes().into_iter();
        writes.filter(|write| !write.foreign).collect()
    }

    /// Somebody else changes a resource, by its path from `projects/` on.
    pub fn foreign(&self, path: &str, fields: Value) {
        let done = self.emulator.foreign_patch(self.clock.now(), path, &fields);
        done.unwrap();
    }

    /// A resource as it truly is, by its path from `projects/` on; null where there is none.
    pub fn truth(&self, path: &str) -> Value {
        self.emulator.advance(self.clock.now());
        self.emulator.truth(path).unwrap_or_default()
    }

    /// Somebody else's call to Compute Engine, and time for it to take effect.
    pub async fn google(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:1/compute/v1/{path}"))
            .body(body)
            .unwrap();
        let Outcome::Reply(reply) = self.emulator.handle(self.clock.now(), &request).outcome else {
            panic!("{method} {path}: no reply");
        };
        let status = reply.status();
        assert!(status.is_success(), "{method} {path}: {:?}", reply.body());
        tokio::time::sleep(Duration::from_secs(20)).await;
        serde_json::from_slice(reply.body()).unwrap()
    }

    /// The operator's own writes to Compute Engine: each carries a request id.
    pub fn sent(&self) -> Vec<LogEntry> {
        let writes = self.writes().into_iter();
        writes
            .filter(|w| !w.foreign && w.query.contains("requestId="))
            .collect()
    }

    /// Live min and max instances, as they truly are.
    pub fn size(&self) -> (i64, i64) {
        self.emulator.advance(self.clock.now());
        let live = self
            .emulator
            .connector(PROJECT, LOCATION, CONNECTOR)
            .unwrap();
        (
            live["minInstances"].as_i64().unwrap(),
            live["maxInstances"].as_i64().unwrap(),
        )
    }

    pub fn ask(&self, ask: &Ask) {
        self.journal
            .ask(key(CONNECTOR), ask, self.clock.now())
            .unwrap();
    }
}

/// A running operator.
pub struct Operator {
    pub board: Board,
    pub commands: mpsc::Sender<Command>,
    pub stop: CancellationToken,
    pub task: tokio::task::JoinHandle<()>,
}

impl Operator {
    pub async fn declare(&self, set: impl Into<Declaration>) {
        let set = Box::new(set.into());
        self.commands.send(Command::Declare(set)).await.unwrap();
    }

    /// Runs until nothing is pending, at most `limit` of simulated time.
    pub async fn settle(&self, limit: Duration) -> Status {
        let deadline = tokio::time::Instant::now() + limit;
        while tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if !self.board.resources().is_empty() && self.board.is_settled() {
                return self.status();
            }
        }
        panic!(
            "not settled within {limit:?}: {:#?}",
            self.board.resources()
        );
    }

    pub fn status(&self) -> Status {
        let resources = self.board.resources();
        resources
            .get(&key(CONNECTOR))
            .map(|report| report.status.clone())
            .unwrap_or_default()
    }

    /// The status of a resource of any kind.
    pub fn status_of(&self, key: &Key) -> Status {
        self.board.resources()[key].status.clone()
    }

    /// Runs until `reached`, at most `limit` of simulated time.
    pub async fn until(&self, limit: Duration, reached: impl Fn(&Operator) -> bool) {
        let deadline = tokio::time::Instant::now() + limit;
        while !reached(self) {
            assert!(
                tokio::time::Instant::now() < deadline,
                "not reached within {limit:?}: {:#?}",
                self.board.resources()
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Runs until this resource is Ready and nothing else is pending either.
    pub async fn ready(&self, key: &Key, limit: Duration) -> Status {
        let ready = |operator: &Operator| {
            let resources = operator.board.resources();
            resources
                .get(key)
                .is_some_and(|report| report.status.is_ready())
                && operator.board.is_settled()
        };
        self.until(limit, ready).await;
        self.status_of(key)
    }

    /// A clean stop.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// Like `kill -9`: whatever it was doing, it is no more.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Runs a test with a paused clock.
pub fn run<F: Future>(test: impl FnOnce() -> F) -> F::Output {
    let runtime = runtime();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async { test().await })
}
