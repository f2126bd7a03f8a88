//! A data plane on a staging world, and small clients of it. On paused time a slow answer costs nothing.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::Arc;
use std::time::Duration;

use evenkeel::emulator::Emulator;
use evenkeel::emulator::dataplane::{Dataplane, Listen};
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use jiff::Timestamp;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub const HOST: &str = "staging.netra.example.com";
pub const DATABASE: &str = "10.20.0.3";

pub struct World {
    pub emulator: Arc<Emulator>,
    pub plane: Dataplane,
    began: (Timestamp, Instant),
}

/// Certificates are looked at by the world's clock.
#[derive(Debug)]
struct At(Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.as_second().unsigned_abs();
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// An HTTP reply and what it took.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub text: String,
    pub took: f64,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

pub fn paused<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let mut runtime = runtime;
    runtime
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}

impl World {
    /// Around a world that something has been done to.
    pub async fn on(emulator: Emulator) -> Self {
        let emulator = Arc::new(emulator);
        let began = (
            "2026-11-24T10:00:00Z".parse::<Timestamp>().unwrap(),
            Instant::now(),
        );
        let now = Arc::new(move || began.0 + began.1.elapsed());
        let plane = Dataplane::start(Arc::clone(&emulator), now, Listen::default());
        Self {
            plane: plane.await.unwrap(),
            emulator,
            began,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.began.0 + self.began.1.elapsed()
    }

    /// Sets what goes wrong.
    pub fn faults(&self, faults: &Value) {
        let controls = serde_json::json!({"faults": faults});
        let controls = evenkeel::emulator::Controls::from_json(&controls).unwrap();
        self.emulator.set_traffic(controls).unwrap();
    }

    pub async fn tls(&self, name: &str) -> (std::io::Result<TlsStream<DuplexStream>>, f64) {
        let stream = self.plane.dial(HOST, 443).await.unwrap();
        let began = Instant::now();
        let done = self.handshake(stream, name).await;
        (done, began.elapsed().as_secs_f64())
    }

    pub async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        name: &str,
    ) -> std::io::Result<TlsStream<S>> {
        let mut roots = RootCertStore::empty();
        let authority = self.plane.authority().as_bytes();
        roots
            .add(CertificateDer::from_pem_slice(authority).unwrap())
            .unwrap();
        let at = Arc::new(At(self.now()));
        let config = ClientConfig::builder_with_details(Arc::new(default_provider()), at)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        connector.connect(name, stream).await
    }

    /// One request over a connection of its own, through the edge.
    pub async fn get(&self, path: &str) -> Reply {
        self.get_of(HOST, path).await
    }

    pub async fn get_of(&self, host: &str, path: &str) -> Reply {
        let stream = self.tls(host).await.0.unwrap();
        request(stream, host, path).await
    }
}

pub async fn request(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: &str,
    path: &str,
) -> Reply {
    let began = Instant::now();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    // Without close_notify the stream ends in an error; what was read counts.
    stream.read_to_string(&mut text).await.ok();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
    let (_, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    Reply {
        status: status.unwrap_or_default(),
        text: body.to_owned(),
        took: began.elapsed().as_secs_f64(),
    }
}

/// A question as a resolver puts it.
pub fn question(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}
