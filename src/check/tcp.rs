//! TCP connections at the same time.

use super::deadline::Deadline;
use super::dial::dial;
use super::fleet::{self, Made, failed, unreached};
use super::names::Names;
use super::vantage::{Link, Stand};
use crate::api::probe::TcpProbe;
use crate::core::check::{ProberError, Window};
use std::time::Duration;

pub(super) async fn probe(
    tcp: &TcpProbe,
    timeout: Duration,
    stand: Stand<'_>,
) -> Result<Window, ProberError> {
    let (names, port) = (stand.names(&tcp.host)?, tcp.port);
    fleet::all(tcp.connections, || one(names.clone(), port, timeout)).await
}

async fn one(
    names: Names,
    port: u16,
    timeout: Duration,
) -> Result<Made<Box<dyn Link>>, ProberError> {
    let sample = unreached(&["connect"]);
    match dial(&names, port, &Deadline::after(timeout)).await {
        Ok(dialed) => Ok(Made {
            sample: sample.with("ok", true).with("connect", dialed.connect),
            held: Some(dialed.stream),
        }),
        Err(trouble) => Ok(Made {
            sample: failed(sample, trouble)?,
            held: None,
        }),
    }
}
