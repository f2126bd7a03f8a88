//! A receiver on this machine that keeps what it gets.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::{Router, routing::any};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Longer than anything takes; only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct Got {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// Status, `Retry-After` and body of an answer.
pub type Script = (u16, Option<&'static str>, &'static str);

#[derive(Clone)]
pub struct Receiver {
    pub address: String,
    got: watch::Sender<Vec<Got>>,
    script: Arc<Mutex<VecDeque<Script>>>,
}

impl Receiver {
    pub async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Receiver {
            address: format!("http://{}", listener.local_addr().unwrap()),
            got: watch::Sender::new(Vec::new()),
            script: Arc::default(),
        };
        let this = receiver.clone();
        let handler = any(move |request| {
            let this = this.clone();
            async move { this.answer(request).await }
        });
        let router = Router::new().fallback_service(handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// The next answers; after them, 200 `ok`.
    pub fn answers(&self, script: &[Script]) {
        self.script.lock().unwrap().extend(script);
    }

    async fn answer(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let got = Got {
            path: head.uri.to_string(),
            headers: head.headers.iter().map(header).collect(),
            body: serde_json::from_slice(&body).unwrap(),
        };
        self.got.send_modify(|all| all.push(got));
        let script = self.script.lock().unwrap().pop_front();
        let (status, retry_after, text) = script.unwrap_or((200, None, "ok"));
        let mut reply = Response::builder().status(status);
        if let Some(seconds) = retry_after {
            reply = reply.header("retry-after", seconds);
        }
        reply.body(Body::from(text)).unwrap()
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.borrow().clone()
    }

    /// Waits until `enough` is true of everything that came.
    pub async fn wait(&self, enough: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        let mut got = self.got.subscribe();
        let all = tokio::time::timeout(PATIENCE, got.wait_for(|all| enough(all)));
        all.await.expect("it comes in time").unwrap().clone()
    }
}
