//! What people read, at the widths they read it. `INSTA_UPDATE=always cargo test --test render`
//! writes the snapshots anew.

use evenkeel::api::event::Severity;
use evenkeel::api::status::{
    ChangeStatus, HeldStatus, HistoryEntry, Mutability, Outcome, PlanStatus, RevisionRef,
    RollbackScope, RolloutStatus, StepCheck,
};
use evenkeel::api::{Event, Key, Kind, Reason, Saturation, SaturationLevel};
use evenkeel::core::conditions::{DriftFact, Situation, compute};
use evenkeel::core::record::{Held, Record, Revision};
use evenkeel::render::describe::{self, Facts};
use evenkeel::render::live::{self, Banner, Row};
use evenkeel::render::objects::{Layout, Object, list};
use evenkeel::render::rollout;
use evenkeel::render::undo::{WayBack, preview};
use jiff::Timestamp;
use serde_json::{Value, json};

fn at(second: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    Timestamp::from_second(start.as_second() + second).unwrap()
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn record(name: &str, situation: &Situation) -> Record {
    let key = Key {
        kind: Kind::VpcAccessConnector,
        project: "netra-staging".into(),
        location: "us-central1".into(),
        name: name.into(),
    };
    let mut record = Record::new(key, name.into());
    record.generation = 3;
    record.revision = 2;
    record.owned = true;
    record.status.source_revision = "files@sha256:0fef3157477e".into();
    record.status.conditions = compute(&[], situation, &DriftFact::Unknown, Vec::new(), 3, at(0));
    let observed = json!({"machineType": "e2-standard-4", "minInstances": 3, "state": "READY"});
    record
        .status
        .observed
        .clone_from(observed.as_object().unwrap());
    record
}

fn baking() -> Record {
    let text = "step 2/5 landed; holds until 2026-11-23T10:10:00Z";
    let mut record = record("staging-connector", &Situation::Baking(text.into()));
    record.status.rollout = Some(RolloutStatus {
        checks: vec![StepCheck {
            name: "connector-load".to_owned(),
            baseline: "Failing: connect.max 7.2s".to_owned(),
            now: Some("Passing: connect.max 41ms, want < 5s (baseline 7.2s)".to_owned()),
            samples: 3,
        }],
        attempt: 1,
        step: 2,
        steps: 5,
        doing: "maxInstances 5, minInstances 3".into(),
        step_started_at: at(0),
        bake_until: Some(at(600)),
        operation: None,
    });
    record.status.plan = Some(PlanStatus {
        digest: format!("sha256:{}", "0123456789abcdef".repeat(4)),
        changes: vec![change("minInstances", 3, 5), change("maxInstances", 5, 10)],
        rollback: RollbackScope::None,
        disruptive: false,
    });
    record.status.saturation = Some(Box::new(Saturation {
        at: at(-240),
        level: SaturationLevel::FillingUp,
        used_mbps: 350.0,
        limit_mbps: 500.0,
        cpu: Some(0.62),
        instances: Some(4),
        max_instances: 5,
        machine_type: "e2-micro".into(),
        shared_by: vec!["api".into(), "web".into()],
        full_at: Some(at(1800)),
        ways_out: vec![
            "maxInstances 10 instead of 5 (it only grows)".into(),
            "a second connector for some of the services".into(),
        ],
    }));
    record
}

fn held() -> Record {
    let message = "step 3/5: not done within 2m; last: HTTP 503 UNAVAILABLE: the service is \
                   currently unavailable. Commit other content, or `evenkeel rollout retry` to \
                   send it again";
    let mut record = record(
        "other",
        &Situation::Stalled {
            reason: Reason::DeadlineExceeded,
            message: message.into(),
        },
    );
    let digest = format!("sha256:{}", "fedcba9876543210".repeat(4));
    record.held = Some(Held {
        digest: digest.clone(),
        reason: Reason::DeadlineExceeded,
        message: message.into(),
        since: at(0),
        rolled_back_to: Some(2),
    });
    record.status.held = Some(HeldStatus {
        digest: digest.clone(),
        reason: Reason::DeadlineExceeded,
        since: at(0),
        rolled_back_to: Some(2),
    });
    record.status.last_good = Some(RevisionRef {
        revision: 2,
        digest: digest.clone(),
    });
    record.history.push(HistoryEntry {
        revision: 2,
        digest,
        source: "files@sha256:0fef3157477e".into(),
        summary: "maxInstances 3 -> 10, minInstances 2 -> 5".into(),
        outcome: Outcome::RolledBack,
        started_at: at(-90),
        finished_at: Some(at(0)),
    });
    record
}

fn change(field: &str, from: i64, to: i64) -> ChangeStatus {
    ChangeStatus {
        field: field.into(),
        from: Some(Value::from(from)),
        to: Value::from(to),
        mutability: Mutability::GrowOnly,
        disruption: None,
        blocked: None,
    }
}

fn objects(records: &[Record]) -> Vec<Object<'_>> {
    records
        .iter()
        .map(|record| Object {
            key: &record.key,
            name: &record.name,
            generation: record.generation,
            revision: record.revision,
            status: &record.status,
        })
        .collect()
}

fn ending() -> Record {
    let mut record = record("ending", &Situation::UpToDate);
    let expires = at(12 * 86_400).to_string();
    record
        .status
        .observed
        .insert("expireTime".into(), expires.into());
    record
}

fn fresh() -> Record {
    let mut record = record("fresh", &Situation::UpToDate);
    record.status.conditions.clear();
    record
}

#[test]
fn lists() {
    let records = [
        baking(),
        held(),
        record("good", &Situation::UpToDate),
        ending(),
        fresh(),
    ];
    for (name, wide, width) in [
        ("list_80", false, Some(80)),
        ("list_120", false, Some(120)),
        ("list_wide_piped", true, None),
    ] {
        let layout = Layout {
            wide,
            head: true,
            now: at(75),
            width,
        };
        let text = plain(&list(&objects(&records), layout));
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(width.is_none() || widest <= width, "{text}");
        insta::assert_snapshot!(name, text);
    }
}

fn event(second: i64, severity: Severity, reason: &str, message: &str) -> Event {
    Event {
        at: at(second),
        about: baking().key.into(),
        severity,
        reason: reason.into(),
        message: message.into(),
    }
}

#[test]
fn descriptions() {
    let events = [
        event(
            -90,
            Severity::Normal,
            "StepStarted",
            "step 1/5: machineType e2-standard-4",
        ),
        event(
            0,
            Severity::Warning,
            "DeadlineExceeded",
            "step 3/5: not done within 2m; last: HTTP 503",
        ),
    ];
    for (name, record, width) in [
        ("describe_baking_80", baking(), 80),
        ("describe_held_80", held(), 80),
        ("describe_held_120", held(), 120),
    ] {
        let facts = Facts {
            record: &record,
            events: &events,
            operator_runs: true,
            now: at(75),
            width: Some(width),
        };
        insta::assert_snapshot!(name, plain(&describe::text(&facts)));
    }
}

#[test]
fn a_run() {
    let record = baking();
    let good = held();
    let rows = [
        Row {
            key: &record.key,
            name: &record.name,
            status: &record.status,
        },
        Row {
            key: &good.key,
            name: &good.name,
            status: &good.status,
        },
    ];
    let banner = Banner {
        paths: "manifests/quickstart",
        revision: "files@sha256:0fef3157477e",
        objects: 1,
        world: "emulator:netra-staging",
        address: Some("127.0.0.1:34641".into()),
        serves: Some("127.0.0.1:8086".into()),
        state: ".evenkeel/state.db",
        mode: "apply",
    };
    let long = "5 step(s): machineType e2-micro -> e2-standard-4, maxInstances 3 -> 10";
    let mut text = live::banner(&banner);
    for (reason, message) in [
        ("RolloutStarted", long),
        ("StepLanded", "step 1/5: machineType e2-standard-4"),
    ] {
        let event = event(1, Severity::Normal, reason, message);
        text.push_str(&live::event(&event, "staging-connector", 21, Some(80)));
    }
    text.push_str(&live::progress(&rows, at(541)).unwrap());
    text.push('\n');
    text.push_str(&live::settled(
        &rows,
        at(600),
        "; watching for changes (Ctrl-C stops)",
    ));
    insta::assert_snapshot!("run_80", plain(&text));
}

#[test]
fn rollouts() {
    let record = held();
    let revisions = [1, 2].map(|number| Revision {
        key: record.key.clone(),
        number,
        digest: "sha256:0".into(),
        source: "files@sha256:0fef3157477e".into(),
        at: at(-1000 + number),
        fields: [
            ("machineType".to_owned(), json!("e2-micro")),
            ("minInstances".to_owned(), json!(2)),
            ("network".to_owned(), json!("default")),
        ]
        .into(),
        raw: if number == 1 { Value::Null } else { json!({}) },
    });
    let way = WayBack {
        back: vec![ChangeStatus {
            field: "machineType".into(),
            from: Some(json!("e2-standard-4")),
            to: json!("e2-micro"),
            mutability: Mutability::Reversible,
            disruption: None,
            blocked: None,
        }],
        stuck: vec![(
            change("minInstances", 3, 2),
            "it only grows in place".into(),
        )],
    };
    let live = rollout::managed(&record, &revisions[1].fields);
    let parts = [
        rollout::status(&baking(), at(75), Some(80)),
        rollout::history(&record, &revisions, Some(120)),
        rollout::diff(("revision 1", &live), ("live", &[].into()), None),
        rollout::diff(("revision 1", &live), ("live", &live), None),
        preview(&record, &revisions[1], &way, Some(80)),
    ];
    insta::assert_snapshot!("rollouts", plain(&parts.join("\n")));
}
