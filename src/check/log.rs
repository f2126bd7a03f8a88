//! Entries of Cloud Logging: how many there are, and the numbers in their texts.
//!
//! Invariant: whatever the number of checks, a project is searched at Google's pace at most, the
//! checks in turn, and the same search is made once for all that ask for it.

mod poller;

pub(super) use poller::Poller;

use super::prober::{Ask, Reading};
use crate::api::probe::LogProbe;
use crate::core::check::{ProberError, ProberFault, Sample, Window};
use poller::Wanted;
use regex::Regex;

/// Looks back over the whole window, also right after a step: a count of less time is another count.
pub(super) async fn probe(poller: &Poller, log: &LogProbe, ask: Ask) -> Reading {
    let extract = match log.extract.as_deref().map(Regex::new).transpose() {
        Ok(extract) => extract,
        Err(error) => {
            let text = format!("extract: {error}");
            return Reading::failed(ask, ProberError::new(ProberFault::Invalid, text));
        }
    };
    let wanted = Wanted {
        filter: log.filter.clone(),
        window: log.window.0,
        extract: log.extract.clone(),
    };
    match poller
        .find(&log.project, wanted, extract.as_ref(), ask.now)
        .await
    {
        Ok(found) => {
            let mut window = Window::new();
            let count = u32::try_from(found.count).unwrap_or(u32::MAX);
            window.push(Sample::new().with("count", f64::from(count)));
            for value in found.values.iter().rev() {
                window.push(Sample::new().with("value", *value));
            }
            Reading {
                since: found.after,
                outcome: Ok(window),
            }
        }
        Err(error) => Reading::failed(ask, error),
    }
}
