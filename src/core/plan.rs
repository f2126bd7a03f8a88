//! The plan between live and declared. `evenkeel plan` prints the very object that a run executes.

use super::digest;
use super::fields::{self, Difference, Fields};
use super::record::Step;
use super::rules::Rules;
use super::steps;
use crate::api::envelope::RolloutSpec;
use crate::api::status::{ChangeStatus, Mutability, PlanStatus, RollbackScope};
use serde_json::{Value, json};

/// What would be done, with nothing left to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Bound to the declared content, the live values and the steps: any change voids an approval.
    pub digest: String,
    pub action: Action,
    pub changes: Vec<ChangeStatus>,
    pub steps: Vec<Step>,
    pub rollback: RollbackScope,
    pub disruptive: bool,
}

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    None,
    Create,
    Update,
}

impl Plan {
    /// The changes that GCP does not make in place.
    pub fn blocked(&self) -> impl Iterator<Item = (&ChangeStatus, &str)> {
        self.changes
            .iter()
            .filter_map(|change| change.blocked.as_deref().map(|why| (change, why)))
    }

    /// `minInstances 2 -> 5, maxInstances 3 -> 10`.
    #[must_use]
    pub fn summary(&self) -> String {
        if self.action == Action::Create {
            return "create".to_owned();
        }
        let parts: Vec<_> = if self.changes.is_empty() {
            self.steps.iter().map(steps::describe).collect()
        } else {
            self.changes.iter().map(change_text).collect()
        };
        parts.join(", ")
    }

    /// There is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.steps.is_empty()
    }

    /// The part that goes into status.
    #[must_use]
    pub fn status(&self) -> PlanStatus {
        PlanStatus {
            digest: self.digest.clone(),
            changes: self.changes.clone(),
            rollback: self.rollback,
            disruptive: self.disruptive,
        }
    }
}

/// `minInstances 2 -> 5`.
#[must_use]
pub fn change_text(change: &ChangeStatus) -> String {
    let from = change
        .from
        .as_ref()
        .map_or_else(|| "unset".to_owned(), steps::plain);
    format!("{} {from} -> {}", change.field, steps::plain(&change.to))
}

/// Plans from the live fields (`None`: the resource does not exist) to the declared ones.
#[must_use]
pub fn plan(
    rules: &Rules,
    content: &str,
    declared: &Fields,
    live: Option<&Fields>,
    rollout: Option<&RolloutSpec>,
) -> Plan {
    let Some(live) = live else {
        return creation(content, declared);
    };
    let differences = fields::diff(declared, live);
    let steps = steps::derive(rules, live, &differences, rollout);
    let changes = classify_all(rules, &differences, live);
    Plan {
        digest: plan_digest(content, Some(&fields::restrict(live, declared)), &steps),
        action: if changes.is_empty() {
            Action::None
        } else {
            Action::Update
        },
        rollback: match rules.staging.and_then(|s| (s.back)(&steps, live, live)) {
            Some(_) => RollbackScope::Full,
            None => rollback_scope(&changes),
        },
        disruptive: changes.iter().any(|change| change.disruption.is_some()),
        changes,
        steps,
    }
}

fn creation(content: &str, declared: &Fields) -> Plan {
    let changes = declared
        .iter()
        .map(|(field, to)| ChangeStatus {
            field: field.clone(),
            from: None,
            to: to.clone(),
            mutability: Mutability::Immutable,
            disruption: None,
            blocked: None,
        })
        .collect();
    let steps = vec![Step::Create(declared.clone())];
    Plan {
        digest: plan_digest(content, None, &steps),
        action: Action::Create,
        changes,
        steps,
        // Going back would be a delete, and nothing is deleted unasked.
        rollback: RollbackScope::None,
        disruptive: false,
    }
}

fn plan_digest(content: &str, live: Option<&Fields>, steps: &[Step]) -> String {
    digest::of(&json!({
        "content": content, "live": digest::to_value(&live), "steps": digest::to_value(&steps),
    }))
}

fn classify_all(rules: &Rules, changes: &[Difference], live: &Fields) -> Vec<ChangeStatus> {
    let mut after = live.clone();
    after.extend(changes.iter().map(|d| (d.field.clone(), d.to.clone())));
    changes.iter().map(|d| classify(rules, d, &after)).collect()
}

fn classify(rules: &Rules, difference: &Difference, after: &Fields) -> ChangeStatus {
    let rule = rules.field(&difference.field);
    let mutability = rules.mutability(&difference.field);
    let refused = is_irreversible(mutability, difference.from.as_ref(), &difference.to);
    ChangeStatus {
        field: difference.field.clone(),
        from: difference.from.clone(),
        to: difference.to.clone(),
        mutability,
        disruption: rule.and_then(|rule| rule.disruption).map(str::to_owned),
        blocked: rule
            .filter(|_| refused)
            .map(|rule| rule.refusal.to_owned())
            .or_else(|| (rules.refuse)(difference, after))
            .or_else(|| unordered(rules, &difference.field, after)),
    }
}

/// GCP wants one number below another, and with what is live they would not be.
fn unordered(rules: &Rules, field: &str, after: &Fields) -> Option<String> {
    let number = |field: &str| after.get(field).and_then(Value::as_i64);
    rules.ordered.iter().find_map(|(lower, upper)| {
        let (low, high) = (number(lower)?, number(upper)?);
        let concerned = [lower, upper].iter().any(|one| **one == field);
        (concerned && low >= high).then(|| {
            format!("{lower} would be {low} and {upper} {high}: {lower} must be below {upper}; declare both")
        })
    })
}

/// A change that GCP never makes, whatever else is declared.
#[must_use]
pub fn is_irreversible(mutability: Mutability, from: Option<&Value>, to: &Value) -> bool {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    match mutability {
        Mutability::Immutable => true,
        Mutability::GrowOnly => {
            matches!((number(from), number(Some(to))), (Some(from), Some(to)) if to < from)
        }
        Mutability::Reversible | Mutability::WriteOnly => false,
    }
}

fn rollback_scope(changes: &[ChangeStatus]) -> RollbackScope {
    let back = changes
        .iter()
        .filter(|change| change.mutability == Mutability::Reversible)
        .count();
    match back {
        0 if !changes.is_empty() => RollbackScope::None,
        all if all == changes.len() => RollbackScope::Full,
        _ => RollbackScope::Partial,
    }
}

/// The fields of `saved` that differ from live, split into those that can go back in place and
/// those that cannot.
#[must_use]
pub fn way_back(
    rules: &Rules,
    saved: &Fields,
    live: &Fields,
) -> (Vec<ChangeStatus>, Vec<ChangeStatus>) {
    classify_all(rules, &fields::diff(saved, live), live)
        .into_iter()
        .partition(|change| change.mutability == Mutability::Reversible)
}
