//! The operator's own state over HTTP, for probes, programs and people. It reads, and changes
//! nothing: there is no method but GET and HEAD, save for the one word that somebody pushed
//! ([`Hook`]), which leads to a fetch and to nothing else.
//!
//! Invariant: a request is answered only where its Host is an address, `localhost` or a name that
//! was allowed. A page of somebody else that a browser shows could else read this through a name of
//! its own that points here.

mod health;
mod hook;
mod hosts;
mod metrics;

pub use health::{Unready, health, readiness};
pub use hook::Hook;
pub use hosts::Hosts;
pub use metrics::{MEDIA_TYPE, text as metrics};

use crate::engine::Board;
use crate::gcp::client::Client;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use std::future::Future;
use std::sync::Arc;
use tokio::net::TcpListener;

/// One set of manifests: a directory, or a namespace of a cluster.
pub struct Place {
    pub namespace: Option<String>,
    pub board: Board,
}

/// What an operator shows at the moment.
#[derive(Default)]
pub struct Shown {
    pub places: Vec<Place>,
    /// Why it is not ready, whatever the places say.
    pub awaits: Option<String>,
}

/// What is served, and to whom.
pub struct Site {
    pub shown: Box<dyn Fn() -> Shown + Send + Sync>,
    /// Whose calls to Google are counted.
    pub client: Arc<Client>,
    pub hosts: Hosts,
    pub now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Whether the operator's loop runs.
    pub alive: Box<dyn Fn() -> bool + Send + Sync>,
    /// Who is told of a push.
    pub hook: Option<Hook>,
}

/// Serves until `shutdown` completes and the requests at hand are answered.
pub async fn serve(
    site: Site,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let served = axum::serve(listener, router(site)).with_graceful_shutdown(shutdown);
    if let Err(error) = served.await {
        tracing::error!(%error, "the operator's state is no longer served");
    }
}

/// Every path.
fn router(site: Site) -> Router {
    let site = Arc::new(site);
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/api/v1/health", get(api_health))
        .route("/metrics", get(scrape))
        .route("/hooks/git", post(hook::push))
        .layer(from_fn_with_state(Arc::clone(&site), guard))
        .with_state(site)
}

/// Who may ask, and what every reply carries.
async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).map(HeaderValue::to_str);
    let allowed = match host {
        Some(Ok(host)) => site.hosts.allow(host),
        Some(Err(_)) => false,
        // HTTP/1.0, which no browser speaks.
        None => true,
    };
    let mut response = if allowed {
        next.run(request).await
    } else {
        let text = "this Host is not served; evenkeel run --listen-host NAME allows it\n";
        (StatusCode::MISDIRECTED_REQUEST, text).into_response()
    };
    let always: [(HeaderName, &str); 2] = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in always {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Alive: the loop runs. What fails in GCP or in a check is no reason to start anew.
async fn healthz(State(site): State<Arc<Site>>) -> Response {
    if (site.alive)() {
        return "ok\n".into_response();
    }
    let text = "the operator's loop has ended\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// Ready: every declared resource was looked at.
async fn readyz(State(site): State<Arc<Site>>) -> Response {
    match readiness(&(site.shown)()) {
        Ok(()) => "ok\n".into_response(),
        Err(Unready(why)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn api_health(State(site): State<Arc<Site>>) -> Response {
    json(&health(&(site.shown)().places, (site.now)()))
}

async fn scrape(State(site): State<Arc<Site>>) -> Response {
    match metrics((site.shown)().places, &site.client) {
        Ok(text) => ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn json(value: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let kind = HeaderValue::from_static("application/json");
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err(error) => {
            tracing::error!(%error, "a reply cannot be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
