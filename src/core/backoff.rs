//! Full-jitter exponential backoff, as a function.

use std::time::Duration;

/// First ceiling.
const BASE: Duration = Duration::from_secs(1);
/// Last ceiling.
const CAP: Duration = Duration::from_mins(2);
/// Never less than this, so that a lucky draw does not hammer.
const FLOOR: Duration = Duration::from_millis(200);

/// How long to wait after the `count`-th failure in a row (from 1). `jitter` is drawn from
/// `0.0..1.0`; the result is uniform below a ceiling that doubles (the "full jitter" of Amazon's
/// architecture blog), and at least what the server asked for.
#[must_use]
pub fn delay(count: u32, jitter: f64, asked: Option<Duration>) -> Duration {
    let doublings = count.saturating_sub(1).min(16);
    let ceiling = BASE.saturating_mul(1 << doublings).min(CAP);
    let drawn = ceiling.mul_f64(jitter.clamp(0.0, 1.0)).max(FLOOR);
    drawn.max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stays_between_floor_and_cap(count in 0_u32..1000, jitter in 0.0_f64..1.0) {
            let wait = delay(count, jitter, None);
            prop_assert!(wait >= FLOOR && wait <= CAP);
        }

        #[test]
        fn never_less_than_asked(count in 0_u32..50, jitter in 0.0_f64..1.0, asked in 0_u64..600) {
            let asked = Duration::from_secs(asked);
            prop_assert!(delay(count, jitter, Some(asked)) >= asked);
        }
    }
}
