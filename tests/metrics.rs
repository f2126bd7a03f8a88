//! `/metrics` of a running operator, what Prometheus makes of it, and what is drawn and alerted from it.

mod cli_support;
#[path = "conformance/python.rs"]
mod python;

use cli_support::{Desk, Process, ask};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const MANIFESTS: &str = "
apiVersion: evenkeel.dev/v1alpha1
kind: VpcAccessConnector
metadata: {name: staging-connector}
spec:
  project: netra-staging
  location: us-central1
  adopt: true
  resource: {machineType: e2-standard-4, minInstances: 3, maxInstances: 5}
  rollout:
    maxStep: {minInstances: 1, maxInstances: 2}
    allowDisruptive: true
---
apiVersion: evenkeel.dev/v1alpha1
kind: SslCertificate
metadata: {name: staging-cert}
spec:
  project: netra-staging
  location: global
  adopt: true
  drift: Observe
  resource:
    managed: {domains: [staging.netra.example.com, api.netra.example.com]}
    attachTo: [staging-https-proxy]
---
apiVersion: evenkeel.dev/v1alpha1
kind: Check
metadata: {name: api}
spec:
  interval: 1s
  timeout: 1s
  component: application
  tcp: {host: 127.0.0.1, port: PORT}
  expect: ['connect.max < 500ms']
";

/// An emulator, and an operator whose address it gives.
fn operator(desk: &Desk) -> (Process, Process, String) {
    let emulator = desk.start(&["emulator", "--listen", "127.0.0.1:0", "--timing", "instant"]);
    let gcp = emulator.wait_for("http://").trim().to_owned();
    let port = gcp.rsplit(':').next().unwrap().trim_end_matches('/');
    desk.write("m/all.yaml", &MANIFESTS.replace("PORT", port));
    let listen = ["--listen", "127.0.0.1:0", "--interval", "1s"];
    let operator = desk.start(&[&["run", "m", "--gcp", &gcp], &listen[..]].concat());
    let line = operator.wait_for("serves ");
    let address = line.split("http://").nth(1).unwrap();
    let address = address.split('/').next().unwrap().to_owned();
    (emulator, operator, address)
}

/// Scrapes until `found` holds.
fn scrape(address: &str, found: impl Fn(&str) -> bool) -> String {
    for _ in 0..600 {
        let (status, text) = ask(address, "localhost", "/metrics");
        assert_eq!(status, 200);
        if found(&text) {
            return text;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{}", ask(address, "localhost", "/metrics").1)
}

/// The samples of a family: what stands in the braces, and the value.
fn samples(text: &str, name: &str) -> Vec<(String, f64)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(name));
    let row = |rest: &str| {
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => rest.rsplit_once("} ")?,
            None => ("", rest.strip_prefix(' ')?),
        };
        Some((labels.to_owned(), value.parse().unwrap()))
    };
    lines.filter_map(row).collect()
}

/// The one sample whose labels hold all of these.
fn value(text: &str, name: &str, labels: &[&str]) -> f64 {
    let all = samples(text, name);
    let mut found = all
        .iter()
        .filter(|(said, _)| labels.iter().all(|label| said.contains(label)));
    let sample = found.next();
    let (_, value) = sample.unwrap_or_else(|| panic!("no {name} {labels:?}\n{text}"));
    assert_eq!(found.next(), None, "{name} {labels:?}");
    *value
}

/// Every family by the name of its samples.
fn families(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .map(|line| match line.split_once(' ').unwrap() {
            (name, "counter") => format!("{name}_total"),
            (name, "info") => format!("{name}_info"),
            (name, _) => name.to_owned(),
        })
        .collect()
}

fn skip(required: &str, reason: &str) {
    assert!(std::env::var_os(required).is_none(), "{reason}");
    // Not through print!, which hides what a test that passes has to say.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

#[test]
fn a_running_operator_is_measured() {
    let desk = Desk::new();
    let (_emulator, operator, address) = operator(&desk);
    let connector = [
        r#"kind="VpcAccessConnector""#,
        r#"name="staging-connector""#,
    ];
    let ready = r#"evenkeel_resource_ready{kind="VpcAccessConnector",name="staging-connector",project="netra-staging",location="us-central1"} 1"#;
    let text = scrape(&address, |text| {
        text.contains(ready) && !samples(text, "probe_success").is_empty()
    });

    assert!(value(&text, "evenkeel_resource_held", &connector).abs() < 0.5);
    assert!(value(&text, "evenkeel_resource_drifted_fields", &connector).abs() < 0.5);
    // In the years of evenkeel, and in seconds.
    let expiry = value(
        &text,
        "evenkeel_resource_expiry_timestamp_seconds",
        &["SslCertificate"],
    );
    assert!((1.6e9..3e9).contains(&expiry), "{expiry}");
    let labels = [
        r#"check="api""#,
        r#"component="application""#,
        r#"source="tcp""#,
    ];
    assert!(value(&text, "probe_success", &labels) > 0.5);
    assert!(
        value(
            &text,
            "probe_phase_duration_seconds",
            &[r#"phase="connect""#]
        ) < 5.0
    );
    let patches = [r#"api="vpcaccess""#, r#"method="PATCH""#, r#"code="200""#];
    // The machine type, then the rest.
    assert!(value(&text, "evenkeel_gcp_requests_total", &patches) >= 2.0);
    let passes = "evenkeel_reconcile_duration_seconds_count";
    assert!(value(&text, passes, &[r#"kind="VpcAccessConnector""#]) >= 2.0);
    assert!(value(&text, "evenkeel_source_failed", &[]).abs() < 0.5);
    assert!(value(&text, "evenkeel_loop_timestamp_seconds", &[]) > 1.6e9);
    strictly_read(&text);

    // What does not load is said, and the last set stays.
    desk.write("m/broken.yaml", "kind: [");
    let text = scrape(&address, |text| text.contains("evenkeel_source_failed 1"));
    assert!(text.contains(ready));

    // What is gone is gone.
    desk.write("m/broken.yaml", "");
    let all = desk.read("m/all.yaml");
    let (_, others) = all.split_once("---").unwrap();
    desk.write("m/all.yaml", others);
    scrape(&address, |text| {
        text.contains("evenkeel_source_failed 0") && !text.contains("staging-connector")
    });
    assert_eq!(operator.terminate().code, 0);
}

/// By Prometheus' own Python client, which refuses what the format does not allow.
fn strictly_read(text: &str) {
    let python = match python::prepared(include_str!("metrics/requirements.txt")) {
        Ok(python) => python,
        Err(reason) => return skip("EVENKEEL_REQUIRE_CONFORMANCE", &reason),
    };
    let script = "import sys\n\
                  from prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
                  print(len(list(read(sys.stdin.read()))))";
    let mut child = Command::new(python.interpreter)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{text}");
    let read: usize = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .unwrap();
    assert_eq!(read, families(text).len());
}

/// A name that is asked for and not served draws nothing and never fires.
#[test]
fn what_is_documented_drawn_and_alerted_is_served() {
    let desk = Desk::new();
    let (_emulator, _operator, address) = operator(&desk);
    let served = families(&scrape(&address, |_| true));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let word = regex::Regex::new(r"\b(?:evenkeel|probe)_[a-z0-9_]+").unwrap();
    let names = |text: &str| -> BTreeSet<String> {
        let found = word.find_iter(text).map(|found| found.as_str());
        let bucket = |name: &str| name.trim_end_matches("_bucket").to_owned();
        found.map(bucket).collect()
    };
    assert_eq!(names(&read("docs/metrics.md")), served);
    for path in ["prometheus/rules.yaml", "grafana/evenkeel.json"] {
        let asked = names(&read(&format!("manifests/deploy/{path}")));
        let unknown: Vec<_> = asked.difference(&served).collect();
        assert!(
            !asked.is_empty() && unknown.is_empty(),
            "{path}: {unknown:?}"
        );
    }
}

#[test]
fn prometheus_takes_the_rules_and_they_fire() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/deploy/prometheus");
    for verb in [
        &["check", "rules", "rules.yaml"],
        &["test", "rules", "rules_test.yaml"],
    ] {
        let output = match Command::new("promtool")
            .args(verb)
            .current_dir(&folder)
            .output()
        {
            Ok(output) => output,
            Err(error) => return skip("EVENKEEL_REQUIRE_PROMTOOL", &format!("promtool: {error}")),
        };
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
}
