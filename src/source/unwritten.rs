//! What loading would say to a manifest that stands in no file yet.

use super::Check;
use super::diagnostic::{Fault, Faults};
use super::document::schema_of;
use super::managed::judge;
use super::node::Node;
use super::schema;
use crate::api::{Declared, DocumentKind, Finding, Severity};
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
    let node = Node::from_json(&document);
    let kind = DocumentKind::Managed(declared.key.kind);
    let mut faults = Faults::default();
    schema::walk(&node, schema_of(kind), "", 0..0, &mut faults);
    judge(declared, &node, check, &mut faults);
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
