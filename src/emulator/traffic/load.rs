//! How everything does at one moment: demand meets capacity, service by service.

use std::collections::BTreeMap;

use super::connector::ConnectorLoad;
use super::controls::Fault;
use super::database::DatabaseLoad;
use super::scene::Scene;
use super::service::{self, ShareLoad, Way};
use super::wave;

/// By name, from `projects` on.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Load {
    pub connectors: BTreeMap<String, ConnectorLoad>,
    pub databases: BTreeMap<String, DatabaseLoad>,
    /// The revisions of each service.
    pub services: BTreeMap<String, Vec<ShareLoad>>,
    pub edge: Edge,
}

/// What lies before all services.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::emulator) struct Edge {
    pub tls_slow: f64,
    pub tls_fails: f64,
    pub dns: f64,
    pub dns_fails: f64,
}

/// A handshake with nothing in its way, and how much of a slow way to the backend shows in it: the load balancer
/// opens its connection to the backend meanwhile.
const HANDSHAKE_SECONDS: f64 = 0.06;
const HANDSHAKE_OF_CONNECT: f64 = 0.9;

const DNS_SECONDS: f64 = 0.02;

/// The load in a minute, with so many instances of each connector.
pub(super) fn at(scene: &Scene, instances: &BTreeMap<String, u32>, seed: u64, minute: i64) -> Load {
    let controls = &scene.controls;
    let swing = |name: &str| wave::demand(seed, name, minute);
    let offered = offered(scene, swing);
    let faults = (
        controls.amount(Fault::ConnectSlow),
        controls.amount(Fault::ConnectLost),
        controls.amount(Fault::ConnectorCpu),
    );
    let connectors: BTreeMap<String, ConnectorLoad> = scene
        .connectors
        .iter()
        .map(|(name, connector)| {
            let present = instances.get(name).copied().unwrap_or(connector.min);
            let wanted = offered.get(name).copied().unwrap_or_default();
            (name.clone(), connector.load(present, wanted, faults))
        })
        .collect();
    let databases = databases(scene);
    let services = scene.services.iter().map(|service| {
        let demand = &service.demand;
        let times = controls.times(demand.id()) * swing(&demand.service);
        let database = demand.database.as_ref().map(|name| {
            let gone = DatabaseLoad {
                works: false,
                wanted: 0,
                limit: 0,
                cpu: 0.0,
                query: 0.0,
            };
            databases.get(name).copied().unwrap_or(gone)
        });
        let loads = service.shares.iter().map(|share| {
            let connector = match &share.way {
                Way::Connector(name) => connectors.get(name),
                Way::Direct | Way::None => None,
            };
            let way = service::way(share, connector);
            service::load(demand, share, way, database.as_ref(), times, controls)
        });
        (demand.service.clone(), loads.collect())
    });
    Load {
        services: services.collect(),
        edge: Edge {
            tls_slow: controls.amount(Fault::TlsSlow),
            tls_fails: controls.amount(Fault::TlsFails),
            dns: DNS_SECONDS + controls.amount(Fault::DnsSlow),
            dns_fails: controls.amount(Fault::DnsFails),
        },
        connectors,
        databases,
    }
}

/// What is to pass through each connector, in Mbps.
pub(super) fn offered(scene: &Scene, swing: impl Fn(&str) -> f64) -> BTreeMap<String, f64> {
    let mut offered = BTreeMap::new();
    for service in &scene.services {
        let demand = &service.demand;
        let times = scene.controls.times(demand.id()) * swing(&demand.service);
        for share in &service.shares {
            if let Way::Connector(name) = &share.way {
                *offered.entry(name.clone()).or_default() +=
                    share.through_connector(f64::from(demand.mbps) * times);
            }
        }
    }
    offered
}

fn databases(scene: &Scene) -> BTreeMap<String, DatabaseLoad> {
    let controls = &scene.controls;
    let load = |name: &String| {
        let database = scene.databases.get(name)?;
        let users = scene
            .services
            .iter()
            .filter(|service| service.demand.database.as_ref() == Some(name))
            .filter(|service| !service.shares.is_empty());
        let asked = users.map(|service| {
            let demand = &service.demand;
            service::asks(demand, controls.times(demand.id()))
        });
        let (held, queries) = asked.fold((0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let others = wave::whole(controls.amount(Fault::DbConnections));
        let (slow, down) = (
            controls.amount(Fault::DbSlow),
            controls.is_on(Fault::DbDown),
        );
        let load = database.load(held.saturating_add(others), queries, slow, down);
        Some((name.clone(), load))
    };
    scene.databases.keys().filter_map(load).collect()
}

impl Load {
    /// The way of a service into the network: seconds for a connection, and the share of those that is lost.
    pub fn way_of(&self, service: &str) -> (f64, f64) {
        let shares = self.services.get(service).map(Vec::as_slice);
        let shares = shares.unwrap_or_default();
        let mean = |of: fn(&ShareLoad) -> f64| -> f64 {
            let parts: f64 = shares.iter().map(|share| share.part).sum();
            let sum: f64 = shares.iter().map(|share| share.part * of(share)).sum();
            if parts > 0.0 { sum / parts } else { 0.0 }
        };
        (mean(|share| share.connect), mean(|share| share.lost))
    }
}

impl Edge {
    /// Seconds of a handshake before a backend that takes `connect` seconds to reach.
    pub fn handshake(&self, connect: f64) -> f64 {
        HANDSHAKE_SECONDS + HANDSHAKE_OF_CONNECT * connect + self.tls_slow
    }
}
