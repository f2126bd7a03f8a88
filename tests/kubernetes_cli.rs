//! The command line against a cluster: real processes, an API server and an emulated GCP over HTTP.

#[path = "kubernetes/cluster.rs"]
mod cluster;

use cluster::{Cluster, Place, place};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const API: &str = "evenkeel.dev/v1alpha1";

struct Scene {
    cluster: Cluster,
    folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn new() -> Scene {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let cluster = Cluster::new();
        let address = runtime.block_on(cluster.listen());
        let folder = tempfile::tempdir().unwrap();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": address}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test",
                          "context": {"cluster": "test", "user": "test", "namespace": "netra"}}],
        });
        std::fs::write(folder.path().join("kubeconfig"), config.to_string()).unwrap();
        Scene {
            cluster,
            folder,
            _runtime: runtime,
        }
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn evenkeel(&self, words: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_evenkeel"))
            .args(words.split_whitespace())
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap()
    }

    /// What it printed, where it ended with this code.
    fn says(&self, words: &str, code: i32) -> String {
        let output = self.evenkeel(words);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words}\n{text}\n{errors}"
        );
        text
    }

    fn state(&self) -> &Path {
        self.folder.path()
    }
}

fn connector() -> Place {
    place("vpcaccessconnectors", "netra", "staging-connector")
}

fn vac(max: i64) -> serde_json::Value {
    json!({
        "apiVersion": API, "kind": "VpcAccessConnector",
        "metadata": {"name": "staging-connector"},
        "spec": {"project": "netra-staging", "location": "us-central1", "adopt": true,
                 "resource": {"minInstances": 3, "maxInstances": max}},
    })
}

const ONCE: &str = "run --once --gcp emulator --emulator-listen off";

#[test]
fn a_cluster_is_run_read_and_asked() {
    let scene = Scene::new();
    scene.cluster.apply("vpcaccessconnectors", "netra", vac(5));
    let said = scene.says(ONCE, 0);
    assert!(
        said.contains("kubernetes (all namespaces, 1 resource)"),
        "{said}"
    );
    assert!(
        said.contains("StepLanded") && said.contains("UpToDate"),
        "{said}"
    );
    let status = scene.cluster.status(&connector());
    assert_eq!(status["observed"]["maxInstances"], 5);
    assert!(
        !scene.state().join(".evenkeel/state.db").exists(),
        "no state file"
    );

    let said = scene.says("get", 0);
    assert!(
        said.contains("staging-connector") && said.contains("True"),
        "{said}"
    );
    let said = scene.says("describe vac/staging-connector", 0);
    assert!(said.contains("StepLanded"), "events of the cluster: {said}");
    let said = scene.says("rollout history vac/staging-connector", 0);
    assert!(said.contains("maxInstances"), "{said}");
    scene.says("rollout status vac/staging-connector", 0);

    scene.says("rollout pause vac/staging-connector --no-wait", 0);
    scene.cluster.apply("vpcaccessconnectors", "netra", {
        let mut next = vac(6);
        let there = scene.cluster.object(&connector()).unwrap();
        next["metadata"]["annotations"] = there["metadata"]["annotations"].clone();
        next
    });
    let said = scene.says(ONCE, 1);
    assert!(said.contains("Suspended"), "{said}");
    scene.says("rollout resume vac/staging-connector --no-wait", 0);
    scene.says(ONCE, 0);
    assert_eq!(
        scene.cluster.status(&connector())["observed"]["maxInstances"],
        6
    );
}

#[test]
fn what_is_refused_fails_the_run_and_says_so() {
    let scene = Scene::new();
    scene.cluster.apply("vpcaccessconnectors", "netra", vac(50));
    let said = scene.says(ONCE, 1);
    assert!(
        said.contains("netra/VpcAccessConnector/staging-connector"),
        "{said}"
    );
    assert!(said.contains("50"), "{said}");
    let words = "run manifests --once --gcp emulator";
    let output = scene.evenkeel(words);
    assert_eq!(output.status.code(), Some(2), "files or objects, not both");
    let output = scene.evenkeel("get -n nowhere --context missing");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no way to a cluster"));
}
