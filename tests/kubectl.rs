//! The real kubectl with our kinds: against the API server of the tests, or against a cluster that
//! `EVENKEEL_TEST_KUBECONFIG` names. `EVENKEEL_REQUIRE_KUBECTL=1`: a machine without kubectl fails.
//!
//! One test, one story: a cluster has one set of definitions.

mod apiserver;

use apiserver::ApiServer;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Longest that a `kubectl wait` or a watch takes.
const PATIENCE: &str = "--timeout=20s";

struct Kubectl {
    config: PathBuf,
    namespace: String,
    /// Cache of discovery.
    folder: tempfile::TempDir,
}

impl Kubectl {
    fn command(&self, words: &str) -> Command {
        let mut command = Command::new("kubectl");
        command
            .arg("--kubeconfig")
            .arg(&self.config)
            .arg("--namespace")
            .arg(&self.namespace)
            .arg("--cache-dir")
            .arg(self.folder.path())
            .args(words.split_whitespace())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn output(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    /// What it printed, where it went well.
    fn ok(&self, words: &str) -> String {
        said(&self.output(words), words, true)
    }

    /// What it complained of.
    fn fails(&self, words: &str) -> String {
        said(&self.output(words), words, false)
    }

    /// The same, with an object on stdin.
    fn feed(&self, words: &str, object: &Value, well: bool) -> String {
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(object.to_string().as_bytes()).unwrap();
        drop(pipe);
        said(&child.wait_with_output().unwrap(), words, well)
    }
}

fn said(output: &Output, words: &str, well: bool) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        output.status.success(),
        well,
        "kubectl {words}\n{text}{errors}"
    );
    text + &errors
}

fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in\n{text}");
    }
}

fn is_there() -> bool {
    let version = Command::new("kubectl")
        .args(["version", "--client"])
        .output();
    let there = version.is_ok_and(|output| output.status.success());
    let required = std::env::var("EVENKEEL_REQUIRE_KUBECTL").is_ok_and(|value| value == "1");
    assert!(
        there || !required,
        "EVENKEEL_REQUIRE_KUBECTL=1, and there is no kubectl"
    );
    there
}

fn connector(name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut object = json!({
        "apiVersion": "evenkeel.dev/v1alpha1", "kind": "VpcAccessConnector",
        "metadata": {"name": name},
        "spec": {"project": "netra-staging", "location": "us-central1",
                 "resource": {"minInstances": 2, "maxInstances": 3}},
    });
    change(&mut object);
    object
}

#[test]
fn kubectl_works_on_our_kinds() {
    if !is_there() {
        println!("skipped: no kubectl here");
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let real = std::env::var_os("EVENKEEL_TEST_KUBECONFIG").map(PathBuf::from);
    let server = real.is_none().then(|| runtime.block_on(ApiServer::start()));
    let config = real.unwrap_or_else(|| server.as_ref().unwrap().kubeconfig_path());
    let kubectl = Kubectl {
        config,
        namespace: format!("evenkeel-test-{}", std::process::id()),
        folder: tempfile::tempdir().unwrap(),
    };
    definitions(&kubectl);
    let space = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kubectl.namespace},
    });
    kubectl.feed("create -f -", &space, true);
    everything_of_staging(&kubectl);
    columns_and_words(&kubectl);
    changes(&kubectl);
    conditions(&kubectl);
    refusals(&kubectl);
    owners_of_fields(&kubectl);
    finalizers(&kubectl);
    kubectl.ok(&format!(
        "delete namespace {} --wait=true {PATIENCE}",
        kubectl.namespace
    ));
}

fn definitions(kubectl: &Kubectl) {
    let text = kubectl.ok("apply --server-side -f crds/");
    has(&text, &["runservices.evenkeel.dev serverside-applied"]);
    kubectl.ok(&format!(
        "wait --for=condition=Established {PATIENCE} crd/runservices.evenkeel.dev \
         crd/vpcaccessconnectors.evenkeel.dev"
    ));
    let text = kubectl.ok("apply -f crds/");
    has(&text, &["runservices.evenkeel.dev"]);
    let text = kubectl.ok("api-resources --api-group=evenkeel.dev");
    has(
        &text,
        &[
            "VpcAccessConnector",
            "vac",
            "RunService",
            "evenkeel.dev/v1alpha1",
        ],
    );
}

fn everything_of_staging(kubectl: &Kubectl) {
    let text = kubectl.ok("apply -f manifests/staging");
    has(
        &text,
        &["vpcaccessconnector.evenkeel.dev/staging-connector created"],
    );
    let text = kubectl.ok("apply -f manifests/staging");
    assert!(
        !text.contains("created") && !text.contains("configured"),
        "{text}"
    );
    let text = kubectl.ok("apply --server-side --force-conflicts -f manifests/staging");
    has(
        &text,
        &["vpcaccessconnector.evenkeel.dev/staging-connector serverside-applied"],
    );
    let text = kubectl.ok("diff --server-side --force-conflicts -f manifests/staging");
    assert_eq!(text, "");
}

fn columns_and_words(kubectl: &Kubectl) {
    let text = kubectl.ok("get vac");
    has(
        &text,
        &["NAME", "READY", "REASON", "AGE", "staging-connector"],
    );
    let text = kubectl.ok("get vac -o wide");
    has(
        &text,
        &["PROJECT", "LOCATION", "netra-staging", "us-central1"],
    );
    let text = kubectl.ok("get evenkeel -A");
    has(
        &text,
        &[
            "NAMESPACE",
            "staging-connector",
            "check.evenkeel.dev/",
            "phase.evenkeel.dev/",
        ],
    );
    let text = kubectl.ok("get evenkeel -A -l phase=1");
    has(&text, &["staging-connector"]);
    assert!(!text.contains("sqlinstance"), "{text}");
    let text = kubectl.ok("describe vac staging-connector");
    has(&text, &["Name:", "Max Instances:", "Events:"]);
    let text = kubectl.ok("explain vac.spec.resource.maxInstances");
    has(&text, &["VpcAccessConnector", "maxInstances", "integer"]);
    let text = kubectl.ok("explain runservice.spec --recursive");
    has(&text, &["rollout", "onFailure", "template"]);
    let text = kubectl.ok("get vac staging-connector -o jsonpath={.metadata.generation}");
    assert_eq!(text, "1");
}

fn changes(kubectl: &Kubectl) {
    kubectl.feed("create -f -", &connector("changed", |_| {}), true);
    let merge = r#"patch vac changed --type=merge -p {"spec":{"resource":{"maxInstances":4}}}"#;
    has(&kubectl.ok(merge), &["patched"]);
    has(&kubectl.ok(merge), &["patched (no change)"]);
    let json = r#"patch vac changed --type=json -p [{"op":"replace","path":"/spec/resource/minInstances","value":3}]"#;
    kubectl.ok(json);
    let field = "get vac changed -o jsonpath={.spec.resource}/{.metadata.generation}";
    assert_eq!(
        kubectl.ok(field),
        r#"{"maxInstances":4,"minInstances":3}/3"#
    );
    kubectl.ok("label vac changed tier=gold");
    kubectl.ok("annotate vac changed evenkeel.dev/retry=1");
    assert_eq!(
        kubectl.ok("get vac -l tier=gold -o name").trim(),
        "vpcaccessconnector.evenkeel.dev/changed"
    );
    let other = connector("changed", |o| {
        o["spec"]["resource"]["maxInstances"] = json!(5)
    });
    has(&kubectl.feed("apply -f -", &other, true), &["configured"]);
    assert_eq!(
        kubectl.ok("get vac changed -o jsonpath={.spec.resource.minInstances}"),
        "2"
    );
}

fn conditions(kubectl: &Kubectl) {
    let watch = kubectl
        .command("get vac changed --watch -o name --request-timeout=15s")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let text = kubectl.fails("wait --for=condition=Ready --timeout=1s vac/changed");
    has(&text, &["timed out"]);
    let mut waiting = kubectl
        .command(&format!(
            "wait --for=condition=Ready {PATIENCE} vac/changed"
        ))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = r#"patch vac changed --subresource=status --type=merge -p {"status":{"observedGeneration":4,"conditions":[{"type":"Ready","status":"True","reason":"UpToDate","message":"x","observedGeneration":4,"lastTransitionTime":"2026-11-24T00:00:00Z"}]},"spec":{"drift":"Observe"}}"#;
    kubectl.ok(status);
    assert!(
        waiting.wait().unwrap().success(),
        "wait --for=condition=Ready"
    );
    has(&kubectl.ok("get vac changed"), &["True", "UpToDate"]);
    assert_eq!(
        kubectl.ok("get vac changed -o jsonpath={.spec.drift}"),
        "Enforce"
    );
    kubectl.ok("annotate vac changed seen=1");
    let seen = watch.wait_with_output().unwrap();
    let seen = String::from_utf8_lossy(&seen.stdout).lines().count();
    assert!(seen >= 2, "the watch saw {seen}");
}

fn refusals(kubectl: &Kubectl) {
    let bad = |change: &dyn Fn(&mut Value)| {
        let object = connector("bad", |object| change(object));
        kubectl.feed("apply -f -", &object, false)
    };
    let text = bad(&|o| o["spec"]["resource"]["maxInstances"] = json!(50));
    has(
        &text,
        &[
            "is invalid",
            "spec.resource.maxInstances",
            "50",
            "less than or equal to 10",
        ],
    );
    let text = bad(&|o| o["spec"]["resource"]["minInstances"] = json!(3));
    has(&text, &["minInstances must be smaller than maxInstances"]);
    let text = bad(&|o| o["spec"]["resource"]["maxInstance"] = json!(3));
    has(&text, &["unknown field \"spec.resource.maxInstance\""]);
    let text = bad(&|o| o["spec"]["deletion"] = json!("Maybe"));
    has(
        &text,
        &["Unsupported value: \"Maybe\"", "\"Orphan\"", "\"Delete\""],
    );
    let text = bad(&|o| o["spec"]["project"] = Value::Null);
    has(&text, &["spec.project"]);
    let moved = connector("changed", |o| o["spec"]["location"] = json!("europe-west1"));
    let text = kubectl.feed("apply -f -", &moved, false);
    has(&text, &["location is immutable"]);
    assert!(kubectl.fails("get vac bad").contains("NotFound"));
}

fn owners_of_fields(kubectl: &Kubectl) {
    let apply = "apply --server-side --field-manager=a -f -";
    kubectl.feed(apply, &connector("owned", |_| {}), true);
    let other = connector("owned", |o| {
        o["spec"]["resource"]["maxInstances"] = json!(9)
    });
    let by = "apply --server-side --field-manager=b -f -";
    let text = kubectl.feed(by, &other, false);
    has(&text, &["conflict", "\"a\"", ".spec.resource.maxInstances"]);
    kubectl.feed(&format!("{by} --force-conflicts"), &other, true);
    let text = kubectl.ok("get vac owned -o yaml --show-managed-fields");
    has(
        &text,
        &[
            "manager: a",
            "manager: b",
            "operation: Apply",
            "f:maxInstances",
        ],
    );
}

fn finalizers(kubectl: &Kubectl) {
    let held = connector("held", |o| {
        o["metadata"]["finalizers"] = json!(["evenkeel.dev/delete"]);
    });
    kubectl.feed("create -f -", &held, true);
    kubectl.ok("delete vac held --wait=false");
    let marked = kubectl.ok("get vac held -o jsonpath={.metadata.deletionTimestamp}");
    assert!(!marked.is_empty());
    kubectl.ok(r#"patch vac held --type=merge -p {"metadata":{"finalizers":null}}"#);
    kubectl.ok(&format!("wait --for=delete {PATIENCE} vac/held"));
    kubectl.ok("delete -f manifests/staging --wait=true");
    assert!(!kubectl.ok("get evenkeel").contains("staging-connector"));
}
