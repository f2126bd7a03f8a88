//! Things that end by themselves, such as certificates: when to say so, and how loudly.

use crate::api::Reason;
use jiff::{SignedDuration, Timestamp};

/// From here on the end is told. Google begins to renew its certificates about a month before
/// their end.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// From here on it is critical.
const VERY_SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// When something that the resource serves ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// What ends, such as `certificate staging-cert-1f0c88aa`.
    pub what: String,
    pub at: Timestamp,
    /// How it goes on.
    pub way_out: String,
}

impl Expiry {
    /// What to tell people at this moment: nothing while there is time enough. The words change at
    /// the thresholds only, not from day to day.
    #[must_use]
    pub fn warning(&self, now: Timestamp) -> Option<(Reason, String)> {
        let (reason, severity, when) = match self.at.duration_since(now) {
            left if left <= SignedDuration::ZERO => (Reason::Expired, "critical", "has expired"),
            left if left < VERY_SOON => (
                Reason::ExpiresSoon,
                "critical",
                "expires in less than 7 days",
            ),
            left if left < SOON => (
                Reason::ExpiresSoon,
                "warning",
                "expires in less than 30 days",
            ),
            _ => return None,
        };
        let Expiry { what, at, way_out } = self;
        Some((
            reason,
            format!("{severity}: {what} {when}, at {at}. {way_out}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_change_at_the_thresholds_only() {
        let expiry = Expiry {
            what: "certificate c".to_owned(),
            at: "2027-02-01T08:00:00Z".parse().unwrap(),
            way_out: "Renew it".to_owned(),
        };
        let before = |hours: i64| {
            let now = expiry.at.checked_sub(SignedDuration::from_hours(hours));
            expiry.warning(now.unwrap())
        };
        assert_eq!(before(30 * 24), None);
        let (reason, message) = before(30 * 24 - 1).unwrap();
        assert_eq!(reason, Reason::ExpiresSoon);
        assert_eq!(
            message,
            "warning: certificate c expires in less than 30 days, at 2027-02-01T08:00:00Z. Renew it"
        );
        assert_eq!(before(7 * 24), Some((reason, message)));
        let (reason, message) = before(7 * 24 - 1).unwrap();
        assert_eq!(reason, Reason::ExpiresSoon);
        assert!(message.starts_with("critical: certificate c expires in less than 7 days"));
        assert_eq!(before(1), Some((reason, message)));
        for late in [0, -1, -10_000] {
            let (reason, message) = before(late).unwrap();
            assert_eq!(reason, Reason::Expired);
            assert!(message.starts_with("critical: certificate c has expired, at 2027-02-01T"));
        }
    }
}
