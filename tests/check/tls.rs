//! Handshakes and certificates.

use super::certificates::{Authority, secure};
use super::servers::{Server, refusing};
use super::support::{HASTY, PATIENT, cannot_probe, evaluate, failures, fields, max, never, probe};
use evenkeel::core::check::{ProberFault, Verdict, Window};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt;

const DAY: f64 = 86_400.0;
const NO_DELAY: Duration = Duration::ZERO;

/// A check of `localhost` through its address, so that no resolver is needed.
fn tls(port: u16, more: &str) -> String {
    format!("tls: {{host: 127.0.0.1, port: {port}, serverName: localhost, {more}}}")
}

async fn probe_with(days: i64, name: &str) -> Window {
    let authority = Authority::new();
    let server = secure(authority.config(name, days), NO_DELAY, hold).await;
    let source = tls(server.port, &format!("caRef: {}", authority.reference()));
    probe(PATIENT, &source).await
}

async fn hold(mut stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>) {
    let _ = stream.read(&mut [0; 16]).await;
}

#[tokio::test]
async fn a_valid_certificate_is_ok_and_has_time_left() {
    let window = probe_with(40, "localhost").await;
    assert_eq!(fields(&window), ["connect", "expiry", "handshake", "ok"]);
    assert_eq!(window.trues("ok"), Some(1), "{:?}", failures(&window));
    let left = max(&window, "expiry") / DAY;
    assert!((38.9..=40.0).contains(&left), "{left} days");
    let expect = ["ok == true", "expiry > 30d"];
    assert_eq!(evaluate(&expect, window).verdict, Verdict::Passing);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_and_its_expiry_still_read() {
    let expired = probe_with(-3, "localhost").await;
    assert_eq!(
        failures(&expired),
        ["1 certificate: the certificate has expired"]
    );
    let left = max(&expired, "expiry") / DAY;
    assert!((-4.1..=-2.9).contains(&left), "{left} days");
    assert!(
        !never(&expired, "handshake"),
        "the handshake itself went well"
    );

    let other = probe_with(40, "other.example").await;
    let says = "1 certificate: the certificate is for another name: DnsName(\"other.example\")";
    assert_eq!(failures(&other), [says]);
    assert!(max(&other, "expiry") > 38.0 * DAY);

    let (server_side, client_side) = (Authority::new(), Authority::new());
    let server = secure(server_side.config("localhost", 40), NO_DELAY, hold).await;
    let source = tls(server.port, &format!("caRef: {}", client_side.reference()));
    let stranger = probe(PATIENT, &source).await;
    assert_eq!(stranger.trues("ok"), Some(0));
    assert!(max(&stranger, "expiry") > 38.0 * DAY);
    let of_system = probe(PATIENT, &tls(server.port, "")).await;
    let says = "1 certificate: the certificate is signed by nobody that is trusted";
    assert_eq!(failures(&of_system), [says]);
}

#[tokio::test]
async fn every_handshake_is_a_full_one_also_under_load() {
    let authority = Authority::new();
    let resumed = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&resumed);
    let server = secure(authority.config("localhost", 40), NO_DELAY, move |stream| {
        let kind = stream.get_ref().1.handshake_kind();
        if kind != Some(rustls::HandshakeKind::Full) {
            seen.fetch_add(1, Ordering::SeqCst);
        }
        hold(stream)
    })
    .await;
    let more = format!("concurrency: 20, caRef: {}", authority.reference());
    for _ in 0..2 {
        let window = probe(PATIENT, &tls(server.port, &more)).await;
        assert_eq!((window.samples(), window.trues("ok")), (20, Some(20)));
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 40);
    assert_eq!(
        server.most.load(Ordering::SeqCst),
        20,
        "held until all are done"
    );
    assert_eq!(resumed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_slow_handshake_is_measured_as_one() {
    let authority = Authority::new();
    let delay = Duration::from_millis(150);
    let server = secure(authority.config("localhost", 40), delay, hold).await;
    let source = tls(server.port, &format!("caRef: {}", authority.reference()));
    let window = probe(PATIENT, &source).await;
    assert!(max(&window, "handshake") >= 0.15);
    assert!(max(&window, "connect") < max(&window, "handshake"));
}

#[tokio::test]
async fn bad_servers_end_in_the_right_phase() {
    let (_socket, refused) = refusing();
    let (silent, closing, resetting) = (
        Server::silent().await,
        Server::closing().await,
        Server::resetting().await,
    );
    let plain = Server::saying("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    for (port, says) in [
        (refused, "1 connect: refused"),
        (silent.port, "1 handshake: no answer within 300ms"),
        (closing.port, "1 handshake: closed by the other side"),
        (resetting.port, "1 handshake: reset by the other side"),
        (plain.port, "1 handshake: the other side does not speak TLS"),
    ] {
        let window = probe(HASTY, &tls(port, "")).await;
        // Whether a close or a reset comes first is up to the system.
        let said = failures(&window)
            .join("; ")
            .replace("reset by", "closed by");
        assert_eq!(said, says.replace("reset by", "closed by"));
        assert!(never(&window, "handshake") && never(&window, "expiry"));
        let evaluation = evaluate(&["expiry > 14d"], window);
        assert_eq!(evaluation.verdict, Verdict::Failing, "{says}");
    }
}

#[tokio::test]
async fn certificates_to_trust_must_be_some() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, "no certificate").unwrap();
    let source = tls(1, &format!("caRef: {{file: {}}}", path.display()));
    let says = "caRef: no certificate in it";
    cannot_probe(&source, ProberFault::Credentials, says).await;
    let source = tls(1, "caRef: {env: MISSING}");
    let says = "environment variable MISSING is not there";
    cannot_probe(&source, ProberFault::Credentials, says).await;
}
