//! TLS handshakes at the same time, and the certificate.

use super::deadline::Deadline;
use super::dial::{Trouble, dial, local};
use super::fleet::{self, Made, failed, unreached};
use super::names::Names;
use super::trust::{Shown, Trust, handshake_words};
use super::vantage::{Link, Stand};
use crate::api::probe::TlsProbe;
use crate::core::check::{ProberError, ProberFault, Sample, Window};
use crate::secrets::Secret;
use jiff::Timestamp;
use rustls::pki_types::ServerName;
use std::time::Duration;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

/// Everything that one handshake needs.
#[derive(Clone)]
struct Target {
    names: Names,
    port: u16,
    server_name: ServerName<'static>,
    trust: Trust,
    timeout: Duration,
    now: Timestamp,
}

pub(super) async fn probe(
    tls: &TlsProbe,
    ca: Option<&Secret>,
    timeout: Duration,
    stand: Stand<'_>,
) -> Result<Window, ProberError> {
    let name = tls.server_name.as_ref().unwrap_or(&tls.host);
    let target = Target {
        names: stand.names(&tls.host)?,
        port: tls.port,
        server_name: server_name(name)?,
        trust: stand.trust(ca).await?,
        timeout,
        now: stand.now,
    };
    fleet::all(tls.concurrency, || one(target.clone())).await
}

/// The name that a certificate must hold.
pub(super) fn server_name(name: &str) -> Result<ServerName<'static>, ProberError> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        let text = format!("{name} is no name that a certificate can hold");
        ProberError::new(ProberFault::Invalid, text)
    })
}

async fn one(target: Target) -> Result<Made<TlsStream<Box<dyn Link>>>, ProberError> {
    let sample = unreached(&["connect", "handshake", "expiry"]);
    let deadline = Deadline::after(target.timeout);
    let dialed = match dial(&target.names, target.port, &deadline).await {
        Ok(dialed) => dialed,
        Err(trouble) => {
            return Ok(Made {
                sample: failed(sample, trouble)?,
                held: None,
            });
        }
    };
    let sample = sample.with("connect", dialed.connect);
    let began = Instant::now();
    let handshake = target
        .trust
        .handshake(target.server_name.clone(), &[], dialed.stream);
    let (outcome, shown) = match deadline.phase("handshake", handshake).await {
        Ok(done) => done,
        Err(failure) => {
            return Ok(Made {
                sample: failed(sample, failure.into())?,
                held: None,
            });
        }
    };
    let sample = with_expiry(sample, &shown, target.now);
    let (sample, held) = match outcome {
        Ok(stream) => (sample.with("handshake", began.elapsed()), Some(stream)),
        Err(error) => (failed(sample, handshake_trouble(&error))?, None),
    };
    Ok(Made {
        sample: match (&shown.refused, held.is_some()) {
            (None, true) => sample.with("ok", true),
            (Some(why), true) => sample.failed("certificate", why.clone()),
            (_, false) => sample,
        },
        held,
    })
}

fn handshake_trouble(error: &std::io::Error) -> Trouble {
    match local(error) {
        Some(error) => Trouble::Prober(error),
        None => Trouble::target("handshake", handshake_words(error)),
    }
}

/// With the time left of the certificate, which is negative for one that has expired.
fn with_expiry(sample: Sample, shown: &Shown, now: Timestamp) -> Sample {
    let end = shown.certificate.as_deref().and_then(not_after);
    match end {
        Some(end) => {
            let left = end.as_second() - now.as_second();
            sample.with("expiry", seconds(left))
        }
        None => sample,
    }
}

/// Dates reach from year 0 to 9999: far within what a float holds exactly.
#[allow(clippy::cast_precision_loss, reason = "below 2^53")]
fn seconds(seconds: i64) -> f64 {
    seconds as f64
}

/// The end of a certificate's validity.
fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let end = certificate.validity().not_after.timestamp();
    Timestamp::from_second(end).ok()
}
