//! Steps from live to declared, for every start, goal and stride a connector can have.

use evenkeel::api::Kind;
use evenkeel::api::envelope::{RolloutSpec, StepSpec};
use evenkeel::core::fields::{self, Fields};
use evenkeel::core::record::Step;
use evenkeel::core::{plan, steps};
use evenkeel::kinds;
use proptest::prelude::*;
use serde_json::{Value, json};

fn size(min: i64, max: i64) -> Fields {
    [
        ("minInstances".to_owned(), json!(min)),
        ("maxInstances".to_owned(), json!(max)),
    ]
    .into()
}

fn strides(min: i64, max: i64) -> RolloutSpec {
    RolloutSpec {
        max_step: [
            ("minInstances".to_owned(), min),
            ("maxInstances".to_owned(), max),
        ]
        .into(),
        ..RolloutSpec::default()
    }
}

fn derive(live: &Fields, goal: &Fields, spec: &RolloutSpec) -> Vec<Step> {
    let rules = kinds::of(Kind::VpcAccessConnector).rules();
    steps::derive(rules, live, &fields::diff(goal, live), Some(spec))
}

fn number(fields: &Fields, field: &str) -> i64 {
    fields[field].as_i64().expect("a number")
}

/// Every state on the way, the start included.
fn states(live: &Fields, steps: &[Step]) -> Vec<Fields> {
    let mut at = live.clone();
    let mut states = vec![at.clone()];
    for step in steps {
        if let Step::Set(set) = step {
            at.extend(set.clone());
            states.push(at.clone());
        }
    }
    states
}

prop_compose! {
    fn legal_size()(min in 2_i64..=9)(max in (min + 1).max(3)..=10, min in Just(min)) -> (i64, i64) {
        (min, max)
    }
}

proptest! {
    #[test]
    fn a_ramp_is_legal_gradual_and_complete(
        from in legal_size(), to in legal_size(), stride in (1_i64..=9, 1_i64..=9),
    ) {
        let to = (to.0.max(from.0), to.1.max(from.1));
        let (live, goal) = (size(from.0, from.1), size(to.0, to.1));
        let steps = derive(&live, &goal, &strides(stride.0, stride.1));
        let states = states(&live, &steps);
        prop_assert_eq!(states.last().unwrap(), &goal, "ends where it should");
        for pair in states.windows(2) {
            prop_assert_ne!(&pair[0], &pair[1], "no empty step");
            for (field, most) in [("minInstances", stride.0), ("maxInstances", stride.1)] {
                let moved = number(&pair[1], field) - number(&pair[0], field);
                prop_assert!((0..=most).contains(&moved), "{field} moved by {moved}");
            }
        }
        for state in &states {
            prop_assert!(number(state, "minInstances") < number(state, "maxInstances"));
        }
        let longest = (to.0 - from.0).max(to.1 - from.1);
        prop_assert!(steps.len() <= usize::try_from(longest).unwrap() + 8, "no dawdling");
    }

    #[test]
    fn explicit_steps_start_from_live_and_end_at_the_goal(
        from in legal_size(), to in legal_size(), waypoints in prop::collection::vec(legal_size(), 0..5),
    ) {
        let to = (to.0.max(from.0), to.1.max(from.1));
        let (live, goal) = (size(from.0, from.1), size(to.0, to.1));
        let set = |(min, max): (i64, i64)| StepSpec {
            set: Some(fields::unflatten(&size(min, max))),
            traffic: None,
            pause: None,
        };
        let specs = waypoints.into_iter().map(set).collect();
        let steps = derive(&live, &goal, &RolloutSpec { steps: specs, ..RolloutSpec::default() });
        let states = states(&live, &steps);
        prop_assert_eq!(states.last().unwrap(), &goal);
        for pair in states.windows(2) {
            prop_assert!(number(&pair[0], "minInstances") <= number(&pair[1], "minInstances"));
            prop_assert!(number(&pair[0], "maxInstances") <= number(&pair[1], "maxInstances"));
            prop_assert!(number(&pair[1], "minInstances") < number(&pair[1], "maxInstances"));
        }
    }

    #[test]
    fn the_plan_of_what_is_live_is_empty(
        fields in prop::collection::btree_map("[a-z]{1,8}", any::<i64>().prop_map(Value::from), 0..8),
    ) {
        let rules = kinds::of(Kind::VpcAccessConnector).rules();
        let plan = plan::plan(rules, "sha256:x", &fields, Some(&fields), None);
        prop_assert!(plan.changes.is_empty() && plan.steps.is_empty());
    }
}

#[test]
fn the_incident_takes_four_steps() {
    let steps = derive(&size(2, 3), &size(5, 10), &strides(1, 2));
    let texts: Vec<_> = steps.iter().map(steps::describe).collect();
    assert_eq!(
        texts,
        [
            "maxInstances 5, minInstances 3",
            "maxInstances 7, minInstances 4",
            "maxInstances 9, minInstances 5",
            "maxInstances 10",
        ]
    );
}

#[test]
fn what_can_be_taken_back_goes_first() {
    let mut live = size(2, 3);
    live.insert("machineType".into(), json!("e2-micro"));
    let mut goal = size(3, 5);
    goal.insert("machineType".into(), json!("e2-standard-4"));
    let steps = derive(&live, &goal, &strides(1, 2));
    let texts: Vec<_> = steps.iter().map(steps::describe).collect();
    assert_eq!(
        texts,
        [
            "machineType e2-standard-4",
            "maxInstances 5, minInstances 3"
        ]
    );
}

#[test]
fn the_lower_one_is_held_back_where_it_would_meet_the_upper() {
    let steps = derive(&size(2, 3), &size(9, 10), &strides(9, 1));
    let states = states(&size(2, 3), &steps);
    assert!(
        states
            .iter()
            .all(|s| number(s, "minInstances") < number(s, "maxInstances"))
    );
    assert_eq!(states.last(), Some(&size(9, 10)));
}
