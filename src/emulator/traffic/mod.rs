//! A pure model of traffic: services want something, connectors, databases and machines give what they can, and
//! from that follow latency, 503s, processor use, throughput, logs and the time of handshakes.
//!
//! What each service wants is the scenario's ([`demand`]); what there is to give is read from the emulated state
//! ([`scene`]) and kept through time ([`tape`]); the formulas stand in one file a thing ([`connector`],
//! [`database`], [`service`], [`machine`]) and meet in [`load`]. They are simple and monotone: more capacity never
//! makes anything worse. [`controls`] is how a test makes things worse.
//!
//! Invariant: the load at a time is a function of the scenes up to it and of the seed. Nothing that is asked
//! changes it, but for the number of attempts and of connections that the data plane holds open.

pub(super) mod answer;
pub(super) mod connector;
pub(super) mod controls;
pub(super) mod database;
pub(super) mod demand;
pub(super) mod handshake;
pub(super) mod load;
pub(super) mod machine;
pub(super) mod reach;
pub(super) mod requests;
pub(super) mod scene;
pub(super) mod service;
pub(super) mod session;
mod tape;
pub(super) mod view;
pub(super) mod wave;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::controls::{Controls, Fault};
use self::demand::{Demand, Front};
use self::load::Load;
use self::machine::Machine;
use self::scene::{Backend, Scene};
use self::service::{Share, Way};
use self::tape::Tape;
use self::wave::{Attempt, minute};
use super::scenario::Scenario;
use super::world::World;
use super::{compute, sqladmin, vpcaccess};

/// How the start of an instance goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Start {
    /// Of its database phase.
    pub seconds: f64,
    /// Whether it comes to an end at all.
    pub works: bool,
}

/// What a world keeps of its traffic.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Traffic {
    pub demands: Vec<Demand>,
    pub fronts: Vec<Front>,
    pub controls: Controls,
    tape: Tape,
    /// The records as of the last look.
    #[serde(skip)]
    seen: u64,
    #[serde(skip)]
    attempts: BTreeMap<String, u32>,
    /// Sessions with each database that the data plane holds open.
    #[serde(skip)]
    sessions: BTreeMap<String, u32>,
}

impl Traffic {
    pub fn of(scenario: Scenario) -> Self {
        Self {
            demands: demand::demands(scenario),
            fronts: demand::fronts(scenario),
            ..Self::default()
        }
    }

    /// The service beside which probes stand: the first one. Empty where there is none.
    pub fn vantage(&self) -> String {
        let first = self.demands.first();
        first
            .map(|demand| demand.service.clone())
            .unwrap_or_default()
    }

    /// The next attempt at something.
    pub fn attempt(&mut self, at: &str) -> Attempt {
        let next = self.attempts.entry(at.to_owned()).or_default();
        let number = *next;
        *next = next.wrapping_add(1);
        Attempt { number }
    }
}

impl World {
    /// Keeps the scene, if it has changed, as the one that holds from `at` on.
    pub fn watch(&mut self, at: Timestamp) {
        let changes = self.records.changes();
        let known = !self.traffic.tape.is_empty() && self.traffic.seen == changes;
        if known || self.traffic.demands.is_empty() {
            return;
        }
        self.traffic.seen = changes;
        let scene = scene::of(self);
        let pace = *self.timing.operation.start() / 2;
        self.traffic.tape.note(at, scene, pace);
    }

    /// The first time is known: what was before is made up from it.
    pub fn begin_traffic(&mut self, now: Timestamp) {
        self.traffic.tape.begin(now);
    }

    pub fn set_traffic(&mut self, controls: Controls) {
        self.watch(self.clock);
        self.traffic.controls = controls;
        let scene = scene::of(self);
        let pace = *self.timing.operation.start() / 2;
        self.traffic.tape.note(self.clock, scene, pace);
    }

    /// The first time that metrics and logs tell of.
    pub fn traffic_began(&self) -> Timestamp {
        self.traffic.tape.began()
    }

    pub fn scene_at(&self, at: Timestamp) -> Option<&Scene> {
        self.traffic.tape.scene(at)
    }

    /// How everything did at a time; None where nobody wants anything.
    pub fn load_at(&self, at: Timestamp) -> Option<Load> {
        let scene = self.traffic.tape.scene(at)?;
        let instances = self.traffic.tape.instances(at);
        Some(load::at(scene, &instances, self.seed, minute(at)))
    }

    /// How everything does.
    pub fn load(&mut self) -> Option<Load> {
        self.watch(self.clock);
        self.load_at(self.clock)
    }

    /// How a start of a service would go with a revision like this; None where the scenario does not know what
    /// the service needs.
    pub fn start_at(&self, at: Timestamp, service: &str, share: &Share) -> Option<Start> {
        let mut known = self.traffic.demands.iter();
        let demand = known.find(|demand| demand.service == service)?;
        let load = self.load_at(at)?;
        let connector = match &share.way {
            Way::Connector(name) => load.connectors.get(name).copied().or_else(|| {
                // Nobody uses it yet.
                let connector = vpcaccess::connector_of(self, name)?;
                Some(connector.load(connector.min, 0.0, (0.0, 0.0, 0.0)))
            }),
            Way::Direct | Way::None => None,
        };
        let (connect, lost) = service::way(share, connector.as_ref());
        let startup = |query| service::startup(demand, connect, query, &self.traffic.controls);
        let Some(name) = &demand.database else {
            let (seconds, works) = (startup(0.0), true);
            return Some(Start { seconds, works });
        };
        let database = load.databases.get(name);
        let wait = match database {
            Some(load) if load.works => Some(0.0),
            Some(_) => self.restart_takes(at, name),
            None => None,
        };
        let query = database.map_or(0.0, |load| load.query);
        Some(Start {
            seconds: startup(query) + wait.unwrap_or_default(),
            works: wait.is_some() && lost < 1.0,
        })
    }

    /// The seconds until a database that is restarting takes connections again; None when it will not.
    fn restart_takes(&self, at: Timestamp, database: &str) -> Option<f64> {
        if self.traffic.controls.is_on(Fault::DbDown) {
            return None;
        }
        let key = format!("//{}/{database}", sqladmin::SERVICE);
        let due = self.operations.running_on(&key)?.due;
        Some(due.duration_since(at).as_secs_f64())
    }

    /// Whether the load balancer sends requests to a machine of a backend service. Where no scenario keeps the
    /// history of its checks, the last one counts.
    pub fn is_well(&self, at: Timestamp, backend_service: &str, machine: &Machine) -> bool {
        let seen = || {
            let health = self.traffic.tape.health(at);
            health.get(backend_service)?.get(&machine.name).copied()
        };
        let found = || match compute::backend_of(self, backend_service) {
            Some(Backend::Machines {
                check: Some(check),
                port,
                ..
            }) => check.finds_well(machine, port, &self.traffic.controls),
            _ => false,
        };
        machine.forced.or_else(seen).unwrap_or_else(found)
    }
}
