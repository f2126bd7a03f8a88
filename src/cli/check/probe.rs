//! Probes from this machine, and what each brought.

use super::resource::Managed;
use crate::api::{CheckSpec, Declared, Document, Source};
use crate::check::{Ask, Prober as _, Probers, Progress};
use crate::cli::args::{Gcp, Globals};
use crate::cli::config::Config;
use crate::cli::{CliError, vantage, world};
use crate::core::check::{Criteria, Evaluation, ProberError, ProberFault, Window};
use crate::core::health::Look;
use crate::emulator::dataplane::Dataplane;
use crate::secrets::LocalSecrets;
use futures::future::join_all;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Samples at the same time: the most that one check may ask for.
const SAMPLES: u32 = 500;

/// What probes are made with.
pub struct Rig {
    pub probers: Probers,
    managed: Option<Managed>,
    /// What the services of an emulator in this process answer.
    _dataplane: Option<Arc<Dataplane>>,
}

/// What else a probe depends on.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub config: Option<&'a Path>,
    /// The folder of named secrets.
    pub secrets: Option<&'a Path>,
}

fn asks_google(source: Source<'_>) -> bool {
    matches!(
        source,
        Source::Metric(_) | Source::Log(_) | Source::BackendHealth(_) | Source::Resource(_)
    )
}

/// A check and what its probe says.
pub struct Probed<'a> {
    check: &'a Document<CheckSpec>,
    evaluation: Evaluation,
}

impl Probed<'_> {
    pub fn look(&self) -> Look<'_> {
        Look {
            name: &self.check.name,
            spec: &self.check.spec,
            verdict: self.evaluation.verdict,
            warning: self.evaluation.warning,
            last: Some(&self.evaluation),
        }
    }
}

impl Rig {
    /// `secrets`: the folder of named ones. GCP is opened only where a check asks Google, or where
    /// it is an emulator in this process, whose services the probes then reach.
    pub async fn new<'a>(
        globals: &Globals,
        place: Place<'_>,
        checks: impl IntoIterator<Item = &'a Document<CheckSpec>>,
        declared: &[Declared],
    ) -> Result<Self, CliError> {
        let config = Config::load(place.config)?;
        let secrets = LocalSecrets::new(place.secrets.map(PathBuf::from));
        let probers = Probers::new(Arc::new(secrets), SAMPLES);
        let mut sources = checks.into_iter().filter_map(|check| check.spec.source());
        let emulated = matches!(globals.gcp.gcp, Some(Gcp::Emulator(_)));
        if !emulated && !sources.any(asks_google) {
            return Ok(Rig {
                probers: probers.at(vantage::vantage(&config, None)?),
                managed: None,
                _dataplane: None,
            });
        }
        let world = world::open(&world::wanted(&globals.gcp)?, globals)?;
        let dataplane = vantage::dataplane(&world).await?;
        let vantage = vantage::vantage(&config, dataplane.as_ref())?;
        Ok(Rig {
            probers: probers.at(vantage).with_google(&world.client),
            managed: Some(Managed::new(globals, world, declared)?),
            _dataplane: dataplane,
        })
    }

    /// The same, watched while it probes.
    pub fn watched(self, progress: &Arc<Progress>) -> Self {
        let probers = self.probers.watched(progress);
        Rig { probers, ..self }
    }

    /// All at once, within the budget of samples.
    pub async fn probe_all<'a>(&self, checks: &'a [Document<CheckSpec>]) -> Vec<Probed<'a>> {
        join_all(checks.iter().map(|check| self.probe(check))).await
    }

    async fn probe<'a>(&self, check: &'a Document<CheckSpec>) -> Probed<'a> {
        let ask = Ask {
            now: Timestamp::now(),
            not_before: None,
        };
        let reading = match (&self.managed, check.spec.source()) {
            (Some(managed), Some(Source::Resource(resource))) => {
                managed.read(&check.spec, resource, ask.now).await
            }
            _ => self.probers.probe(&check.spec, ask).await,
        };
        Probed {
            evaluation: evaluate(&check.spec, reading.since, &reading.outcome),
            check,
        }
    }
}

/// What the expectations of a check say to a probe.
pub fn evaluate(
    spec: &CheckSpec,
    since: Timestamp,
    outcome: &Result<Window, ProberError>,
) -> Evaluation {
    match Criteria::of(spec) {
        Ok(criteria) => criteria.evaluate(since, outcome),
        // A set that loaded has no such check.
        Err(misread) => Criteria {
            expect: Vec::new(),
            warn: Vec::new(),
            passes: 1,
            failures: 1,
            no_data: spec.no_data,
        }
        .evaluate(
            since,
            &Err(ProberError::new(ProberFault::Invalid, misread.message)),
        ),
    }
}
