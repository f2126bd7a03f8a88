//! The one source of randomness. Its state is a number, so a snapshot resumes the same run.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A duration of whole milliseconds in `range`.
    pub fn between(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let (low, high) = (millis(*range.start()), millis(*range.end()));
        if low >= high {
            return *range.start();
        }
        Duration::from_millis(self.roll(|rng| rng.u64(low..=high)))
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll(|rng| rng.u64(..bound.max(1)))
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        probability >= 1.0 || self.roll(fastrand::Rng::f64) < probability
    }

    /// A version 4 UUID (RFC 9562).
    pub fn uuid(&mut self) -> String {
        let random = self.roll(|rng| rng.u128(..));
        let versioned = random & !(0xf << 76) | (0x4 << 76);
        let hex = format!("{:032x}", versioned & !(0x3 << 62) | (0x2 << 62));
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        parts.join("-")
    }

    fn roll<T>(&mut self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        let mut rng = fastrand::Rng::with_seed(self.state);
        let drawn = draw(&mut rng);
        self.state = rng.get_seed();
        drawn
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
