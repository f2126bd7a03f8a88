//! What can be reached through the data plane, and how connections to it come about.

use serde_json::{Value, json};

use super::handshake::covers;
use super::wave::Attempt;
use crate::emulator::domains::Domain;
use crate::emulator::world::World;
use crate::emulator::{compute, run, sqladmin};

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) enum Target {
    /// TLS, and HTTP inside, for every host of the load balancer and of Cloud Run.
    Edge,
    /// Plain HTTP for the same hosts: sends everybody to https.
    Plain,
    /// Plain HTTP of one service by its name, from `projects` on, as its own neighbours reach it.
    Service(String),
    /// Postgres, by its name, from `projects` on.
    Database(String),
}

/// How a connection comes about, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::emulator) enum Passage {
    Open(f64),
    Refused(f64),
    /// Nobody ever answers.
    Lost,
}

/// Something that can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) struct Endpoint {
    pub name: String,
    pub protocol: &'static str,
    /// Names and addresses under which clients know it.
    pub hosts: Vec<String>,
    pub port: u16,
    pub target: Target,
}

/// The name of a host came to this, after so many seconds.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Resolved {
    pub seconds: f64,
    pub outcome: Resolution,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) enum Resolution {
    Addresses(Vec<String>),
    /// A CNAME record.
    Alias(String),
    NoSuchName,
    ServerFails,
}

const HTTPS: u16 = 443;
const HTTP: u16 = 80;
const POSTGRES: u16 = 5432;

/// A connection to what stands on the open internet.
const PUBLIC_SECONDS: f64 = 0.02;

/// Where Cloud Run's own host names lead (RFC 5737: an address for documentation).
const RUN_ADDRESS: &str = "198.51.100.80";

impl Endpoint {
    pub fn body(&self, address: &str) -> Value {
        json!({
            "name": self.name,
            "protocol": self.protocol,
            "hosts": self.hosts,
            "port": self.port,
            "address": address,
        })
    }
}

impl World {
    /// Everything that the scenario's world can be reached at.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let hosts = self.edge_hosts();
        let mut endpoints = Vec::new();
        if !hosts.is_empty() {
            let edge = |name: &str, protocol, port, target| Endpoint {
                name: name.to_owned(),
                protocol,
                hosts: hosts.clone(),
                port,
                target,
            };
            endpoints.push(edge("edge", "https", HTTPS, Target::Edge));
            endpoints.push(edge("edge-plain", "http", HTTP, Target::Plain));
        }
        for name in self.databases() {
            endpoints.push(Endpoint {
                name: last(&name).to_owned(),
                protocol: "postgres",
                hosts: sqladmin::addresses_of(self, &name),
                port: POSTGRES,
                target: Target::Database(name),
            });
        }
        for demand in &self.traffic.demands {
            endpoints.push(Endpoint {
                name: demand.id().to_owned(),
                protocol: "http",
                hosts: vec![format!("{}.internal", demand.id())],
                port: HTTP,
                target: Target::Service(demand.service.clone()),
            });
        }
        endpoints
    }

    /// What stands at a host, by name or address.
    pub fn target(&self, host: &str, port: u16) -> Option<Target> {
        let host = host.trim_end_matches('.').to_lowercase();
        let knows = |endpoint: &Endpoint| endpoint.hosts.iter().any(|known| covers(known, &host));
        let here = |endpoint: &Endpoint| endpoint.port == port && knows(endpoint);
        let found = self.endpoints().into_iter().find(here);
        found.map(|endpoint| endpoint.target)
    }

    /// The next connection to a target. Private ones go the way of the service beside which probes stand.
    pub fn passage(&mut self, target: &Target) -> Passage {
        let Target::Database(name) = target else {
            return Passage::Open(PUBLIC_SECONDS);
        };
        let vantage = self.traffic.vantage();
        let attempt = self.traffic.attempt(&format!("connect {name}"));
        let Some(load) = self.load() else {
            return Passage::Open(PUBLIC_SECONDS);
        };
        let (connect, lost) = load.way_of(&vantage);
        let seconds = attempt.takes(connect, 0.1);
        let works = load
            .databases
            .get(name)
            .is_some_and(|database| database.works);
        if attempt.is_hit(lost, 0.7) {
            Passage::Lost
        } else if works {
            Passage::Open(seconds)
        } else {
            Passage::Refused(seconds)
        }
    }

    /// The next look-up of a name.
    pub fn resolve(&mut self, name: &str) -> Resolved {
        let name = name.trim_end_matches('.').to_lowercase();
        let attempt: Attempt = self.traffic.attempt("dns");
        let edge = self.load().map(|load| load.edge);
        let seconds = edge.map_or(0.02, |edge| attempt.takes(edge.dns, 0.1));
        let fails = edge.is_some_and(|edge| attempt.is_hit(edge.dns_fails, 0.4));
        let outcome = match self.address(&name) {
            _ if fails => Resolution::ServerFails,
            Some(address) => Resolution::Addresses(vec![address]),
            None => match self.dns.get(&name) {
                Some(other) => Resolution::Alias(other.to_owned()),
                None => Resolution::NoSuchName,
            },
        };
        Resolved { seconds, outcome }
    }

    fn address(&self, name: &str) -> Option<String> {
        let run = |demand: &super::demand::Demand| {
            run::hosts(&demand.service).iter().any(|host| host == name)
        };
        if self.traffic.demands.iter().any(run) {
            return Some(RUN_ADDRESS.to_owned());
        }
        let front = self.front_of(name)?;
        // A domain that leads elsewhere is not to be found here.
        let visible = self.domains.of(name) != Domain::NotVisible;
        visible.then(|| front.address.clone())
    }

    /// The first path of the load balancer that serves a host: its own, or one that its certificates are for.
    pub fn front_of(&self, host: &str) -> Option<&super::demand::Front> {
        let mut fronts = self.traffic.fronts.iter();
        let own = fronts.clone().find(|front| front.host == host);
        let covers = |front: &&super::demand::Front| {
            let leaves = compute::leaves_of(self, &front.proxy);
            leaves.iter().any(|(_, leaf)| leaf.is_for(host))
        };
        own.or_else(|| fronts.find(covers))
    }

    /// Names and addresses of the load balancer and of Cloud Run.
    fn edge_hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = Vec::new();
        let mut add = |host: &str| {
            if !hosts.iter().any(|known| known == host) {
                hosts.push(host.to_owned());
            }
        };
        for front in &self.traffic.fronts {
            add(&front.host);
            add(&front.address);
            for (_, leaf) in compute::leaves_of(self, &front.proxy) {
                for name in &leaf.names {
                    add(name);
                }
            }
        }
        for demand in &self.traffic.demands {
            for host in run::hosts(&demand.service) {
                add(&host);
            }
        }
        if !hosts.is_empty() {
            hosts.push(RUN_ADDRESS.to_owned());
        }
        hosts
    }

    /// The databases that services of the scenario use.
    fn databases(&self) -> Vec<String> {
        let used = self
            .traffic
            .demands
            .iter()
            .filter_map(|demand| demand.database.clone());
        let mut names: Vec<String> = used.collect();
        names.sort();
        names.dedup();
        names
    }
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}
