//! What time it is, for decisions about waiting.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the time. Injected, so that a simulation owns it.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Wall time at start plus monotonic time since: a step of the system clock does not move it.
///
/// The price: it drifts from the wall clock while the machine sleeps, and a step corrected by NTP
/// is only seen by the next process.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Timestamp,
    since: Instant,
}

impl SystemClock {
    /// A clock that starts at the present wall time.
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// A clock that shows `start` now. With paused tokio time it stands still until time advances.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        SystemClock {
            start,
            since: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.since.elapsed()).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn moves_with_monotonic_time() {
        let start: Timestamp = "2026-11-23T10:00:59Z".parse().unwrap();
        let clock = SystemClock::starting_at(start);
        assert_eq!(clock.now(), start);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now().to_string(), "2026-11-23T10:01:01Z");
    }
}
