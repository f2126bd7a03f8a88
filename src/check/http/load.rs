//! The load: workers that send one request after the other, until all are sent or time is up.
//!
//! A request that is due and cannot be sent in time counts as failed: leaving it out would make a
//! slow target look better than it is.

use super::exchange::{Connection, Target};
use super::fleet::broken;
use crate::api::probe::{Load, SAMPLES_LIMIT};
use crate::check::Progress;
use crate::core::check::{ProberError, Sample, Window};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What the workers share.
struct Plan {
    target: Arc<Target>,
    requests: u32,
    sent: AtomicU32,
    /// No request starts after this.
    until: Instant,
    /// Requests left at that time were due, and count as failed.
    all_due: bool,
    /// For those who watch.
    progress: Option<Arc<Progress>>,
}

/// `longest`: how long requests may be sent where the load says how many there are.
pub(super) async fn run(
    target: &Arc<Target>,
    load: Option<&Load>,
    longest: Duration,
    progress: Option<&Arc<Progress>>,
) -> Result<Window, ProberError> {
    let duration = load.and_then(|load| load.duration);
    let requests = load.map_or(1, |load| load.requests.unwrap_or(SAMPLES_LIMIT));
    let plan = Arc::new(Plan {
        target: Arc::clone(target),
        requests: requests.min(SAMPLES_LIMIT),
        sent: AtomicU32::new(0),
        until: Instant::now() + duration.map_or(longest, |duration| duration.0),
        all_due: duration.is_none(),
        progress: progress.cloned(),
    });
    let mut workers = JoinSet::new();
    for _ in 0..load.map_or(1, |load| load.concurrency.max(1)) {
        workers.spawn(work(Arc::clone(&plan)));
    }
    let mut window = Window::new();
    while let Some(done) = workers.join_next().await {
        for sample in done.map_err(|_| broken())?? {
            window.push(sample);
        }
    }
    Ok(window)
}

async fn work(plan: Arc<Plan>) -> Result<Vec<Sample>, ProberError> {
    let mut samples = Vec::new();
    let mut connection: Option<Connection> = None;
    while plan.sent.fetch_add(1, Ordering::Relaxed) < plan.requests {
        if Instant::now() < plan.until {
            let sample = plan.target.sample(&mut connection).await?;
            if let Some(progress) = &plan.progress {
                progress.push(sample.clone());
            }
            samples.push(sample);
        } else if plan.all_due {
            let reason = "not sent: the requests before it took too long";
            samples.push(plan.target.nothing().failed("load", reason));
        } else {
            break;
        }
    }
    Ok(samples)
}
