//! Where the probes of a command stand: where the configuration says, or else beside the emulator
//! of this process, or else on this machine.

use super::config::{Config, Probes};
use super::world::World;
use super::{CliError, Exit};
use crate::check::{Link, Socks, Tunnel, TunnelError, Vantage};
use crate::emulator::dataplane::{Dataplane, Listen};
use crate::secrets::Secret;
use async_trait::async_trait;
use std::io::ErrorKind;
use std::sync::Arc;

/// The data plane of an emulator in this process, for as long as it is held.
///
/// # Errors
/// Where no port of this machine can be listened on.
pub async fn dataplane(world: &World) -> Result<Option<Arc<Dataplane>>, CliError> {
    let Some(emulator) = &world.emulator else {
        return Ok(None);
    };
    let clock = Arc::clone(&world.clock);
    let now = Arc::new(move || clock.now());
    let started = Dataplane::start(Arc::clone(emulator), now, Listen::default()).await;
    let started = started.map_err(|error| CliError::new(format!("no data plane: {error}")))?;
    Ok(Some(Arc::new(started)))
}

/// Where probes stand. Call again when it may have changed.
///
/// # Errors
/// Where the configuration names certificates that cannot be read.
pub fn vantage(config: &Config, dataplane: Option<&Arc<Dataplane>>) -> Result<Vantage, CliError> {
    match (&config.probes, dataplane) {
        (Some(probes), _) => written(probes),
        (None, Some(dataplane)) => Ok(beside(dataplane)),
        (None, None) => Ok(Vantage::default()),
    }
}

/// Beside the services of an emulator in this process.
#[must_use]
pub fn beside(dataplane: &Arc<Dataplane>) -> Vantage {
    Vantage {
        tunnel: Some(Arc::new(Embedded(Arc::clone(dataplane)))),
        name_servers: vec![dataplane.dns()],
        authorities: Some(Secret::new(dataplane.authority())),
    }
}

fn written(probes: &Probes) -> Result<Vantage, CliError> {
    let authorities = probes.ca.as_ref().map(|path| {
        std::fs::read_to_string(path)
            .map(Secret::new)
            .map_err(|error| {
                CliError::new(format!("probes.ca: {}: {error}", path.display()))
                    .exit(Exit::BadInput)
            })
    });
    let proxy = probes.proxy.as_deref().map(str::parse::<Socks>);
    let proxy = proxy
        .transpose()
        .map_err(|error| CliError::new(format!("probes.proxy: {error}")).exit(Exit::BadInput))?;
    Ok(Vantage {
        tunnel: proxy.map(|proxy| Arc::new(proxy) as Arc<dyn Tunnel>),
        name_servers: probes.name_servers.clone(),
        authorities: authorities.transpose()?,
    })
}

/// Into the data plane with no socket between.
struct Embedded(Arc<Dataplane>);

#[async_trait]
impl Tunnel for Embedded {
    async fn connect(&self, host: &str, port: u16) -> Result<Box<dyn Link>, TunnelError> {
        match self.0.dial(host, port).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) if error.kind() == ErrorKind::HostUnreachable => Err(TunnelError::Tunnel(
                format!("nothing stands at {host}:{port} in the emulator"),
            )),
            Err(error) => Err(TunnelError::Target(error)),
        }
    }
}
