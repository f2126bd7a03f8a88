//! Each judge against a forged trace that breaks its rule: a judge that never objects is no judge.
//!
//! The traces are a real run, clean in the eyes of all judges, with one thing changed.

use super::checkers::{
    Checker, calls, deletes, liveness, permission, status, steps, tokens, verdicts,
};
use super::honest::{
    ask, begin, declared, honest, insert, landed, nth, place, record, redeclare, sent,
};
use super::trace::{Fact, Sent, What};
use evenkeel::api::Reason;
use evenkeel::core::digest;
use evenkeel::core::record::{Held, Purpose, Step, Verb};
use evenkeel::core::token::Ask;
use serde_json::{Value, json};
use std::sync::Arc;

/// The judge has nothing against the honest run, and objects once it was forged.
fn catches(judge: Checker, forge: impl FnOnce(&mut Vec<Fact>)) {
    let mut trace = honest();
    forge(&mut trace);
    assert!(!judge(&trace).is_empty(), "the judge did not see it");
}

#[test]
fn a_call_without_an_intent() {
    catches(calls::intent_first, |trace| {
        trace.remove(begin(trace, 1));
    });
    catches(calls::intent_first, |trace| {
        let index = sent(trace, 0);
        if let What::Sent(sent) = &mut trace[index].what {
            sent.body["maxInstances"] = json!(9);
        }
    });
}

#[test]
fn an_attempt_without_a_saved_state() {
    catches(calls::saved_first, |trace| {
        let first = begin(trace, 0);
        if let What::Begin { revision, .. } = &mut trace[first].what {
            *revision = None;
        }
    });
}

#[test]
fn two_calls_at_once() {
    catches(calls::one_at_a_time, |trace| {
        let late = trace.remove(landed(trace, 0));
        let after = sent(trace, 1);
        trace.insert(after + 1, late);
    });
    catches(calls::one_at_a_time, |trace| {
        let index = landed(trace, 1);
        if let What::Landed { busy, .. } = &mut trace[index].what {
            *busy = true;
        }
    });
}

#[test]
fn a_repeated_step() {
    catches(calls::none_repeated, |trace| {
        let index = landed(trace, 1);
        if let What::Landed { entry, .. } = &mut trace[index].what {
            entry.before.clone_from(&entry.body);
        }
    });
}

#[test]
fn a_step_too_far() {
    catches(steps::bounded, |trace| {
        let index = landed(trace, 1);
        if let What::Landed { entry, .. } = &mut trace[index].what {
            entry.before.as_mut().unwrap()["maxInstances"] = json!(3);
        }
    });
}

#[test]
fn a_wide_mask() {
    catches(steps::narrow, |trace| {
        let index = sent(trace, 0);
        if let What::Sent(sent) = &mut trace[index].what {
            sent.mask.retain(|field| field != "minInstances");
        }
    });
    catches(steps::narrow, |trace| {
        let index = sent(trace, 0);
        if let What::Sent(sent) = &mut trace[index].what {
            sent.mask.push("machineType".to_owned());
            sent.body["machineType"] = json!("e2-micro");
        }
    });
}

#[test]
fn a_write_to_what_is_not_ours() {
    catches(permission::owned, |trace| {
        redeclare(trace, |declared| declared.policy.adopt = false);
    });
}

#[test]
fn a_write_while_switched_off() {
    catches(permission::switched_off, |trace| {
        redeclare(trace, |declared| declared.policy.suspend = true);
    });
    catches(permission::switched_off, |trace| {
        let resumed = nth(trace, 0, |what| {
            matches!(
                what,
                What::Asked {
                    ask: Ask::Resume,
                    ..
                }
            )
        });
        if let What::Asked { ask, .. } = &mut trace[resumed].what {
            *ask = Ask::Pause;
        }
    });
}

#[test]
fn a_write_on_an_old_manifest() {
    catches(permission::current, |trace| {
        let first = nth(trace, 0, |what| matches!(what, What::Declare(_)));
        let set = Arc::new(vec![declared(&json!({"maxInstances": 4}))].into());
        let at = trace[first].at - jiff::SignedDuration::from_hours(1);
        let what = What::Declare(set);
        trace.insert(first + 1, Fact { at, what });
    });
}

#[test]
fn an_attempt_without_approval() {
    catches(permission::approved, |trace| {
        redeclare(trace, |declared| {
            let rollout = declared.policy.rollout.as_mut().unwrap();
            rollout.approval = evenkeel::api::Approval::Manual;
        });
    });
}

#[test]
fn a_write_after_a_refusal() {
    catches(permission::refused_once, |trace| {
        let index = nth(trace, 0, |what| matches!(what, What::Finish { .. }));
        if let What::Finish { refused, .. } = &mut trace[index].what {
            *refused = true;
        }
    });
}

#[test]
fn a_write_of_held_content() {
    catches(permission::held, |trace| {
        let index = nth(trace, 1, |what| matches!(what, What::Commit { .. }));
        let digest = digest::desired(&declared(&json!({"minInstances": 5, "maxInstances": 10})));
        record(&mut trace[index]).held = Some(Held {
            digest,
            reason: Reason::Aborted,
            message: String::new(),
            since: jiff::Timestamp::UNIX_EPOCH,
            rolled_back_to: None,
        });
    });
}

#[test]
fn a_delete_that_nobody_asked_for() {
    catches(deletes::asked_for, |trace| {
        let last = trace.len() - 1;
        let sent = Sent {
            call: 99,
            key: place().key,
            object: String::new(),
            verb: Verb::Delete,
            mask: Vec::new(),
            body: Value::Null,
        };
        insert(trace, last, What::Sent(sent));
    });
}

#[test]
fn a_second_rollback() {
    catches(verdicts::one_rollback, |trace| {
        for (which, number) in [(0, 1), (1, 2)] {
            let index = begin(trace, which);
            let rollout = record(&mut trace[index]).rollout.as_mut().unwrap();
            let because = Reason::InvalidSpec;
            rollout.purpose = Purpose::Rollback { to: 1, because };
            rollout.revision = number;
        }
    });
}

#[test]
fn a_loop() {
    catches(verdicts::no_loop, |trace| {
        let (left, came) = (
            trace[sent(trace, 0)].clone(),
            trace[landed(trace, 0)].clone(),
        );
        let end = landed(trace, 0) + 1;
        for copy in 0..3 {
            let (mut left, mut came) = (left.clone(), came.clone());
            if let (What::Sent(sent), What::Landed { call, .. }) = (&mut left.what, &mut came.what)
            {
                (sent.call, *call) = (100 + copy, 100 + copy);
            }
            trace.splice(end..end, [left, came]);
        }
    });
}

#[test]
fn a_status_that_is_no_status() {
    catches(status::well_formed, |trace| {
        let index = nth(trace, 2, |what| matches!(what, What::Shown { .. }));
        if let What::Shown { status, .. } = &mut trace[index].what {
            let ready = status.conditions[0].clone();
            status.conditions.push(ready);
        }
    });
    catches(status::transitions, |trace| {
        let index = begin(trace, 1);
        let status = &mut record(&mut trace[index]).status;
        status.conditions[0].last_transition_time = jiff::Timestamp::UNIX_EPOCH;
    });
    catches(status::transitions, |trace| {
        let index = begin(trace, 1);
        record(&mut trace[index]).status.observed_generation = 0;
    });
    catches(status::never_gone, |trace| {
        trace.retain(|fact| !matches!(fact.what, What::Landed { .. }));
        let index = nth(trace, 1, |what| matches!(what, What::Shown { .. }));
        if let What::Shown { status, .. } = &mut trace[index].what {
            status.conditions[0].message = "the resource does not exist".to_owned();
        }
    });
}

#[test]
fn a_request_that_acts_twice_or_never() {
    let commit = |what: &What| matches!(what, What::Commit { .. });
    catches(tokens::once, |trace| {
        for which in [1, 2] {
            let index = nth(trace, which, commit);
            if let What::Commit { handled, .. } = &mut trace[index].what {
                handled.push("7".to_owned());
            }
        }
    });
    catches(tokens::once, |trace| {
        let index = nth(trace, 1, commit);
        record(&mut trace[index]).status.last_handled.retry = Some("7".to_owned());
    });
    catches(tokens::none_lost, |trace| {
        let index = nth(trace, 0, |what| matches!(what, What::Verdict { .. }));
        ask(trace, index, "7", Ask::Retry);
    });
}

#[test]
fn a_manual_pause_that_passes_by_itself() {
    catches(tokens::promotions, |trace| {
        for fact in trace {
            if let What::Begin { record, .. } | What::Finish { record, .. } = &mut fact.what
                && let Some(rollout) = record.rollout.as_mut()
            {
                rollout.steps[2] = Step::PauseManual;
            }
        }
    });
}

#[test]
fn a_world_that_does_not_rest() {
    catches(liveness::quiet, |trace| {
        let quiet = nth(trace, 0, |what| matches!(what, What::Quiet { .. }));
        let shown = trace[nth(trace, 0, |what| matches!(what, What::Shown { .. }))].clone();
        trace.insert(quiet + 1, shown);
    });
    catches(liveness::justified, |trace| {
        let index = nth(trace, 0, |what| matches!(what, What::Verdict { .. }));
        if let What::Verdict {
            truth: Some(truth), ..
        } = &mut trace[index].what
        {
            truth["maxInstances"] = json!(9);
        }
    });
    catches(liveness::deleted, |trace| {
        let index = nth(trace, 0, |what| matches!(what, What::Verdict { .. }));
        if let What::Verdict {
            status: Some(status),
            ..
        } = &mut trace[index].what
        {
            status.conditions[0].reason = Reason::WaitingForBudget;
        }
        let start = nth(trace, 0, |what| matches!(what, What::Start { .. }));
        if let What::Start { budget, .. } = &mut trace[start].what {
            *budget = 1;
        }
    });
}
