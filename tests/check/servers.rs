//! Servers on loopback that do what a test says, each gone when it is dropped.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

pub const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A TCP server.
pub struct Server {
    pub port: u16,
    /// Connections so far.
    pub connections: Arc<AtomicUsize>,
    /// Connections that are open now.
    pub open: Arc<AtomicUsize>,
    /// Most connections that were open at the same time.
    pub most: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl Server {
    /// Handles each connection in a task of its own.
    pub async fn start<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> Server
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let open = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let mut task = JoinSet::new();
        let (count, high) = (Arc::clone(&connections), Arc::clone(&most));
        let now_open = Arc::clone(&open);
        task.spawn(async move {
            let mut running = JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                count.fetch_add(1, Ordering::SeqCst);
                let now = now_open.fetch_add(1, Ordering::SeqCst) + 1;
                high.fetch_max(now, Ordering::SeqCst);
                let (work, open) = (handle(stream), Arc::clone(&now_open));
                running.spawn(async move {
                    work.await;
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Server {
            port,
            connections,
            open,
            most,
            _task: task,
        }
    }

    /// Writes these bytes to everybody and waits for the other side to go.
    pub async fn saying(bytes: impl Into<Vec<u8>>) -> Server {
        let bytes = bytes.into();
        Server::start(move |mut stream| {
            let bytes = bytes.clone();
            async move {
                let _ = stream.write_all(&bytes).await;
                drain(&mut stream).await;
            }
        })
        .await
    }

    /// Reads and never says anything.
    pub async fn silent() -> Server {
        Server::saying(Vec::new()).await
    }

    /// Closes each connection at once.
    pub async fn closing() -> Server {
        Server::start(|stream| async move { drop(stream) }).await
    }

    /// Resets each connection after the first bytes from the other side.
    pub async fn resetting() -> Server {
        Server::start(|mut stream| async move {
            let mut buffer = [0; 1024];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.set_zero_linger();
        })
        .await
    }

    /// Answers each HTTP request with these bytes, and closes.
    pub async fn answering(reply: impl Into<Vec<u8>>) -> Server {
        let reply = reply.into();
        Server::start(move |mut stream| {
            let reply = reply.clone();
            async move {
                request(&mut stream).await;
                let _ = stream.write_all(&reply).await;
                let _ = stream.shutdown().await;
                drain(&mut stream).await;
            }
        })
        .await
    }
}

/// Waits until something is so; fails the test where it never is.
pub async fn until(what: impl Fn() -> bool) {
    for _ in 0..2000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to that");
}

/// Reads until the other side goes.
pub async fn drain(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {}
}

/// Reads the head of an HTTP request.
pub async fn request<S: AsyncReadExt + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// A port that refuses connections for as long as the socket lives.
pub fn refusing() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(LOOPBACK).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// A port whose queue is full: a connection is neither taken nor refused.
pub async fn full() -> (TcpListener, Vec<TcpStream>, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(LOOPBACK).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    let patience = Duration::from_millis(200);
    while let Ok(stream) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
        queued.push(stream.unwrap());
        assert!(queued.len() < 100, "the queue has no end");
    }
    (listener, queued, address.port())
}
