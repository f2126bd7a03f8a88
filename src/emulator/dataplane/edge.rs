//! TLS before everything that is reached by name: the load balancer, and Cloud Run's own hosts.

use std::io;

use rustls::server::Acceptor;
use tokio_rustls::LazyConfigAcceptor;

use super::serve::Stream;
use super::{Plane, pass, web};

pub(super) async fn serve(plane: &Plane, stream: impl Stream) -> io::Result<()> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let name = start.client_hello().server_name().map(str::to_owned);
    let handshake = plane.ask(|world| world.handshake(name.as_deref()));
    pass(handshake.seconds).await;
    let Some(leaf) = handshake.leaf else {
        // Dropped in the middle of the handshake.
        return Ok(());
    };
    let config = plane.authority.server(&leaf).map_err(io::Error::other)?;
    let stream = start.into_stream(config).await?;
    web::serve(plane, stream, None).await
}
