//! One document against the schema, the rules of a rollout and the rules of its kind.

use super::Check;
use super::diagnostic::{Fault, Faults};
use super::node::Node;
use super::{rollout, schema};
use crate::api::backend_service::BackendServiceResource;
use crate::api::health_check::HealthCheckResource;
use crate::api::run_service::RunServiceResource;
use crate::api::sql_instance::SqlInstanceResource;
use crate::api::ssl_certificate::SslCertificateResource;
use crate::api::vpc_access_connector::VpcAccessConnectorResource;
use crate::api::{Declared, Finding, Kind, ManagedSpec, Policy, Severity, crd};
use serde_json::Value;
use std::sync::LazyLock;

/// The schema of a kind's whole document, made once.
fn document_schema(kind: Kind) -> &'static Value {
    static ALL: LazyLock<Vec<(Kind, Value)>> = LazyLock::new(|| {
        let document = |kind: Kind| {
            serde_json::json!({
                "type": "object",
                "required": ["metadata", "spec"],
                "properties": {
                    "apiVersion": {},
                    "kind": {},
                    "metadata": crd::metadata_schema(),
                    "spec": crd::spec_schema(kind),
                },
            })
        };
        let kinds = Kind::ALL.iter();
        kinds.map(|kind| (*kind, document(*kind))).collect()
    });
    let found = ALL.iter().find(|(known, _)| *known == kind);
    found.map_or(&Value::Null, |(_, schema)| schema)
}

/// Everything that is wrong with one document; its policy where nothing is.
pub(super) fn judge(
    loose: &Declared,
    node: &Node,
    check: &dyn Check,
    faults: &mut Faults,
) -> Option<Policy> {
    let kind = loose.key.kind;
    let schema = document_schema(kind);
    let start = node.at.start;
    schema::walk(node, schema, "", start..start, faults);
    if let Some(spec) = node.get("spec") {
        let resource = &schema["properties"]["spec"]["properties"]["resource"];
        rollout::check(kind, spec, resource, faults);
    }
    for finding in check.check(loose) {
        take_in(finding, node, faults);
    }
    if faults.errors() > 0 {
        return None;
    }
    typed(kind, node, faults)
}

/// A finding of the kind takes the place of what the schema says about the same value, since it
/// knows the limit's source and the way out.
fn take_in(finding: Finding, node: &Node, faults: &mut Faults) {
    let same = |fault: &Fault| fault.field.as_deref() == Some(finding.path.as_str());
    if finding.severity == Severity::Error {
        faults
            .list
            .retain(|fault| !(fault.about_value && same(fault)));
    }
    if faults.list.iter().any(same) {
        return;
    }
    let mut fault = Fault::new(node.position(&finding.path), finding.message, finding.help);
    fault.field = Some(finding.path);
    fault.limit = finding.limit;
    fault.severity = finding.severity;
    faults.push(fault);
}

/// The last word: the typed form must read what the schema let through.
fn typed(kind: Kind, node: &Node, faults: &mut Faults) -> Option<Policy> {
    let spec = node.get("spec").map(Node::to_json).unwrap_or_default();
    let read = match kind {
        Kind::VpcAccessConnector => {
            serde_json::from_value::<ManagedSpec<VpcAccessConnectorResource>>(spec).map(policy)
        }
        Kind::HealthCheck => {
            serde_json::from_value::<ManagedSpec<HealthCheckResource>>(spec).map(policy)
        }
        Kind::BackendService => {
            serde_json::from_value::<ManagedSpec<BackendServiceResource>>(spec).map(policy)
        }
        Kind::SslCertificate => {
            serde_json::from_value::<ManagedSpec<SslCertificateResource>>(spec).map(policy)
        }
        Kind::RunService => {
            serde_json::from_value::<ManagedSpec<RunServiceResource>>(spec).map(policy)
        }
        Kind::SqlInstance => {
            serde_json::from_value::<ManagedSpec<SqlInstanceResource>>(spec).map(policy)
        }
    };
    read.map_err(|error| {
        let at = node.position("spec");
        let message = format!("spec cannot be read: {error}");
        faults.push(Fault::new(at, message, "correct the value named above").field("spec"));
    })
    .ok()
}

pub(super) fn policy<R>(spec: ManagedSpec<R>) -> Policy {
    Policy {
        rollout: spec.rollout,
        drift: spec.drift,
        deletion: spec.deletion,
        adopt: spec.adopt,
        suspend: spec.suspend,
    }
}
