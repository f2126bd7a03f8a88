//! How long things take, as ranges that the seed draws from.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::dice::Dice;

/// How long operations run and how far reads lag. What is not a connector's takes a share of a connector's
/// time, see [`Pace`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// How long an operation runs. A create takes `operation.start()` longer: its first machines must boot.
    pub operation: RangeInclusive<Duration>,
    /// How long reads may still show the state before a finished change.
    pub read_lag: RangeInclusive<Duration>,
}

impl Timing {
    /// As people see it: 60 to 180 s for a patch, 2 to 4 min for a create, reads up to 5 s behind.
    #[must_use]
    pub fn realistic() -> Self {
        Self {
            operation: seconds(60)..=seconds(180),
            read_lag: Duration::ZERO..=seconds(5),
        }
    }

    /// Quick enough to watch: 2 to 4 s, reads up to half a second behind.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            operation: seconds(2)..=seconds(4),
            read_lag: Duration::ZERO..=Duration::from_millis(500),
        }
    }

    /// An operation is over by the next request, and every read is fresh.
    #[must_use]
    pub fn instant() -> Self {
        Self::fixed(Duration::ZERO, Duration::ZERO)
    }

    /// Every operation runs exactly `operation` (a create twice that); every read lags exactly `read_lag`.
    #[must_use]
    pub fn fixed(operation: Duration, read_lag: Duration) -> Self {
        Self {
            operation: operation..=operation,
            read_lag: read_lag..=read_lag,
        }
    }
}

/// How long something takes, in terms of [`Timing::operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Machines change.
    Usual,
    /// New machines boot first.
    Boot,
    /// New containers start on machines that are there: a quarter, so 15 to 45 s when realistic.
    Roll,
    /// Only a record changes: a fifteenth, so 4 to 12 s when realistic.
    Quick,
    /// The world outside must follow, as a certificate authority does: fifteen times, so 15 to 45 min when
    /// realistic.
    Long,
}

const PACE_RATIO: u32 = 15;

impl Timing {
    pub(super) fn draw(&self, pace: Pace, dice: &mut Dice) -> Duration {
        let usual = dice.between(&self.operation);
        match pace {
            Pace::Usual => usual,
            Pace::Boot => usual + *self.operation.start(),
            Pace::Roll => usual / 4,
            Pace::Quick => usual / PACE_RATIO,
            Pace::Long => usual.saturating_mul(PACE_RATIO),
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::instant()
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// `at` plus `wait`, held at the end of time.
pub(super) fn later(at: Timestamp, wait: Duration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// `at` minus `wait`, held at the beginning of time.
pub(super) fn earlier(at: Timestamp, wait: Duration) -> Timestamp {
    at.checked_sub(wait).unwrap_or(Timestamp::MIN)
}
