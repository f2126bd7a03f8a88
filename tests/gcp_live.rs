//! The live transport against real sockets on loopback.

use axum::{Router, body::Body, extract::Request, response::Response, routing::any};
use bytes::Bytes;
use evenkeel::core::error::FaultKind;
use evenkeel::gcp::access::Access;
use evenkeel::gcp::budget::Budgets;
use evenkeel::gcp::client::{Client, Ports};
use evenkeel::gcp::clock::SystemClock;
use evenkeel::gcp::endpoint::EmulatorBase;
use evenkeel::gcp::entropy::Entropy;
use evenkeel::gcp::http::{Http, TransportError};
use evenkeel::gcp::live::{LiveHttp, USER_AGENT};
use evenkeel::gcp::service::Service;
use evenkeel::gcp::vpcaccess::VpcAccess;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// `{"x":"aaa..."}` with 100 000 letters, packed.
const PACKED: &str = "\
    1f8b0800000000000203edc1410d00300804302f270337734142f03e1b3cda4e3a950700000000000000000000\
    000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
    00000000000000000000000000000000000000000000000000000000000000000000000000000000009c95fd11\
    42d64da8860100";
const UNPACKED_LENGTH: usize = 100_008;

fn packed() -> Vec<u8> {
    let digits = PACKED.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Serves `answer` for every request and counts them.
async fn serve(answer: fn(Request) -> Response) -> (SocketAddr, Arc<AtomicUsize>) {
    let (listener, address) = listener().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let handler = any(move |request: Request| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move { answer(request) }
    });
    let router = Router::new().fallback_service(handler);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, count)
}

/// Accepts connections, reads a request, writes `reply` and hangs up. Counts the connections.
async fn cut(reply: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    let (listener, address) = listener().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut buffer = [0; 4096];
            socket.readable().await.unwrap();
            let _ = socket.try_read(&mut buffer);
            let _ = socket.try_write(reply);
        }
    });
    (address, count)
}

async fn send(
    http: &LiveHttp,
    method: &str,
    url: &str,
) -> Result<http::Response<Bytes>, TransportError> {
    let request = http::Request::builder().method(method).uri(url);
    http.send(request.body(Bytes::new()).unwrap()).await
}

async fn get(url: &str) -> Result<http::Response<Bytes>, TransportError> {
    send(&LiveHttp::new().unwrap(), "GET", url).await
}

#[tokio::test]
async fn asks_for_gzip_and_unpacks_it() {
    let (address, _) = serve(|request| {
        assert_eq!(request.headers()["user-agent"], USER_AGENT);
        assert!(
            request.headers()["accept-encoding"]
                .to_str()
                .unwrap()
                .contains("gzip")
        );
        let reply = Response::builder()
            .status(207)
            .header("content-encoding", "gzip");
        reply.body(Body::from(packed())).unwrap()
    })
    .await;
    assert!(USER_AGENT.starts_with("evenkeel/") && USER_AGENT.ends_with("(gzip)"));
    let reply = get(&format!("http://{address}/")).await.unwrap();
    assert_eq!(reply.status(), 207);
    assert_eq!(reply.body().len(), UNPACKED_LENGTH);
}

#[tokio::test]
async fn the_size_limit_holds_for_unpacked_bytes() {
    let (address, _) = serve(|_| {
        let reply = Response::builder().header("content-encoding", "gzip");
        reply.body(Body::from(packed())).unwrap()
    })
    .await;
    let with = |limit| LiveHttp::with_limits(Duration::from_secs(10), limit).unwrap();
    let url = format!("http://{address}/");
    let short = send(&with(UNPACKED_LENGTH - 1), "GET", &url).await;
    let limit = UNPACKED_LENGTH - 1;
    assert_eq!(short.unwrap_err(), TransportError::TooLarge { limit });
    assert!(send(&with(UNPACKED_LENGTH), "GET", &url).await.is_ok());
}

#[tokio::test]
async fn the_size_limit_holds_without_a_length() {
    let (address, _) = serve(|_| {
        let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 4096]));
        Response::new(Body::from_stream(endless))
    })
    .await;
    let http = LiveHttp::with_limits(Duration::from_secs(10), 100_000).unwrap();
    let outcome = send(&http, "GET", &format!("http://{address}/")).await;
    assert_eq!(
        outcome.unwrap_err(),
        TransportError::TooLarge { limit: 100_000 }
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (address, count) = serve(|_| {
        let reply = Response::builder()
            .status(302)
            .header("location", "/elsewhere");
        reply.body(Body::empty()).unwrap()
    })
    .await;
    let reply = get(&format!("http://{address}/")).await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), count.load(Ordering::SeqCst)),
        (302, 1)
    );
}

#[tokio::test]
async fn nobody_there_is_not_sent() {
    let (listener, address) = listener().await;
    drop(listener);
    for url in [
        format!("http://{address}/"),
        "https://localhost:1/".to_owned(),
    ] {
        let outcome = get(&url).await;
        assert!(
            matches!(outcome, Err(TransportError::NotSent(_))),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_failed_handshake_is_not_sent() {
    let (address, _) = cut(b"this is no TLS").await;
    let outcome = get(&format!("https://{address}/")).await;
    assert!(
        matches!(outcome, Err(TransportError::NotSent(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_lost_reply_is_lost_and_not_asked_for_again() {
    let replies: [&'static [u8]; 3] = [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"name\":",
    ];
    for reply in replies {
        for method in ["GET", "POST"] {
            let (address, count) = cut(reply).await;
            let http = LiveHttp::new().unwrap();
            let outcome = send(&http, method, &format!("http://{address}/?key=canary")).await;
            let Err(TransportError::Lost(text)) = outcome else {
                panic!("{method} {reply:?}: {outcome:?}")
            };
            assert!(!text.contains("canary") && !text.is_empty(), "{text}");
            assert_eq!(count.load(Ordering::SeqCst), 1, "{method} {reply:?}");
        }
    }
}

#[tokio::test]
async fn silence_is_lost() {
    let (listener, address) = listener().await;
    let http = LiveHttp::with_limits(Duration::from_millis(100), 1000).unwrap();
    let outcome = send(&http, "GET", &format!("http://{address}/")).await;
    assert!(
        matches!(outcome, Err(TransportError::Lost(_))),
        "{outcome:?}"
    );
    drop(listener);
}

fn connectors(address: SocketAddr) -> VpcAccess {
    let base = EmulatorBase::parse(&format!("http://{address}"), false).unwrap();
    let client = Client::new(Ports {
        http: Arc::new(LiveHttp::new().unwrap()),
        access: Access::emulator(base),
        budgets: Budgets::new(),
        entropy: Arc::new(Entropy::seeded(1)),
        clock: Arc::new(SystemClock::new()),
    });
    VpcAccess::new(Arc::new(client))
}

#[tokio::test]
async fn the_whole_room_on_the_wire() {
    let (address, _) = serve(|request| {
        assert!(!request.headers().contains_key("authorization"));
        let path = request.uri().path_and_query().unwrap().as_str();
        let (status, body) = match path {
            "/v1/projects/p/locations/l/connectors?pageSize=100" => (
                200,
                r#"{"connectors":[{"name":"projects/p/locations/l/connectors/c"}]}"#,
            ),
            "/v1/projects/p/locations/l/connectors?pageSize=1" => (200, "{}"),
            "/v1/projects/p/locations/l/connectors/gone" => (
                404,
                r#"{"error":{"code":404,"message":"The connector is not found.","status":"NOT_FOUND"}}"#,
            ),
            _ => (403, r#"{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}"#),
        };
        Response::builder().status(status).body(Body::from(body)).unwrap()
    })
    .await;
    let service = connectors(address);
    let listing = service.list("p", "l").await.unwrap();
    assert_eq!(service.name_of(&listing.items[0]).as_deref(), Some("c"));
    assert_eq!(service.get("p", "l", "gone").await, Ok(None));
    let fault = service.get("p", "elsewhere", "c").await.unwrap_err();
    assert_eq!((fault.kind, fault.http), (FaultKind::Denied, 403));
}
