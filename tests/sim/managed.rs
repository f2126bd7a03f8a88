//! Rotation in Certificate Manager, and the judges of it against forged traces.

use super::checkers::{Checker, certificates};
use super::honest::{self, seconds};
use super::kinds::{Place, Prop, managed_certificate as managed};
use super::run::play;
use super::script::Act;
use super::trace::{Fact, What};
use evenkeel::api::envelope::{Deletion, Drift, Policy, RolloutSpec};
use evenkeel::api::{Declared, HumanDuration, Key, Kind};
use evenkeel::core::record::Verb;
use serde_json::{Value, json};
use std::sync::OnceLock;

const HOST: &str = "a.example.com";

fn place() -> Place {
    let key = Key {
        kind: Kind::ManagedCertificate,
        project: "netra-staging".to_owned(),
        location: "global".to_owned(),
        name: "wild".to_owned(),
    };
    let lot = json!({});
    Place { key, lot }
}

/// A certificate by hand in an entry, beside one of others.
fn props() -> Vec<Prop> {
    let slot = json!({"map": "front", "hostname": HOST});
    let theirs = "theirs.example.com";
    let made = [
        managed::make_map("front"),
        managed::authorize("hand", HOST),
        managed::authorize("theirs", theirs),
        managed::make("wild", &json!([HOST]), &["hand".to_owned()]),
        managed::make("theirs", &json!([theirs]), &["theirs".to_owned()]),
        managed::make_entry("by-hand", &slot, &["wild", "theirs"]),
    ];
    made.map(Prop::Made).to_vec()
}

fn manifest(domains: &Value) -> Declared {
    let slots = json!([{"map": "front", "hostname": HOST}]);
    let resource = json!({"managed": {"domains": domains}, "attachTo": slots});
    let policy = Policy {
        rollout: Some(RolloutSpec {
            bake: Some(HumanDuration(seconds(600))),
            ..RolloutSpec::default()
        }),
        drift: Drift::Enforce,
        deletion: Deletion::Orphan,
        adopt: true,
        suspend: false,
    };
    super::content::manifest(&place(), resource.as_object().cloned().unwrap(), policy)
}

/// The domains change: authorize, create, wait, point, hold, delete.
fn honest() -> Vec<Fact> {
    static RUN: OnceLock<Vec<Fact>> = OnceLock::new();
    RUN.get_or_init(|| {
        let wanted = manifest(&json!([HOST, "*.b.example.com"]));
        let set = vec![wanted];
        let acts = vec![
            (seconds(1), honest::declare(&set)),
            (seconds(3600), Act::Weather),
        ];
        let outcome = play(1, honest::calm(vec![place()], props(), acts, set));
        assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
        outcome.trace
    })
    .clone()
}

fn catches(judge: Checker, forge: impl FnOnce(&mut Vec<Fact>)) {
    let mut trace = honest();
    assert!(judge(&trace).is_empty());
    forge(&mut trace);
    assert!(!judge(&trace).is_empty(), "the judge did not see it");
}

fn is(sent: &super::trace::Sent, verb: Verb, collection: &str) -> bool {
    sent.verb == verb && sent.object.contains(collection)
}

/// The call of this kind, to be changed.
fn call<'t>(trace: &'t mut [Fact], verb: Verb, collection: &str) -> &'t mut super::trace::Sent {
    let found = trace.iter_mut().find_map(|fact| match &mut fact.what {
        What::Sent(sent) if is(sent, verb, collection) => Some(sent),
        _ => None,
    });
    found.expect("the call was made")
}

#[test]
fn a_rotation_is_four_calls() {
    let calls: Vec<_> = honest()
        .iter()
        .filter_map(|fact| match &fact.what {
            What::Sent(sent) => Some((sent.verb, sent.object.clone())),
            _ => None,
        })
        .collect();
    let verbs: Vec<_> = calls.iter().map(|(verb, _)| *verb).collect();
    let wanted = [Verb::Create, Verb::Create, Verb::Patch, Verb::Delete];
    assert_eq!(verbs, wanted, "{calls:?}");
    assert!(calls[3].1.ends_with("/certificates/wild"), "{calls:?}");
}

#[test]
fn an_entry_that_goes_dark() {
    catches(certificates::always_served, |trace| {
        // The new one never became ACTIVE, and the others' is gone from the list.
        for fact in trace.iter_mut() {
            let What::Became {
                body: Some(body), ..
            } = &mut fact.what
            else {
                continue;
            };
            if let Some(list) = body["certificates"].as_array_mut() {
                list.retain(|link| !link.as_str().unwrap().contains("theirs"));
            }
            if body["name"]
                .as_str()
                .unwrap()
                .contains("certificates/wild-")
            {
                body["managed"]["state"] = json!("PROVISIONING");
            }
        }
    });
}

#[test]
fn what_others_put_into_an_entry_taken_away() {
    catches(certificates::only_ours, |trace| {
        let sent = call(trace, Verb::Patch, "certificateMapEntries");
        let list = sent.body["certificates"].as_array_mut().unwrap();
        list.retain(|link| !link.as_str().unwrap().contains("theirs"));
    });
    catches(certificates::only_ours, |trace| {
        let sent = call(trace, Verb::Patch, "certificateMapEntries");
        let list = sent.body["certificates"].as_array_mut().unwrap();
        list.extend((0..4).map(|n| json!(format!("x/certificates/c{n}"))));
    });
    catches(certificates::only_ours, |trace| {
        honest::redeclare(trace, |declared| declared.policy.adopt = false);
    });
}

#[test]
fn an_authorization_of_somebody_else_taken_away() {
    catches(certificates::only_ours, |trace| {
        let sent = call(trace, Verb::Delete, "/certificates/");
        sent.object = sent
            .object
            .replace("certificates/wild", "dnsAuthorizations/hand");
    });
}
