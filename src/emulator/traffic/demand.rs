//! What each service would want if nothing held it back, and what stands before the services of a scenario.

use serde::{Deserialize, Serialize};

use crate::emulator::scenario::Scenario;

/// The usual demand of one Cloud Run service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::emulator) struct Demand {
    /// From `projects` on.
    pub service: String,
    /// Through its way into the network, in the direction that carries more.
    pub mbps: u32,
    pub requests_per_second: u32,
    /// The database it keeps connections to, from `projects` on.
    pub database: Option<String>,
    /// Of all its instances together: pools are sized for the service.
    pub connections: u32,
}

impl Demand {
    /// The last part of its name.
    pub fn id(&self) -> &str {
        self.service.rsplit('/').next().unwrap_or_default()
    }
}

/// A path of a host at the load balancer. URL maps are not emulated: a scenario says what they would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::emulator) struct Front {
    pub host: String,
    pub address: String,
    /// What paths begin with; the longest one wins.
    pub path: String,
    /// From `projects` on.
    pub proxy: String,
    /// From `projects` on.
    pub backend_service: String,
}

const PROJECT: &str = "projects/netra-staging";
pub(in crate::emulator) const STAGING_DATABASE: &str = "projects/netra-staging/instances/netra-db";
pub(in crate::emulator) const STAGING_HOST: &str = "staging.netra.example.com";

/// Name, Mbps, requests a second, database connections. 412 Mbps in all, through a connector of at most
/// 3 x 100 Mbps; 226 connections, to a database that takes 200.
const NETRA: [(&str, u32, u32, u32); 12] = [
    ("netra-backend", 96, 40, 48),
    ("netra-auth", 48, 24, 30),
    ("netra-frontend", 22, 30, 0),
    ("netra-websocket", 54, 18, 12),
    ("netra-agents", 72, 16, 36),
    ("netra-analytics", 38, 8, 24),
    ("netra-billing", 12, 4, 14),
    ("netra-events", 26, 20, 22),
    ("netra-mailer", 6, 2, 4),
    ("netra-reports", 18, 3, 16),
    ("netra-search", 14, 12, 12),
    ("netra-webhooks", 6, 6, 8),
];

/// The services that a scenario sends traffic to. Probes stand where the first one stands.
pub(in crate::emulator) fn demands(scenario: Scenario) -> Vec<Demand> {
    match scenario {
        Scenario::Empty | Scenario::Many => Vec::new(),
        Scenario::NetraStaging => NETRA.map(netra).into(),
    }
}

fn netra((name, mbps, requests_per_second, connections): (&str, u32, u32, u32)) -> Demand {
    Demand {
        service: format!("{PROJECT}/locations/us-central1/services/{name}"),
        mbps,
        requests_per_second,
        database: (connections > 0).then(|| STAGING_DATABASE.to_owned()),
        connections,
    }
}

pub(in crate::emulator) fn fronts(scenario: Scenario) -> Vec<Front> {
    if scenario != Scenario::NetraStaging {
        return Vec::new();
    }
    let front = |path: &str, backend_service: &str| Front {
        host: STAGING_HOST.to_owned(),
        // RFC 5737: an address for documentation.
        address: "203.0.113.10".to_owned(),
        path: path.to_owned(),
        proxy: format!("{PROJECT}/global/targetHttpsProxies/staging-https-proxy"),
        backend_service: format!("{PROJECT}/global/backendServices/{backend_service}"),
    };
    vec![
        front("/", "staging-backend"),
        front("/vm", "staging-vm-backend"),
    ]
}
