//! The judges of what only some kinds have, each against a forged trace that breaks its rule.

use super::checkers::{Checker, secrets, steps, strangers, traffic};
use super::honest::{self, begin, declare, insert, nth, record, seconds, sent};
use super::kinds::{Place, Prop, certificate, run_service};
use super::run::play;
use super::script::Act;
use super::trace::{Fact, Sent, What};
use evenkeel::api::envelope::{Deletion, Drift, Policy, RolloutSpec, StepSpec};
use evenkeel::api::{Key, Kind, Reason};
use evenkeel::core::record::{Purpose, Verb};
use serde_json::{Value, json};
use std::sync::OnceLock;

fn place() -> Place {
    let key = Key {
        kind: Kind::RunService,
        project: certificate::PROJECT.to_owned(),
        location: "us-central1".to_owned(),
        name: "api".to_owned(),
    };
    let lot = json!({});
    Place { key, lot }
}

/// A new image gets its traffic in three steps: none, 10 %, all.
fn honest() -> Vec<Fact> {
    static RUN: OnceLock<Vec<Fact>> = OnceLock::new();
    let run = || {
        let place = place();
        let step = |share: i64| StepSpec {
            set: None,
            traffic: Some(share),
            pause: None,
        };
        let policy = Policy {
            rollout: Some(RolloutSpec {
                steps: vec![step(10), step(100)],
                ..RolloutSpec::default()
            }),
            drift: Drift::Enforce,
            deletion: Deletion::Orphan,
            adopt: true,
            suspend: false,
        };
        let resource = json!({"template": {"containers": [{"image": "img:2"}]}});
        let resource = resource.as_object().cloned().unwrap();
        let set = vec![super::content::manifest(&place, resource, policy)];
        let props = vec![Prop::Made(run_service::make(&place.key))];
        let acts = vec![(seconds(1), declare(&set)), (seconds(600), Act::Weather)];
        let outcome = play(1, honest::calm(vec![place], props, acts, set));
        assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
        outcome.trace
    };
    RUN.get_or_init(run).clone()
}

fn catches(judge: Checker, forge: impl FnOnce(&mut Vec<Fact>)) {
    let mut trace = honest();
    forge(&mut trace);
    assert!(!judge(&trace).is_empty(), "the judge did not see it");
}

/// The body of the n-th call, to be changed.
fn body(trace: &mut [Fact], which: usize) -> &mut Value {
    let index = sent(trace, which);
    match &mut trace[index].what {
        What::Sent(sent) => &mut sent.body,
        other => panic!("{other:?}"),
    }
}

#[test]
fn traffic_moves_in_three_calls() {
    let shares: Vec<_> = honest()
        .iter()
        .filter_map(|fact| match &fact.what {
            What::Sent(sent) => Some(run_service::shares(&sent.body["traffic"])),
            _ => None,
        })
        .map(|shares| shares.get("latest").copied().unwrap_or(0))
        .collect();
    assert_eq!(shares, [0, 10, 100]);
}

#[test]
fn traffic_beyond_the_step() {
    catches(traffic::by_steps, |trace| {
        let latest = body(trace, 2)["traffic"].clone();
        body(trace, 0)["traffic"] = latest;
    });
    catches(traffic::by_steps, |trace| {
        let latest = body(trace, 2)["traffic"].clone();
        body(trace, 1)["traffic"] = latest;
    });
}

#[test]
fn a_way_back_by_several_calls() {
    catches(traffic::back_in_one_call, |trace| {
        let because = Reason::ResourceFailed;
        let back = begin(trace, 1);
        let rollout = record(&mut trace[back]).rollout.as_mut().unwrap();
        rollout.purpose = Purpose::Rollback { to: 1, because };
    });
}

#[test]
fn a_change_without_its_version() {
    catches(steps::versioned, |trace| {
        body(trace, 0).as_object_mut().unwrap().remove("etag");
    });
    catches(steps::versioned, |trace| {
        body(trace, 0)["etag"] = json!("another");
    });
}

#[test]
fn a_variable_of_somebody_else_lost() {
    catches(strangers::members_stay, |trace| {
        body(trace, 0)["template"]["containers"][0]["env"] = json!([]);
    });
    catches(strangers::members_stay, |trace| {
        body(trace, 0)["template"]["containers"][0]["env"][0]["value"] = json!("mine");
    });
}

#[test]
fn a_secret_that_is_told() {
    catches(secrets::kept, |trace| {
        let index = begin(trace, 0);
        record(&mut trace[index]).status.source_revision = run_service::SECRET.to_owned();
    });
    catches(secrets::kept, |trace| {
        let index = nth(trace, 1, |what| matches!(what, What::Shown { .. }));
        if let What::Shown { status, .. } = &mut trace[index].what {
            status.source_revision = certificate::KEY.replace('\n', "");
        }
    });
}

#[test]
fn a_delete_of_a_health_check_in_use() {
    catches(strangers::used_checks_stay, |trace| {
        let check = "projects/p/global/healthChecks/h";
        let used = What::Became {
            name: "//compute.googleapis.com/projects/p/global/backendServices/b".to_owned(),
            body: Some(json!({"healthChecks": [format!("https://h/compute/v1/{check}")]})),
        };
        let delete = What::Sent(Sent {
            call: 99,
            key: Key {
                kind: Kind::HealthCheck,
                ..place().key
            },
            object: check.to_owned(),
            verb: Verb::Delete,
            mask: Vec::new(),
            body: Value::Null,
        });
        insert(trace, 1, used);
        let last = trace.len() - 1;
        insert(trace, last, delete);
    });
}
