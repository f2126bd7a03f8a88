//! The two doors: a listener on loopback, and a call without a socket.

use super::{World, handle};
use axum::body::Body;
use http::{Request, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Serves until `stop`. Connections end with an outage.
pub(crate) async fn listen(world: Arc<World>, stop: CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else { continue };
            // In an outage the connection is dropped unanswered.
            if let Some(line) = world.line() {
                let world = Arc::clone(&world);
                tokio::spawn(connection(world, stream, line, stop.clone()));
            }
        }
    });
    address
}

async fn connection(
    world: Arc<World>,
    stream: TcpStream,
    line: CancellationToken,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let world = Arc::clone(&world);
        async move { Ok::<_, Infallible>(handle(&world, request.map(Body::new)).await) }
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        () = line.cancelled() => {}
        () = stop.cancelled() => {}
        _ = serving => {}
    }
}

/// One call without a socket.
pub(crate) async fn direct(
    world: Arc<World>,
    request: Request<Body>,
) -> Result<Response<Body>, io::Error> {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let line = world.line().ok_or_else(refused)?;
    tokio::select! {
        () = line.cancelled() => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        response = handle(&world, request) => Ok(response),
    }
}
