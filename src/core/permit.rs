//! Proofs that a mutating call needs. Types carry them, so a call without them does not compile.

use super::record::Intent;
use jiff::Timestamp;

/// How long this process leads, as far as it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenure {
    /// The lock of a state file: as long as the process lives.
    Unlimited,
    /// A lease: until this moment, unless it is renewed.
    Until(Timestamp),
    /// Another may lead.
    Over,
}

impl Tenure {
    fn holds(self, now: Timestamp) -> bool {
        match self {
            Tenure::Unlimited => true,
            Tenure::Until(end) => now < end,
            Tenure::Over => false,
        }
    }
}

/// Leave to write to GCP at all: this process leads, the mode is Apply, nothing is suspended.
/// Short-lived: asked for anew before each write, and looked at once more when the request goes out.
#[derive(Debug)]
pub struct WritePermit(Tenure);

impl WritePermit {
    /// True while this process leads: a permit that waited too long is worth nothing.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.0.holds(now)
    }
}

/// What stands between this process and a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority {
    /// How long this process is the only operator of its journal.
    pub tenure: Tenure,
    /// `--mode apply`; false in observe mode.
    pub apply: bool,
    /// The process is draining.
    pub draining: bool,
}

impl Authority {
    /// A permit, or the reason there is none.
    ///
    /// # Errors
    /// Says which of the conditions does not hold.
    pub fn permit(self, suspended: bool, now: Timestamp) -> Result<WritePermit, &'static str> {
        if !self.tenure.holds(now) {
            return Err("this process does not lead");
        }
        if !self.apply {
            return Err("observe mode: evenkeel writes nothing");
        }
        if self.draining {
            return Err("shutting down");
        }
        if suspended {
            return Err("suspended");
        }
        Ok(WritePermit(self.tenure))
    }
}

/// Evidence that an intent is durable. Only `journal` makes one (a test holds that).
#[derive(Debug)]
pub struct Durable<'a>(&'a Intent);

impl<'a> Durable<'a> {
    /// For journals: call this after the intent is on disk, never before.
    #[must_use]
    pub fn attest(intent: &'a Intent) -> Self {
        Durable(intent)
    }

    /// The intent.
    #[must_use]
    pub fn intent(&self) -> &Intent {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_ends_with_the_lease_it_came_from() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let authority = |tenure| Authority {
            tenure,
            apply: true,
            draining: false,
        };
        let leased = authority(Tenure::Until(at(10)));
        let permit = leased.permit(false, at(9)).unwrap();
        assert!(permit.is_good(at(9)));
        assert!(!permit.is_good(at(10)));
        assert!(leased.permit(false, at(10)).is_err());
        assert!(authority(Tenure::Over).permit(false, at(0)).is_err());
        let locked = authority(Tenure::Unlimited).permit(false, at(9)).unwrap();
        assert!(locked.is_good(Timestamp::MAX));
    }
}
