//! Draws manifests: valid ones mostly, some that GCP refuses, some that cannot be reached.

use evenkeel::api::envelope::{
    Approval, Deletion, Drift, OnFailure, Policy, RolloutSpec, StepSpec,
};
use evenkeel::api::{Declared, HumanDuration, Key, Origin};
use fastrand::Rng;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A connector of the fleet.
#[derive(Debug, Clone)]
pub struct Place {
    pub key: Key,
    /// Its own address range.
    pub range: String,
    /// As it is when the run starts: machine type, min and max instances.
    pub exists: Option<(&'static str, i64, i64)>,
    /// Another project uses it.
    pub used: bool,
}

const MACHINES: [&str; 3] = ["f1-micro", "e2-micro", "e2-standard-4"];

pub fn machine(rng: &mut Rng) -> &'static str {
    MACHINES[rng.usize(..3)]
}

/// A size that is not below `floor`, most of the time.
pub fn size(rng: &mut Rng, floor: (i64, i64)) -> (i64, i64) {
    let floor = if rng.u8(..10) < 8 { floor } else { (2, 3) };
    let min = rng.i64(floor.0.clamp(2, 9)..=9);
    let max = rng.i64(floor.1.max(min + 1).min(10)..=10);
    (min, max)
}

/// The declared fields of a place.
pub fn resource(rng: &mut Rng, place: &Place, floor: (i64, i64)) -> Map<String, Value> {
    let (min, max) = size(rng, floor);
    let mut fields = json!({"minInstances": min, "maxInstances": max});
    match rng.u8(..20) {
        0 => fields["maxInstances"] = json!(50),
        1 => fields["machineType"] = json!("e2-standard-8"),
        2 => fields["minInstances"] = json!(max),
        3..6 => fields = json!({"maxInstances": max}),
        6..8 => fields = json!({"minInstances": min}),
        8..14 => fields["machineType"] = json!(machine(rng)),
        _ => {}
    }
    if place.exists.is_none() || rng.u8(..10) < 2 {
        fields["network"] = json!("default");
        fields["ipCidrRange"] = json!(place.range);
    }
    fields.as_object().cloned().unwrap_or_default()
}

pub fn policy(rng: &mut Rng) -> Policy {
    Policy {
        rollout: rollout(rng),
        drift: if rng.u8(..10) < 2 {
            Drift::Observe
        } else {
            Drift::Enforce
        },
        deletion: if rng.u8(..10) < 4 {
            Deletion::Delete
        } else {
            Deletion::Orphan
        },
        adopt: rng.u8(..20) > 1,
        suspend: rng.u8(..20) == 0,
    }
}

fn rollout(rng: &mut Rng) -> Option<RolloutSpec> {
    let mut spec = RolloutSpec {
        bake: duration(rng, &[0, 0, 30, 120, 600]),
        timeout: duration(rng, &[0, 0, 0, 120, 600]),
        on_failure: if rng.u8(..10) < 3 {
            OnFailure::Hold
        } else {
            OnFailure::Rollback
        },
        approval: if rng.u8(..10) < 2 {
            Approval::Manual
        } else {
            Approval::Auto
        },
        allow_disruptive: rng.u8(..10) < 7,
        ..RolloutSpec::default()
    };
    match rng.u8(..10) {
        0..3 => return None,
        3..7 => {
            spec.max_step.insert("maxInstances".into(), rng.i64(1..=3));
            if rng.bool() {
                spec.max_step.insert("minInstances".into(), rng.i64(1..=2));
            }
        }
        _ => spec.steps = steps(rng),
    }
    Some(spec)
}

fn duration(rng: &mut Rng, seconds: &[u64]) -> Option<HumanDuration> {
    let drawn = seconds[rng.usize(..seconds.len())];
    (drawn > 0).then(|| HumanDuration(Duration::from_secs(drawn)))
}

fn steps(rng: &mut Rng) -> Vec<StepSpec> {
    let mut steps = Vec::new();
    let (mut min, mut max) = (2, 3);
    for _ in 0..rng.u8(1..4) {
        min = (min + rng.i64(1..3)).min(8);
        max = (max + rng.i64(1..3)).max(min + 1).min(10);
        let set = if rng.bool() {
            json!({"maxInstances": max})
        } else {
            json!({"minInstances": min, "maxInstances": max})
        };
        steps.push(StepSpec {
            set: set.as_object().cloned(),
            traffic: None,
            pause: None,
        });
        let pause = ["30s", "2m", "manual", ""][rng.usize(..4)];
        if !pause.is_empty() {
            steps.push(StepSpec {
                set: None,
                traffic: None,
                pause: Some(pause.to_owned()),
            });
            if pause == "manual" && rng.u8(..4) == 0 {
                steps.push(steps[steps.len() - 1].clone());
            }
        }
    }
    steps
}

pub fn manifest(place: &Place, resource: Map<String, Value>, policy: Policy) -> Declared {
    Declared {
        key: place.key.clone(),
        name: place.key.name.clone(),
        labels: std::collections::BTreeMap::new(),
        resource,
        policy,
        origin: Origin::default(),
    }
}
