//! What a call leaves in the log. Alone in its file: the log is one per process.

use async_trait::async_trait;
use bytes::Bytes;
use evenkeel::core::error::Fault;
use evenkeel::gcp::access::Access;
use evenkeel::gcp::auth::Auth;
use evenkeel::gcp::budget::Budgets;
use evenkeel::gcp::client::{Client, Ports};
use evenkeel::gcp::clock::SystemClock;
use evenkeel::gcp::endpoint::{Api, Base, Endpoints};
use evenkeel::gcp::entropy::Entropy;
use evenkeel::gcp::http::{Http, TransportError};
use http::{HeaderMap, HeaderValue, Request, Response};
use std::sync::{Arc, Mutex};

/// Answers everything with a canary.
struct Echo;

#[async_trait]
impl Http for Echo {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        assert_eq!(request.headers()["authorization"], "Bearer canary-token");
        Ok(Response::new(Bytes::from(r#"{"x": "canary-reply"}"#)))
    }
}

#[async_trait]
impl Auth for Echo {
    async fn headers(&self) -> Result<HeaderMap, Fault> {
        let token = HeaderValue::from_static("Bearer canary-token");
        Ok([(http::header::AUTHORIZATION, token)].into_iter().collect())
    }
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_call_is_logged_without_headers_and_bodies() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let base = Base::parse("http://127.0.0.1:1").unwrap();
    let client = Client::new(Ports {
        http: Arc::new(Echo),
        access: Access::authenticated(Endpoints::all_at(base), Arc::new(Echo)),
        budgets: Budgets::new(),
        entropy: Arc::new(Entropy::seeded(1)),
        clock: Arc::new(SystemClock::new()),
    });
    let query = [("pageToken", "canary-page")];
    client
        .read(Api::VpcAccess, "p", "v1/x", &query)
        .await
        .unwrap();
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains(r#"method="GET" path="v1/x" status=200"#),
        "{text}"
    );
    assert!(!text.contains("canary"), "{text}");
}
