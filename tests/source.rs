//! Loading: what a set holds, where files come from, and what hostile input does to it.

use evenkeel::api::{Declared, Drift, Finding, Kind, Severity};
use evenkeel::source::{self, Check, Errors, FILE_LIMIT, Input, NoCheck, Set};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

fn manifest(name: &str) -> String {
    format!(
        "apiVersion: evenkeel.dev/v1alpha1\nkind: VpcAccessConnector\nmetadata: {{name: {name}}}\n\
         spec:\n  project: netra-staging\n  location: us-central1\n  resource:\n    maxInstances: 10\n"
    )
}

fn text(text: &str) -> Result<Set, Errors> {
    source::load_bytes("a.yaml", text.as_bytes().to_vec(), &NoCheck)
}

fn refused(bytes: impl Into<Vec<u8>>) -> Errors {
    let started = Instant::now();
    let errors = source::load_bytes("a.yaml", bytes.into(), &NoCheck).unwrap_err();
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert!(errors.render(false).len() < 200_000);
    errors
}

fn path(path: &Path) -> Result<Set, Errors> {
    source::load(&[Input::Path(path.to_owned())], &NoCheck)
}

fn names(set: &Set) -> Vec<&str> {
    set.declared.iter().map(|d| d.name.as_str()).collect()
}

#[test]
fn a_manifest_becomes_declared() {
    let set = text(
        "# a comment\n---\napiVersion: evenkeel.dev/v1alpha1\nkind: VpcAccessConnector\nmetadata:\n  \
         name: staging\n  labels: {phase: \"1\"}\nspec:\n  project: netra-staging\n  location: us-central1\n  \
         resourceName: conn\n  resource:\n    minInstances: 2\n    maxInstances: 10\n  drift: Observe\n  \
         rollout:\n    maxStep: {maxInstances: 2}\n    bake: 10m\n",
    )
    .unwrap();
    let declared = &set.declared[0];
    assert_eq!(
        declared.key.to_string(),
        "VpcAccessConnector/netra-staging/us-central1/conn"
    );
    assert_eq!(
        (declared.key.kind, declared.name.as_str()),
        (Kind::VpcAccessConnector, "staging")
    );
    assert_eq!(declared.labels["phase"], "1");
    let resource = json!({"minInstances": 2, "maxInstances": 10});
    assert_eq!(
        serde_json::Value::Object(declared.resource.clone()),
        resource
    );
    assert_eq!(declared.policy.drift, Drift::Observe);
    assert_eq!(
        declared.policy.rollout.as_ref().unwrap().max_step["maxInstances"],
        2
    );
    assert_eq!(
        (declared.origin.file.as_str(), declared.origin.line),
        ("a.yaml", 3)
    );
    assert_eq!(declared.origin.revision, set.revision);
    assert!(set.revision.starts_with("files@sha256:") && set.revision.len() == 25);

    let at = |path| {
        let place = set.lines.get(&declared.key, path).unwrap();
        (place.line, place.column)
    };
    assert_eq!(at("spec.resource.maxInstances"), (14, 19));
    assert_eq!(
        at("spec.resource.network"),
        (12, 3),
        "not written: the mapping around it"
    );
    assert_eq!(at("spec.rollout.maxStep.maxInstances"), (17, 29));
    assert!(set.lines.get(&declared.key, "nowhere").is_none());
}

#[test]
fn what_kubectl_adds_is_no_mistake() {
    let item = "  - apiVersion: evenkeel.dev/v1alpha1\n    kind: VpcAccessConnector\n    metadata:\n      \
        name: NAME\n      namespace: infra\n      uid: 4b1\n      resourceVersion: \"12\"\n      generation: 3\n      \
        creationTimestamp: null\n      managedFields: [{manager: kubectl}]\n    spec:\n      project: netra-staging\n      \
        location: us-central1\n      resource: {maxInstances: 10}\n    status: {anything: [1]}\n";
    let list = format!(
        "apiVersion: v1\nkind: List\nmetadata: {{resourceVersion: \"\"}}\nitems:\n{}{}",
        item.replace("NAME", "a"),
        item.replace("NAME", "b")
    );
    let set = text(&list).unwrap();
    assert_eq!(names(&set), ["a", "b"]);
    assert_eq!(set.declared[1].origin.line, 20);
}

#[test]
fn documents_and_texts_of_all_shapes() {
    let (a, b) = (manifest("a"), manifest("b"));
    let crlf = a.replace('\n', "\r\n");
    for (shape, expected) in [
        (format!("---\n{a}---\n# nothing\n---\n---\n{b}...\n---\n"), vec!["a", "b"]),
        (format!("\u{feff}{a}"), vec!["a"]),
        (crlf, vec!["a"]),
        (format!("# {}\n{a}", "ü".repeat(100)), vec!["a"]),
        (
            "{\"apiVersion\":\"evenkeel.dev/v1alpha1\",\"kind\":\"VpcAccessConnector\",\n\t\"metadata\":\
             {\"name\":\"a\",\"annotations\":{\"x\":\"\\ud83d\\ude00 \\/\"}},\n\t\"spec\":{\"project\":\"netra-staging\",\
             \"location\":\"global\",\"resource\":{}}}"
                .to_owned(),
            vec!["a"],
        ),
    ] {
        assert_eq!(names(&text(&shape).unwrap_or_else(|e| panic!("{}", e.render(false)))), expected);
    }
}

#[test]
fn merge_keys_and_aliases_stand_for_what_they_mark() {
    let set = text(&manifest("a").replace(
        "    maxInstances: 10\n",
        "    <<: {minInstances: 2, maxInstances: 3}\n    maxInstances: &ten 10\n  rollout:\n    maxStep: \
         {maxInstances: 1}\n---\n",
    ))
    .unwrap();
    let resource = serde_json::Value::Object(set.declared[0].resource.clone());
    assert_eq!(resource, json!({"minInstances": 2, "maxInstances": 10}));
}

#[test]
fn rules_speak_even_when_the_schema_does_too() {
    struct Most;
    impl Check for Most {
        fn check(&self, declared: &Declared) -> Vec<Finding> {
            let about = |path: &str, severity| Finding {
                path: path.to_owned(),
                message: format!("the rule on {}", declared.key.name),
                limit: None,
                help: "help".to_owned(),
                severity,
            };
            vec![
                about("spec.resource.maxInstances", Severity::Error),
                about("spec.resource.network", Severity::Warning),
                about("spec.resource.throughput", Severity::Error),
            ]
        }
    }
    let bad = manifest("a").replace("10\n", "50\n    throughput: 1\n    minInstances: 1\n");
    let errors = source::load_bytes("a.yaml", bad.into_bytes(), &Most).unwrap_err();
    let said: Vec<_> = errors.problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "the rule on a",
            "unknown field `throughput` in spec.resource",
            "minInstances is 1, and must be at least 2",
            "the rule on a",
        ]
    );
    assert_eq!(errors.problems[3].severity, Severity::Warning);
    assert!(
        errors.to_string().starts_with("3 errors in 1 file"),
        "{errors}"
    );
    let json = serde_json::to_value(&errors).unwrap();
    assert_eq!(json["problems"][0]["line"], 8);
    assert_eq!(json["problems"][0]["column"], 19);
    assert_eq!(json["problems"][0]["field"], "spec.resource.maxInstances");
}

#[test]
fn directories_in_order_without_what_is_no_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write("b.yml", &manifest("b"));
    write("a/z.yaml", &manifest("a"));
    write("c.json", "");
    write(".hidden.yaml", "not: a manifest");
    write(".git/x.yaml", "not: a manifest");
    write("README.md", "# not a manifest");
    write("d.yaml~", "not: a manifest");
    let set = path(dir.path()).unwrap();
    assert_eq!(names(&set), ["a", "b"]);
    assert!(set.declared[0].origin.file.ends_with("a/z.yaml"));

    let input = || Input::Path(dir.path().to_owned());
    let file = Input::Path(dir.path().join("b.yml"));
    let again = source::load(&[file, input(), input()], &NoCheck).unwrap();
    assert_eq!(
        names(&again),
        ["b", "a"],
        "a file that two inputs name is one file"
    );

    write("b.yml", &manifest("b2"));
    let changed = path(dir.path()).unwrap();
    assert_ne!(changed.revision, set.revision);
    write("b.yml", "metadata: {}");
    assert!(path(dir.path()).is_err(), "one bad document fails the set");
}

#[test]
fn the_revision_is_about_names_and_contents_not_about_where_the_set_lies() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&one, &two] {
        fs::write(dir.path().join("a.yaml"), manifest("a")).unwrap();
    }
    let revision = |dir: &tempfile::TempDir| path(dir.path()).unwrap().revision;
    assert_eq!(revision(&one), revision(&two));
    fs::rename(two.path().join("a.yaml"), two.path().join("b.yaml")).unwrap();
    assert_ne!(revision(&one), revision(&two));
}

#[cfg(unix)]
#[test]
fn links_stay_inside() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x.yaml"), manifest("x")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    // As Kubernetes mounts a ConfigMap.
    fs::create_dir(at("..2024")).unwrap();
    fs::write(at("..2024/a.yaml"), manifest("a")).unwrap();
    symlink("..2024", at("..data")).unwrap();
    symlink("..data/a.yaml", at("a.yaml")).unwrap();
    symlink(".", at("loop")).unwrap();
    assert_eq!(names(&path(dir.path()).unwrap()), ["a"]);

    for target in [outside.path().to_owned(), outside.path().join("x.yaml")] {
        symlink(&target, at("x.yaml")).unwrap();
        let errors = path(dir.path()).unwrap_err();
        assert!(
            errors.render(false).contains("outside the directory"),
            "{}",
            errors.render(false)
        );
        fs::remove_file(at("x.yaml")).unwrap();
    }
    symlink("gone.yaml", at("b.yaml")).unwrap();
    assert!(
        path(dir.path())
            .unwrap_err()
            .render(false)
            .contains("b.yaml does not exist")
    );
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.yaml");
    assert!(
        path(&file)
            .unwrap_err()
            .render(false)
            .contains("a.yaml does not exist")
    );
    fs::write(&file, manifest("a")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_err() {
        assert!(
            path(dir.path())
                .unwrap_err()
                .render(false)
                .contains("permission denied")
        );
    }
}

#[test]
fn nothing_is_a_mistake_in_the_source() {
    let dir = tempfile::tempdir().unwrap();
    let errors = path(dir.path()).unwrap_err();
    assert!(errors.empty);
    assert!(
        errors.render(false).contains("no manifests in "),
        "{}",
        errors.render(false)
    );
    fs::write(dir.path().join("a.yaml"), "# only words\n---\n").unwrap();
    let errors = path(dir.path()).unwrap_err();
    assert!(errors.empty && errors.render(false).contains("the one file there is empty"));
    fs::write(dir.path().join("a.yaml"), "{").unwrap();
    assert!(!path(dir.path()).unwrap_err().empty, "broken is not empty");
    assert!(source::load(&[], &NoCheck).is_err());
}

#[test]
fn sizes_have_limits_that_the_message_names() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.yaml");
    fs::write(&file, vec![b'#'; 10 * FILE_LIMIT]).unwrap();
    let errors = path(&file).unwrap_err();
    assert!(errors.problems[0].message.contains("larger than 1 MiB"));
    assert_eq!(
        errors.problems[0].limit.as_deref(),
        Some("1048576 bytes in a file")
    );

    let dir = tempfile::tempdir().unwrap();
    for n in 0..33 {
        fs::write(dir.path().join(format!("{n}.yaml")), vec![b'#'; FILE_LIMIT]).unwrap();
    }
    let errors = path(dir.path()).unwrap_err();
    assert!(errors.problems[0].message.contains("the set is too large"));

    let many = "--- a\n".repeat(20_001);
    let errors = refused(many);
    let last = "and 19952 more";
    assert!(errors.render(false).contains(last), "{}", errors.more);
}

#[test]
fn a_large_set_loads_soon() {
    let dir = tempfile::tempdir().unwrap();
    for file in 0..20 {
        let documents: Vec<_> = (0..100)
            .map(|n| manifest(&format!("c-{file}-{n}")))
            .collect();
        fs::write(
            dir.path().join(format!("{file}.yaml")),
            documents.join("---\n"),
        )
        .unwrap();
    }
    let started = Instant::now();
    assert_eq!(path(dir.path()).unwrap().declared.len(), 2000);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn hostile_texts_are_refused_soon() {
    let laughs: String = (1..30).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".into(), |text, n| {
        let alias = format!("*a{}, ", n - 1).repeat(9);
        format!("{text}a{n}: &a{n} [{alias}]\n")
    });
    let deep_aliases: String = (1..200).fold("a0: &a0 x\n".into(), |text, n| {
        format!(
            "{text}a{n}: &a{n} {}*a{}{}\n",
            "[".repeat(40),
            n - 1,
            "]".repeat(40)
        )
    });
    let nested_anchors = format!(
        "a: {}{}{}",
        (0..60).fold(String::new(), |text, n| format!("{text}&b{n} [")),
        "x, ".repeat(300_000),
        "]".repeat(60)
    );
    let million = |piece: &str| piece.repeat(FILE_LIMIT / piece.len());
    for (bytes, says) in [
        (laughs, "stand for more than 10000 values"),
        (deep_aliases, "nested deeper than 64"),
        (nested_anchors, "more than 100000 values"),
        (million("["), "nested deeper than 64"),
        (million("{a: "), "nested deeper than 64"),
        (million("- "), "nested deeper than 64"),
        (million("? "), ""),
        (million("a: "), ""),
        (million("- a\n"), ""),
        (million("&a "), ""),
        (million("!a "), ""),
        (million("\""), ""),
        (million("a\n"), ""),
        (million("{}\n"), ""),
        (million("a,"), ""),
        (million("[a,"), ""),
        (million("%"), ""),
        (million("---\n- a\n"), ""),
        (million(": "), ""),
        (million("|\n"), ""),
        (format!("a: {}", million("'")), ""),
        (
            format!("a: &x [*x]\n{}", manifest("a")),
            "inside the value that its own anchor marks",
        ),
        ("a\0b".to_owned(), "NUL at byte 1"),
    ] {
        let bytes = bytes[..bytes.len().min(FILE_LIMIT)].to_owned();
        let start: String = bytes.chars().take(20).collect();
        let rendered = refused(bytes).render(false);
        assert!(rendered.contains(says), "{start}: {rendered}");
    }
    assert!(
        refused(*b"a: \xff")
            .render(false)
            .contains("byte 3 (0xff, on line 1)")
    );
    let keys = (0..60_000).fold(String::new(), |text, n| text + &format!("key{n}: 1\n"));
    refused(keys);
}

#[tokio::test]
async fn a_watch_tells_of_changes_and_looks_again_without_them() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = [Input::Path(dir.path().to_owned())];
    let mut watch = source::Watch::with_rescan(&inputs, Duration::from_mins(1));
    if watch.has_events() {
        fs::write(dir.path().join("a.yaml"), "a").unwrap();
        fs::write(dir.path().join("b.yaml"), "b").unwrap();
        let signal = tokio::time::timeout(Duration::from_secs(20), watch.changed()).await;
        assert_eq!(signal, Ok(source::watch::Signal::Event));
    }
    let mut slow = source::Watch::with_rescan(&[Input::Stdin], Duration::from_millis(20));
    assert_eq!(slow.changed().await, source::watch::Signal::Rescan);
}
