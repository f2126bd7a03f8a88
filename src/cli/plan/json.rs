//! A plan as JSON, for CI.

use crate::api::API_VERSION;
use crate::core::plan::Action;
use crate::core::steps;
use crate::render::plan_data::{ObjectPlan, Report};
use serde_json::{Value, json};

/// The whole report.
#[must_use]
pub fn report(report: &Report<'_>) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": "Plan",
        "revision": report.revision,
        "gcp": report.world,
        "summary": report.summary(),
        "resources": report.objects.iter().map(object).collect::<Vec<_>>(),
    })
}

fn object(object: &ObjectPlan) -> Value {
    let declared = &object.declared;
    let mut value = json!({
        "kind": declared.key.kind,
        "name": declared.name,
        "project": declared.key.project,
        "location": declared.key.location,
        "resourceName": declared.key.name,
        "file": declared.origin.file,
        "line": declared.origin.line,
        "verdict": object.verdict,
        "remarks": object.remarks,
        "notes": object.notes,
    });
    if let Some(plan) = &object.plan {
        value["digest"] = json!(plan.digest);
        value["action"] = json!(match plan.action {
            Action::None => "none",
            Action::Create => "create",
            Action::Update => "update",
        });
        value["changes"] = json!(plan.changes);
        value["steps"] = plan
            .steps
            .iter()
            .map(|step| json!({"does": steps::describe(step), "step": step}))
            .collect();
        value["bake"] = json!(object.bake());
        value["rollback"] = json!(plan.rollback);
        value["disruptive"] = json!(plan.disruptive);
        value["drift"] = json!(object.drift);
    }
    value
}
