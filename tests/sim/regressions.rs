//! Small deterministic tests of what seeds have found.

use super::honest::{self, declare, declared, place, says, seconds};
use super::kinds::{Place, connector};
use super::run::{Outcome, play};
use super::script::{Act, Script, Wish};
use super::trace::{Fact, What};
use evenkeel::api::envelope::{Deletion, StepSpec};
use evenkeel::api::{ConditionType, Declared, HumanDuration, Reason};
use serde_json::{Value, json};
use std::time::Duration;

/// Connectors in a run without faults.
fn calm(fleet: Vec<Place>, acts: Vec<(Duration, Act)>, last: Vec<Declared>) -> Script {
    let props = fleet.iter().filter_map(connector::prop).collect();
    honest::calm(fleet, props, acts, last)
}

fn clean(script: Script) -> Outcome {
    let outcome = play(1, script);
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    outcome
}

/// The bodies that were sent.
fn sent(trace: &[Fact]) -> Vec<Value> {
    let bodies = trace.iter().filter_map(|fact| match &fact.what {
        What::Sent(sent) => Some(sent.body.clone()),
        _ => None,
    });
    bodies.collect()
}

#[test]
fn a_field_without_max_step_does_not_cross_the_ramp() {
    let mut wanted = declared(&json!({"minInstances": 9, "maxInstances": 10}));
    let rollout = wanted.policy.rollout.as_mut().unwrap();
    rollout.max_step = [("maxInstances".to_owned(), 3)].into();
    let acts = vec![(seconds(1), declare(std::slice::from_ref(&wanted)))];
    let outcome = clean(calm(vec![place()], acts, vec![wanted]));
    let ramp = sent(&outcome.trace);
    assert_eq!(ramp[0], json!({"minInstances": 5, "maxInstances": 6}));
    assert_eq!(
        ramp.last(),
        Some(&json!({"minInstances": 9, "maxInstances": 10}))
    );
    assert!(!says(&outcome.trace, Reason::InvalidSpec));
}

#[test]
fn content_that_cannot_be_ordered_is_refused_once_and_not_planned_for_ever() {
    let wanted = declared(&json!({"minInstances": 5, "maxInstances": 5}));
    let acts = vec![
        (seconds(1), declare(std::slice::from_ref(&wanted))),
        (seconds(900), Act::Weather),
    ];
    let outcome = play(1, calm(vec![place()], acts, vec![wanted]));
    assert!(says(&outcome.trace, Reason::InvalidSpec));
    assert!(outcome.trace.len() < 1000, "{} facts", outcome.trace.len());
}

#[test]
fn steps_do_not_overshoot_the_goal() {
    let mut wanted = declared(&json!({"maxInstances": 7}));
    let rollout = wanted.policy.rollout.as_mut().unwrap();
    rollout.max_step.clear();
    rollout.steps = [5, 8]
        .map(|max| StepSpec {
            set: json!({"maxInstances": max}).as_object().cloned(),
            traffic: None,
            pause: None,
        })
        .to_vec();
    let acts = vec![(seconds(1), declare(std::slice::from_ref(&wanted)))];
    let outcome = clean(calm(vec![place()], acts, vec![wanted]));
    let largest = sent(&outcome.trace)
        .iter()
        .filter_map(|body| body["maxInstances"].as_i64())
        .max();
    assert_eq!(largest, Some(7));
}

#[test]
fn a_pause_after_the_last_change_asks_nobody() {
    let mut wanted = declared(&json!({"maxInstances": 7}));
    let rollout = wanted.policy.rollout.as_mut().unwrap();
    rollout.max_step.clear();
    rollout.steps = vec![
        StepSpec {
            set: json!({"maxInstances": 7}).as_object().cloned(),
            traffic: None,
            pause: None,
        },
        StepSpec {
            set: None,
            traffic: None,
            pause: Some("manual".to_owned()),
        },
    ];
    let acts = vec![(seconds(1), declare(std::slice::from_ref(&wanted)))];
    let outcome = clean(calm(vec![place()], acts, vec![wanted]));
    assert!(!says(&outcome.trace, Reason::AwaitingPromotion));
}

#[test]
fn a_paused_step_does_not_time_out() {
    let mut wanted = declared(&json!({"minInstances": 5, "maxInstances": 10}));
    let rollout = wanted.policy.rollout.as_mut().unwrap();
    rollout.timeout = Some(HumanDuration(seconds(600)));
    let acts = vec![
        (seconds(1), declare(std::slice::from_ref(&wanted))),
        (seconds(90), Act::Ask(0, Wish::Pause)),
        (seconds(3600), Act::Ask(0, Wish::Resume)),
        (seconds(900), Act::Weather),
    ];
    let outcome = clean(calm(vec![place()], acts, vec![wanted]));
    assert!(!says(&outcome.trace, Reason::DeadlineExceeded));
}

/// Several connectors, and what is declared of each.
fn several(count: u8, deletion: Deletion) -> (Vec<Place>, Vec<Declared>) {
    let places = (0..count).map(|index| {
        let mut place = place();
        place.key.name = format!("c{index}");
        place.lot["range"] = json!(format!("10.8.{index}.0/28"));
        let mut wanted = declared(&json!({"maxInstances": 4}));
        wanted.key = place.key.clone();
        wanted.name.clone_from(&place.key.name);
        wanted.policy.deletion = deletion;
        (place, wanted)
    });
    places.unzip()
}

#[test]
fn what_leaves_the_source_before_it_was_looked_at_is_forgotten() {
    let (fleet, set) = several(2, Deletion::Orphan);
    let left = set[..1].to_vec();
    let acts = vec![
        (seconds(1), declare(&set)),
        (seconds(0), declare(&left)),
        (seconds(600), Act::Weather),
    ];
    let outcome = clean(calm(fleet, acts, left));
    assert_eq!(last_shown(&outcome.trace, "c1"), None);
}

#[test]
fn what_comes_back_and_leaves_at_once_is_let_go_again() {
    let (fleet, set) = several(2, Deletion::Orphan);
    let left = set[..1].to_vec();
    let acts = vec![
        (seconds(1), declare(&set)),
        (seconds(600), declare(&left)),
        // The next one has read nothing yet.
        (seconds(600), Act::Restart),
        (seconds(0), declare(&set)),
        (seconds(0), declare(&left)),
        (seconds(600), Act::Weather),
    ];
    let outcome = clean(calm(fleet, acts, left));
    let last = last_shown(&outcome.trace, "c1");
    assert_eq!(last, Some(Reason::Suspended));
}

/// Why the resource is as it is in the end; `None`: it is shown no more.
fn last_shown(trace: &[Fact], name: &str) -> Option<Reason> {
    let end = trace.iter().rev().find_map(|fact| match &fact.what {
        What::Verdict { key, status, .. } if key.name == name => Some(status),
        _ => None,
    });
    let ready = end?.as_ref()?.condition(ConditionType::Ready)?;
    Some(ready.reason)
}

#[test]
fn two_that_leave_at_once_share_one_delete() {
    let (fleet, set) = several(3, Deletion::Delete);
    let left = set[..1].to_vec();
    let acts = vec![
        (seconds(1), declare(&set)),
        (seconds(600), declare(&left)),
        (seconds(600), Act::Weather),
    ];
    let mut script = calm(fleet, acts, left);
    script.settings.deletes_per_sync = 1;
    let outcome = clean(script);
    let first = outcome
        .trace
        .iter()
        .take_while(|fact| !matches!(fact.what, What::Calm));
    let deletes = first.filter(|fact| match &fact.what {
        What::Landed { entry, .. } => entry.method == "DELETE",
        _ => false,
    });
    assert_eq!(deletes.count(), 1);
}
