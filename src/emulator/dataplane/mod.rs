//! The data plane: what clients of the emulated services reach, on loopback. Latency, failures and refusals are the
//! traffic model's, at that moment and in real time: a connection that takes 7 s in the model takes 7 s here.
//!
//! Two ways in:
//! - the **gateway**, a SOCKS5 proxy (RFC 1928, no authentication). It knows every emulated host by name and by
//!   address, and a connection through it takes as long, is refused or is lost as the model says. A client in this
//!   process has [`Dataplane::dial`], which is the same without a socket, and runs on paused time.
//! - a port of its own for each endpoint, for clients that cannot use a proxy. The kernel accepts at once there, so
//!   the time to connect is spent before the first byte, a refusal is a reset, and what is lost stays silent.
//!
//! Invariants: nothing waits longer than [`DELAY_MAX`], what is lost is let go after [`LOST_MAX`], and there are never
//! more than [`CONNECTIONS_MAX`] connections.

mod authority;
mod edge;
mod gateway;
mod names;
mod postgres;
mod serve;
mod web;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::authority::Authority;
use super::Emulator;
use super::traffic::reach::{Endpoint, Passage, Target};
use super::traffic::wave::duration;
use super::world::World;

/// Longer than any criterion of a plan, and than the timeout of any check that knows it.
pub const DELAY_MAX: Duration = Duration::from_mins(1);

/// A client has given up by then.
pub const LOST_MAX: Duration = Duration::from_mins(2);

pub const CONNECTIONS_MAX: usize = 1_024;

/// Bytes between an endpoint and a client in this process.
const PIPE_BYTES: usize = 64 * 1024;

/// The time as the data plane takes it: the emulator reads no clock by itself.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where to listen. The default is loopback, and any free ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    pub address: IpAddr,
    /// 0: any free one.
    pub gateway_port: u16,
    /// 0: any free one.
    pub dns_port: u16,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            gateway_port: 0,
            dns_port: 0,
        }
    }
}

/// The data plane cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("cannot make certificates: {0}")]
    Certificates(String),
}

/// A running data plane. It stops when this is dropped.
pub struct Dataplane {
    plane: Arc<Plane>,
    gateway: SocketAddr,
    dns: SocketAddr,
    endpoints: Vec<(Endpoint, SocketAddr)>,
    _stop: DropGuard,
}

impl fmt::Debug for Dataplane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataplane")
            .field("gateway", &self.gateway)
            .field("dns", &self.dns)
            .finish_non_exhaustive()
    }
}

/// What every connection needs.
struct Plane {
    emulator: Arc<Emulator>,
    now: Now,
    authority: Authority,
    room: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Plane {
    /// Asks the world as of now.
    fn ask<T>(&self, question: impl FnOnce(&mut World) -> T) -> T {
        self.emulator.ask((self.now)(), question)
    }
}

/// Waits as long as the model says, within bounds.
async fn pass(seconds: f64) {
    tokio::time::sleep(duration(seconds, DELAY_MAX)).await;
}

impl Dataplane {
    /// Listens, and says so at `/_emulator/dataplane`. Call inside a runtime.
    ///
    /// # Errors
    /// When an address is taken, or no certificate can be made.
    pub async fn start(
        emulator: Arc<Emulator>,
        now: Now,
        listen: Listen,
    ) -> Result<Self, StartError> {
        let authority =
            Authority::new().map_err(|error| StartError::Certificates(error.to_string()))?;
        let stop = CancellationToken::new();
        let plane = Arc::new(Plane {
            emulator,
            now,
            authority,
            room: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            stop: stop.clone(),
        });
        let (listener, gateway) = tcp(listen.address, listen.gateway_port).await?;
        tokio::spawn(gateway::serve(Arc::clone(&plane), listener));
        let (socket, dns) = udp(listen.address, listen.dns_port).await?;
        tokio::spawn(names::serve(Arc::clone(&plane), socket));
        let mut endpoints = Vec::new();
        for endpoint in plane.ask(|world| world.endpoints()) {
            let (listener, address) = tcp(listen.address, 0).await?;
            let target = endpoint.target.clone();
            tokio::spawn(serve::direct(Arc::clone(&plane), listener, target));
            endpoints.push((endpoint, address));
        }
        let dataplane = Self {
            plane,
            gateway,
            dns,
            endpoints,
            _stop: stop.drop_guard(),
        };
        dataplane
            .plane
            .emulator
            .tell_dataplane(Some(dataplane.body()));
        Ok(dataplane)
    }

    /// The SOCKS5 proxy.
    #[must_use]
    pub fn gateway(&self) -> SocketAddr {
        self.gateway
    }

    /// The name server.
    #[must_use]
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// The certificate (PEM) of the authority that every certificate here comes from.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.plane.authority.pem()
    }

    /// The port of an endpoint by its name and protocol, such as `netra-db` and `postgres`.
    #[must_use]
    pub fn address(&self, name: &str, protocol: &str) -> Option<SocketAddr> {
        let mut endpoints = self.endpoints.iter();
        let found =
            endpoints.find(|(endpoint, _)| endpoint.name == name && endpoint.protocol == protocol);
        found.map(|(_, address)| *address)
    }

    /// Connects to an emulated host from within this process, as the gateway would.
    ///
    /// # Errors
    /// `HostUnreachable` where nothing stands at that host and port, `ConnectionRefused` where the endpoint refuses,
    /// `TimedOut` where the connection is lost and nobody gave up for [`LOST_MAX`].
    pub async fn dial(&self, host: &str, port: u16) -> io::Result<DuplexStream> {
        let target = self.plane.ask(|world| world.target(host, port));
        let target = target.ok_or(io::ErrorKind::HostUnreachable)?;
        self.plane.travel(&target).await?;
        let (here, there) = tokio::io::duplex(PIPE_BYTES);
        let plane = Arc::clone(&self.plane);
        tokio::spawn(async move { plane.serve(there, target).await });
        Ok(here)
    }

    /// Answers a question of DNS from within this process: a whole message for a whole message. `None` where it
    /// cannot be read.
    pub async fn resolve(&self, message: &[u8]) -> Option<Vec<u8>> {
        names::answer(&self.plane, message).await
    }

    fn body(&self) -> Value {
        let endpoints = self.endpoints.iter();
        let endpoints = endpoints.map(|(endpoint, address)| endpoint.body(&address.to_string()));
        json!({
            "gateway": {"protocol": "socks5", "address": self.gateway.to_string()},
            "dns": {"protocol": "udp", "address": self.dns.to_string()},
            "endpoints": endpoints.collect::<Vec<_>>(),
            "ca": self.authority(),
        })
    }
}

impl Drop for Dataplane {
    fn drop(&mut self) {
        self.plane.emulator.tell_dataplane(None);
    }
}

impl Plane {
    /// The way to a target: takes its time, and may come to nothing.
    async fn travel(&self, target: &Target) -> io::Result<()> {
        match self.ask(|world| world.passage(target)) {
            Passage::Open(seconds) => {
                pass(seconds).await;
                Ok(())
            }
            Passage::Refused(seconds) => {
                pass(seconds).await;
                Err(io::ErrorKind::ConnectionRefused.into())
            }
            Passage::Lost => {
                tokio::time::sleep(LOST_MAX).await;
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }
}

async fn tcp(address: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let address = SocketAddr::new(address, port);
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn udp(address: IpAddr, port: u16) -> Result<(UdpSocket, SocketAddr), StartError> {
    let address = SocketAddr::new(address, port);
    let failed = |source| StartError::Listen { address, source };
    let socket = UdpSocket::bind(address).await.map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?;
    Ok((socket, bound))
}
