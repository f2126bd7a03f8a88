//! Proofs that a mutating call needs. Types carry them, so a call without them does not compile.

use super::record::Intent;

/// Leave to write to GCP at all: this process leads, the mode is Apply, nothing is suspended.
/// Short-lived: asked for anew before each write.
#[derive(Debug)]
pub struct WritePermit(());

/// What stands between this process and a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority {
    /// This process is the only operator of its journal.
    pub leads: bool,
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
    pub fn permit(self, suspended: bool) -> Result<WritePermit, &'static str> {
        if !self.leads {
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
        Ok(WritePermit(()))
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
