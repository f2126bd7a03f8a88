//! A Cloud Run service under load: each revision that takes a share of its traffic, by its own template.

use serde::{Deserialize, Serialize};

use super::connector::ConnectorLoad;
use super::controls::{Controls, Fault};
use super::database::DatabaseLoad;
use super::demand::Demand;
use super::wave;

/// A service as deployed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::emulator) struct Service {
    pub demand: Demand,
    /// The revisions that take traffic; none where it is not there.
    pub shares: Vec<Share>,
}

/// How a revision reaches the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::emulator) enum Way {
    /// The connector's name, from `projects` on.
    Connector(String),
    /// Direct VPC egress.
    Direct,
    /// It does not.
    None,
}

/// What the emulated state says of a revision that takes traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::emulator) struct Share {
    /// Its short name.
    pub revision: String,
    /// 0 to 1.
    pub part: f64,
    pub way: Way,
    /// Traffic to the internet goes that way too.
    pub all_traffic: bool,
    pub min_instances: u32,
    pub max_instances: u32,
    pub concurrency: u32,
    /// Seconds: `CLOUD_SQL_CONNECTIONS_TIMEOUT` or `DB_CONNECTION_TIMEOUT`, the shorter one.
    pub database_timeout: f64,
    /// Seconds: `SQLALCHEMY_POOL_TIMEOUT`.
    pub pool_timeout: f64,
    /// Seconds a request may take.
    pub request_timeout: f64,
    /// Seconds that the startup probe gives a container.
    pub startup_window: f64,
}

/// How a revision does at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct ShareLoad {
    pub revision: String,
    pub part: f64,
    pub requests_per_second: f64,
    pub instances: u32,
    pub available: u32,
    /// The share of requests that ends in 503 where the application is needed, and where only an answer is.
    pub unavailable: f64,
    pub unavailable_basic: f64,
    /// The share that ends in 500.
    pub errors: f64,
    /// A connection to the database or another service, and the share of those that comes to nothing.
    pub connect: f64,
    pub lost: f64,
    pub query: f64,
    pub slow: f64,
    pub request_timeout: f64,
    /// How long the database phase of a start takes, and the share of starts that come through it in time.
    pub startup: f64,
    pub starts: f64,
    pub database: bool,
    /// Waiting for a connection of the pool takes longer than it may.
    pub pool_times_out: bool,
}

/// What one request asks of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum Work {
    /// Whether the process answers.
    Basic,
    /// Whether everything that it needs does.
    Health,
    /// An ordinary request.
    Page,
    /// The way of a user through all services.
    GoldenPath,
}

impl Work {
    /// Connections, queries, and seconds of its own.
    fn cost(self) -> (f64, f64, f64) {
        match self {
            Self::Basic => (0.0, 0.0, 0.02),
            Self::Health => (2.4, 1.0, 0.05),
            Self::Page => (1.0, 2.0, 0.1),
            Self::GoldenPath => (5.0, 6.0, 1.2),
        }
    }
}

/// "Traffic to the internet goes that way too": this much more.
const ALL_TRAFFIC: f64 = 1.25;

/// Seconds that a request keeps a place in an instance when all is well: Cloud Run scales by that.
const PLACE_SECONDS: f64 = 0.35;

/// Queries that a request makes.
const QUERIES: f64 = 2.0;

/// The database phase of a start: connections and queries one after the other, and seconds of its own.
const STARTUP: (f64, f64, f64) = (8.0, 2.0, 3.0);

/// Of starts that come to nothing, the share whose requests find no instance.
const UNSTARTED: f64 = 0.25;
/// Of connections that come to nothing, the share whose requests fail.
const UNCONNECTED: f64 = 0.9;
/// Of connections that the database refuses, the same: pools hold what they have.
const REFUSED: f64 = 0.5;
/// At most this share waits for the pool in vain.
const POOL: f64 = 0.3;

impl Share {
    /// What it sends through its connector, in Mbps, of what its service wants.
    pub fn through_connector(&self, wanted_mbps: f64) -> f64 {
        let more = if self.all_traffic { ALL_TRAFFIC } else { 1.0 };
        match self.way {
            Way::Connector(_) => wanted_mbps * self.part * more,
            Way::Direct | Way::None => 0.0,
        }
    }
}

/// What a service asks of its database: connections to hold, and queries a second.
pub(super) fn asks(demand: &Demand, times: f64) -> (u32, f64) {
    let held = wave::whole((f64::from(demand.connections) * times).ceil());
    (
        held,
        f64::from(demand.requests_per_second) * times * QUERIES,
    )
}

/// The way of a revision as it is just now: seconds for a connection, and the share that is lost.
pub(super) fn way(share: &Share, connector: Option<&ConnectorLoad>) -> (f64, f64) {
    match (&share.way, connector) {
        (Way::Direct, _) => (0.03, 0.0),
        (Way::Connector(_), Some(load)) => (load.connect, load.lost),
        (Way::Connector(_) | Way::None, _) => (0.03, 1.0),
    }
}

/// How long the database phase of a start takes.
pub(super) fn startup(demand: &Demand, connect: f64, query: f64, controls: &Controls) -> f64 {
    let slow = controls.amount_at(Fault::StartupSlow, Some(demand.id()));
    if demand.database.is_none() {
        return 1.0 + slow;
    }
    let (connections, queries, own) = STARTUP;
    own + connections * connect + queries * query + slow
}

/// `times` is the demand just now, as a multiple of the usual one.
pub(super) fn load(
    demand: &Demand,
    share: &Share,
    (connect, lost): (f64, f64),
    database: Option<&DatabaseLoad>,
    times: f64,
    controls: &Controls,
) -> ShareLoad {
    let id = Some(demand.id());
    let query = database.map_or(0.0, |load| load.query);
    let refused = database.map_or(0.0, DatabaseLoad::refused);
    let startup = startup(demand, connect, query, controls);
    let starts = (share.database_timeout / startup).min(1.0);
    let waits = 2.0 * connect + query;
    let pool = database.map_or(0.0, |_| {
        POOL * (1.0 - share.pool_timeout / waits.max(share.pool_timeout))
    });
    let down = if refused >= 1.0 { UNCONNECTED } else { REFUSED };
    let platform = all_well(&[
        UNSTARTED * (1.0 - starts),
        controls.amount_at(Fault::Unavailable, id),
    ]);
    let needs = all_well(&[UNCONNECTED * lost, down * refused, pool]);
    let requests = f64::from(demand.requests_per_second) * times * share.part;
    let instances = instances(share, requests);
    let up = wave::whole((f64::from(instances) * starts).round()).max(instances.min(1));
    ShareLoad {
        revision: share.revision.clone(),
        part: share.part,
        requests_per_second: requests,
        instances,
        available: up.saturating_sub(wave::whole(controls.amount_at(Fault::InstancesLost, id))),
        unavailable: 1.0 - platform * needs,
        unavailable_basic: 1.0 - platform,
        errors: controls.amount_at(Fault::AppErrors, id),
        connect,
        lost,
        query,
        slow: controls.amount_at(Fault::AppSlow, id),
        request_timeout: share.request_timeout,
        startup,
        starts,
        database: demand.database.is_some(),
        pool_times_out: pool > 0.0,
    }
}

/// The share of requests that none of these shares befalls.
fn all_well(befall: &[f64]) -> f64 {
    befall.iter().map(|ratio| 1.0 - ratio).product()
}

fn instances(share: &Share, requests: f64) -> u32 {
    let places = requests * PLACE_SECONDS / f64::from(share.concurrency.max(1));
    let needed = wave::whole(places.ceil()).max(share.min_instances);
    needed.min(share.max_instances)
}

impl ShareLoad {
    /// How long it works on a request, in seconds.
    pub fn takes(&self, work: Work) -> f64 {
        let (connections, queries, own) = work.cost();
        let queries = if self.database { queries } else { 0.0 };
        own + connections * self.connect + queries * self.query + self.slow
    }

    /// The share of requests that ends in 503.
    pub fn unavailable(&self, work: Work) -> f64 {
        match work {
            _ if self.available == 0 => 1.0,
            Work::Basic => self.unavailable_basic,
            Work::Health | Work::Page | Work::GoldenPath => self.unavailable,
        }
    }
}
