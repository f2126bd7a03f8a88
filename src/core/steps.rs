//! Steps from the live value to the declared one.
//!
//! What can be taken back goes before what cannot: fields without `maxStep` first (the harmless
//! ones in one step, each disruptive one alone), then the ramps, all ramps moving together. A field
//! that must stay below or above a ramping one moves with it.

use super::fields::{Difference, Fields};
use super::record::Step;
use super::rules::Rules;
use crate::api::envelope::{RolloutSpec, StepSpec};
use serde_json::Value;

/// The steps that bring `live` to the target of `changes`.
#[must_use]
pub fn derive(
    rules: &Rules,
    live: &Fields,
    changes: &[Difference],
    rollout: Option<&RolloutSpec>,
) -> Vec<Step> {
    if let (Some(spec), Some(staging)) = (rollout, rules.staging)
        && let Some(steps) = (staging.steps)(live, changes, spec)
    {
        return steps;
    }
    match rollout {
        None => single(changes),
        Some(spec) if !spec.steps.is_empty() => explicit(rules, live, changes, &spec.steps),
        Some(spec) if spec.max_step.is_empty() => single(changes),
        Some(spec) => ramped(rules, live, changes, spec),
    }
}

/// Everything in one call.
#[must_use]
pub fn single(changes: &[Difference]) -> Vec<Step> {
    if changes.is_empty() {
        return Vec::new();
    }
    vec![Step::Set(targets(changes))]
}

fn targets(changes: &[Difference]) -> Fields {
    changes
        .iter()
        .map(|change| (change.field.clone(), change.to.clone()))
        .collect()
}

/// The declared steps, as far as they still lead from live towards the target, then the rest.
fn explicit(rules: &Rules, live: &Fields, changes: &[Difference], specs: &[StepSpec]) -> Vec<Step> {
    let target = targets(changes);
    let mut at = live.clone();
    let mut steps = Vec::new();
    for spec in specs {
        if let Some(set) = &spec.set {
            let mut set: Fields = (rules.flatten)(set)
                .into_iter()
                .filter(|(field, value)| {
                    target.contains_key(field)
                        && at.get(field) != Some(value)
                        && !beyond(at.get(field), value, target.get(field))
                })
                .collect();
            keep_order(rules, &at, &mut set);
            if set.is_empty() {
                continue;
            }
            at.extend(set.clone());
            steps.push(Step::Set(set));
        } else if let Some(pause) = &spec.pause {
            steps.push(pause_step(pause));
        }
    }
    let rest: Fields = target
        .into_iter()
        .filter(|(field, value)| at.get(field) != Some(value))
        .collect();
    if !rest.is_empty() {
        steps.push(Step::Set(rest));
    }
    without_idle_pauses(steps)
}

/// A step past the goal would have to be taken back, and not every field goes back.
fn beyond(at: Option<&Value>, to: &Value, goal: Option<&Value>) -> bool {
    match (number(at), number(Some(to)), number(goal)) {
        (Some(at), Some(to), Some(goal)) => to < at.min(goal) || to > at.max(goal),
        _ => false,
    }
}

/// The step of a declared pause.
#[must_use]
pub fn pause_step(pause: &str) -> Step {
    match pause.parse::<crate::api::HumanDuration>() {
        Ok(duration) => Step::Pause(u64::try_from(duration.0.as_millis()).unwrap_or(u64::MAX)),
        // Only `manual` is left: the source refuses everything else.
        Err(_) => Step::PauseManual,
    }
}

/// A pause before the first change, or after the last one, holds nothing back.
#[must_use]
pub fn without_idle_pauses(steps: Vec<Step>) -> Vec<Step> {
    if !steps.iter().any(|step| matches!(step, Step::Set(_))) {
        return Vec::new();
    }
    let is_pause = |step: &Step| matches!(step, Step::Pause(_) | Step::PauseManual);
    let last = steps.iter().rposition(|step| !is_pause(step)).unwrap_or(0);
    let kept = steps.into_iter().take(last + 1);
    kept.skip_while(is_pause).collect()
}

fn ramped(rules: &Rules, live: &Fields, changes: &[Difference], spec: &RolloutSpec) -> Vec<Step> {
    let bounded = |field: &str| spec.max_step.contains_key(field);
    // Sent ahead of the ramp, it would cross its partner.
    let tied = |field: &str| {
        let pairs = rules.ordered.iter();
        pairs.into_iter().any(|(lower, upper)| {
            (*lower == field && bounded(upper)) || (*upper == field && bounded(lower))
        })
    };
    let ramps = |change: &&Difference| {
        (bounded(&change.field) || tied(&change.field))
            && number(change.from.as_ref()).is_some()
            && number(Some(&change.to)).is_some()
    };
    let disrupts = |change: &&Difference| {
        rules
            .field(&change.field)
            .is_some_and(|r| r.disruption.is_some())
    };
    let ramping: Vec<_> = changes.iter().filter(ramps).collect();
    let plain: Vec<_> = changes.iter().filter(|change| !ramps(change)).collect();

    let mut steps = Vec::new();
    let harmless: Fields = plain
        .iter()
        .filter(|change| !disrupts(change))
        .map(|change| (change.field.clone(), change.to.clone()))
        .collect();
    if !harmless.is_empty() {
        steps.push(Step::Set(harmless));
    }
    for change in plain.iter().filter(|change| disrupts(change)) {
        steps.push(Step::Set(
            [(change.field.clone(), change.to.clone())].into(),
        ));
    }
    steps.extend(ramp(rules, live, &ramping, spec));
    let mut at = live.clone();
    for step in &steps {
        if let Step::Set(fields) = step {
            at.extend(fields.clone());
        }
    }
    // What cannot be ordered is no valid content: GCP says so, once.
    let rest = changes.iter().filter(|c| at.get(&c.field) != Some(&c.to));
    steps.extend(single(&rest.cloned().collect::<Vec<_>>()));
    steps
}

/// All ramping fields move at once, each by at most its `maxStep`.
fn ramp(rules: &Rules, live: &Fields, changes: &[&Difference], spec: &RolloutSpec) -> Vec<Step> {
    let mut at = live.clone();
    let mut steps = Vec::new();
    loop {
        let mut next = Fields::new();
        for change in changes {
            let (Some(now), Some(goal)) = (number(at.get(&change.field)), number(Some(&change.to)))
            else {
                continue;
            };
            let most = spec
                .max_step
                .get(&change.field)
                .copied()
                .unwrap_or(i64::MAX)
                .max(1);
            let moved = now + (goal - now).clamp(-most, most);
            if moved != now {
                next.insert(change.field.clone(), Value::from(moved));
            }
        }
        keep_order(rules, &at, &mut next);
        if next.is_empty() {
            return steps;
        }
        at.extend(next.clone());
        steps.push(Step::Set(next));
    }
}

/// Holds a field back in a step where it would meet or cross its partner.
fn keep_order(rules: &Rules, at: &Fields, next: &mut Fields) {
    for (lower, upper) in rules.ordered {
        let value = |field: &str| number(next.get(field).or_else(|| at.get(field)));
        let (Some(low), Some(high)) = (value(lower), value(upper)) else {
            continue;
        };
        if low < high {
            continue;
        }
        let rising = number(at.get(*lower)).is_none_or(|now| low > now);
        let (field, held) = if rising {
            (*lower, high - 1)
        } else {
            (*upper, low + 1)
        };
        if number(at.get(field)) == Some(held) {
            next.remove(field);
        } else {
            next.insert(field.to_owned(), Value::from(held));
        }
    }
}

fn number(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| super::fields::minimum(value))
}

/// What a step does, for people: `minInstances 3, maxInstances 5`.
#[must_use]
pub fn describe(step: &Step) -> String {
    match step {
        Step::Set(fields) => list(fields),
        Step::Create(fields) => format!("create with {}", list(fields)),
        Step::Pause(millis) => {
            let duration = crate::api::HumanDuration(std::time::Duration::from_millis(*millis));
            format!("pause {duration}")
        }
        Step::PauseManual => "pause until resumed".to_owned(),
        Step::Named(text) => text.clone(),
    }
}

fn list(fields: &Fields) -> String {
    let parts: Vec<_> = fields
        .iter()
        .map(|(field, value)| format!("{field} {}", plain(value)))
        .collect();
    parts.join(", ")
}

/// A value as people write it: strings without quotes.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => match super::fields::minimum(other) {
            Some(least) => format!("at least {least}"),
            None => other.to_string(),
        },
    }
}
