//! Where probes stand: on this machine, or at the far end of a tunnel, such as a bastion inside the
//! network that the plan is about.

use super::dial::Trouble;
use super::names::Names;
use super::trust::Trust;
use crate::core::check::{ProberError, ProberFault};
use crate::secrets::Secret;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_socks::Error as SocksError;
use tokio_socks::tcp::Socks5Stream;

/// A connection, whatever carries it.
pub trait Link: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Link for T {}

/// Why a tunnel brought no connection.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// The target is to blame.
    #[error("{0}")]
    Target(#[from] io::Error),
    /// The tunnel itself does not work.
    #[error("{0}")]
    Tunnel(String),
}

/// Connects from somewhere else.
#[async_trait]
pub trait Tunnel: Send + Sync {
    /// Connects to a host by its name or address; the name is looked up at the far end.
    ///
    /// # Errors
    /// Whose fault it is that there is no connection.
    async fn connect(&self, host: &str, port: u16) -> Result<Box<dyn Link>, TunnelError>;
}

/// Where probes stand. The default is this machine as it is.
#[derive(Clone, Default)]
pub struct Vantage {
    /// `None`: straight from this machine.
    pub tunnel: Option<Arc<dyn Tunnel>>,
    /// Asked by checks of DNS that name no server. Empty: those of the system.
    pub name_servers: Vec<SocketAddr>,
    /// Certificates (PEM) that checks without a `caRef` trust. `None`: the system's.
    pub authorities: Option<Secret>,
}

/// A vantage at a moment: certificates are judged by the time of the probe.
#[derive(Clone, Copy)]
pub(super) struct Stand<'a> {
    pub vantage: &'a Vantage,
    pub now: Timestamp,
}

impl Stand<'_> {
    pub fn names(&self, host: &str) -> Result<Names, ProberError> {
        match &self.vantage.tunnel {
            Some(tunnel) => Ok(Names::beyond(host, Arc::clone(tunnel))),
            None => Names::of(host),
        }
    }

    pub async fn trust(&self, ca: Option<&Secret>) -> Result<Trust, ProberError> {
        Trust::of(ca.or(self.vantage.authorities.as_ref()), self.now).await
    }
}

impl From<TunnelError> for Trouble {
    fn from(error: TunnelError) -> Self {
        match error {
            TunnelError::Target(error) => Trouble::io("connect", &error),
            TunnelError::Tunnel(why) => Trouble::Prober(ProberError::new(ProberFault::Local, why)),
        }
    }
}

/// A SOCKS5 proxy without authentication, such as `ssh -D` opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socks {
    proxy: String,
}

/// Not the address of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not socks5://HOST:PORT")]
pub struct NoProxy;

impl FromStr for Socks {
    type Err = NoProxy;

    fn from_str(text: &str) -> Result<Self, NoProxy> {
        let place = text.strip_prefix("socks5://").ok_or(NoProxy)?;
        let place = place.trim_end_matches('/');
        let (host, port) = place.rsplit_once(':').ok_or(NoProxy)?;
        let plain = !host.is_empty() && !host.contains(['@', '/']);
        match port.parse::<u16>() {
            Ok(_) if plain => Ok(Socks {
                proxy: place.to_owned(),
            }),
            _ => Err(NoProxy),
        }
    }
}

impl fmt::Display for Socks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socks5://{}", self.proxy)
    }
}

#[async_trait]
impl Tunnel for Socks {
    async fn connect(&self, host: &str, port: u16) -> Result<Box<dyn Link>, TunnelError> {
        let broken = |why: String| TunnelError::Tunnel(format!("the proxy {self}: {why}"));
        let socket = TcpStream::connect(&self.proxy).await;
        let socket = socket.map_err(|error| broken(error.to_string()))?;
        socket.set_nodelay(true)?;
        let made = Socks5Stream::connect_with_socket(socket, (host, port)).await;
        match made {
            Ok(stream) => Ok(Box::new(stream.into_inner())),
            Err(error) => Err(match of_target(&error) {
                Some(kind) => TunnelError::Target(kind.into()),
                None => broken(error.to_string()),
            }),
        }
    }
}

/// What a refusal of the proxy says of the target (RFC 1928, section 6); many proxies say no more
/// than that something failed.
fn of_target(error: &SocksError) -> Option<io::ErrorKind> {
    match error {
        SocksError::ConnectionRefused => Some(io::ErrorKind::ConnectionRefused),
        SocksError::HostUnreachable | SocksError::NetworkUnreachable => {
            Some(io::ErrorKind::HostUnreachable)
        }
        SocksError::GeneralSocksServerFailure => Some(io::ErrorKind::ConnectionAborted),
        SocksError::TtlExpired => Some(io::ErrorKind::TimedOut),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Socks;

    #[test]
    fn proxies_have_one_form() {
        for text in [
            "socks5://127.0.0.1:1080",
            "socks5://bastion:1080/",
            "socks5://[::1]:1",
        ] {
            let proxy = text.parse::<Socks>().unwrap();
            assert_eq!(proxy.to_string(), text.trim_end_matches('/'));
        }
        for text in [
            "127.0.0.1:1080",
            "http://a:1",
            "socks5://a",
            "socks5://u:p@a:1",
            "socks5://:1",
        ] {
            assert!(text.parse::<Socks>().is_err(), "{text}");
        }
    }
}
