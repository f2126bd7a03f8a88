//! Every manifest in `tests/invalid` fails with exactly the words next to it.
//!
//! `UPDATE=1 cargo test --test source_invalid` writes the words anew: read them before committing.

use evenkeel::api::{Declared, Finding, Severity};
use evenkeel::source::{self, Check, Input};
use std::fs;
use std::path::{Path, PathBuf};

/// Stands in for the rules of a kind, which know more than the schema.
struct Rules;

impl Check for Rules {
    fn check(&self, declared: &Declared) -> Vec<Finding> {
        let mut findings = Vec::new();
        let most = declared.resource.get("maxInstances");
        if let Some(most) = most.and_then(serde_json::Value::as_i64).filter(|n| *n > 10) {
            findings.push(Finding {
                path: "spec.resource.maxInstances".to_owned(),
                message: format!(
                    "maxInstances is {most}, and a connector has at most 10 instances"
                ),
                limit: Some("10 instances (Google: Connecting to a VPC network)".to_owned()),
                help: "use several connectors, or Direct VPC egress".to_owned(),
                severity: Severity::Error,
            });
        }
        if declared.resource.get("machineType") == Some(&"e2-standard-8".into()) {
            findings.push(Finding {
                path: "spec.resource.machineType".to_owned(),
                message: "e2-standard-8 is no machine type of a connector".to_owned(),
                limit: Some("f1-micro, e2-micro or e2-standard-4 (Google)".to_owned()),
                help: "use e2-standard-4, the largest one".to_owned(),
                severity: Severity::Error,
            });
        }
        findings
    }
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir("tests/invalid")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e != "txt"))
        .collect();
    cases.sort();
    cases
}

fn rendered(path: &Path) -> String {
    let errors = source::load(&[Input::Path(path.to_owned())], &Rules)
        .expect_err(&format!("{} must not load", path.display()));
    errors.render(false)
}

#[test]
fn says_what_stands_next_to_it() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut stale = Vec::new();
    for path in cases() {
        let expected_at = path.with_extension("txt");
        let now = rendered(&path);
        if update {
            fs::write(&expected_at, &now).unwrap();
        } else if fs::read_to_string(&expected_at).unwrap_or_default() != now {
            stale.push(format!("{}:\n{now}", path.display()));
        }
    }
    assert!(
        stale.is_empty(),
        "other words than expected:\n{}",
        stale.join("\n")
    );
}

#[test]
fn every_problem_has_a_place_and_a_way_out() {
    for path in cases() {
        let errors = source::load(&[Input::Path(path.clone())], &Rules).unwrap_err();
        for problem in &errors.problems {
            let which = format!("{}: {}", path.display(), problem.message);
            assert!(problem.line > 0 && problem.column > 0, "{which}");
            assert!(!problem.help.is_empty(), "{which}");
            assert!(
                problem.message.len() < 300 && problem.help.len() < 300,
                "{which}"
            );
        }
        assert!(!errors.empty);
    }
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let errors = source::load(
        &[Input::Path("tests/invalid/escape-sequences.yaml".into())],
        &Rules,
    )
    .unwrap_err();
    assert!(!errors.render(false).contains('\u{1b}'));
    assert!(errors.render(true).contains("\u{1b}["));
}
