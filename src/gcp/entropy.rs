//! Jitter from a seed, so that a simulation replays.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A seedable source of jitter, shared by everything that waits.
pub struct Entropy(Mutex<fastrand::Rng>);

impl Entropy {
    /// The same seed gives the same sequence.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Entropy(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// A different sequence in each process.
    #[must_use]
    pub fn from_process() -> Self {
        Entropy(Mutex::new(fastrand::Rng::new()))
    }

    /// Uniform in `0..=most`, in whole milliseconds: full jitter.
    #[must_use]
    pub fn up_to(&self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        // A poisoned generator is still a generator.
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_millis(rng.u64(0..=most))
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_jitter_within_bounds() {
        let (a, b) = (Entropy::seeded(7), Entropy::seeded(7));
        let most = Duration::from_millis(500);
        let draw = |e: &Entropy| (0..50).map(|_| e.up_to(most)).collect::<Vec<_>>();
        let drawn = draw(&a);
        assert_eq!(drawn, draw(&b));
        assert!(drawn.iter().all(|d| *d <= most));
        assert!(drawn.iter().any(|d| *d != drawn[0]));
        assert_eq!(a.up_to(Duration::ZERO), Duration::ZERO);
    }
}
