//! What varies without a cause in the emulated state: demand over the minutes, one attempt and the next.
//!
//! Invariant: each is a function of the seed and of what it is about, so that two worlds that differ in their
//! state only meet the same weather.

use std::time::Duration;

use jiff::Timestamp;

use crate::emulator::query::checksum;

/// Demand moves this much around its mean.
const DEMAND_SWING: f64 = 0.03;

/// An attempt is this much quicker or slower than the mean.
const ATTEMPT_SWING: f64 = 0.15;

/// The golden ratio's fraction: its multiples fill 0..1 evenly, however many one takes.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

pub(in crate::emulator) const MINUTE: i64 = 60;

pub(in crate::emulator) fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(MINUTE)
}

/// From -1 to 1, always the same for the same words.
pub(in crate::emulator) fn noise(seed: u64, what: &str, number: i64) -> f64 {
    let sum = checksum(what, &format!("{seed}/{number}"));
    // The low bits of FNV-1a are the well-mixed ones.
    let part = u32::try_from(sum & 0x00ff_ffff).unwrap_or_default();
    f64::from(part) / f64::from(0x0080_0000_u32) - 1.0
}

/// By how much a demand is multiplied in this minute.
pub(super) fn demand(seed: u64, what: &str, minute: i64) -> f64 {
    1.0 + DEMAND_SWING * noise(seed, what, minute)
}

/// One of many attempts at something, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) struct Attempt {
    pub number: u32,
}

impl Attempt {
    /// Whether this attempt is one of the share `ratio` that something befalls. Of any `n` attempts in a row that
    /// is `ratio * n` of them, give or take one; `salt` tells independent misfortunes apart.
    pub fn is_hit(self, ratio: f64, salt: f64) -> bool {
        self.place(salt) < ratio
    }

    /// How long it takes where the mean is `mean` seconds.
    pub fn takes(self, mean: f64, salt: f64) -> f64 {
        mean * (1.0 + ATTEMPT_SWING * (2.0 * self.place(salt) - 1.0))
    }

    /// Its place between 0 and 1.
    pub fn place(self, salt: f64) -> f64 {
        ((f64::from(self.number) + 1.0) * GOLDEN + salt).fract()
    }
}

/// Seconds that a model came to, as a duration that can be waited for: bounded, and never negative.
pub(in crate::emulator) fn duration(seconds: f64, max: Duration) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).map_or(max, |wait| wait.min(max))
}

/// A whole number of things, none for what is not positive.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held within the range"
)]
pub(in crate::emulator) fn whole(number: f64) -> u32 {
    number.clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::{Attempt, demand, noise};

    #[test]
    fn a_share_of_attempts_is_hit_in_any_run_of_them() {
        for start in [0, 7, 1_000] {
            for ratio in [0.0, 0.1, 0.36, 1.0] {
                let run = (start..start + 100).map(|number| Attempt { number });
                let hits = run.filter(|attempt| attempt.is_hit(ratio, 0.25)).count();
                let wanted = ratio * 100.0;
                let hits = f64::from(u32::try_from(hits).unwrap());
                assert!((hits - wanted).abs() <= 2.0, "{start} {ratio}: {hits}");
            }
        }
    }

    #[test]
    fn the_weather_is_the_seeds_alone() {
        assert!((noise(1, "a", 5) - noise(1, "a", 5)).abs() < f64::EPSILON);
        let many: Vec<f64> = (0..500).map(|minute| noise(1, "a", minute)).collect();
        assert!(many.iter().all(|one| (-1.0..=1.0).contains(one)));
        let mean: f64 = many.iter().sum::<f64>() / 500.0;
        assert!(mean.abs() < 0.15, "{mean}");
        assert!((0.97..=1.03).contains(&demand(9, "b", 3)));
    }
}
