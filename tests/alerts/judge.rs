//! From conditions to what people are told of.

use crate::support::{after, start};
use evenkeel::api::{
    AlertSeverity, CheckSpec, Condition, ConditionStatus, ConditionType, Kind, Reason,
};
use evenkeel::core::alert::{Sight, Subject, judge, severity_table};
use std::time::Duration;

fn condition(kind: ConditionType, status: ConditionStatus, reason: Reason) -> Condition {
    Condition {
        kind,
        status,
        reason,
        message: "step 2/3: connect.max 7.2s, want < 5s".to_owned(),
        last_transition_time: after(60),
        observed_generation: 1,
    }
}

fn stalled(reason: Reason) -> Vec<Condition> {
    vec![
        condition(ConditionType::Ready, ConditionStatus::False, reason),
        condition(ConditionType::Stalled, ConditionStatus::True, reason),
        condition(ConditionType::Drifted, ConditionStatus::Unknown, reason),
    ]
}

fn managed(conditions: &[Condition]) -> Sight {
    let subject = Subject::managed(Kind::VpcAccessConnector, "staging-connector", "sha256:9f");
    judge(&subject, conditions)
}

fn a_check(text: &str) -> Subject {
    let spec: CheckSpec = serde_json::from_str(text).unwrap();
    Subject::check("load", &spec)
}

fn load() -> Subject {
    a_check(
        r#"{"tcp": {"host": "h", "port": 1}, "expect": ["ok.ratio >= 1"],
            "component": "vpc_connector", "remediation": "Scale it", "escalation": "infra"}"#,
    )
}

#[test]
fn what_is_well_or_under_way_is_no_trouble() {
    use ConditionStatus::{False, True, Unknown};
    for (status, reason) in [
        (True, Reason::UpToDate),
        (False, Reason::Progressing),
        (False, Reason::Baking),
        (False, Reason::WaitingForDependency),
        (False, Reason::WaitingForWindow),
        (Unknown, Reason::Suspended),
    ] {
        let ready = condition(ConditionType::Ready, status, reason);
        let reconciling = condition(ConditionType::Reconciling, True, reason);
        assert_eq!(managed(&[ready, reconciling]), Sight::well(), "{reason}");
    }
    assert_eq!(managed(&[]), Sight::unknown());
}

#[test]
fn a_stall_is_as_bad_as_what_it_leaves_behind() {
    for (reason, severity) in [
        (Reason::VerifyFailed, AlertSeverity::Critical),
        (Reason::RollbackFailed, AlertSeverity::Critical),
        (Reason::AmbiguousOperation, AlertSeverity::Critical),
        (Reason::RolledBack, AlertSeverity::Warning),
        (Reason::ForeignChange, AlertSeverity::Warning),
        (Reason::InvalidSpec, AlertSeverity::Warning),
        (Reason::Aborted, AlertSeverity::Info),
    ] {
        let sight = managed(&stalled(reason));
        assert!(sight.complete);
        let [trouble] = &sight.troubles[..] else {
            panic!("{:?}", sight.troubles)
        };
        assert_eq!(trouble.topic.severity, severity, "{reason}");
        assert_eq!(trouble.topic.reason, reason.as_str());
        assert_eq!(trouble.topic.digest, "sha256:9f");
        assert_eq!(trouble.component, "vpc_connector");
        assert_eq!(trouble.since, after(60));
        let remediation = trouble.remediation.as_ref().unwrap();
        assert!(remediation.contains("`evenkeel describe vac/staging-connector`"));
    }
}

#[test]
fn what_cannot_be_read_hides_what_else_is_wrong() {
    let unread = condition(
        ConditionType::Ready,
        ConditionStatus::Unknown,
        Reason::Error,
    );
    let sight = managed(&[unread]);
    assert!(!sight.complete);
    assert_eq!(sight.troubles[0].grace, Duration::from_mins(5));
    let blind = condition(
        ConditionType::Passing,
        ConditionStatus::Unknown,
        Reason::ProberError,
    );
    let sight = judge(&load(), &[blind]);
    assert!(!sight.complete);
    assert_eq!(sight.troubles[0].topic.severity, AlertSeverity::Warning);
}

#[test]
fn a_check_says_itself_what_to_do() {
    use ConditionStatus::{False, True};
    let near = condition(ConditionType::Warning, True, Reason::NearLimit);
    let fails = condition(ConditionType::Passing, False, Reason::ExpectationsMissed);
    let passes = condition(ConditionType::Passing, True, Reason::ExpectationsMet);
    let reasons = |conditions: &[Condition]| -> Vec<String> {
        let troubles = judge(&load(), conditions).troubles;
        troubles.into_iter().map(|t| t.topic.reason).collect()
    };
    assert!(reasons(&[passes.clone()]).is_empty());
    assert_eq!(reasons(&[passes, near.clone()]), ["NearLimit"]);
    assert_eq!(reasons(&[near, fails.clone()]), ["ExpectationsMissed"]);
    let trouble = judge(&load(), &[fails]).troubles.remove(0);
    assert_eq!(trouble.topic.severity, AlertSeverity::Critical);
    assert_eq!(trouble.component, "vpc_connector");
    assert_eq!(trouble.remediation.as_deref(), Some("Scale it"));
    assert_eq!(trouble.escalation.as_deref(), Some("infra"));
}

#[test]
fn no_samples_are_no_trouble_where_the_check_says_so() {
    let silent = condition(
        ConditionType::Passing,
        ConditionStatus::Unknown,
        Reason::NoData,
    );
    let sight = judge(&load(), std::slice::from_ref(&silent));
    assert_eq!(sight.troubles[0].grace, Duration::from_mins(10));
    let lenient = a_check(
        r#"{"tcp": {"host": "h", "port": 1}, "expect": ["ok.ratio >= 1"], "noData": "Pass"}"#,
    );
    assert_eq!(judge(&lenient, &[silent]), Sight::well());
}

#[test]
fn a_message_is_bounded() {
    let mut long = condition(
        ConditionType::Stalled,
        ConditionStatus::True,
        Reason::DiffLoop,
    );
    long.message = "x".repeat(5000);
    long.last_transition_time = start();
    assert!(managed(&[long]).troubles[0].message.len() <= 1024);
}

#[test]
fn the_documentation_has_the_table_of_the_code() {
    let text = std::fs::read_to_string("docs/alerts.md").unwrap();
    let table = severity_table();
    assert!(text.contains(&table), "docs/alerts.md lacks:\n{table}");
}
