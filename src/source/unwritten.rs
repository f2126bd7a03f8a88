//! What loading would say to a manifest that stands in no file yet.

use super::Check;
use super::diagnostic::{Fault, Faults};
use super::judge::judge;
use super::node::Node;
use crate::api::{Declared, Finding, Severity};
use serde_json::json;

/// Why the manifest would not load: its own faults, not those of a set.
#[must_use]
pub fn refusals(declared: &Declared, check: &dyn Check) -> Vec<Finding> {
    let mut document = json!({
        "metadata": {"name": declared.name},
        "spec": {
            "project": declared.key.project,
            "location": declared.key.location,
            "adopt": declared.policy.adopt,
            "resource": declared.resource,
        },
    });
    if declared.key.name != declared.name {
        document["spec"]["resourceName"] = declared.key.name.clone().into();
    }
    let mut faults = Faults::default();
    judge(declared, &Node::from_json(&document), check, &mut faults);
    let errors = faults.list.into_iter();
    errors
        .filter(|fault| fault.severity == Severity::Error)
        .map(finding)
        .collect()
}

fn finding(fault: Fault) -> Finding {
    Finding {
        path: fault.field.unwrap_or_default(),
        message: fault.message,
        limit: fault.limit,
        help: fault.help,
        severity: fault.severity,
    }
}
