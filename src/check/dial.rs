//! A TCP connection, with the time of each phase, and whose fault it is when there is none.

use super::deadline::Deadline;
use super::names::Names;
use super::vantage::Link;
use crate::core::check::{Failure, ProberError, ProberFault};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Why a sample came to nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The target did it: a sample that is not ok.
    Target(Failure),
    /// This side did it: no sample at all.
    Prober(ProberError),
}

impl Trouble {
    pub fn target(phase: &'static str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Trouble::Target(Failure { phase, reason })
    }

    /// An error of a connection in this phase.
    pub fn io(phase: &'static str, error: &io::Error) -> Self {
        match local(error) {
            Some(error) => Trouble::Prober(error),
            None => Trouble::target(phase, words(error)),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::Target(failure)
    }
}

/// A connection, and what it took.
pub(super) struct Dialed {
    pub stream: Box<dyn Link>,
    /// `None` where there was no name to look up.
    pub dns: Option<Duration>,
    pub connect: Duration,
}

/// Connects to the first address of the host that takes the connection.
pub(super) async fn dial(names: &Names, port: u16, deadline: &Deadline) -> Result<Dialed, Trouble> {
    if let Some((tunnel, host)) = names.tunnel() {
        let began = Instant::now();
        let stream = deadline
            .phase("connect", tunnel.connect(host, port))
            .await??;
        return Ok(Dialed {
            stream,
            dns: None,
            connect: began.elapsed(),
        });
    }
    let began = Instant::now();
    let addresses = deadline.phase("dns", names.addresses()).await??;
    let dns = names.looks_up().then(|| began.elapsed());
    let began = Instant::now();
    let stream = connect(&addresses, port, deadline).await?;
    Ok(Dialed {
        stream: Box::new(stream),
        dns,
        connect: began.elapsed(),
    })
}

/// Tries the addresses in turn; each gets its share of the time that is left.
async fn connect(
    addresses: &[IpAddr],
    port: u16,
    deadline: &Deadline,
) -> Result<TcpStream, Trouble> {
    let mut missed = None;
    for (index, address) in addresses.iter().enumerate() {
        let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = deadline.left() / others;
        let attempt = TcpStream::connect(SocketAddr::new(*address, port));
        let trouble = match timeout(share, attempt).await {
            Ok(Ok(stream)) => {
                // Small messages go at once: a delayed one would be measured as a slow target.
                stream
                    .set_nodelay(true)
                    .map_err(|error| Trouble::io("connect", &error))?;
                return Ok(stream);
            }
            Ok(Err(error)) => Trouble::io("connect", &error),
            Err(_) => deadline.overdue("connect").into(),
        };
        // What a target did says more than what this machine cannot do, such as IPv6.
        if missed.is_none() || matches!(trouble, Trouble::Target(_)) {
            missed = Some(trouble);
        }
    }
    Err(missed.unwrap_or_else(|| Trouble::target("dns", "no address")))
}

/// The error of a probe where an error of a socket is this machine's.
pub(super) fn local(error: &io::Error) -> Option<ProberError> {
    use io::ErrorKind as Kind;
    // ENFILE and EMFILE, which have no kind.
    let files = matches!(error.raw_os_error(), Some(23 | 24));
    let kind = matches!(
        error.kind(),
        Kind::AddrNotAvailable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::PermissionDenied
            | Kind::OutOfMemory
    );
    (files || kind).then(|| ProberError::new(ProberFault::Local, words(error)))
}

/// An error in few words, without numbers that differ from machine to machine.
pub(super) fn words(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => "refused".to_owned(),
        Kind::ConnectionReset => "reset by the other side".to_owned(),
        Kind::UnexpectedEof | Kind::ConnectionAborted | Kind::BrokenPipe => {
            "closed by the other side".to_owned()
        }
        Kind::TimedOut => "no answer in time".to_owned(),
        Kind::Other | Kind::InvalidData => error.to_string(),
        kind => kind.to_string(),
    }
}
