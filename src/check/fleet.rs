//! Many samples at the same time, each in a task of its own, so that one does not slow another.

use super::dial::Trouble;
use crate::core::check::{ProberError, ProberFault, Sample, Window};
use std::future::Future;
use tokio::task::JoinSet;

/// What one sample left behind: something to hold until all are done, such as its connection.
pub(super) struct Made<H> {
    pub sample: Sample,
    pub held: Option<H>,
}

/// Makes `count` samples at once and holds what each leaves until the last one is done.
///
/// A failure of this side ends the probe: what it brought so far would blame the target. Dropping
/// the future ends all samples.
pub(super) async fn all<H, F>(count: u32, mut one: impl FnMut() -> F) -> Result<Window, ProberError>
where
    H: Send + 'static,
    F: Future<Output = Result<Made<H>, ProberError>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        tasks.spawn(one());
    }
    let mut window = Window::new();
    let mut held = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let made = done.map_err(|_| broken())??;
        window.push(made.sample);
        held.extend(made.held);
    }
    Ok(window)
}

/// A task that ended before its sample.
pub(super) fn broken() -> ProberError {
    ProberError::new(ProberFault::Local, "a probe ended before its sample")
}

/// A sample that is not ok, or the error of this side. `sample` has what was measured before.
pub(super) fn failed(sample: Sample, trouble: Trouble) -> Result<Sample, ProberError> {
    match trouble {
        Trouble::Prober(error) => Err(error),
        Trouble::Target(failure) => Ok(sample.failed(failure.phase, failure.reason)),
    }
}

/// A sample with `ok: false` and fields that have not come yet.
pub(super) fn unreached(fields: &[&str]) -> Sample {
    let sample = Sample::new().with("ok", false);
    fields
        .iter()
        .fold(sample, |sample, field| sample.with(field, f64::INFINITY))
}
