//! Schemas from the types: `CustomResourceDefinitions` for Kubernetes and JSON Schemas for editors.
//!
//! Invariant: the types are the only source. What Kubernetes asks of a structural schema (no
//! `$ref`, no `oneOf`, a type at every level) is made here, and `crds/` holds the result.
//! No rule forbids a change that GCP would allow: growth is judged against the live value, and a
//! schema sees only the old manifest.

mod structural;

use super::alert::{AlertSpec, AlertStatus};
use super::backend_service::BackendServiceResource;
use super::check::{CheckSpec, CheckStatus, SOURCES};
use super::health_check::HealthCheckResource;
use super::managed_certificate::ManagedCertificateResource;
use super::phase::{PhaseSpec, PhaseStatus};
use super::run_service::RunServiceResource;
use super::sql_instance::SqlInstanceResource;
use super::ssl_certificate::SslCertificateResource;
use super::vpc_access_connector::VpcAccessConnectorResource;
use super::{
    API_VERSION, DocumentKind, GROUP, Kind, ManagedSpec, Metadata, Status, VERSION, VerifyMode,
};
use serde_json::{Value, json};
use structural::{each_child, structural};

/// What stands at the top of every generated file.
const HEADER: &str = "# Generated from the types in src/api. Do not edit: run\n\
                      #   UPDATE=1 cargo test --test crds\n";

/// File name and YAML of each kind's `CustomResourceDefinition`.
#[must_use]
pub fn crds() -> Vec<(String, String)> {
    DocumentKind::all()
        .map(|kind| {
            let name = format!("{GROUP}_{}.yaml", kind.plural());
            (name, format!("{HEADER}---\n{}", yaml(&definition(kind))))
        })
        .collect()
}

/// File name and JSON Schema of each kind's whole document, for yaml-language-server.
#[must_use]
pub fn editor_schemas() -> Vec<(String, String)> {
    DocumentKind::all()
        .map(|kind| {
            let name = format!("{}.json", kind.as_str().to_ascii_lowercase());
            let text = serde_json::to_string_pretty(&document(kind)).unwrap_or_default();
            (name, text + "\n")
        })
        .collect()
}

/// The structural schema of `spec`.
#[must_use]
pub fn spec_schema(kind: DocumentKind) -> Value {
    match kind {
        DocumentKind::Managed(kind) => managed_schema(kind),
        DocumentKind::Check => structural::<CheckSpec>(),
        DocumentKind::Phase => structural::<PhaseSpec>(),
        DocumentKind::Alert => structural::<AlertSpec>(),
    }
}

fn managed_schema(kind: Kind) -> Value {
    let mut spec = match kind {
        Kind::VpcAccessConnector => structural::<ManagedSpec<VpcAccessConnectorResource>>(),
        Kind::HealthCheck => structural::<ManagedSpec<HealthCheckResource>>(),
        Kind::BackendService => structural::<ManagedSpec<BackendServiceResource>>(),
        Kind::SslCertificate => structural::<ManagedSpec<SslCertificateResource>>(),
        Kind::ManagedCertificate => structural::<ManagedSpec<ManagedCertificateResource>>(),
        Kind::RunService => structural::<ManagedSpec<RunServiceResource>>(),
        Kind::SqlInstance => structural::<ManagedSpec<SqlInstanceResource>>(),
    };
    spec["description"] = json!(format!("What {kind} should be, and how to get there."));
    for field in ["project", "location", "resourceName"] {
        spec["properties"][field]["x-kubernetes-validations"] = json!([{
            "rule": "self == oldSelf",
            "message": format!("{field} is immutable: another {field} is another resource; \
                                declare it under another metadata.name")
        }]);
    }
    drop_transitions(&mut spec["properties"]["resource"]);
    spec["properties"]["rollout"]["properties"]["maxStep"]["additionalProperties"]["minimum"] =
        json!(1);
    spec
}

/// Desired fields are judged against the live value. The old manifest is no witness: it may never
/// have been applied, and a slip in it must stay correctable.
fn drop_transitions(schema: &mut Value) {
    const RULES: &str = "x-kubernetes-validations";
    if let Value::Object(object) = schema
        && let Some(Value::Array(rules)) = object.get_mut(RULES)
    {
        rules.retain(|rule| !rule["rule"].as_str().is_some_and(|r| r.contains("oldSelf")));
        if rules.is_empty() {
            object.remove(RULES);
        }
    }
    each_child(schema, &mut drop_transitions);
}

/// The structural schema of `metadata`, as manifests may write it.
#[must_use]
pub fn metadata_schema() -> Value {
    structural::<Metadata>()
}

fn status_schema(kind: DocumentKind) -> Value {
    let mut status = match kind {
        DocumentKind::Managed(_) => structural::<Status>(),
        DocumentKind::Check => structural::<CheckStatus>(),
        DocumentKind::Phase => structural::<PhaseStatus>(),
        DocumentKind::Alert => structural::<AlertStatus>(),
    };
    status["properties"]["journal"] = json!({
        "type": "string",
        "description": "What the operator remembers of this object. For evenkeel alone.",
    });
    status["properties"]["inForce"] = json!({
        "type": "string",
        "description": "The last spec that loaded, while the present one does not. For evenkeel alone.",
    });
    if kind == DocumentKind::Phase {
        status["properties"]["lastHandled"] = json!({
            "type": "object",
            "description": "Requests of people that were obeyed; each value acts once.",
            "additionalProperties": {"type": "string"},
        });
    }
    status["properties"]["conditions"]["x-kubernetes-list-type"] = json!("map");
    status["properties"]["conditions"]["x-kubernetes-list-map-keys"] = json!(["type"]);
    status
}

fn definition(kind: DocumentKind) -> Value {
    let (plural, singular) = (kind.plural(), kind.as_str().to_ascii_lowercase());
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind.as_str(),
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": singular,
                "shortNames": [kind.short_name()],
                "categories": ["evenkeel", "gcp"],
            },
            "scope": "Namespaced",
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns(kind),
                "schema": {"openAPIV3Schema": root(kind)},
            }],
        },
    })
}

/// Columns of a managed kind's own: name, and path below `.status.observed`.
fn observed_columns(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::SslCertificate | Kind::ManagedCertificate => {
            &[("State", "state"), ("Expires", "expireTime")]
        }
        Kind::RunService => &[("Traffic", "traffic")],
        Kind::SqlInstance => &[("State", "state"), ("Tier", r"settings\.tier")],
        _ => &[],
    }
}

fn columns(kind: DocumentKind) -> Vec<Value> {
    let ready = || {
        let columns = [
            ("Ready", "status"),
            ("Reason", "reason"),
            ("Message", "message"),
        ];
        columns.map(|(name, field)| condition(name, "Ready", field))
    };
    let age = json!({"name": "Age", "type": "date",
                     "jsonPath": ".metadata.creationTimestamp"});
    let wide = |name: &str, path: &str| json!({"name": name, "type": "string", "jsonPath": path, "priority": 1});
    let spec = |name: &str, path: &str| json!({"name": name, "type": "string", "jsonPath": format!(".spec.{path}")});
    match kind {
        DocumentKind::Managed(kind) => {
            let own = observed_columns(kind).iter();
            let own = own.map(|(name, path)| wide(name, &format!(".status.observed.{path}")));
            let place = [
                wide("Project", ".spec.project"),
                wide("Location", ".spec.location"),
            ];
            ready()
                .into_iter()
                .chain([age])
                .chain(place)
                .chain(own)
                .collect()
        }
        DocumentKind::Check => vec![
            condition("Passing", "Passing", "status"),
            condition("Warning", "Warning", "status"),
            spec("Component", "component"),
            condition("Message", "Passing", "message"),
            age,
            wide("Description", ".spec.description"),
        ],
        DocumentKind::Phase => ready().into_iter().chain([age]).collect(),
        DocumentKind::Alert => vec![
            spec("Provider", "provider.type"),
            spec("Severity", "minSeverity"),
            condition("Ready", "Ready", "status"),
            condition("Message", "Ready", "message"),
            age,
        ],
    }
}

/// A column that shows a field of a condition.
fn condition(name: &str, kind: &str, field: &str) -> Value {
    json!({"name": name, "type": "string",
           "jsonPath": format!(".status.conditions[?(@.type==\"{kind}\")].{field}")})
}

fn root(kind: DocumentKind) -> Value {
    let mut root = json!({
        "description": format!("{kind}: declared in spec, reported in status."),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec_schema(kind),
            "status": status_schema(kind),
        },
    });
    if let DocumentKind::Managed(_) = kind {
        // The root sees `metadata.name`, so it alone can tell that the name in GCP stays the same.
        root["x-kubernetes-validations"] = json!([{
            "rule": "(has(self.spec.resourceName) ? self.spec.resourceName : self.metadata.name) \
                     == (has(oldSelf.spec.resourceName) ? oldSelf.spec.resourceName \
                     : oldSelf.metadata.name)",
            "message": "resourceName is immutable: another name is another resource; declare it \
                        under another metadata.name",
        }]);
    }
    root
}

fn document(kind: DocumentKind) -> Value {
    let mut spec = spec_schema(kind);
    let mut metadata = metadata_schema();
    editable(&mut spec);
    editable(&mut metadata);
    exclusive(kind, &mut spec);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": kind.as_str(),
        "type": "object",
        "additionalProperties": false,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind.as_str()},
            "metadata": metadata,
            "spec": spec,
            "status": {"type": "object", "description": "Written by evenkeel; ignored in a file."},
        },
    })
}

/// What a structural schema cannot say: of some fields, exactly one is written.
fn exclusive(kind: DocumentKind, spec: &mut Value) {
    let one_of = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| json!({"required": [name]}))
            .collect()
    };
    let verify = json!([
        {"type": "string"},
        {"type": "object", "required": ["check"], "additionalProperties": false,
         "properties": {"check": {"type": "string"},
                        "mode": {"enum": VerifyMode::ALL.map(VerifyMode::as_str)}}},
    ]);
    match kind {
        DocumentKind::Managed(_) => {
            let rollout = &mut spec["properties"]["rollout"];
            rollout["not"] = json!({"required": ["maxStep", "steps"]});
            rollout["properties"]["verify"]["items"]["oneOf"] = verify;
            rollout["properties"]["steps"]["items"]["oneOf"] = one_of(&["set", "traffic", "pause"]);
        }
        DocumentKind::Check => spec["oneOf"] = one_of(&SOURCES),
        DocumentKind::Phase => spec["properties"]["verify"]["items"]["oneOf"] = verify,
        DocumentKind::Alert => {}
    }
}

/// Turns a structural schema into one for editors: closed objects, nothing of Kubernetes.
fn editable(schema: &mut Value) {
    if let Value::Object(object) = schema {
        let open = object.contains_key("x-kubernetes-preserve-unknown-fields");
        object.retain(|name, _| !name.starts_with("x-kubernetes-"));
        if object.contains_key("properties") && !open {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    each_child(schema, &mut editable);
}

fn yaml(value: &Value) -> String {
    let mut options = serde_saphyr::SerializerOptions::default();
    options.prefer_block_scalars = false;
    let mut out = String::new();
    // A JSON value always has a YAML form, and a String takes every write.
    let written = serde_saphyr::to_fmt_writer_with_options(&mut out, value, options);
    debug_assert!(written.is_ok());
    out
}
