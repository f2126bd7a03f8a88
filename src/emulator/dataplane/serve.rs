//! Connections: accepted, bounded, and handed to what stands at their target.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Plane, edge, postgres, web};
use crate::emulator::traffic::reach::Target;

/// A byte stream of any kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

impl Plane {
    /// Speaks for a target until the connection ends, or the data plane does.
    pub(super) async fn serve(&self, stream: impl Stream, target: Target) {
        let served = async {
            match target {
                Target::Edge => edge::serve(self, stream).await,
                Target::Plain => web::redirect(stream).await,
                Target::Service(name) => web::serve(self, stream, Some(&name)).await,
                Target::Database(name) => postgres::serve(self, stream, &name).await,
            }
        };
        tokio::select! {
            // What a client does to its connection is no affair of the emulator.
            _ = served => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// Accepts until the data plane stops; `each` gets every connection that there is room for.
pub(super) async fn accept<F>(
    plane: Arc<Plane>,
    listener: TcpListener,
    each: impl Fn(Arc<Plane>, TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = plane.stop.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else {
            // Such as no more files: room comes back with time.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let Some(permit) = room(&plane.room) else {
            continue;
        };
        // Small messages go at once: a delay here would be measured as one of the target.
        stream.set_nodelay(true).ok();
        let work = each(Arc::clone(&plane), stream);
        tokio::spawn(async move {
            work.await;
            drop(permit);
        });
    }
}

fn room(room: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(room).try_acquire_owned().ok()
}

/// The port of one endpoint.
pub(super) async fn direct(plane: Arc<Plane>, listener: TcpListener, target: Target) {
    accept(plane, listener, |plane, stream| {
        let target = target.clone();
        async move {
            let travelled = tokio::select! {
                travelled = plane.travel(&target) => travelled,
                () = plane.stop.cancelled() => return,
                () = closed(&stream) => return,
            };
            match travelled {
                Ok(()) => plane.serve(stream, target).await,
                Err(_) => reset(&stream),
            }
        }
    })
    .await;
}

/// Until the other side closes without having said a word.
pub(super) async fn closed(stream: &TcpStream) {
    let mut byte = [0];
    match stream.peek(&mut byte).await {
        Ok(0) | Err(_) => {}
        // It speaks: it is still there.
        Ok(_) => std::future::pending().await,
    }
}

/// The connection ends with a reset rather than in good order.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().ok();
}
