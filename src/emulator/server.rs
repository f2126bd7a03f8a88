//! The emulator over real HTTP, on the system clock.
//!
//! Takes absolute-URI requests too, as an HTTP proxy gets them, so that a client whose host names cannot be
//! redirected can still be pointed here.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::{Emulator, Outcome, reply};

/// Larger than any body the API takes.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Serves until `shutdown` completes and the requests at hand are answered.
pub async fn serve(
    emulator: Arc<Emulator>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let answer = move |ConnectInfo(wire): ConnectInfo<Wire>, request: Request| {
        let emulator = Arc::clone(&emulator);
        async move { answer(&emulator, &wire, request).await }
    };
    let app = Router::new()
        .fallback(answer)
        .into_make_service_with_connect_info::<Wire>();
    let served = axum::serve(CuttableListener(listener), app).with_graceful_shutdown(shutdown);
    if let Err(error) = served.await {
        tracing::error!(%error, "the emulator stopped serving");
    }
}

async fn answer(emulator: &Emulator, wire: &Wire, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        let error = serde_json::json!({"error": {"code": 413, "message": "Request payload size exceeds the limit."}});
        return reply::json(413, &error, true).map(Body::from);
    };
    let request = http::Request::from_parts(head, body);
    let handled = emulator.handle(Timestamp::now(), &request);
    if !handled.delay.is_zero() {
        tokio::time::sleep(handled.delay).await;
    }
    match handled.outcome {
        Outcome::Reply(reply) => reply.map(Body::from),
        Outcome::Reset => {
            wire.cut();
            http::Response::new(Body::from(Bytes::new()))
        }
    }
}

/// A connection's kill switch: once cut, nothing more is written and the connection closes.
#[derive(Debug, Clone, Default)]
struct Wire(Arc<AtomicBool>);

impl Wire {
    fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().wire.clone()
    }
}

struct CuttableListener(TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // The inner listener retries what can be retried, and waits when files run out.
        let (stream, address) = Listener::accept(&mut self.0).await;
        (
            CuttableStream {
                stream,
                wire: Wire::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

struct CuttableStream {
    stream: TcpStream,
    wire: Wire,
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wire.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
