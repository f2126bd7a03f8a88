//! The port of the room: a check in, a reading out.

use super::google::Google;
use super::http::HttpSecrets;
use super::postgres::PostgresSecrets;
use super::progress::Progress;
use super::vantage::{Stand, Vantage};
use super::{backend_health, dns, http, log, metric, postgres, tcp, tls};
use crate::api::{CheckSpec, SecretRef, Source};
use crate::core::check::{ProberError, ProberFault, Window};
use crate::gcp::client::Client;
use crate::secrets::{Secret, Secrets};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// What a probe is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    pub now: Timestamp,
    /// When the step that a gate judges had landed. A query of points begins there as soon as
    /// there are some after it; what a reading may have seen of before is in its `since`.
    pub not_before: Option<Timestamp>,
}

/// What a probe brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// When the oldest thing that it can have seen happened: when it started, or the start of the
    /// window that was asked for.
    pub since: Timestamp,
    pub outcome: Result<Window, ProberError>,
}

impl Reading {
    /// Nothing was seen, so nothing old was.
    pub(super) fn failed(ask: Ask, error: ProberError) -> Reading {
        Reading {
            since: ask.now,
            outcome: Err(error),
        }
    }
}

/// Makes the probes of checks.
#[async_trait]
pub trait Prober: Send + Sync {
    /// Probes once. Ends by itself, whatever the target does: after the check's timeout, and for
    /// a load after its duration or the check's interval on top of it. Dropping the future ends
    /// everything that it started.
    async fn probe(&self, check: &CheckSpec, ask: Ask) -> Reading;
}

/// The real probes.
pub struct Probers {
    secrets: Arc<dyn Secrets>,
    vantage: Vantage,
    /// Samples at the same time, of all checks together.
    budget: Semaphore,
    limit: u32,
    google: Option<Google>,
    /// Where HTTP requests go as they are done, beside the reading.
    progress: Option<Arc<Progress>>,
}

impl Probers {
    /// With at most `limit` samples at the same time; a check that wants more has all of them to
    /// itself.
    #[must_use]
    pub fn new(secrets: Arc<dyn Secrets>, limit: u32) -> Self {
        let limit = limit.max(1);
        Probers {
            secrets,
            vantage: Vantage::default(),
            budget: Semaphore::new(limit as usize),
            limit,
            google: None,
            progress: None,
        }
    }

    /// Probers whose HTTP requests can be watched while a probe still runs.
    #[must_use]
    pub fn watched(self, progress: &Arc<Progress>) -> Self {
        let progress = Some(Arc::clone(progress));
        Probers { progress, ..self }
    }

    /// Probers that stand somewhere else.
    #[must_use]
    pub fn at(self, vantage: Vantage) -> Self {
        Probers { vantage, ..self }
    }

    /// Probers that can ask Google too, for metrics, logs and the health of backends.
    #[must_use]
    pub fn with_google(self, client: &Arc<Client>) -> Self {
        Probers {
            google: Some(Google::new(client)),
            ..self
        }
    }

    async fn measure(&self, check: &CheckSpec, ask: Ask) -> Reading {
        let outcome = match (check.source(), &self.google) {
            (Some(Source::Metric(metric)), Some(google)) => {
                return metric::probe(&google.monitoring, metric, ask).await;
            }
            (Some(Source::Log(log)), Some(google)) => {
                return log::probe(&google.logs, log, ask).await;
            }
            (Some(Source::BackendHealth(health)), Some(google)) => {
                backend_health::probe(&google.backends, health).await
            }
            _ => self.measure_target(check, ask).await,
        };
        Reading {
            since: ask.now,
            outcome,
        }
    }

    async fn measure_target(&self, check: &CheckSpec, ask: Ask) -> Result<Window, ProberError> {
        let timeout = check.timeout.0;
        let stand = Stand {
            vantage: &self.vantage,
            now: ask.now,
        };
        match check.source() {
            Some(Source::Http(http)) => {
                let mut headers = Vec::new();
                for (name, reference) in &http.header_refs {
                    headers.push((name.clone(), self.secret(reference).await?));
                }
                let ca = self.maybe(http.ca_ref.as_ref()).await?;
                let secrets = HttpSecrets { ca, headers };
                let times = (timeout, check.interval.0);
                http::probe(http, secrets, times, stand, self.progress.as_ref()).await
            }
            Some(Source::Tls(tls)) => {
                let ca = self.maybe(tls.ca_ref.as_ref()).await?;
                tls::probe(tls, ca.as_ref(), timeout, stand).await
            }
            Some(Source::Tcp(tcp)) => tcp::probe(tcp, timeout, stand).await,
            Some(Source::Dns(dns)) => dns::probe(dns, timeout, stand).await,
            Some(Source::Postgres(postgres)) => {
                let secrets = PostgresSecrets {
                    password: self.maybe(postgres.password_ref.as_ref()).await?,
                    ca: self.maybe(postgres.ca_ref.as_ref()).await?,
                };
                postgres::probe(postgres, secrets, timeout, stand).await
            }
            Some(Source::Resource(_)) => Err(ProberError::new(
                ProberFault::Local,
                "only a running operator knows its resources",
            )),
            Some(Source::Metric(_) | Source::Log(_) | Source::BackendHealth(_)) => Err(
                ProberError::new(ProberFault::Local, "no Google to ask: say which with --gcp"),
            ),
            None => Err(ProberError::new(ProberFault::Invalid, "nothing to measure")),
        }
    }

    async fn maybe(&self, reference: Option<&SecretRef>) -> Result<Option<Secret>, ProberError> {
        match reference {
            Some(reference) => self.secret(reference).await.map(Some),
            None => Ok(None),
        }
    }

    async fn secret(&self, reference: &SecretRef) -> Result<Secret, ProberError> {
        let read = self.secrets.read(reference).await;
        read.map_err(|error| ProberError::new(ProberFault::Credentials, error.to_string()))
    }
}

#[async_trait]
impl Prober for Probers {
    async fn probe(&self, check: &CheckSpec, ask: Ask) -> Reading {
        let share = samples_at_once(check).min(self.limit);
        let Ok(_share) = self.budget.acquire_many(share).await else {
            let over = ProberError::new(ProberFault::Local, "probes are over");
            return Reading::failed(ask, over);
        };
        let longest = longest(check);
        let reading = tokio::time::timeout(longest, self.measure(check, ask)).await;
        reading.unwrap_or_else(|_| Reading::failed(ask, overdue(longest)))
    }
}

/// Samples that a check makes at the same time.
fn samples_at_once(check: &CheckSpec) -> u32 {
    match check.source() {
        Some(Source::Http(http)) => http.load.as_ref().map_or(1, |load| load.concurrency),
        Some(Source::Tls(tls)) => tls.concurrency,
        Some(Source::Tcp(tcp)) => tcp.connections,
        Some(Source::Postgres(postgres)) => postgres.connections,
        Some(Source::Dns(dns)) => u32::try_from(dns.servers.len()).unwrap_or(1).max(1),
        // A question to Google waits for its turn elsewhere, and must not keep others waiting.
        _ => 0,
    }
}

/// The end of a probe that its own limits did not bring about.
fn longest(check: &CheckSpec) -> Duration {
    let slack = match check.source() {
        // Many checks of one project's logs take turns.
        Some(Source::Log(_)) => Duration::from_mins(2),
        _ => Duration::from_secs(5),
    };
    check.interval.0.max(check.timeout.0) + check.timeout.0 + slack
}

fn overdue(limit: Duration) -> ProberError {
    let text = format!("the probe did not end within {} s", limit.as_secs());
    ProberError::new(ProberFault::Overdue, text)
}
