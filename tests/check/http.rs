//! HTTP requests and loads.

use super::certificates::{Authority, secure};
use super::servers::{Server, drain, refusing, request, until};
use super::support::{
    HASTY, PATIENT, cannot_probe, check, evaluate, failures, fields, max, never, now, probe,
    prober_error, probers,
};
use evenkeel::check::Prober;
use evenkeel::core::check::{ProberFault, Stat, Value, Verdict};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn http(port: u16, more: &str) -> String {
    format!("http: {{url: 'http://127.0.0.1:{port}/health?full=1', {more}}}")
}

fn reply(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_request_has_its_phases() {
    let server = Server::answering(OK).await;
    let window = probe(PATIENT, &http(server.port, "")).await;
    assert_eq!(
        fields(&window),
        ["connect", "ok", "status", "total", "ttfb", "unavailable"]
    );
    assert_eq!(window.trues("ok"), Some(1));
    assert_eq!(window.trues("unavailable"), Some(0));
    assert!(max(&window, "total") >= max(&window, "ttfb") + max(&window, "connect"));
    let expect = ["ok.ratio >= 1", "status == 200", "total.max < 20s"];
    assert_eq!(evaluate(&expect, window).verdict, Verdict::Passing);
}

#[tokio::test]
async fn a_request_says_what_it_should() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let server = Server::start(move |mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            let head = request(&mut stream).await;
            seen.lock().unwrap().push(head);
            let _ = stream.write_all(OK.as_bytes()).await;
            drain(&mut stream).await;
        }
    })
    .await;
    let source = format!(
        "http: {{url: 'http://api.example.com/a%20b?c=d', connectTo: '127.0.0.1:{}', method: HEAD, \
         headers: {{x-probe: evenkeel}}, headerRefs: {{Authorization: {{env: KNOWN}}}}}}",
        server.port
    );
    let window = probe(PATIENT, &source).await;
    assert_eq!(window.trues("ok"), Some(1), "{:?}", failures(&window));
    let head = heads.lock().unwrap()[0].clone();
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    assert_eq!(lines.remove(0), "HEAD /a%20b?c=d HTTP/1.1");
    lines.sort_unstable();
    let agent = format!("user-agent: evenkeel/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines,
        [
            "accept: */*",
            "authorization: secret of KNOWN",
            "host: api.example.com",
            &agent,
            "x-probe: evenkeel"
        ]
    );
}

#[tokio::test]
async fn a_status_of_failure_is_a_whole_reply_and_not_ok() {
    for (status, ok) in [
        ("200 OK", true),
        ("302 Found", true),
        ("404 Not Found", false),
        ("503 Service Unavailable", false),
    ] {
        let server = Server::answering(reply(status, "x")).await;
        let window = probe(PATIENT, &http(server.port, "")).await;
        assert_eq!(window.trues("ok"), Some(u64::from(ok)), "{status}");
        assert!(!never(&window, "total"), "the reply came");
        if !ok {
            assert_eq!(failures(&window), [format!("1 status: {status}")]);
        }
        let unavailable = u64::from(status.starts_with("503"));
        assert_eq!(window.trues("unavailable"), Some(unavailable), "{status}");
        let expect = ["status != 503"];
        let fine = evaluate(&expect, window).verdict == Verdict::Passing;
        assert_eq!(fine, !status.starts_with("503"));
    }
}

#[tokio::test]
async fn values_come_out_of_json() {
    let body = r#"{"startup": {"seconds": 31.5}, "state": "READY", "healthy": true}"#;
    let server = Server::answering(reply("200 OK", body)).await;
    let json = "json: {startup: /startup/seconds, state: /state, healthy: /healthy, none: /none}";
    let window = probe(PATIENT, &http(server.port, json)).await;
    let last = |field: &str| window.stat(field, Stat::Last);
    assert_eq!(last("json.startup"), Some(Value::Number(31.5)));
    assert_eq!(last("json.state"), Some(Value::from("READY")));
    assert_eq!(last("json.healthy"), Some(Value::Flag(true)));
    assert_eq!(last("json.none"), None);
    let says = |expect: &str| evaluate(&[expect], window.clone()).verdict;
    assert_eq!(says("json.startup < 40s"), Verdict::Passing);
    assert_eq!(says("json.none < 40s"), Verdict::Unknown);

    let broken = Server::answering(reply("503 Service Unavailable", body)).await;
    let window = probe(PATIENT, &http(broken.port, json)).await;
    let evaluation = evaluate(&["json.startup < 40s"], window);
    assert_eq!(
        evaluation.verdict,
        Verdict::Failing,
        "a failed request has no good values"
    );
}

#[tokio::test]
async fn a_load_opens_a_connection_for_each_request() {
    let server = Server::answering(OK).await;
    let window = probe(
        PATIENT,
        &http(server.port, "load: {concurrency: 20, requests: 100}"),
    )
    .await;
    assert_eq!((window.samples(), window.trues("ok")), (100, Some(100)));
    assert_eq!(server.connections.load(Ordering::SeqCst), 100);
    assert!(server.most.load(Ordering::SeqCst) <= 20 + 1);
}

/// Answers requests on the same connection, this many of them.
async fn keeping(requests: usize) -> Server {
    Server::start(move |mut stream| async move {
        for _ in 0..requests {
            if request(&mut stream).await.is_empty() {
                return;
            }
            let _ = stream.write_all(OK.as_bytes()).await;
        }
    })
    .await
}

#[tokio::test]
async fn connections_are_used_again_where_the_check_says_so() {
    let server = keeping(1000).await;
    let load = "keepAlive: true, load: {concurrency: 2, requests: 20}";
    let window = probe(PATIENT, &http(server.port, load)).await;
    assert_eq!(window.trues("ok"), Some(20), "{:?}", failures(&window));
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
    let connects = window.stat("connect", Stat::Count);
    assert_eq!(
        connects,
        Some(Value::Number(2.0)),
        "only what connected took time"
    );
}

#[tokio::test]
async fn a_connection_that_the_server_gave_up_is_no_failure() {
    let server = keeping(3).await;
    let load = "keepAlive: true, load: {concurrency: 1, requests: 9}";
    let window = probe(PATIENT, &http(server.port, load)).await;
    assert_eq!(window.samples(), 9);
    // A request may have left just before the close reached us: that one is lost, and no other.
    assert!(window.trues("ok") >= Some(6), "{:?}", failures(&window));
}

#[tokio::test]
async fn a_load_by_time_ends_with_it() {
    let server = Server::answering(OK).await;
    let load = "load: {concurrency: 2, duration: 300ms}";
    let began = Instant::now();
    let window = probe(PATIENT, &http(server.port, load)).await;
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert!(began.elapsed() < Duration::from_secs(8));
    assert!(window.samples() >= 2 && window.trues("ok") == Some(window.samples()));
}

#[tokio::test]
async fn what_was_due_and_not_sent_counts_as_failed() {
    let server = Server::start(|mut stream| async move {
        request(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        let _ = stream.write_all(OK.as_bytes()).await;
    })
    .await;
    let source = http(server.port, "load: {concurrency: 2, requests: 50}");
    let mut check = check("1s", &source);
    check.interval = "1s".parse().unwrap();
    let reading = probers().probe(&check, now()).await;
    let window = reading.outcome.unwrap();
    assert_eq!(window.samples(), 50);
    let ok = window.trues("ok").unwrap();
    assert!((2..=8).contains(&ok), "{ok} of 50");
    let unsent = format!(
        "{} load: not sent: the requests before it took too long",
        50 - ok
    );
    assert_eq!(failures(&window), [unsent]);
    assert_eq!(window.stat("total", Stat::Max), Some(Value::Never));
}

#[tokio::test]
async fn bad_servers_end_in_the_right_phase() {
    let (_socket, refused) = refusing();
    let (silent, closing, resetting) = (
        Server::silent().await,
        Server::closing().await,
        Server::resetting().await,
    );
    let noise = Server::saying("SSH-2.0-OpenSSH_9.2\r\n").await;
    let half = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let stuck = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let head = Server::saying("HTTP/1.1 200 OK\r\nx-").await;
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-a: b\r\n".repeat(2000));
    let many = Server::answering(many).await;
    let large = Server::answering(reply("200 OK", &"x".repeat(2 * 1024 * 1024))).await;
    let informing = Server::saying("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(50)).await;
    for (port, says) in [
        (refused, "connect: refused"),
        (silent.port, "ttfb: no answer within 300ms"),
        (closing.port, "ttfb: closed by the other side"),
        (resetting.port, "ttfb: closed by the other side"),
        (noise.port, "ttfb: the other side does not speak HTTP/1.1"),
        (head.port, "ttfb: no answer within 300ms"),
        (many.port, "ttfb: the other side does not speak HTTP/1.1"),
        (informing.port, "ttfb: no answer within 300ms"),
        (half.port, "body: closed by the other side"),
        (stuck.port, "body: no answer within 300ms"),
    ] {
        let window = probe(HASTY, &http(port, "")).await;
        let said = failures(&window)
            .join("; ")
            .replace("reset by", "closed by");
        assert_eq!(said, format!("1 {says}"));
        assert_eq!(window.trues("ok"), Some(0));
        assert!(never(&window, "total"), "{says}");
    }
    let window = probe(PATIENT, &http(large.port, "")).await;
    assert_eq!(failures(&window), ["1 body: longer than 1048576 bytes"]);
}

#[tokio::test]
async fn tls_is_measured_apart_and_nothing_is_sent_to_strangers() {
    let authority = Authority::new();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let config = authority.config("localhost", 40);
    let server = secure(config, Duration::from_millis(100), move |mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            let head = request(&mut stream).await;
            if !head.is_empty() {
                seen.lock().unwrap().push(head);
                let _ = stream.write_all(OK.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    })
    .await;
    let source = |ca: &str| {
        format!(
            "http: {{url: 'https://localhost:{0}/', connectTo: '127.0.0.1:{0}', headerRefs: \
             {{authorization: {{env: KNOWN}}}}, {ca}}}",
            server.port
        )
    };
    let trusted = probe(
        PATIENT,
        &source(&format!("caRef: {}", authority.reference())),
    )
    .await;
    assert_eq!(trusted.trues("ok"), Some(1), "{:?}", failures(&trusted));
    assert!(max(&trusted, "tls") >= 0.1);
    assert!(max(&trusted, "total") >= max(&trusted, "tls"));
    assert_eq!(heads.lock().unwrap().len(), 1);

    let stranger = probe(PATIENT, &source("")).await;
    let says = "1 tls: the certificate is signed by nobody that is trusted";
    assert_eq!(failures(&stranger), [says]);
    assert!(!never(&stranger, "tls") && never(&stranger, "ttfb"));
    assert_eq!(heads.lock().unwrap().len(), 1, "no request, and no secret");

    let (_socket, _) = refusing();
    let plain = Server::saying("HTTP/1.1 200 OK\r\n\r\n").await;
    let source = format!(
        "http: {{url: 'https://localhost/', connectTo: '127.0.0.1:{}'}}",
        plain.port
    );
    let window = probe(HASTY, &source).await;
    assert_eq!(
        failures(&window),
        ["1 tls: the other side does not speak TLS"]
    );
}

#[tokio::test]
async fn secrets_that_cannot_be_had_are_no_verdict() {
    let source = http(1, "headerRefs: {authorization: {env: MISSING}}");
    let says = "environment variable MISSING is not there";
    cannot_probe(&source, ProberFault::Credentials, says).await;
    let source = http(1, "headerRefs: {authorization: {name: a, key: b}}");
    let error = prober_error(HASTY, &source).await;
    assert_eq!(
        error.to_string(),
        "credentials: secret a/b: no folder of secrets is given (--secrets)"
    );
}

#[tokio::test]
async fn a_dropped_probe_closes_its_connections() {
    let server = Server::silent().await;
    let check = check(
        PATIENT,
        &http(server.port, "load: {concurrency: 5, requests: 5}"),
    );
    let probers = probers();
    let all_open = until(|| server.open.load(Ordering::SeqCst) == 5);
    tokio::select! {
        _ = probers.probe(&check, now()) => panic!("nobody answers"),
        () = all_open => {}
    }
    until(|| server.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn all_checks_share_the_budget_of_samples() {
    let server = Server::start(|mut stream| async move {
        request(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let _ = stream.write_all(OK.as_bytes()).await;
    })
    .await;
    let secrets = evenkeel::secrets::LocalSecrets::new(None);
    let probers = evenkeel::check::Probers::new(Arc::new(secrets), 4);
    let check = check(
        PATIENT,
        &http(server.port, "load: {concurrency: 3, requests: 6}"),
    );
    let (one, two, three) = tokio::join!(
        probers.probe(&check, now()),
        probers.probe(&check, now()),
        probers.probe(&check, now())
    );
    for reading in [one, two, three] {
        assert_eq!(reading.outcome.unwrap().trues("ok"), Some(6));
    }
    assert!(server.most.load(Ordering::SeqCst) <= 4);
}
