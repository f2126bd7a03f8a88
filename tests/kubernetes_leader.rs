//! Two operators as real processes on one cluster, and everything that takes a leader away: the other
//! goes on from the objects, and GCP sees one line of steps.
//!
//! Short times, so that it is quick. `EVENKEEL_LEASE=15s EVENKEEL_OUTAGE=120` runs it with the lease of
//! a deployment, and without an API server for two minutes.
#![cfg(all(feature = "kubernetes", unix))]

mod apiserver;
mod emulator_http;

use apiserver::ApiServer;
use emulator_http::http;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Of the lease: long enough for a machine that is busy with other tests.
fn lease() -> String {
    std::env::var("EVENKEEL_LEASE").unwrap_or_else(|_| "6s".to_owned())
}

/// How long there is no API server, after the leader has ended.
fn outage() -> Duration {
    let seconds = std::env::var("EVENKEEL_OUTAGE").map_or(5, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

/// How long another may take to go on.
const TAKEOVER: Duration = Duration::from_secs(20);
/// More than a whole rollout takes.
const LONG: Duration = Duration::from_mins(2);
/// From 2 to 9 instances, one after the other.
const STEPS: usize = 7;

/// Ends with the test, whatever way that is.
struct Process(Child);

impl Process {
    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    fn ends(&mut self) -> Option<i32> {
        let child = &mut self.0;
        eventually("the process ends", LONG, || child.try_wait().unwrap()).code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
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

struct Scene {
    server: ApiServer,
    folder: tempfile::TempDir,
    google: String,
    _emulator: Process,
    _runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(ApiServer::with_crds());
        server.namespace("netra");
        server.create(json!({
            "apiVersion": "evenkeel.dev/v1alpha1", "kind": "VpcAccessConnector",
            "metadata": {"name": "staging-connector", "namespace": "netra"},
            "spec": {
                "project": "netra-staging", "location": "us-central1", "adopt": true,
                "resource": {"minInstances": 9, "maxInstances": 10},
                "rollout": {"maxStep": {"minInstances": 1, "maxInstances": 1}, "timeout": "10m"},
            },
        }));
        let folder = tempfile::tempdir().unwrap();
        let config = format!("leaderElection: {{duration: {}}}\n", lease());
        std::fs::write(folder.path().join("evenkeel.yaml"), config).unwrap();
        let (emulator, google) = emulator(folder.path());
        // Late replies make room for what happens between a call and its answer.
        let faults = r#"[{"match": {"method": "PATCH"}, "action": {"delay": {"ms": 400}}}]"#;
        http(&google, "PUT", "/_emulator/faults", faults);
        Scene {
            server,
            folder,
            google,
            _emulator: emulator,
            _runtime: runtime,
        }
    }

    fn operator(&self, name: &str) -> Process {
        let log = std::fs::File::create(self.folder.path().join(name)).unwrap();
        let child = evenkeel(self.folder.path())
            .args(["run", "--source", "kubernetes", "--config", "evenkeel.yaml"])
            .arg("--kubeconfig")
            .arg(self.server.kubeconfig_path())
            .args(["--gcp", &format!("http://{}", self.google)])
            .env("POD_NAME", name)
            .env_remove("POD_NAMESPACE")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Process(child)
    }

    /// What an operator complained of.
    fn said(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn leader(&self) -> String {
        let lease = self.server.object("leases", "default", "evenkeel");
        let holder = lease.map_or(Value::Null, |lease| lease["spec"]["holderIdentity"].clone());
        let holder = holder.as_str().unwrap_or_default().to_owned();
        holder.split('_').next().unwrap_or_default().to_owned()
    }

    fn leads(&self, name: &str) {
        let what = format!("{name} leads");
        eventually(&what, TAKEOVER, || (self.leader() == name).then_some(()));
    }

    fn patches(&self) -> Vec<Value> {
        let log = http(&self.google, "GET", "/_emulator/requests", "");
        let requests = log["requests"].as_array().unwrap().iter();
        requests
            .filter(|r| r["method"] == "PATCH")
            .cloned()
            .collect()
    }

    fn reaches(&self, count: usize, limit: Duration) {
        let what = format!("{count} PATCHes");
        eventually(&what, limit, || {
            (self.patches().len() >= count).then_some(())
        });
    }

    /// The rollout goes to its end; Google saw each step once, in order, one at a time.
    fn ends_well(&self) {
        let ready = || {
            let object = self
                .server
                .object("vpcaccessconnectors", "netra", "staging-connector");
            let object = object.unwrap();
            let conditions = object["status"]["conditions"].as_array()?.clone();
            let ready = conditions.iter().find(|c| c["type"] == "Ready")?.clone();
            (ready["status"] == "True").then_some(())
        };
        eventually("the object is Ready", LONG, ready);
        let (mut at, patches) = (2, self.patches());
        for patch in &patches {
            assert_eq!(patch["state"], "READY", "a PATCH while UPDATING: {patch:#}");
            at += 1;
            assert_eq!(patch["body"]["minInstances"], at, "{patch:#}");
        }
        assert_eq!(patches.len(), STEPS);
    }
}

fn emulator(folder: &Path) -> (Process, String) {
    let mut child = evenkeel(folder)
        .args(["emulator", "--listen", "127.0.0.1:0", "--timing", "demo"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let address = first.split("http://").nth(1).expect("an address");
    let address = address.trim().trim_end_matches('/').to_owned();
    // Keep reading, so that the emulator never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    (Process(child), address)
}

#[test]
fn the_other_goes_on_where_a_killed_leader_stopped() {
    let scene = Scene::new();
    let mut first = scene.operator("a");
    scene.leads("a");
    let _second = scene.operator("b");
    scene.reaches(2, LONG);
    first.0.kill().unwrap();
    let seen = scene.patches().len();
    scene.reaches(seen + 1, TAKEOVER);
    assert_eq!(scene.leader(), "b");
    scene.ends_well();
}

#[test]
fn a_leader_that_stood_still_writes_nothing_and_ends() {
    let scene = Scene::new();
    let mut first = scene.operator("a");
    scene.leads("a");
    let _second = scene.operator("b");
    scene.reaches(2, LONG);
    first.signal("-STOP");
    scene.leads("b");
    let seen = scene.patches().len();
    scene.reaches(seen + 1, TAKEOVER);
    first.signal("-CONT");
    assert_eq!(first.ends(), Some(1));
    assert_eq!(scene.leader(), "b");
    scene.ends_well();
}

#[test]
fn without_the_cluster_nothing_is_written_and_with_it_all_goes_on() {
    let scene = Scene::new();
    let mut first = scene.operator("a");
    scene.reaches(2, LONG);
    scene.server.unavailable(true);
    // What was written down before may still arrive.
    std::thread::sleep(Duration::from_secs(1));
    let seen = scene.patches().len();
    assert!(seen < STEPS);
    assert_eq!(first.ends(), Some(1), "its lease is over");
    // As a Deployment does it.
    let _again = scene.operator("b");
    std::thread::sleep(outage());
    assert_eq!(scene.patches().len(), seen);
    scene.server.unavailable(false);
    scene.leads("b");
    scene.ends_well();
}

#[test]
fn who_stops_lets_the_other_lead_at_once() {
    let scene = Scene::new();
    let mut first = scene.operator("a");
    scene.leads("a");
    let _second = scene.operator("b");
    scene.reaches(2, LONG);
    first.signal("-TERM");
    assert_eq!(first.ends(), Some(0), "{}", scene.said("a"));
    let start = Instant::now();
    scene.leads("b");
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    scene.ends_well();
}

/// kubectl against the server of this scene, or `None` where there is none.
fn kubectl(scene: &Scene, words: &[&str]) -> Option<String> {
    let mut command = Command::new("kubectl");
    command
        .arg("--kubeconfig")
        .arg(scene.server.kubeconfig_path())
        .args(["-n", "netra"])
        .args(words)
        .env("HOME", scene.folder.path());
    match command.output() {
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "kubectl {words:?}: {errors}");
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) => {
            let required = std::env::var_os("EVENKEEL_REQUIRE_KUBECTL").is_some();
            assert!(!required, "kubectl: {error}");
            eprintln!("skipped: kubectl: {error}");
            None
        }
    }
}

/// What a person with kubectl sees of an operator at work: conditions, columns, events, an edit, a delete.
#[test]
fn kubectl_follows_what_the_operator_does() {
    let scene = Scene::new();
    let _operator = scene.operator("a");
    let ready = ["wait", "--for=condition=Ready", "--timeout=120s"];
    let object = "vac/staging-connector";
    let Some(text) = kubectl(&scene, &[&ready[..], &[object]].concat()) else {
        return;
    };
    assert!(text.contains("condition met"), "{text}");
    let see = |words: &[&str]| kubectl(&scene, words).unwrap();
    let text = see(&["get", "evenkeel", "-A"]);
    let row = text.lines().find(|line| line.contains("staging-connector"));
    let row = row.unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains("True") && row.contains("UpToDate"), "{text}");
    let told = || {
        let text = see(&["describe", "vac", "staging-connector"]);
        let all = ["Saved", "StepLanded", "RolloutSucceeded"];
        all.iter().all(|word| text.contains(word)).then_some(())
    };
    eventually("describe shows the events", TAKEOVER, told);
    let edit = r#"{"spec": {"resource": {"machineType": "e2-standard-4"}, "rollout": {"allowDisruptive": true}}}"#;
    see(&["patch", object, "--type=merge", "-p", edit]);
    let live = "--for=jsonpath={.status.observed.machineType}=e2-standard-4";
    see(&["wait", live, "--timeout=120s", object]);
    see(&[&ready[..], &[object]].concat());
    let writes = scene.patches().len();
    see(&["delete", object, "--wait=true", "--timeout=60s"]);
    assert!(!see(&["get", "vac"]).contains("staging-connector"));
    // Orphan, which is what is not asked for: it stays in GCP, and nothing is written.
    assert_eq!(scene.patches().len(), writes);
}
