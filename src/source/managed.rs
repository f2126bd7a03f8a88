//! A managed kind: its schema, its rollout, and the rules of the kind.

use super::diagnostic::{Fault, Faults};
use super::document::{Item, Outcome};
use super::draft::{Claim, Draft};
use super::lines::Places;
use super::node::{Data, Node};
use super::{Check, rollout, schema, verify};
use crate::api::backend_service::BackendServiceResource;
use crate::api::health_check::HealthCheckResource;
use crate::api::run_service::RunServiceResource;
use crate::api::sql_instance::SqlInstanceResource;
use crate::api::ssl_certificate::SslCertificateResource;
use crate::api::vpc_access_connector::VpcAccessConnectorResource;
use crate::api::{Declared, DocumentKind, Finding, Key, Kind, ManagedSpec, Policy, VerifyMode};
use serde_json::{Map, Value};

/// Modes of `spec.rollout.verify`.
const MODES: &[VerifyMode] = &[VerifyMode::Gate, VerifyMode::Report];

/// Reads a document that was held against the schema already.
pub(super) fn read(
    kind: Kind,
    draft: &Draft<'_>,
    resource_schema: &Value,
    check: &dyn Check,
    faults: &mut Faults,
) -> Outcome {
    if let Some(spec) = draft.spec() {
        rollout::check(kind, spec, resource_schema, faults);
    }
    let links = verify::links(draft, "spec.rollout.verify", MODES, faults);
    let loose = loose(kind, draft);
    let policy = judge(&loose, draft.node, check, faults);
    let claim = claim(&loose, draft, check).map(|mut claim| {
        claim.links.extend(links);
        claim
    });
    let item = policy.map(|policy| {
        let declared = Declared { policy, ..loose };
        Item::Managed(Box::new((declared, places(draft))))
    });
    Outcome { item, claim }
}

/// The rules of the kind, and then the type; the policy where nothing is wrong.
pub(super) fn judge(
    loose: &Declared,
    node: &Node,
    check: &dyn Check,
    faults: &mut Faults,
) -> Option<Policy> {
    for finding in check.check(loose) {
        take_in(finding, node, faults);
    }
    if faults.errors() > 0 {
        return None;
    }
    typed(loose.key.kind, node, faults)
}

/// The document as far as it can be understood, for rules that must speak in the same run as the
/// schema.
fn loose(kind: Kind, draft: &Draft<'_>) -> Declared {
    let spec = draft.spec();
    let text = |name: &str| spec?.get(name)?.text().map(str::to_owned);
    let name = draft.name().to_owned();
    let resource = spec.and_then(|spec| spec.get("resource"));
    Declared {
        key: Key {
            kind,
            project: text("project").unwrap_or_default(),
            location: text("location").unwrap_or_default(),
            name: text("resourceName").unwrap_or_else(|| name.clone()),
        },
        name,
        labels: draft.labels(),
        resource: resource.map(Node::to_object).unwrap_or_default(),
        policy: spec.map(loose_policy).unwrap_or_default(),
        origin: draft.origin(),
    }
}

fn claim(declared: &Declared, draft: &Draft<'_>, check: &dyn Check) -> Option<Claim> {
    let key = &declared.key;
    if key.project.is_empty() || key.location.is_empty() {
        return None;
    }
    let mut claim = draft.claim(DocumentKind::Managed(key.kind))?;
    claim.key = Some(key.clone());
    claim.links = check
        .references(declared)
        .into_iter()
        .map(|to| draft.link(DocumentKind::Managed(to.kind), &to.name, &to.path, true))
        .collect();
    Some(claim)
}

fn places(draft: &Draft<'_>) -> Places {
    let mut places = Places::new();
    let start = draft.text.line_column(draft.node.at.start);
    places.insert("spec".to_owned(), start);
    places_below(draft, draft.node, "", &mut places);
    places
}

fn places_below(draft: &Draft<'_>, node: &Node, path: &str, places: &mut Places) {
    for entry in node.entries() {
        let path = schema::join(path, &entry.key);
        let place = draft.text.line_column(entry.place().start);
        places_below(draft, &entry.value, &path, places);
        if let Data::List(items) = &entry.value.data {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                places_below(draft, item, &path, places);
                places.insert(path, draft.text.line_column(item.at.start));
            }
        }
        places.insert(path, place);
    }
}

/// A finding of the kind, which knows the limit's source and the way out.
fn take_in(finding: Finding, node: &Node, faults: &mut Faults) {
    let mut fault = Fault::new(node.position(&finding.path), finding.message, finding.help);
    fault.field = Some(finding.path);
    fault.limit = finding.limit;
    fault.severity = finding.severity;
    faults.take_in(fault);
}

fn loose_policy(spec: &Node) -> Policy {
    serde_json::from_value::<ManagedSpec<Map<String, Value>>>(spec.to_json())
        .map(policy)
        .unwrap_or_default()
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

fn policy<R>(spec: ManagedSpec<R>) -> Policy {
    Policy {
        rollout: spec.rollout,
        drift: spec.drift,
        deletion: spec.deletion,
        adopt: spec.adopt,
        suspend: spec.suspend,
    }
}
