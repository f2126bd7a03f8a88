//! A faithful GCP in one process: Serverless VPC Access (vpcaccess v1, and the v1beta1 read view), the load
//! balancing of Compute Engine (compute v1), Cloud Run, Cloud SQL, Certificate Manager and a part of Secret Manager.
//!
//! Purpose: a place to run the operator, its tests and its demonstrations with no cloud. It answers as
//! Google answers, and refuses what Google refuses.
//!
//! Each API has a folder here and owns its paths, messages, rules and words. The files beside the folders are
//! the frame that all share: records and how reads lag behind them, time, operations, faults, quota, access,
//! the request log, snapshots and the controls. See [`api::Api`] for what lies between the two.
//!
//! Invariants:
//! - Nothing here is shared with the operator's own rules, so that a wrong belief on one side shows as a
//!   failing test instead of cancelling out.
//! - [`Emulator::handle`] does no I/O besides the optional [`Store`], reads no clock and draws every random
//!   number from one seed: the same seed, times and requests give the same replies.
//! - A reply is given only after the change it speaks of is in the store.

mod access;
mod api;
mod base64;
mod certificatemanager;
mod compute;
mod control;
pub mod dataplane;
mod dice;
mod dns;
mod domains;
mod enum_numbers;
mod errors;
mod expression;
mod fault_json;
mod faults;
mod fields;
mod firing;
mod foreign;
mod locations;
mod log;
mod logging;
mod longrunning;
mod messages;
mod monitoring;
mod operations;
mod query;
mod quota;
mod records;
mod registry;
mod reply;
mod route;
mod run;
mod scenario;
mod secretmanager;
pub mod server;
mod sqladmin;
mod store;
mod timing;
mod traffic;
mod vpcaccess;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

pub use access::Access;
pub use domains::Domain;
pub use errors::Shape;
pub use fault_json::FaultJsonError;
pub use faults::{Action, ErrorFault, FaultRule, Leaves, Match};
pub use foreign::ForeignError;
pub use log::{LogEntry, LogStatus};
pub use quota::Quota;
pub use scenario::{Scenario, UnknownScenario};
pub use store::{Store, StoreError};
pub use timing::Timing;
pub use traffic::controls::{Controls, Fault, Line, LineSeverity, Misfortune};

use world::World;

/// How an emulator starts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub scenario: Scenario,
    pub seed: u64,
    pub timing: Timing,
}

/// What became of one request: the caller waits `delay`, then delivers `outcome`.
#[derive(Debug, Clone)]
pub struct Handled {
    pub delay: Duration,
    pub outcome: Outcome,
}

/// What the client gets.
#[derive(Debug, Clone)]
pub enum Outcome {
    Reply(http::Response<Bytes>),
    /// The connection closes with no reply. Whether the change landed is in the request log.
    Reset,
}

/// A snapshot that cannot be taken back.
#[derive(Debug, thiserror::Error)]
#[error("this is not a snapshot of the emulator (version {expected}): {reason}")]
pub struct RestoreError {
    pub expected: u32,
    pub reason: String,
}

/// GCP in one process. Share it behind an `Arc`.
#[derive(Debug)]
pub struct Emulator {
    world: Mutex<World>,
    store: Option<Store>,
    /// What is said of the data plane, while one runs.
    dataplane: Mutex<Option<Value>>,
}

impl Emulator {
    /// A fresh emulator that lives in memory only.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            world: Mutex::new(World::new(options)),
            store: None,
            dataplane: Mutex::new(None),
        }
    }

    /// An emulator that outlives its process: goes on from the snapshot at `path`, or starts fresh with
    /// `options` when there is none yet.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a snapshot of the emulator.
    pub fn open(options: Options, path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let store = Store::new(path);
        let world = match store.load()? {
            Some(snapshot) => {
                World::from_snapshot(&snapshot).map_err(|source| StoreError::Content {
                    path: store.path().to_owned(),
                    source,
                })?
            }
            None => World::new(options),
        };
        Ok(Self {
            world: Mutex::new(world),
            store: Some(store),
            dataplane: Mutex::new(None),
        })
    }

    /// Answers one request as of `now`. Time never runs backwards inside: an earlier `now` is read as the
    /// latest one seen.
    pub fn handle(&self, now: Timestamp, request: &http::Request<Bytes>) -> Handled {
        if let Some(reply) = control::dataplane(request, || self.told_dataplane()) {
            return Handled {
                delay: Duration::ZERO,
                outcome: Outcome::Reply(reply),
            };
        }
        let mut world = self.lock();
        let (handled, changed) = world.handle(now, request);
        if !changed {
            return handled;
        }
        match self.save(&world) {
            Ok(()) => handled,
            Err(error) => {
                tracing::error!(%error, "the emulator cannot save its state");
                let reply = errors::ApiError::internal(&error.to_string()).reply();
                Handled {
                    delay: handled.delay,
                    outcome: Outcome::Reply(reply),
                }
            }
        }
    }

    /// Lets time pass with no request: operations that are due finish.
    pub fn advance(&self, now: Timestamp) {
        self.lock().advance(now);
    }

    /// Replaces the fault rules.
    pub fn set_faults(&self, rules: Vec<FaultRule>) {
        self.lock().faults.set(rules);
    }

    /// How often each fault fired since the emulator started, by its name.
    #[must_use]
    pub fn faults_fired(&self) -> BTreeMap<String, u64> {
        self.lock().faults.fired().clone()
    }

    /// Whom the API lets in. Everyone by default.
    pub fn set_access(&self, access: Access) {
        self.lock().access = access;
    }

    /// Requests a minute per project. Generous by default.
    pub fn set_quota(&self, quota: Quota) {
        self.lock().meter.set(quota);
    }

    /// What becomes of proving these domains to a certificate authority, from now on. Others are visible.
    pub fn set_domains(&self, domains: BTreeMap<String, Domain>) {
        self.lock().set_domains(domains);
    }

    /// What is published in the DNS from now on: the data of CNAME records, by name.
    pub fn set_dns(&self, records: BTreeMap<String, String>) {
        self.lock().set_dns(records);
    }

    /// Adds a version to a secret, which is made if it is not there; `name` is such as
    /// `projects/p/secrets/db-password`.
    pub fn add_secret(&self, name: &str, value: &str) {
        self.lock().add_secret(name, value);
    }

    /// How much traffic there is from now on, and what goes wrong with it. The state's own consequences stay.
    ///
    /// # Errors
    /// When a number is out of its range: the text names it.
    pub fn set_traffic(&self, controls: Controls) -> Result<(), String> {
        controls.check()?;
        self.lock().set_traffic(controls);
        Ok(())
    }

    /// How long things take from now on. Operations that run keep their time.
    pub fn set_timing(&self, timing: Timing) {
        self.lock().timing = timing;
    }

    /// The request log, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<LogEntry> {
        self.lock().log.after(0).cloned().collect()
    }

    /// The whole world: resources, running operations, faults, quota use and the end of the request log.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.lock().snapshot()
    }

    /// Replaces the whole world with a snapshot.
    ///
    /// # Errors
    /// When `snapshot` is not one of this version. The world is then left as it was.
    pub fn restore(&self, snapshot: &Value) -> Result<(), RestoreError> {
        let world = World::from_snapshot(snapshot)?;
        *self.lock() = world;
        Ok(())
    }

    /// The true, not lagged state of a connector as of the latest time seen. For checkers.
    #[must_use]
    pub fn connector(&self, project: &str, location: &str, name: &str) -> Option<Value> {
        self.truth(&format!(
            "/v1/projects/{project}/locations/{location}/connectors/{name}"
        ))
    }

    /// The true, not lagged state of any resource by its REST path, such as
    /// `/compute/v1/projects/p/global/healthChecks/h`, as of the latest time seen. For checkers.
    #[must_use]
    pub fn truth(&self, path: &str) -> Option<Value> {
        self.lock().truth_at(path)
    }

    /// Every resource as it truly is, by its full name, such as
    /// `//compute.googleapis.com/projects/p/global/healthChecks/h`, as of the latest time seen. For checkers.
    #[must_use]
    pub fn everything(&self) -> Map<String, Value> {
        self.lock().everything()
    }

    /// When something comes about by itself next, such as the end of an operation: whoever lets time pass up to
    /// each of these sees every state in between.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.lock().operations.first_due()
    }

    /// Whether an operation is changing the resource at this REST path, or is making it, as of the latest time
    /// seen. For checkers.
    #[must_use]
    pub fn is_busy(&self, path: &str) -> bool {
        self.lock().is_busy(path)
    }

    /// The true, not lagged state of every resource of a service, such as `compute.googleapis.com`, by its
    /// name from `projects` on. For checkers.
    #[must_use]
    pub fn truths(&self, service: &str) -> BTreeMap<String, Value> {
        let world = self.lock();
        let prefix = format!("//{service}/");
        let keys = world.records.all_under(&prefix).map(|(key, _)| key);
        keys.filter_map(|key| Some((key[prefix.len()..].to_owned(), world.truth_body(key)?)))
            .collect()
    }

    /// Another writer changes a resource at once; `name` is its REST path, or the part of it from `projects`
    /// on. Recorded in the log as foreign, and bound by no rule: it may do what only a delete and create could.
    ///
    /// # Errors
    /// When there is no such resource, or a field is unknown or of the wrong type.
    pub fn foreign_patch(
        &self,
        now: Timestamp,
        name: &str,
        fields: &Value,
    ) -> Result<(), ForeignError> {
        self.lock().foreign_patch(now, name, fields)
    }

    /// Another writer deletes a resource at once.
    ///
    /// # Errors
    /// When there is no such resource.
    pub fn foreign_delete(&self, now: Timestamp, name: &str) -> Result<(), ForeignError> {
        self.lock().foreign_delete(now, name)
    }

    /// What the data plane asks of the world.
    fn ask<T>(&self, now: Timestamp, question: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.lock();
        world.advance(now);
        question(&mut world)
    }

    fn tell_dataplane(&self, body: Option<Value>) {
        let told = self.dataplane.lock();
        *told.unwrap_or_else(PoisonError::into_inner) = body;
    }

    fn told_dataplane(&self) -> Option<Value> {
        let told = self.dataplane.lock();
        told.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn save(&self, world: &World) -> Result<(), StoreError> {
        self.store
            .as_ref()
            .map_or(Ok(()), |store| store.save(world))
    }

    /// A panic while the lock was held leaves a world that is still worth looking at.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
