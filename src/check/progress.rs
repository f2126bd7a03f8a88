//! What a long probe has measured so far, for those who watch it.

use crate::core::check::{Sample, Window};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Samples as they are made. At most as many as a window takes.
#[derive(Debug, Default)]
pub struct Progress {
    window: Mutex<Window>,
}

impl Progress {
    /// How many samples there are.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.lock().samples()
    }

    /// Everything until now.
    #[must_use]
    pub fn window(&self) -> Window {
        self.lock().clone()
    }

    /// Takes what a probe brought.
    pub fn absorb(&self, window: Window) {
        self.lock().absorb(window);
    }

    pub(super) fn push(&self, sample: Sample) {
        self.lock().push(sample);
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
