//! Stands between a client and the emulator, passes everything on, and holds each exchange against Google's
//! description of the API.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::wire::Exchange;
use crate::wire::tally::Tally;

pub struct Recorder {
    /// Where clients are to go, such as `http://127.0.0.1:4711`.
    pub address: String,
    tally: Arc<Mutex<Tally>>,
    runtime: Runtime,
}

impl Recorder {
    /// Stands before the emulator at `target`.
    pub fn start(target: String) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        // People send back what they read, and Google ignores what is read-only in it.
        let tally = Arc::new(Mutex::new(Tally::forgiving("is read-only")));
        let relay = Relay {
            target: target.into(),
            client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            tally: Arc::clone(&tally),
        };
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a port");
        let address: SocketAddr = listener.local_addr().expect("an address");
        let app = Router::new().fallback(move |request: Request| {
            let relay = relay.clone();
            async move { relay.pass(request).await }
        });
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self {
            address: format!("http://{address}"),
            tally,
            runtime,
        }
    }

    /// What went through.
    pub fn stop(self) -> Tally {
        self.runtime.shutdown_background();
        std::mem::take(&mut *self.tally.lock().expect("no panic while it was held"))
    }
}

#[derive(Clone)]
struct Relay {
    target: Arc<str>,
    client: reqwest::Client,
    tally: Arc<Mutex<Tally>>,
}

impl Relay {
    async fn pass(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let sent = axum::body::to_bytes(body, usize::MAX).await;
        let sent = sent.expect("a whole request");
        // As a proxy it gets the whole URI; the host is in a header too.
        let uri = head.uri.clone();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let url = format!("{}{path}", self.target);
        let passed = self.client.request(head.method.clone(), url);
        let passed = passed.headers(head.headers).body(sent.clone()).send().await;
        let reply = passed.expect("the emulator replies");
        let (status, headers) = (reply.status(), reply.headers().clone());
        let got = reply.bytes().await.expect("a whole reply");
        if !uri.path().starts_with("/_emulator/") {
            self.tally
                .lock()
                .expect("no panic while it was held")
                .add(&Exchange {
                    method: head.method.as_str(),
                    path: uri.path(),
                    query: uri.query().unwrap_or_default(),
                    body: json_of(&sent),
                    status: status.as_u16(),
                    reply: json_of(&got),
                });
        }
        let mut response = Response::new(Body::from(got));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

/// What is not JSON shows as a text, which no message is.
fn json_of(bytes: &Bytes) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let text = || String::from_utf8_lossy(bytes).into_owned().into();
    serde_json::from_slice(bytes).unwrap_or_else(|_| text())
}
