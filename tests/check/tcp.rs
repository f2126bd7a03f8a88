//! TCP connections.

use super::servers::{Server, full, refusing};
use super::support::{HASTY, PATIENT, cannot_probe, evaluate, failures, fields, max, never, probe};
use evenkeel::core::check::{ProberFault, Stat, Value, Verdict};
use std::sync::atomic::Ordering;

fn tcp(port: u16, connections: u32) -> String {
    format!("tcp: {{host: 127.0.0.1, port: {port}, connections: {connections}}}")
}

#[tokio::test]
async fn connections_are_open_at_the_same_time() {
    let server = Server::silent().await;
    let window = probe(PATIENT, &tcp(server.port, 20)).await;
    assert_eq!(window.samples(), 20);
    assert_eq!(window.trues("ok"), Some(20));
    assert_eq!(fields(&window), ["connect", "ok"]);
    assert!(max(&window, "connect") < 20.0);
    assert_eq!(server.most.load(Ordering::SeqCst), 20);
}

#[tokio::test]
async fn a_refusal_is_the_targets() {
    let (_socket, port) = refusing();
    let window = probe(HASTY, &tcp(port, 3)).await;
    assert_eq!(window.trues("ok"), Some(0));
    assert_eq!(failures(&window), ["3 connect: refused"]);
    assert!(never(&window, "connect"));
    // A time that never came is longer than any threshold, and no missing data.
    let evaluation = evaluate(&["connect.max < 5s"], window);
    assert_eq!(evaluation.verdict, Verdict::Failing);
}

#[tokio::test]
async fn a_connection_that_nobody_takes_ends_with_the_time() {
    let (_listener, _queued, port) = full().await;
    let window = probe(HASTY, &tcp(port, 2)).await;
    assert_eq!(failures(&window), ["2 connect: no answer within 300ms"]);
    assert!(never(&window, "connect"));
}

#[tokio::test]
async fn names_are_looked_up_and_unknown_ones_are_the_targets() {
    let server = Server::silent().await;
    let local = format!("tcp: {{host: localhost, port: {}}}", server.port);
    assert_eq!(probe(PATIENT, &local).await.trues("ok"), Some(1));
    let window = probe(HASTY, "tcp: {host: nowhere.invalid, port: 1}").await;
    let said = failures(&window);
    assert!(said[0].starts_with("1 dns: "), "{said:?}");
    assert_eq!(window.stat("ok", Stat::Ratio), Some(Value::Number(0.0)));
}

#[tokio::test]
async fn what_this_machine_cannot_do_is_no_samples() {
    // A multicast address has no TCP: the system says so before anything is sent.
    let source = "tcp: {host: 224.0.0.1, port: 80}";
    cannot_probe(source, ProberFault::Local, "unreachable").await;
}
