//! What `manifests/deploy` renders to: kustomize and Helm say the same, Kubernetes knows every field, and the program
//! takes its arguments.
//!
//! kubectl, Helm and a Python that may install are of the outside: without one of them its tests say so and pass,
//! unless `EVENKEEL_REQUIRE_DEPLOY` is set.

#[path = "conformance/python.rs"]
mod python;

use evenkeel::api::{DocumentKind, Kind};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const REQUIRED: &str = "EVENKEEL_REQUIRE_DEPLOY";
/// A Helm of a distribution may believe in a Kubernetes of its own time.
const KUBERNETES: &str = "1.32.0";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/deploy")
}

/// What a program of the outside prints, or `None` where there is no such program.
fn outside(program: &str, arguments: &[&str]) -> Option<String> {
    let output = match Command::new(program)
        .args(arguments)
        .current_dir(folder())
        .output()
    {
        Ok(output) => output,
        Err(error) => {
            skip(&format!("{program}: {error}"));
            return None;
        }
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}\n{errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn skip(reason: &str) {
    assert!(std::env::var_os(REQUIRED).is_none(), "{reason}");
    // Not through print!, which hides what a test that passes has to say.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

fn kustomized(path: &str) -> Option<String> {
    outside("kubectl", &["kustomize", &format!("kustomize/{path}")])
}

fn charted(values: &[&str]) -> Option<String> {
    let mut arguments = vec!["template", "evenkeel", "helm/evenkeel", "-n", "evenkeel"];
    arguments.extend(["--kube-version", KUBERNETES]);
    for value in values {
        arguments.extend(["--set", value]);
    }
    outside("helm", &arguments)
}

fn objects(yaml: &str) -> Vec<Value> {
    let objects: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    objects
        .into_iter()
        .filter(|object| !object.is_null())
        .collect()
}

fn object(all: &[Value], kind: &str, name: &str) -> Value {
    let found = all
        .iter()
        .find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}")).clone()
}

fn pod(all: &[Value]) -> Value {
    object(all, "Deployment", "evenkeel")["spec"]["template"]["spec"].clone()
}

fn rules(all: &[Value], kind: &str, name: &str) -> Value {
    object(all, kind, name)["rules"].clone()
}

fn yaml_file(path: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

fn strings(value: &Value) -> BTreeSet<String> {
    let all = value.as_array().unwrap().iter();
    all.map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn kustomize_and_helm_say_the_same() {
    let (Some(base), Some(chart)) = (kustomized("base"), charted(&[])) else {
        return;
    };
    let (base, chart) = (objects(&base), objects(&chart));
    let same = |kind, name| assert_eq!(rules(&base, kind, name), rules(&chart, kind, name));
    same("ClusterRole", "evenkeel");
    same("Role", "evenkeel-leader");
    let (base, chart) = (pod(&base), pod(&chart));
    for field in [
        "securityContext",
        "serviceAccountName",
        "terminationGracePeriodSeconds",
    ] {
        assert_eq!(base[field], chart[field], "{field}");
    }
    let (base, chart) = (&base["containers"][0], &chart["containers"][0]);
    for field in [
        "args",
        "env",
        "image",
        "livenessProbe",
        "ports",
        "readinessProbe",
        "resources",
        "securityContext",
        "volumeMounts",
    ] {
        assert_eq!(base[field], chart[field], "{field}");
    }
}

/// The "restricted" profile of the Pod Security Standards, and a file system that nothing writes to.
#[test]
fn the_pods_are_restricted() {
    let Some(staging) = kustomized("overlays/staging") else {
        return;
    };
    let staging = objects(&staging);
    let pod = pod(&staging);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        pod["securityContext"]["seccompProfile"]["type"],
        "RuntimeDefault"
    );
    let container = &pod["containers"][0]["securityContext"];
    let wanted = json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                        "capabilities": {"drop": ["ALL"]}});
    assert_eq!(*container, wanted);
    let enforced = "pod-security.kubernetes.io/enforce";
    let namespace = object(&staging, "Namespace", "evenkeel");
    assert_eq!(namespace["metadata"]["labels"][enforced], "restricted");
    assert_eq!(
        object(&staging, "Deployment", "evenkeel")["spec"]["replicas"],
        2
    );
}

/// The lease is called `evenkeel`, whatever an overlay does to other names.
#[test]
fn overlays_keep_the_name_of_the_lease() {
    for path in ["base", "overlays/staging", "overlays/observe"] {
        let Some(text) = kustomized(path) else { return };
        let rules = rules(&objects(&text), "Role", "evenkeel-leader");
        assert_eq!(rules[1]["resourceNames"], json!(["evenkeel"]), "{path}");
    }
}

/// Every kind, and nothing that the operator has no business with.
#[test]
fn access_covers_every_kind_and_no_more() {
    let Some(base) = kustomized("base") else {
        return;
    };
    let rules = rules(&objects(&base), "ClusterRole", "evenkeel");
    let plurals = |suffix: &str| -> BTreeSet<String> {
        let all = DocumentKind::all();
        all.map(|kind| format!("{}{suffix}", kind.plural()))
            .collect()
    };
    assert_eq!(strings(&rules[0]["resources"]), plurals(""));
    assert_eq!(strings(&rules[1]["resources"]), plurals("/status"));
    let managed = Kind::ALL.iter();
    let managed =
        managed.map(|kind| format!("{}/finalizers", DocumentKind::Managed(*kind).plural()));
    assert_eq!(strings(&rules[2]["resources"]), managed.collect());
    for rule in rules.as_array().unwrap() {
        let said = rule.to_string();
        assert!(!said.contains('*') && !said.contains("secrets"), "{said}");
    }
}

#[test]
fn a_chart_for_some_namespaces_has_no_access_elsewhere() {
    let Some(chart) = charted(&["namespaces={red,blue}", "selector=team=web"]) else {
        return;
    };
    let chart = objects(&chart);
    assert!(chart.iter().all(|object| object["kind"] != "ClusterRole"));
    let of_rules =
        |object: &&Value| object["kind"] == "Role" && object["metadata"]["name"] == "evenkeel";
    let places = chart.iter().filter(of_rules);
    let places: BTreeSet<&str> = places
        .map(|role| role["metadata"]["namespace"].as_str().unwrap())
        .collect();
    assert_eq!(places, BTreeSet::from(["red", "blue"]));
    let arguments = strings(&pod(&chart)["containers"][0]["args"]);
    for argument in ["--namespace=red", "--namespace=blue", "--selector=team=web"] {
        assert!(arguments.contains(argument), "{arguments:?}");
    }
}

#[test]
fn a_chart_refuses_a_value_it_does_not_have() {
    let mut helm = Command::new("helm");
    helm.args([
        "template",
        "evenkeel",
        "helm/evenkeel",
        "--set",
        "replica=3",
    ])
    .args(["--kube-version", KUBERNETES])
    .current_dir(folder());
    let Ok(output) = helm.output() else {
        return skip("helm is not there");
    };
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("replica"));
}

/// `--help` after them: whatever stands before must be known, and nothing starts.
#[test]
fn the_program_takes_the_arguments() {
    let values = ["namespaces={red,blue}", "selector=team=web"];
    let rendered = [kustomized("base"), charted(&values)];
    for text in rendered.into_iter().flatten() {
        let arguments = pod(&objects(&text))["containers"][0]["args"].clone();
        let arguments = arguments.as_array().unwrap().iter();
        let output = Command::new(env!("CARGO_BIN_EXE_evenkeel"))
            .args(arguments.map(|argument| argument.as_str().unwrap()))
            .arg("--help")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

/// Fields, types and required fields of everything, with unknown fields refused.
#[test]
fn kubernetes_knows_every_field() {
    let python = match python::prepared(include_str!("deploy/requirements.txt")) {
        Ok(python) => python,
        Err(reason) => return skip(&reason),
    };
    let rendered = [
        kustomized("overlays/staging"),
        kustomized("overlays/observe"),
        charted(&[]),
        charted(&["namespaces={red,blue}", "readSecrets={keys}", "replicas=1"]),
    ];
    for text in rendered.into_iter().flatten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("objects.yaml");
        std::fs::write(&file, &text).unwrap();
        let output = Command::new(&python.interpreter)
            .args(["-m", "kubernetes_validate", "--strict", "-k", "1.32"])
            .arg(&file)
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        // Of a stranger's kind, which these schemas do not have.
        let known = |object: &&Value| object["kind"] != "ServiceMonitor";
        let known = objects(&text).iter().filter(known).count();
        assert_eq!(said.matches("passed for resource").count(), known, "{said}");
    }
}

#[test]
fn the_observers_role_is_what_the_operators_reads() {
    let permissions = |file: &str| strings(&yaml_file(file)["includedPermissions"]);
    let reads = |permission: &String| {
        let verb = permission.rsplit('.').next();
        verb == Some("get") || verb == Some("list") || permission == "serviceusage.services.use"
    };
    let operator = permissions("iam/evenkeel-role.yaml");
    let wanted: BTreeSet<String> = operator.into_iter().filter(reads).collect();
    assert_eq!(permissions("iam/evenkeel-observer-role.yaml"), wanted);
}
