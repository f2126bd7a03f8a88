//! Worlds to start from, by name. What each holds of an API's resources is that API's to say.

use serde::{Deserialize, Serialize};

use super::vpcaccess::STAGING_CONNECTOR;

/// What the emulator holds when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Nothing, and every project is let in.
    #[default]
    Empty,
    /// One project in an incident: twelve services want more than their connector can carry.
    NetraStaging,
    /// One project with thousands of resources of each kind, for lists.
    Many,
}

/// No scenario has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no scenario \"{name}\"; known are {}", Scenario::names().join(", "))]
pub struct UnknownScenario {
    pub name: String,
}

/// A Cloud Run service, as far as its use of a connector goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    pub name: String,
    /// The connector's full name.
    pub connector: String,
    /// What it would send through the connector if nothing held it back.
    pub demand_mbps: u32,
}

impl Scenario {
    pub const ALL: [Self; 3] = [Self::Empty, Self::NetraStaging, Self::Many];

    /// # Errors
    /// When no scenario has this name; the error lists the names there are.
    pub fn by_name(name: &str) -> Result<Self, UnknownScenario> {
        let found = Self::ALL
            .into_iter()
            .find(|scenario| scenario.name() == name);
        found.ok_or_else(|| UnknownScenario {
            name: name.to_owned(),
        })
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NetraStaging => "netra-staging",
            Self::Many => "many",
        }
    }

    #[must_use]
    pub fn names() -> Vec<&'static str> {
        Self::ALL.into_iter().map(Self::name).collect()
    }

    /// The only project let in; None lets every project in.
    pub(super) fn project(self) -> Option<&'static str> {
        match self {
            Self::Empty => None,
            Self::NetraStaging => Some("netra-staging"),
            Self::Many => Some("netra-many"),
        }
    }

    pub(super) fn services(self) -> Vec<Service> {
        let demands: &[(&str, u32)] = match self {
            Self::Empty | Self::Many => &[],
            Self::NetraStaging => &NETRA_SERVICES,
        };
        let service = |&(name, demand_mbps): &(&str, u32)| Service {
            name: name.to_owned(),
            connector: STAGING_CONNECTOR.to_owned(),
            demand_mbps,
        };
        demands.iter().map(service).collect()
    }
}

/// 412 Mbps in all, through a connector of at most 3 x 100 Mbps.
const NETRA_SERVICES: [(&str, u32); 12] = [
    ("netra-backend", 96),
    ("netra-auth", 48),
    ("netra-frontend", 22),
    ("netra-websocket", 54),
    ("netra-agents", 72),
    ("netra-analytics", 38),
    ("netra-billing", 12),
    ("netra-events", 26),
    ("netra-mailer", 6),
    ("netra-reports", 18),
    ("netra-search", 14),
    ("netra-webhooks", 6),
];
