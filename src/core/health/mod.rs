//! The health report: for each component a verdict with its numbers, and on which side of the
//! line between infrastructure and application the fault lies.
//!
//! [`symptom`] says what one check speaks for, [`diagnose`] weighs all of them. Nothing here
//! measures: what the probes brought comes in.

mod diagnosis;
pub mod load;
mod report;
mod resource;
mod symptom;

pub use diagnosis::{Classification, Diagnosis, diagnose};
use report::number;
pub use report::{CheckHealth, ComponentHealth, Health, Look, Number, report};
pub use resource::resource;
pub use symptom::{Side, Symptom, component};

use serde::{Deserialize, Serialize};

/// How something is, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum State {
    /// Everything that is expected holds.
    Healthy,
    /// It holds, and something is close to a threshold.
    Warning,
    /// It cannot be told.
    Unknown,
    /// Something that is expected does not hold.
    Unhealthy,
}

impl State {
    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Healthy => "Healthy",
            State::Warning => "Warning",
            State::Unknown => "Unknown",
            State::Unhealthy => "Unhealthy",
        }
    }

    /// True where nothing is wrong yet.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, State::Healthy | State::Warning)
    }
}
