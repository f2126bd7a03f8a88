//! The judges of gates and phases, each against a forged trace that breaks its rule.

use super::checkers::{Checker, gates, phases, rests};
use super::honest::{self, begin, insert, nth, place, record, redeclare, seconds};
use super::kinds::connector;
use super::prober::{Temper, Truth};
use super::run::play;
use super::script::{Act, Script};
use super::set::Set;
use super::trace::{Fact, Reading, What};
use evenkeel::api::envelope::OnFailure;
use evenkeel::api::status::Outcome;
use evenkeel::api::{CheckSpec, Document, Origin, PhaseSpec, Reason};
use evenkeel::core::phase::Failed;
use evenkeel::core::record::{Failure, Held, Purpose};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

fn document<S: serde::de::DeserializeOwned>(name: &str, spec: Value) -> Document<S> {
    Document {
        name: name.to_owned(),
        labels: BTreeMap::new(),
        spec: serde_json::from_value(spec).unwrap(),
        origin: Origin::default(),
    }
}

/// A connector gets another machine type, in a phase; both wait for the check `load`.
fn set() -> Set {
    let mut declared = honest::declared(&json!({"machineType": "e2-standard-4"}));
    declared.labels = [("phase".to_owned(), "1".to_owned())].into();
    declared.policy.rollout = Some(
        serde_json::from_value(json!({"verify": ["load"], "bake": "2m", "allowDisruptive": true}))
            .unwrap(),
    );
    let check: Document<CheckSpec> = document(
        "load",
        json!({"interval": "10s", "timeout": "6s", "expect": ["connect.max < 5s"],
               "tcp": {"host": "10.20.0.3", "port": 5432}}),
    );
    let phase: Document<PhaseSpec> = document(
        "stage1",
        json!({"select": {"matchLabels": {"phase": "1"}}, "verify": ["load"], "onFailure": "Rollback"}),
    );
    Set {
        resources: vec![declared],
        checks: vec![check],
        phases: vec![phase],
    }
}

fn script() -> Script {
    let first = Act::Declare("declare".to_owned(), Arc::new(set()));
    let acts = vec![(seconds(1), first), (seconds(1500), Act::Weather)];
    let props = connector::prop(&place()).into_iter().collect();
    let temper = Temper {
        truth: Truth::Always(1.0),
        errors: 0.0,
        silent: 0.0,
        stale: 0.0,
        blind: false,
    };
    Script {
        last: Arc::new(set()),
        tempers: [("load".to_owned(), temper)].into(),
        ..honest::calm(vec![place()], props, acts, Vec::new())
    }
}

fn honest() -> Vec<Fact> {
    static RUN: OnceLock<Vec<Fact>> = OnceLock::new();
    RUN.get_or_init(|| {
        let outcome = play(1, script());
        assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
        outcome.trace
    })
    .clone()
}

fn catches(judge: Checker, forge: impl FnOnce(&mut Vec<Fact>)) {
    let mut trace = honest();
    forge(&mut trace);
    assert!(!judge(&trace).is_empty(), "the judge did not see it");
}

/// The first record that says when the step landed.
fn landed(trace: &[Fact]) -> usize {
    nth(trace, 0, |what| match what {
        What::Commit { record, .. } => record
            .rollout
            .as_ref()
            .is_some_and(|rollout| rollout.landed_at.is_some()),
        _ => false,
    })
}

/// Changes every probe after a fact.
fn probes(trace: &mut [Fact], after: usize, change: impl Fn(&mut Timestamp, &mut Reading)) {
    for fact in &mut trace[after..] {
        if let What::Probed { since, reading, .. } = &mut fact.what {
            change(since, reading);
        }
    }
}

fn sets(trace: &mut [Fact], change: impl Fn(&mut Set)) {
    for fact in trace {
        if let What::Declare(set) = &mut fact.what {
            change(Arc::make_mut(set));
        }
    }
}

fn back(fact: &mut Fact, purpose: Purpose) {
    record(fact).rollout.as_mut().unwrap().purpose = purpose;
}

const ROLLBACK: Purpose = Purpose::Rollback {
    to: 1,
    because: Reason::VerifyFailed,
};

#[test]
fn a_verdict_from_old_samples() {
    catches(gates::fresh, |trace| {
        let landed = landed(trace);
        let before = trace[landed].at - SignedDuration::from_secs(3);
        probes(trace, landed, |since, _| *since = before);
    });
    catches(gates::fresh, |trace| {
        let landed = landed(trace);
        probes(trace, landed, |_, reading| *reading = Reading::Error);
    });
}

#[test]
fn a_step_without_its_gates() {
    catches(gates::set_up, |trace| {
        let index = landed(trace);
        let rollout = record(&mut trace[index]).rollout.as_mut().unwrap();
        rollout.gates.clear();
    });
}

#[test]
fn a_landing_before_the_call() {
    catches(gates::landed_first, |trace| {
        for fact in trace.iter_mut() {
            if let What::Commit { record, .. } = &mut fact.what
                && let Some(rollout) = &mut record.rollout
                && let Some(landed) = &mut rollout.landed_at
            {
                *landed -= SignedDuration::from_hours(1);
            }
        }
    });
}

#[test]
fn a_failure_that_nobody_measured() {
    catches(gates::errors_never_fail, |trace| {
        let index = landed(trace);
        record(&mut trace[index]).rollout.as_mut().unwrap().failure = Some(Failure {
            reason: Reason::VerifyFailed,
            message: "no answer".to_owned(),
        });
    });
    catches(phases::errors_never_fail, |trace| {
        let index = nth(trace, 2, |what| matches!(what, What::Phase { .. }));
        if let What::Phase { record, .. } = &mut trace[index].what {
            record.failed = Some(Failed {
                content: "x".to_owned(),
                reason: Reason::VerifyFailed,
                message: "no answer".to_owned(),
                started_at: Timestamp::UNIX_EPOCH,
                marks: Vec::new(),
                stays: false,
            });
        }
    });
}

#[test]
fn a_pass_that_nobody_measured() {
    for judge in [gates::errors_never_pass, phases::errors_never_pass] {
        catches(judge, |trace| {
            probes(trace, 0, |_, reading| *reading = Reading::Error);
        });
    }
}

#[test]
fn good_without_proof() {
    catches(gates::proved_first, |trace| {
        let good = nth(trace, 0, |what| match what {
            What::Commit { record, .. } => record.last_good.is_some(),
            _ => false,
        });
        let history = &mut record(&mut trace[good]).history;
        history.last_mut().unwrap().outcome = Outcome::Superseded;
    });
}

#[test]
fn given_up_before_it_was_asked() {
    catches(gates::asked_first, |trace| {
        let landed = landed(trace);
        let digest = String::new();
        let since = trace[landed].at;
        let next = nth(&trace[landed + 1..], 0, |what| {
            matches!(what, What::Commit { .. })
        });
        let index = landed + 1 + next;
        probes(trace, landed, |since, _| *since = Timestamp::UNIX_EPOCH);
        record(&mut trace[index]).held = Some(Held {
            digest,
            reason: Reason::Inconclusive,
            message: String::new(),
            since,
            rolled_back_to: None,
        });
    });
}

#[test]
fn a_way_back_without_a_cause() {
    catches(gates::unknown_stays, |trace| {
        let because = Reason::Inconclusive;
        let index = begin(trace, 0);
        back(&mut trace[index], Purpose::Rollback { to: 1, because });
    });
    catches(gates::hold_holds, |trace| {
        redeclare(trace, |declared| {
            let rollout = declared.policy.rollout.as_mut().unwrap();
            rollout.on_failure = OnFailure::Hold;
        });
        let index = begin(trace, 0);
        back(&mut trace[index], ROLLBACK);
    });
    catches(phases::recalled_for_cause, |trace| {
        let index = begin(trace, 0);
        back(&mut trace[index], Purpose::Undo { to: 1 });
    });
}

#[test]
fn two_ways_back() {
    catches(phases::one_way_back, |trace| {
        let index = begin(trace, 0);
        back(&mut trace[index], ROLLBACK);
        let mut again = trace[index].what.clone();
        if let What::Begin { record, .. } = &mut again {
            let rollout = record.rollout.as_mut().unwrap();
            rollout.started_at += SignedDuration::from_secs(1);
        }
        insert(trace, index + 1, again);
    });
}

#[test]
fn a_step_before_its_phase() {
    catches(phases::in_order, |trace| {
        sets(trace, |set| {
            let on = json!([{"name": "stage0"}]);
            set.phases[0].spec.depends_on = serde_json::from_value(on).unwrap();
        });
    });
}

#[test]
fn a_request_about_a_phase_twice() {
    catches(phases::once, |trace| {
        for which in 0..2 {
            let index = nth(trace, which, |what| matches!(what, What::Phase { .. }));
            if let What::Phase { handled, .. } = &mut trace[index].what {
                handled.push("7".to_owned());
            }
        }
    });
}

#[test]
fn a_phase_that_nobody_sees() {
    catches(rests::phases, |trace| {
        let index = nth(trace, 0, |what| matches!(what, What::PhaseEnd { .. }));
        if let What::PhaseEnd { report, .. } = &mut trace[index].what {
            *report = None;
        }
    });
}
