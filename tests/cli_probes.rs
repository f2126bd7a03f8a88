//! `probes` in the configuration: checks that are made at the far end of a proxy, and what an operator
//! with nothing but checks comes to.

mod cli_support;

use cli_support::Desk;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// An HTTP server that answers everything with 200.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut seen = Vec::new();
                let mut byte = [0];
                while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    seen.push(byte[0]);
                }
                // A prober of TCP asks nothing and is gone.
                let reply = b"HTTP/1.1 200 x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
                let _ = stream.write_all(reply);
            });
        }
    });
    port
}

/// A SOCKS5 proxy (RFC 1928) without authentication, in a network where `inside.example` is `target`
/// and nothing else is there.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Proxy {
    fn start(target: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::default();
        let names = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let names = Arc::clone(&names);
                // A prober that goes away in the middle is fine.
                std::thread::spawn(move || drop(serve(stream.unwrap(), target, &names)));
            }
        });
        Proxy { port, asked }
    }
}

fn serve(
    mut client: TcpStream,
    target: u16,
    asked: &Mutex<BTreeSet<String>>,
) -> std::io::Result<()> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting)?;
    let mut methods = vec![0; usize::from(greeting[1])];
    client.read_exact(&mut methods)?;
    client.write_all(&[5, 0])?;
    let mut request = [0; 4];
    client.read_exact(&mut request)?;
    assert_eq!(request, [5, 1, 0, 3], "a connection, by name");
    let mut length = [0];
    client.read_exact(&mut length)?;
    let mut name = vec![0; usize::from(length[0])];
    client.read_exact(&mut name)?;
    let mut port = [0; 2];
    client.read_exact(&mut port)?;
    let name = String::from_utf8(name).unwrap();
    let place = format!("{name}:{}", u16::from_be_bytes(port));
    asked.lock().unwrap().insert(place);
    if name != "inside.example" {
        // Host unreachable.
        return client.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    let mut server = TcpStream::connect(("127.0.0.1", target))?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let there = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    std::io::copy(&mut server, &mut client)?;
    let _ = client.shutdown(Shutdown::Write);
    drop(there.join());
    Ok(())
}

const CHECKS: &str = "\
apiVersion: evenkeel.dev/v1alpha1
kind: Check
metadata: {name: way-in}
spec:
  interval: 20s
  timeout: 20s
  http: {url: 'http://inside.example:8000/health'}
  expect: [ok.ratio >= 1, status == 200]
  component: application
  passes: 1
  failures: 1
---
apiVersion: evenkeel.dev/v1alpha1
kind: Check
metadata: {name: way-to-db}
spec:
  interval: 20s
  timeout: 20s
  tcp: {host: inside.example, port: 5432, connections: 3}
  expect: [ok.ratio >= 1]
  component: vpc_connector
  passes: 1
  failures: 1
---
apiVersion: evenkeel.dev/v1alpha1
kind: Check
metadata: {name: elsewhere}
spec:
  interval: 20s
  timeout: 20s
  tcp: {host: nowhere.example, port: 80}
  expect: [ok.ratio >= 1]
  component: network
  passes: 1
  failures: 1
";

fn states(report: &Value) -> Vec<(String, String)> {
    let components = report["components"].as_array().unwrap();
    let checks = components
        .iter()
        .flat_map(|one| one["checks"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut states: Vec<_> = checks
        .map(|check| (text(&check["name"]), text(&check["state"])))
        .collect();
    states.sort();
    states
}

fn expected(states: [(&str, &str); 3]) -> Vec<(String, String)> {
    let owned = |(name, state): (&str, &str)| (name.to_owned(), state.to_owned());
    states.map(owned).to_vec()
}

#[test]
fn checks_go_through_the_proxy_that_the_configuration_names() {
    let proxy = Proxy::start(server());
    let desk = Desk::new();
    desk.write("m/checks.yaml", CHECKS);
    let probes = format!("probes: {{proxy: 'socks5://127.0.0.1:{}'}}\n", proxy.port);
    desk.write("evenkeel.yaml", &probes);
    let check = [
        "check",
        "m",
        "--once",
        "-o",
        "json",
        "--config",
        "evenkeel.yaml",
    ];
    let report = desk.json(&check);
    let through = [
        ("elsewhere", "Unhealthy"),
        ("way-in", "Healthy"),
        ("way-to-db", "Healthy"),
    ];
    assert_eq!(states(&report), expected(through), "{report:#}");
    let asked = [
        "inside.example:5432",
        "inside.example:8000",
        "nowhere.example:80",
    ];
    let asked: BTreeSet<_> = asked.map(str::to_owned).into();
    assert_eq!(
        *proxy.asked.lock().unwrap(),
        asked,
        "names are looked up there"
    );

    // A proxy that does not answer says nothing about what is behind it.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    desk.write(
        "evenkeel.yaml",
        &format!("probes: {{proxy: 'socks5://{closed}'}}\n"),
    );
    let report = desk.json(&check);
    let unknown = [
        ("elsewhere", "Unknown"),
        ("way-in", "Unknown"),
        ("way-to-db", "Unknown"),
    ];
    assert_eq!(states(&report), expected(unknown), "{report:#}");
}

#[test]
fn an_operator_with_checks_alone_settles_once_each_has_a_verdict() {
    let proxy = Proxy::start(server());
    let desk = Desk::new();
    desk.write("m/checks.yaml", CHECKS);
    let probes = format!("probes: {{proxy: 'socks5://127.0.0.1:{}'}}\n", proxy.port);
    desk.write("evenkeel.yaml", &probes);
    let emulator = desk.start(&["emulator", "--listen", "127.0.0.1:0", "--scenario", "empty"]);
    let gcp = emulator.wait_for("http://");
    let run = ["run", "m", "--gcp", &gcp, "--once", "--timeout", "1m"];
    let done = desk.run(&[&run[..], &["--config", "evenkeel.yaml"]].concat());
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let row = |name: &str| {
        let mut lines = done.out.lines().rev();
        let line = lines.find(|line| line.starts_with(name));
        line.unwrap_or_default()
            .split_whitespace()
            .nth(2)
            .map(str::to_owned)
    };
    assert_eq!(row("way-in").as_deref(), Some("True"), "{}", done.out);
    assert_eq!(row("way-to-db").as_deref(), Some("True"), "{}", done.out);
    assert_eq!(row("elsewhere").as_deref(), Some("False"), "{}", done.out);
    let known = desk.json(&["get", "checks", "-o", "json"]);
    assert_eq!(known["items"].as_array().unwrap().len(), 3);
}
