//! Draws what manifests of every kind have in common: policies, settings of rollouts, pauses.

use super::kinds::{self, Place};
use evenkeel::api::envelope::{
    Approval, Deletion, Drift, OnFailure, Policy, RolloutSpec, StepSpec,
};
use evenkeel::api::{Declared, HumanDuration, Kind, Origin};
use fastrand::Rng;
use serde_json::{Map, Value};
use std::time::Duration;

pub fn policy(rng: &mut Rng, kind: Kind) -> Policy {
    Policy {
        rollout: kinds::of(kind).rollout(rng),
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

/// The settings of a rollout, with bakes and timeouts in seconds to choose from; 0 is none.
pub fn settings(rng: &mut Rng, bakes: &[u64], timeouts: &[u64]) -> RolloutSpec {
    RolloutSpec {
        bake: duration(rng, bakes),
        timeout: duration(rng, timeouts),
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
    }
}

fn duration(rng: &mut Rng, seconds: &[u64]) -> Option<HumanDuration> {
    let drawn = seconds[rng.usize(..seconds.len())];
    (drawn > 0).then(|| HumanDuration(Duration::from_secs(drawn)))
}

/// A pause after a step, or none, or two.
pub fn push_pause(rng: &mut Rng, steps: &mut Vec<StepSpec>) {
    let pause = ["30s", "2m", "manual", ""][rng.usize(..4)];
    if pause.is_empty() {
        return;
    }
    steps.push(StepSpec {
        set: None,
        traffic: None,
        pause: Some(pause.to_owned()),
    });
    if pause == "manual" && rng.u8(..4) == 0 {
        steps.push(steps[steps.len() - 1].clone());
    }
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
