//! The emulator over real HTTP: replies, delays, cut connections, proxies, shutdown.

mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use evenkeel::emulator::{Action, Emulator, FaultRule, Options, Scenario, Timing, server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wire::client::{SIZE, STAGING, size};

struct Running {
    address: SocketAddr,
    emulator: Arc<Emulator>,
    stop: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<()>,
}

async fn start() -> Running {
    let options = Options {
        scenario: Scenario::NetraStaging,
        seed: 1,
        timing: Timing::instant(),
    };
    let emulator = Arc::new(Emulator::new(options));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        stopped.await.ok();
    };
    let server = tokio::spawn(server::serve(Arc::clone(&emulator), listener, shutdown));
    Running {
        address,
        emulator,
        stop,
        server,
    }
}

impl Running {
    fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn json_of(reply: reqwest::Response) -> Value {
    serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn serves_the_api_and_stops_when_told() {
    let gcp = start().await;
    let read = client().get(gcp.url(STAGING)).send().await.unwrap();
    assert_eq!(
        read.headers()["content-type"],
        "application/json; charset=UTF-8"
    );
    assert_eq!(json_of(read).await["state"], "READY");
    let body = size(3, 5).to_string();
    let patch = client()
        .patch(gcp.url(&format!("{STAGING}?{SIZE}")))
        .body(body)
        .send()
        .await
        .unwrap();
    let operation = json_of(patch).await["name"].as_str().unwrap().to_owned();
    let over = client()
        .get(gcp.url(&format!("/v1/{operation}")))
        .send()
        .await
        .unwrap();
    assert_eq!(json_of(over).await["done"], true);
    let health = client()
        .get(gcp.url("/_emulator/health"))
        .send()
        .await
        .unwrap();
    assert_eq!(json_of(health).await["status"], "ok");

    gcp.stop.send(()).unwrap();
    gcp.server.await.unwrap();
    assert!(TcpStream::connect(gcp.address).await.is_err());
}

#[tokio::test]
async fn a_reset_closes_the_connection_without_a_byte() {
    let gcp = start().await;
    gcp.emulator.set_faults(vec![
        FaultRule::new(Action::ResetAfter).on("PATCH", "").times(1),
    ]);
    let patch = || {
        client()
            .patch(gcp.url(&format!("{STAGING}?{SIZE}")))
            .body(size(3, 5).to_string())
    };
    assert!(patch().send().await.is_err());
    assert!(gcp.emulator.requests()[0].landed);

    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::ResetBefore).times(1)]);
    let mut raw = TcpStream::connect(gcp.address).await.unwrap();
    raw.write_all(format!("GET {STAGING} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut received = Vec::new();
    raw.read_to_end(&mut received).await.ok();
    assert!(
        received.is_empty(),
        "{}",
        String::from_utf8_lossy(&received)
    );
    let read = client().get(gcp.url(STAGING)).send().await.unwrap();
    assert_eq!(read.status(), 200, "only that one connection is cut");
}

#[tokio::test]
async fn takes_absolute_uris_as_a_proxy_does() {
    let gcp = start().await;
    let mut raw = TcpStream::connect(gcp.address).await.unwrap();
    let request = format!(
        "GET http://vpcaccess.googleapis.com{STAGING}?fields=state HTTP/1.1\r\nhost: vpcaccess.googleapis.com\r\nconnection: close\r\n\r\n"
    );
    raw.write_all(request.as_bytes()).await.unwrap();
    let mut received = String::new();
    raw.read_to_string(&mut received).await.unwrap();
    assert!(
        received.starts_with("HTTP/1.1 200 OK") && received.contains("\"state\": \"READY\""),
        "{received}"
    );
    assert_eq!(gcp.emulator.requests()[0].path, STAGING);
}

#[tokio::test]
async fn delays_and_faults_set_over_http_hold() {
    let gcp = start().await;
    let rules = json!([{"match": {"method": "GET", "pathPrefix": "/v1/"}, "action": {"delay": {"ms": 40}}}]);
    let set = client()
        .put(gcp.url("/_emulator/faults"))
        .body(rules.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(set.status(), 200);
    let started = Instant::now();
    client().get(gcp.url(STAGING)).send().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(40));
    assert_eq!(gcp.emulator.faults_fired()["delay"], 1);
}

#[tokio::test]
async fn a_body_too_large_is_refused() {
    let gcp = start().await;
    let body = vec![b' '; (1 << 20) + 1];
    let reply = client()
        .patch(gcp.url(STAGING))
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 413);
}
