//! Postgres: bad servers on loopback, and a real one where its programs are installed.

use super::servers::{Server, refusing};
use super::support::{HASTY, failures, fields, never, probe};

fn postgres(port: u16, more: &str) -> String {
    format!("postgres: {{host: 127.0.0.1, port: {port}, database: app, user: probe, {more}}}")
}

#[tokio::test]
async fn bad_servers_end_in_the_right_phase() {
    let (_socket, refused) = refusing();
    let (silent, closing, resetting) = (
        Server::silent().await,
        Server::closing().await,
        Server::resetting().await,
    );
    let plain = Server::saying("N").await;
    let noise = Server::saying("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let promising = Server::saying("S").await;
    for (port, tls, says) in [
        (refused, "disable", "connect: refused"),
        (silent.port, "disable", "login: no answer within 300ms"),
        (silent.port, "require", "tls: no answer within 300ms"),
        (closing.port, "disable", "login: closed by the other side"),
        (closing.port, "verify-full", "tls: closed by the other side"),
        (resetting.port, "disable", "login: closed by the other side"),
        (
            plain.port,
            "verify-full",
            "tls: server does not support TLS",
        ),
        (plain.port, "prefer", "login: no answer within 300ms"),
        (promising.port, "verify-full", "tls: no answer within 300ms"),
        (noise.port, "require", "tls: server does not support TLS"),
        (noise.port, "disable", "login: "),
    ] {
        let window = probe(
            HASTY,
            &postgres(port, &format!("tls: {tls}, connections: 2")),
        )
        .await;
        let said = failures(&window)
            .join("; ")
            .replace("reset by", "closed by");
        assert!(said.starts_with(&format!("2 {says}")), "{tls}: {said}");
        assert_eq!(fields(&window), ["connect", "ok", "query"]);
        assert_eq!(window.trues("ok"), Some(0));
        assert!(never(&window, "connect") && never(&window, "query"));
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    // A message that says it is as long as a message can be, and goes on and on.
    let server = Server::start(|mut stream| async move {
        use tokio::io::AsyncWriteExt;
        let _ = stream.write_all(b"R\x7f\xff\xff\xff").await;
        let chunk = vec![0; 1024 * 1024];
        while stream.write_all(&chunk).await.is_ok() {}
    })
    .await;
    let window = probe(
        super::support::PATIENT,
        &postgres(server.port, "tls: disable"),
    )
    .await;
    let says = "1 login: the answer is longer than 16777216 bytes";
    assert_eq!(failures(&window), [says]);
}
