//! Says that files may have changed; loading is the caller's.
//!
//! Invariant: a change is never missed for longer than a rescan. Events make it fast; file systems
//! without events (NFS) and the link swap of a mounted `ConfigMap` are caught by the rescan.

use super::Input;
use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// How long a burst of events may last before it counts as one change.
const QUIET: Duration = Duration::from_millis(300);
/// How often to look without an event.
pub const RESCAN: Duration = Duration::from_secs(10);

/// Signals that the inputs may have changed.
pub struct Watch {
    changed: Arc<Notify>,
    rescan: Interval,
    /// Events stop when this is dropped. `None`: no events here, the rescan alone must do.
    debouncer: Option<Debouncer<RecommendedWatcher, RecommendedCache>>,
}

impl Watch {
    /// Watches every path among the inputs. Where the system has no events to give, the rescan
    /// remains.
    #[must_use]
    pub fn new(inputs: &[Input]) -> Watch {
        Watch::with_rescan(inputs, RESCAN)
    }

    /// As [`Watch::new`], with another rescan interval.
    #[must_use]
    pub fn with_rescan(inputs: &[Input], every: Duration) -> Watch {
        let changed = Arc::new(Notify::new());
        let mut rescan = interval_at(Instant::now() + every, every);
        rescan.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Watch {
            debouncer: start(inputs, &changed),
            changed,
            rescan,
        }
    }

    /// Waits until something may have changed: an event, or the time of a rescan. Any number of
    /// changes since the last call is one signal. Safe to drop and call again.
    pub async fn changed(&mut self) -> Signal {
        tokio::select! {
            () = self.changed.notified() => Signal::Event,
            _ = self.rescan.tick() => Signal::Rescan,
        }
    }

    /// Whether the system gives events for these inputs.
    #[must_use]
    pub fn has_events(&self) -> bool {
        self.debouncer.is_some()
    }
}

/// Why to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The file system says that something changed.
    Event,
    /// It is time to look without being told. An unchanged set has an unchanged revision.
    Rescan,
}

fn start(
    inputs: &[Input],
    changed: &Arc<Notify>,
) -> Option<Debouncer<RecommendedWatcher, RecommendedCache>> {
    let signal = Arc::clone(changed);
    // Errors mean lost events, so they are a reason to look as well.
    let tell = move |_: DebounceEventResult| signal.notify_one();
    let mut debouncer = new_debouncer(QUIET, None, tell).ok()?;
    for (path, mode) in watched(inputs) {
        if let Err(error) = debouncer.watch(&path, mode) {
            tracing::warn!(path = %path.display(), %error, "no change events here; rescanning every 10 s");
            return None;
        }
    }
    Some(debouncer)
}

/// Directories with all below; for a file its directory alone, since editors replace files by
/// renaming.
fn watched(inputs: &[Input]) -> Vec<(PathBuf, RecursiveMode)> {
    inputs
        .iter()
        .filter_map(|input| match input {
            Input::Stdin => None,
            Input::Path(path) if path.is_dir() => Some((path.clone(), RecursiveMode::Recursive)),
            Input::Path(path) => {
                let parent = path.parent()?;
                let here = parent.as_os_str().is_empty();
                let parent = if here { ".".into() } else { parent.to_owned() };
                Some((parent, RecursiveMode::NonRecursive))
            }
        })
        .collect()
}
