//! The plan of a kind that changes by several calls on several objects.

use crate::api::Declared;
use crate::core::decide::procedure_plan;
use crate::core::digest;
use crate::core::fields::Fields;
use crate::core::observed::Present;
use crate::core::plan::{Action, Plan};
use crate::core::procedure::{Next, Procedure, Scene};
use crate::core::record::Record;
use crate::kinds;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The steps still to go, and what keeps them from being taken where there is no way on.
pub fn plan(
    declared: &Declared,
    wanted: &Fields,
    seen: Option<&Present>,
    record: Option<&Record>,
    look: fn(&Scene<'_>) -> Procedure,
    now: Timestamp,
) -> (Plan, Option<String>) {
    let rules = kinds::of(declared.key.kind).rules();
    let present = seen.filter(|seen| (rules.exists)(seen));
    let content = digest::desired(declared);
    let nothing = Fields::new();
    let good = record.and_then(|record| record.last_good.as_ref());
    let since = record
        .and_then(|record| record.rollout.as_ref())
        .map_or_else(BTreeMap::new, |rollout| rollout.since.clone());
    let rollout = declared.policy.rollout.as_ref();
    let procedure = look(&Scene {
        name: &declared.key.name,
        declared: wanted,
        resource: &declared.resource,
        live: seen,
        since: &since,
        adopt: declared.policy.adopt,
        attempt: record.map_or(1, Record::attempt),
        failed: record.map_or(0, |record| record.failures(&content)),
        applied: good.map_or(&nothing, |good| &good.fields),
        bake: rollout.and_then(|spec| spec.bake).unwrap_or_default().0,
        now,
    });
    let mut plan = procedure_plan(&content, wanted, present, &procedure);
    if procedure.next == Next::Done {
        plan.action = Action::None;
        plan.changes.clear();
        plan.steps.clear();
    } else {
        plan.steps.drain(..procedure.at.min(plan.steps.len()));
    }
    let stuck = match procedure.next {
        Next::Broken { message, .. } => Some(message),
        _ => None,
    };
    (plan, stuck)
}
