//! Times and ages. Always UTC, as in conditions and in GCP.

use jiff::Timestamp;

/// `10:00:59Z`, for lines of a log.
#[must_use]
pub fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// `2026-11-23 10:00:59Z`.
#[must_use]
pub fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Age in one or two units: `42s`, `3m10s`, `5h`, `12d`.
#[must_use]
pub fn age(since: Timestamp, now: Timestamp) -> String {
    seconds(now.duration_since(since).as_secs().max(0))
}

/// Whole seconds from `now` until `then`, rounded up: what is left to wait.
#[must_use]
pub fn left(then: Timestamp, now: Timestamp) -> String {
    let millis = then.duration_since(now).as_millis().max(0);
    seconds(i64::try_from(millis.saturating_add(999) / 1000).unwrap_or(i64::MAX))
}

/// A duration in one or two units.
#[must_use]
pub fn seconds(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..600 if seconds % 60 != 0 => format!("{minutes}m{}s", seconds % 60),
        60..7200 => format!("{minutes}m"),
        7200..36_000 if minutes % 60 != 0 => format!("{hours}h{}m", minutes % 60),
        7200..172_800 => format!("{hours}h"),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        for (given, want) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (190, "3m10s"),
            (3600, "60m"),
            (7260, "2h1m"),
            (40_000, "11h"),
            (200_000, "2d"),
        ] {
            assert_eq!(seconds(given), want);
        }
    }
}
