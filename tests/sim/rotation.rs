//! A real rotation, the judges of certificates on forged copies of it, and what seeds have found.

use super::checkers::{self, Checker, certificates};
use super::honest::{self, landed, nth, says, seconds, sent};
use super::kinds::{Call, Meddle, Place, Prop, certificate};
use super::run::{Outcome, play};
use super::script::Act;
use super::trace::{Fact, What};
use evenkeel::api::envelope::{Deletion, Drift, Policy, RolloutSpec};
use evenkeel::api::{Declared, HumanDuration, Key, Kind, Reason};
use evenkeel::core::record::Verb;
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::Duration;

fn place() -> Place {
    Place {
        key: Key {
            kind: Kind::SslCertificate,
            project: certificate::PROJECT.to_owned(),
            location: "global".to_owned(),
            name: "shop".to_owned(),
        },
        lot: json!({"proxies": ["front"], "domains": ["a.example.com"]}),
    }
}

/// `shop` and a stranger's certificate serve on one proxy.
fn props() -> Vec<Prop> {
    let theirs = certificate::THEIRS[0];
    let made = [
        certificate::make("shop", &json!(["a.example.com"])),
        certificate::make(theirs, &json!(["theirs.example.com"])),
        certificate::make_proxy("front", &["shop".to_owned(), theirs.to_owned()]),
    ];
    made.map(Prop::Made).to_vec()
}

fn manifest(domains: &Value) -> Declared {
    let resource = json!({"managed": {"domains": domains}, "attachTo": ["front"]});
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

fn calm(props: Vec<Prop>, acts: Vec<(Duration, Act)>, last: &Declared) -> Outcome {
    let script = honest::calm(vec![place()], props, acts, vec![last.clone()]);
    let outcome = play(1, script);
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    outcome
}

fn declare(declared: &Declared) -> Act {
    honest::declare(std::slice::from_ref(declared))
}

/// The domains change: create, attach, wait, hold, detach, delete.
fn honest() -> Vec<Fact> {
    static RUN: OnceLock<Vec<Fact>> = OnceLock::new();
    RUN.get_or_init(|| {
        let wanted = manifest(&json!(["b.example.com"]));
        let acts = vec![
            (seconds(1), declare(&wanted)),
            (seconds(3600), Act::Weather),
        ];
        calm(props(), acts, &wanted).trace
    })
    .clone()
}

fn catches(judge: Checker, forge: impl FnOnce(&mut Vec<Fact>)) {
    let mut trace = honest();
    forge(&mut trace);
    assert!(!judge(&trace).is_empty(), "the judge did not see it");
}

/// The bodies of the calls, by verb and object.
fn calls(trace: &[Fact]) -> Vec<(Verb, String)> {
    let sent = trace.iter().filter_map(|fact| match &fact.what {
        What::Sent(sent) => Some((sent.verb, sent.object.clone())),
        _ => None,
    });
    sent.collect()
}

#[test]
fn a_rotation_is_four_calls() {
    let made = calls(&honest());
    let verbs: Vec<_> = made.iter().map(|(verb, _)| *verb).collect();
    assert_eq!(
        verbs,
        [Verb::Create, Verb::Patch, Verb::Patch, Verb::Delete]
    );
    assert!(made[3].1.ends_with("sslCertificates/shop"), "{made:?}");
}

#[test]
fn a_proxy_that_goes_dark() {
    catches(certificates::always_served, |trace| {
        // The new one never became ACTIVE, and the stranger's is gone from the list.
        for fact in trace.iter_mut() {
            let What::Became {
                body: Some(body), ..
            } = &mut fact.what
            else {
                continue;
            };
            if let Some(list) = body["sslCertificates"].as_array_mut() {
                list.retain(|link| !link.as_str().unwrap().contains("theirs"));
            }
            if body["name"].as_str().unwrap().starts_with("shop-") {
                body["managed"]["status"] = json!("PROVISIONING");
            }
        }
    });
}

#[test]
fn a_certificate_of_somebody_else_taken_away() {
    catches(certificates::only_ours, |trace| {
        let attach = sent(trace, 1);
        if let What::Sent(sent) = &mut trace[attach].what {
            let list = sent.body["sslCertificates"].as_array_mut().unwrap();
            list.retain(|link| !link.as_str().unwrap().contains("theirs"));
        }
    });
    catches(certificates::only_ours, |trace| {
        let delete = sent(trace, 3);
        if let What::Sent(sent) = &mut trace[delete].what {
            sent.object = sent.object.replace("/shop", "/theirs-0");
        }
    });
    catches(certificates::only_ours, |trace| {
        honest::redeclare(trace, |declared| declared.policy.adopt = false);
    });
}

#[test]
fn a_crowded_proxy() {
    catches(certificates::only_ours, |trace| {
        let attach = sent(trace, 1);
        if let What::Sent(sent) = &mut trace[attach].what {
            let list = sent.body["sslCertificates"].as_array_mut().unwrap();
            list.extend((0..15).map(|n| json!(format!("x/sslCertificates/c{n}"))));
        }
    });
}

#[test]
fn a_call_on_a_proxy_that_an_earlier_call_is_changing() {
    catches(checkers::calls::one_at_a_time, |trace| {
        let detach = landed(trace, 2);
        if let What::Landed { busy, .. } = &mut trace[detach].what {
            *busy = true;
        }
    });
}

#[test]
fn a_family_on_a_proxy_that_is_not_named_any_more_is_at_rest() {
    let mut there = props();
    let proxy = certificate::make_proxy("back", &["shop".to_owned()]);
    there.push(Prop::Made(proxy));
    let wanted = manifest(&json!(["b.example.com"]));
    let acts = vec![
        (seconds(1), declare(&wanted)),
        (seconds(7200), Act::Weather),
    ];
    let outcome = calm(there, acts, &wanted);
    let deletes = calls(&outcome.trace)
        .into_iter()
        .filter(|(verb, _)| *verb == Verb::Delete);
    assert_eq!(deletes.count(), 0, "back still serves the old one");
}

#[test]
fn a_suspended_rotation_does_not_time_out() {
    let wanted = manifest(&json!(["b.example.com"]));
    let mut suspended = wanted.clone();
    suspended.policy.suspend = true;
    let acts = vec![
        (seconds(1), declare(&wanted)),
        (seconds(600), declare(&suspended)),
        (seconds(4 * 3600), declare(&wanted)),
        (seconds(3600), Act::Weather),
    ];
    let outcome = calm(props(), acts, &wanted);
    assert!(!says(&outcome.trace, Reason::DeadlineExceeded));
}

#[test]
fn a_certificate_that_only_looks_like_one_of_ours_stays() {
    // The family is made by evenkeel, and then Terraform makes one with a suffix of its own.
    let first = manifest(&json!(["a.example.com"]));
    let second = manifest(&json!(["b.example.com"]));
    let lookalike = format!("shop-{}", certificate::LOOKALIKES[0]);
    let deed = json!({"make": lookalike, "domains": ["c.example.com"]});
    let attach = json!({"attach": lookalike, "to": "front"});
    let theirs = certificate::THEIRS[0];
    let there: Vec<Call> = vec![
        certificate::make(theirs, &json!(["theirs.example.com"])),
        certificate::make_proxy("front", &[theirs.to_owned()]),
    ];
    let acts = vec![
        (seconds(1), declare(&first)),
        (seconds(3600), Act::Foreign(0, Meddle::Deed(deed))),
        (seconds(60), Act::Foreign(0, Meddle::Deed(attach))),
        (seconds(1800), declare(&second)),
        (seconds(3600), Act::Weather),
    ];
    let outcome = calm(there.into_iter().map(Prop::Made).collect(), acts, &second);
    let end = nth(&outcome.trace, 1, |what| {
        matches!(what, What::Verdict { .. })
    });
    let What::Verdict {
        truth: Some(truth), ..
    } = &outcome.trace[end].what
    else {
        panic!("the family is gone");
    };
    assert!(truth.to_string().contains(&lookalike), "{truth}");
}
