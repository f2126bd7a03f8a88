//! Worlds to start from, by name. What each holds of an API's resources is that API's to say.

use serde::{Deserialize, Serialize};

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
}
