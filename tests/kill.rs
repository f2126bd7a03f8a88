//! `kill -9` of the real process at random moments of a rollout, against an emulator in another
//! process: nothing is lost, nothing is repeated, nothing is skipped.

mod emulator_http;

use emulator_http::http;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const KILLS: usize = 20;

const MANIFEST: &str = "\
apiVersion: evenkeel.dev/v1alpha1
kind: VpcAccessConnector
metadata: {name: staging-connector}
spec:
  project: netra-staging
  location: us-central1
  adopt: true
  resource: {minInstances: 9, maxInstances: 10}
  rollout:
    maxStep: {minInstances: 1, maxInstances: 1}
    timeout: 10m
";

/// Ends with the test, whatever way that is.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn evenkeel(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
    command
        .current_dir(folder)
        .env_remove("EVENKEEL_STATE")
        .env_remove("EVENKEEL_GCP");
    command
}

/// Starts an emulator and returns it with its address, `127.0.0.1:PORT`.
fn emulator(folder: &Path) -> (Process, String) {
    let mut child = evenkeel(folder)
        .args(["emulator", "--listen", "127.0.0.1:0", "--timing", "demo"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the emulator starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = lines.next().expect("a first line").expect("text");
    let address = first
        .split("http://")
        .nth(1)
        .expect("an address in the first line");
    let address = address.trim().trim_end_matches('/').to_owned();
    // Keep reading, so that the emulator never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    (Process(child), address)
}

fn operator(folder: &Path, address: &str) -> Process {
    let child = evenkeel(folder)
        .args([
            "run",
            "connector.yaml",
            "--gcp",
            &format!("http://{address}"),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the operator starts");
    Process(child)
}

#[test]
fn twenty_kills_lose_nothing_and_repeat_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("connector.yaml"), MANIFEST).expect("written");
    let (_emulator, address) = emulator(folder.path());
    // Late replies make room for kills between a call and its answer.
    let faults = r#"[{"match": {"method": "PATCH"}, "action": {"delay": {"ms": 400}}}]"#;
    http(&address, "PUT", "/_emulator/faults", faults);

    let mut random = fastrand::Rng::with_seed(20);
    for _ in 0..KILLS {
        let mut operator = operator(folder.path(), &address);
        std::thread::sleep(Duration::from_millis(random.u64(150..1300)));
        operator.0.kill().expect("killed with SIGKILL");
        operator.0.wait().expect("gone");
    }

    let last = evenkeel(folder.path())
        .args([
            "run",
            "connector.yaml",
            "--once",
            "--gcp",
            &format!("http://{address}"),
        ])
        .output()
        .expect("the last run ends");
    let text = String::from_utf8_lossy(&last.stdout).into_owned();
    assert!(
        last.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&last.stderr)
    );

    let log = http(&address, "GET", "/_emulator/requests", "");
    let requests = log["requests"].as_array().expect("a log").clone();
    let patches: Vec<&Value> = requests.iter().filter(|r| r["method"] == "PATCH").collect();
    let size = |body: &Value| (body["minInstances"].as_i64(), body["maxInstances"].as_i64());
    let mut at = (Some(2), Some(3));
    for patch in &patches {
        assert_eq!(patch["state"], "READY", "a PATCH while UPDATING: {patch:#}");
        assert_eq!(patch["updateMask"], "maxInstances,minInstances");
        let to = size(&patch["body"]);
        assert_ne!(to, at, "the same step twice: {patch:#}");
        for (from, to) in [(at.0, to.0), (at.1, to.1)] {
            let moved = to.unwrap_or(0) - from.unwrap_or(0);
            assert!((0..=1).contains(&moved), "a skipped step: {patch:#}");
        }
        at = to;
    }
    assert_eq!(at, (Some(9), Some(10)));
    assert_eq!(patches.len(), 7, "one PATCH for each step");
    println!("{KILLS} kills, {} PATCHes, end state {at:?}", patches.len());
}
