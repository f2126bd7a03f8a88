//! `evenkeel check`, `evenkeel check run` and the served report, with real probes of servers on
//! this machine.

mod cli_support;

use cli_support::{Desk, ask};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// An HTTP server that says what `status` holds, until the test ends.
struct Server {
    port: u16,
    status: Arc<AtomicU32>,
    requests: Arc<AtomicU32>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (status, requests) = (Arc::new(AtomicU32::new(200)), Arc::new(AtomicU32::new(0)));
        let (says, counts) = (Arc::clone(&status), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (says, counts) = (Arc::clone(&says), Arc::clone(&counts));
                std::thread::spawn(move || answer(&stream.unwrap(), &says, &counts));
            }
        });
        Server {
            port,
            status,
            requests,
        }
    }
}

fn answer(mut stream: &TcpStream, status: &AtomicU32, requests: &AtomicU32) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            requests.fetch_add(1, Ordering::SeqCst);
            let status = status.load(Ordering::SeqCst);
            // A prober that is gone already is fine.
            let _ = write!(
                stream,
                "HTTP/1.1 {status} x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
            );
            return;
        }
    }
}

/// A port that nobody listens on.
fn closed() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn manifests(http: u16, tcp: u16) -> String {
    format!(
        "\
apiVersion: evenkeel.dev/v1alpha1
kind: Check
metadata: {{name: golden-path}}
spec:
  interval: 20s
  timeout: 20s
  http: {{url: 'http://127.0.0.1:{http}/health'}}
  expect: [ok.ratio >= 1, status == 200]
  component: application
  passes: 1
  failures: 1
---
apiVersion: evenkeel.dev/v1alpha1
kind: Check
metadata: {{name: way-to-db}}
spec:
  interval: 20s
  timeout: 20s
  tcp: {{host: 127.0.0.1, port: {tcp}, connections: 5}}
  expect: [ok.ratio >= 1, connect.max < 10s]
  component: vpc_connector
  remediation: Scale VPC connector instances
  escalation: infrastructure_team
  passes: 1
  failures: 1
"
    )
}

fn classification(report: &Value) -> &str {
    report["diagnosis"]["classification"].as_str().unwrap_or("")
}

#[test]
fn a_report_follows_what_the_servers_do() {
    let (desk, server) = (Desk::new(), Server::start());
    let (well, broken) = (server.port, closed());
    desk.write("m/checks.yaml", &manifests(server.port, well));

    let done = desk.run(&["check", "m", "--once"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    assert!(done.out.starts_with("Healthy\n"), "{}", done.out);

    // The platform and the application both say 503; the way is well, so it is the application.
    server.status.store(503, Ordering::SeqCst);
    let report = desk.json(&["check", "m", "--once", "-o", "json"]);
    assert_eq!(report["state"], "Unhealthy");
    assert_eq!(classification(&report), "application");

    // Now the way is not: the 503s can follow from that.
    desk.write("m/checks.yaml", &manifests(server.port, broken));
    let report = desk.json(&["check", "m", "--once", "-o", "json"]);
    assert_eq!(classification(&report), "infrastructure");
    let parts = report["components"].as_array().unwrap();
    let names: Vec<_> = parts.iter().map(|part| &part["component"]).collect();
    assert_eq!(names, ["application", "vpc_connector"]);
    assert_eq!(
        parts[1]["checks"][0]["failures"][0],
        "5 of 5: connect: refused"
    );

    let done = desk.run(&["check", "m", "--once"]);
    assert_eq!(done.code, 1);
    for line in [
        "Unhealthy: infrastructure: it starts at vpc_connector; what Check/golden-path shows can",
        "ok.ratio 0, want >= 1",
        "no application takes part in a TCP connection",
        "Scale VPC connector instances; else call infrastructure_team",
    ] {
        assert!(done.out.contains(line), "{line} is not in\n{}", done.out);
    }

    // And an application that breaks by itself makes it mixed.
    server.status.store(500, Ordering::SeqCst);
    let report = desk.json(&["check", "m", "--once", "-o", "json"]);
    assert_eq!(classification(&report), "mixed");
}

#[test]
fn focus_looks_at_one_component_only() {
    let (desk, server) = (Desk::new(), Server::start());
    desk.write("m/checks.yaml", &manifests(server.port, closed()));
    let done = desk.run(&["check", "m", "--focus", "application", "--once"]);
    assert_eq!(done.code, 0, "{}", done.out);
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
    let done = desk.run(&["check", "m", "--focus", "vpc-connector", "--once"]);
    assert_eq!(done.code, 1, "{}", done.out);
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn without_once_it_goes_on_until_it_is_told_to_stop() {
    let (desk, server) = (Desk::new(), Server::start());
    desk.write("m/checks.yaml", &manifests(server.port, server.port));
    let watch = desk.start(&["check", "m", "--interval", "50ms", "-o", "json"]);
    watch.wait_for(r#""state":"Healthy""#);
    server.status.store(500, Ordering::SeqCst);
    let line = watch.wait_for(r#""state":"Unhealthy""#);
    let report: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(classification(&report), "application");
    assert_eq!(watch.terminate().code, 1, "the code of the last report");
}

#[test]
fn the_load_test_makes_the_load_that_is_asked_for() {
    let (desk, server) = (Desk::new(), Server::start());
    desk.write("m/checks.yaml", &manifests(server.port, server.port));

    let run = [
        "check",
        "run",
        "golden-path",
        "m",
        "--concurrency",
        "8",
        "--requests",
        "40",
    ];
    let report = desk.json(&[&run[..], &["-o", "json"]].concat());
    assert_eq!(server.requests.load(Ordering::SeqCst), 40);
    assert_eq!(
        (&report["samples"], &report["ok"]),
        (&40.into(), &40.into())
    );
    assert_eq!(report["verdict"], "Passing");
    let phases: Vec<_> = report["phases"].as_array().unwrap().iter().collect();
    let names: Vec<_> = phases.iter().map(|phase| &phase["phase"]).collect();
    assert_eq!(names, ["connect", "ttfb", "total"]);
    assert!(phases[2]["p50"].as_f64().unwrap() <= phases[2]["max"].as_f64().unwrap());
    assert_eq!(report["expectations"][0]["text"], "ok.ratio 1, want >= 1");

    // Rounds of connections, the last one smaller.
    let run = [
        "check",
        "run",
        "way-to-db",
        "m",
        "--concurrency",
        "20",
        "--requests",
        "50",
    ];
    let report = desk.json(&[&run[..], &["-o", "json"]].concat());
    assert_eq!(
        (&report["samples"], &report["ok"]),
        (&50.into(), &50.into())
    );

    // What fails is named by its phase, and ends with 1.
    server.status.store(503, Ordering::SeqCst);
    let done = desk.run(&["check", "run", "golden-path", "m", "--concurrency", "4"]);
    assert_eq!(done.code, 1);
    assert!(
        done.out
            .contains("golden-path failing: 0 of 4 samples ok, 4 at a time")
    );
    assert!(done.out.contains("4       status  503"), "{}", done.out);
    assert!(
        done.out.contains("missed    ok.ratio 0, want >= 1"),
        "{}",
        done.out
    );
}

#[test]
fn a_load_that_goes_on_for_a_time_ends_with_it() {
    let (desk, server) = (Desk::new(), Server::start());
    desk.write("m/checks.yaml", &manifests(server.port, server.port));
    for check in ["golden-path", "way-to-db"] {
        let run = [
            "check",
            "run",
            check,
            "m",
            "--concurrency",
            "2",
            "--duration",
            "300ms",
        ];
        let report = desk.json(&[&run[..], &["-o", "json"]].concat());
        assert!(report["samples"].as_u64().unwrap() >= 2, "{report}");
        assert!(report["took"].as_f64().unwrap() >= 0.3, "{report}");
        assert_eq!(report["verdict"], "Passing", "{report}");
    }
}

/// Status and body of a reply.
/// The whole incident of the quickstart, probed through the data plane of the emulator.
#[test]
fn the_incident_of_the_quickstart_is_the_infrastructure() {
    let desk = Desk::new();
    let quickstart = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/quickstart");
    let check = [
        "check", quickstart, "--gcp", "emulator", "--once", "-o", "json",
    ];
    let report = desk.json(&check);
    assert_eq!(report["state"], "Unhealthy");
    assert_eq!(classification(&report), "infrastructure");
    let because = report["diagnosis"]["because"].as_str().unwrap();
    assert!(because.contains("vpc_connector"), "{because}");
    assert!(because.contains("Check/no-503"), "{because}");
}

#[test]
fn a_running_operator_serves_the_same_report() {
    let (desk, server) = (Desk::new(), Server::start());
    desk.write("m/checks.yaml", &manifests(server.port, closed()));
    // An emulator elsewhere: the probes of this operator stand on this machine.
    let emulator = desk.start(&["emulator", "--listen", "127.0.0.1:0", "--scenario", "empty"]);
    let gcp = emulator.wait_for("http://");
    let listen = ["--listen", "127.0.0.1:0", "--listen-host", "keel.example"];
    let operator = desk.start(&[&["run", "m", "--gcp", &gcp], &listen[..]].concat());
    let line = operator.wait_for("serves ");
    let address = line
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .unwrap()
        .to_owned();
    operator.wait_for("CheckTrouble");

    assert_eq!(ask(&address, "localhost", "/healthz"), (200, "ok\n".into()));
    assert_eq!(ask(&address, &address, "/readyz"), (200, "ok\n".into()));
    let (status, body) = ask(&address, "keel.example", "/api/v1/health");
    assert_eq!(status, 200);
    let report: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(report["state"], "Unhealthy", "{report}");
    assert_eq!(classification(&report), "infrastructure");

    // A name of somebody else that points here.
    let (status, body) = ask(&address, "evil.example", "/api/v1/health");
    assert_eq!(status, 421);
    assert!(!body.contains("vpc_connector"), "{body}");
    assert_eq!(ask(&address, "localhost", "/api/v1/nothing").0, 404);
    assert_eq!(operator.terminate().code, 0);

    // Where they stood is known without an operator.
    let list = desk.json(&["get", "checks", "-o", "json"]);
    let items = list["items"].as_array().unwrap();
    assert!(items.len() > 1, "{list}");
    for check in items {
        assert_eq!(check["kind"], "Check");
        let reason = &check["status"]["conditions"][0]["reason"];
        assert!(
            reason.is_string() && check["status"]["last"]["at"].is_string(),
            "{check}"
        );
    }
    let name = items[0]["metadata"]["name"].as_str().unwrap();
    let said = desk.run(&["describe", &format!("check/{name}")]).out;
    for part in ["Conditions", "Last probe", "samples"] {
        assert!(said.contains(part), "{said}");
    }
    let slip = desk.run(&["get", "check", "nothing-like-it"]);
    assert_eq!(slip.code, 1);
    assert!(
        slip.err.contains("there is no Check `nothing-like-it`"),
        "{}",
        slip.err
    );
}

#[test]
fn a_load_test_that_is_stopped_prints_what_was_measured_until_then() {
    let (desk, server) = (Desk::new(), Server::start());
    desk.write("m/checks.yaml", &manifests(server.port, server.port));
    for (check, form) in [
        ("golden-path", "table"),
        ("golden-path", "json"),
        ("way-to-db", "json"),
    ] {
        let before = server.requests.load(Ordering::SeqCst);
        let run = desk.start(&[
            "check",
            "run",
            check,
            "m",
            "--concurrency",
            "2",
            "--duration",
            "10m",
            "-o",
            form,
        ]);
        if check == "golden-path" {
            // Some are done, and it would go on for minutes.
            while server.requests.load(Ordering::SeqCst) < before + 20 {
                std::thread::sleep(Duration::from_millis(5));
            }
        } else {
            std::thread::sleep(Duration::from_secs(2));
        }
        let done = run.terminate();
        assert_eq!(done.code, 130, "{}{}", done.out, done.err);
        if form == "table" {
            assert!(
                done.out
                    .starts_with("golden-path passing (stopped; so far): "),
                "{}",
                done.out
            );
            assert!(done.out.contains("ttfb"), "{}", done.out);
            continue;
        }
        let report: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(report["stopped"], true);
        assert_eq!(report["ok"], report["samples"], "{report}");
        let samples = report["samples"].as_u64().unwrap();
        assert!((2..10_000).contains(&samples), "{report}");
    }
}

const OF_RESOURCES: &str = "\
apiVersion: evenkeel.dev/v1alpha1
kind: VpcAccessConnector
metadata: {name: staging-connector}
spec:
  project: netra-staging
  location: us-central1
  adopt: true
  resource: {minInstances: 2, maxInstances: 3}
---
apiVersion: evenkeel.dev/v1alpha1
kind: Check
metadata: {name: connector-small}
spec:
  resource: {kind: VpcAccessConnector, name: staging-connector}
  expect: [exists == true, state == READY, minInstances >= 5]
  interval: 1s
  timeout: 1s
  passes: 1
  failures: 1
---
apiVersion: evenkeel.dev/v1alpha1
kind: Check
metadata: {name: connector-ready}
spec:
  resource: {kind: VpcAccessConnector, name: staging-connector}
  expect: [ready == true, drifted == false]
  interval: 1s
  timeout: 1s
  passes: 1
  failures: 1
";

#[test]
fn checks_of_managed_resources_are_measured_by_one_read_and_the_state_file() {
    let desk = Desk::new();
    desk.write("m/all.yaml", OF_RESOURCES);
    let check = ["check", "m", "--once", "-o", "json", "--gcp", "emulator"];
    let report = desk.json(&check);
    let find = |report: &Value, name: &str| {
        let checks = report["components"][0]["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        let text = |field: &str| check[field].as_str().unwrap().to_owned();
        (text("state"), text("message"))
    };
    let (state, message) = find(&report, "connector-small");
    assert_eq!(state, "Unhealthy");
    assert_eq!(message, "minInstances 2, want >= 5");
    let (state, message) = find(&report, "connector-ready");
    assert_eq!(
        (state.as_str(), message.as_str()),
        ("Unknown", "no data for ready == true")
    );

    let done = desk.run(&["run", "m", "--gcp", "emulator", "--once", "--timeout", "2m"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert_eq!(find(&desk.json(&check), "connector-ready").0, "Healthy");

    // Nobody said which Google: they are left out, and that is said.
    let done = desk.run(&["check", "m", "--once"]);
    assert_eq!(done.code, 2);
    assert!(
        done.err
            .contains("left out: connector-small, connector-ready"),
        "{}",
        done.err
    );
    assert!(done.err.contains("--gcp"), "{}", done.err);
}

#[test]
fn a_receiver_that_fails_is_shown() {
    let (desk, server) = (Desk::new(), Server::start());
    let receiver = closed();
    let alert = |name: &str, port: u16| {
        format!(
            "\
---
apiVersion: evenkeel.dev/v1alpha1
kind: Alert
metadata: {{name: {name}}}
spec:
  provider: {{type: alertmanager, url: 'http://127.0.0.1:{port}/'}}
  select: [{{kind: Check, name: '*'}}]
"
        )
    };
    let text =
        manifests(server.port, closed()) + &alert("dead", receiver) + &alert("well", server.port);
    desk.write("m/checks.yaml", &text);
    let emulator = desk.start(&["emulator", "--listen", "127.0.0.1:0", "--scenario", "empty"]);
    let gcp = emulator.wait_for("http://");
    let operator = desk.start(&["run", "m", "--gcp", &gcp]);
    operator.wait_for("CheckTrouble");
    let shown = || {
        let alerts = desk.json(&["get", "alerts", "-o", "json"]);
        let ready = |alert: &Value| {
            let condition = &alert["status"]["conditions"][0];
            (
                alert["metadata"]["name"].as_str().unwrap().to_owned(),
                condition["reason"].as_str().unwrap().to_owned(),
            )
        };
        alerts["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(ready)
            .collect::<Vec<_>>()
    };
    let wanted = [("dead", "ReceiverFails"), ("well", "ReceiverAccepts")];
    let wanted = wanted.map(|(name, reason)| (name.to_owned(), reason.to_owned()));
    let deadline = std::time::Instant::now() + Duration::from_mins(1);
    while shown() != wanted && std::time::Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(shown(), wanted);
    assert_eq!(operator.terminate().code, 0);

    // Also while no operator runs.
    let told = desk.run(&["describe", "alert/dead"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.out.contains("1 message(s) wait for alertmanager: "),
        "{}",
        told.out
    );
    let list = desk.run(&["get", "alerts"]);
    assert!(
        list.out.contains("dead  Alert  False  ReceiverFails"),
        "{}",
        list.out
    );
    assert!(
        list.out.contains("well  Alert  True   ReceiverAccepts"),
        "{}",
        list.out
    );
}
