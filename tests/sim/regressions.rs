//! Small deterministic tests of what seeds have found.

use super::honest::{self, declare, declared, place, says, seconds};
use super::kinds::{Place, connector};
use super::run::{Outcome, play};
use super::script::{Act, Script, Wish};
use super::trace::{Fact, What};
use evenkeel::api::envelope::{Deletion, StepSpec};
use evenkeel::api::{Declared, HumanDuration, Reason};
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

#[test]
fn two_that_leave_at_once_share_one_delete() {
    let mut fleet = vec![place(), place(), place()];
    for (index, place) in fleet.iter_mut().enumerate() {
        place.key.name = format!("c{index}");
        place.lot["range"] = json!(format!("10.8.{index}.0/28"));
    }
    let set: Vec<_> = fleet
        .iter()
        .map(|place| {
            let mut wanted = declared(&json!({"maxInstances": 4}));
            wanted.key = place.key.clone();
            wanted.name.clone_from(&place.key.name);
            wanted.policy.deletion = Deletion::Delete;
            wanted
        })
        .collect();
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
