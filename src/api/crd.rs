//! Schemas from the types: `CustomResourceDefinitions` for Kubernetes and JSON Schemas for editors.
//!
//! Invariant: the types are the only source. What Kubernetes asks of a structural schema (no
//! `$ref`, no `oneOf`, a type at every level) is made here, and `crds/` holds the result.
//! No rule forbids a change that GCP would allow: growth is judged against the live value, and a
//! schema sees only the old manifest.

use super::backend_service::BackendServiceResource;
use super::health_check::HealthCheckResource;
use super::managed_certificate::ManagedCertificateResource;
use super::run_service::RunServiceResource;
use super::sql_instance::SqlInstanceResource;
use super::ssl_certificate::SslCertificateResource;
use super::vpc_access_connector::VpcAccessConnectorResource;
use super::{API_VERSION, GROUP, Kind, ManagedSpec, Metadata, Status, VERSION};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// What stands at the top of every generated file.
const HEADER: &str = "# Generated from the types in src/api. Do not edit: run\n\
                      #   UPDATE=1 cargo test --test crds\n";

/// File name and YAML of each kind's `CustomResourceDefinition`.
#[must_use]
pub fn crds() -> Vec<(String, String)> {
    Kind::ALL
        .iter()
        .map(|kind| {
            let name = format!("{GROUP}_{}.yaml", kind.plural());
            (name, format!("{HEADER}---\n{}", yaml(&definition(*kind))))
        })
        .collect()
}

/// File name and JSON Schema of each kind's whole document, for yaml-language-server.
#[must_use]
pub fn editor_schemas() -> Vec<(String, String)> {
    Kind::ALL
        .iter()
        .map(|kind| {
            let name = format!("{}.json", kind.as_str().to_ascii_lowercase());
            let text = serde_json::to_string_pretty(&document(*kind)).unwrap_or_default();
            (name, text + "\n")
        })
        .collect()
}

/// The structural schema of `spec`.
#[must_use]
pub fn spec_schema(kind: Kind) -> Value {
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

fn status_schema() -> Value {
    let mut status = structural::<Status>();
    status["properties"]["conditions"]["x-kubernetes-list-type"] = json!("map");
    status["properties"]["conditions"]["x-kubernetes-list-map-keys"] = json!(["type"]);
    status
}

fn definition(kind: Kind) -> Value {
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

/// Columns of a kind's own: name, and path below `.status.observed`.
fn observed_columns(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::RunService => &[("Traffic", "traffic")],
        Kind::ManagedCertificate => &[("State", "state")],
        Kind::SqlInstance => &[("State", "state"), ("Tier", r"settings\.tier")],
        _ => &[],
    }
}

fn columns(kind: Kind) -> Value {
    let mut columns = common_columns();
    if let Value::Array(columns) = &mut columns {
        columns.extend(observed_columns(kind).iter().map(|(name, path)| {
            json!({"name": name, "type": "string", "priority": 1,
                   "jsonPath": format!(".status.observed.{path}")})
        }));
    }
    columns
}

fn common_columns() -> Value {
    let ready = |name: &str, field: &str| {
        json!({"name": name, "type": "string",
               "jsonPath": format!(".status.conditions[?(@.type==\"Ready\")].{field}")})
    };
    json!([
        ready("Ready", "status"),
        ready("Reason", "reason"),
        ready("Message", "message"),
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Project", "type": "string", "jsonPath": ".spec.project", "priority": 1},
        {"name": "Location", "type": "string", "jsonPath": ".spec.location", "priority": 1},
    ])
}

/// The root sees `metadata.name`, so it alone can tell that the name in GCP stays the same.
fn root(kind: Kind) -> Value {
    json!({
        "description": format!("{kind}: declared in spec, reported in status."),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec_schema(kind),
            "status": status_schema(),
        },
        "x-kubernetes-validations": [{
            "rule": "(has(self.spec.resourceName) ? self.spec.resourceName : self.metadata.name) \
                     == (has(oldSelf.spec.resourceName) ? oldSelf.spec.resourceName \
                     : oldSelf.metadata.name)",
            "message": "resourceName is immutable: another name is another resource; declare it \
                        under another metadata.name",
        }],
    })
}

fn document(kind: Kind) -> Value {
    let mut spec = spec_schema(kind);
    let mut metadata = metadata_schema();
    editable(&mut spec);
    editable(&mut metadata);
    let rollout = &mut spec["properties"]["rollout"];
    rollout["not"] = json!({"required": ["maxStep", "steps"]});
    rollout["properties"]["steps"]["items"]["oneOf"] =
        json!([{"required": ["set"]}, {"required": ["traffic"]}, {"required": ["pause"]}]);
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

fn structural<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    tidy(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
    }
    schema
}

/// One level and all below it, as Kubernetes wants them.
fn tidy(schema: &mut Value) {
    if let Value::Object(object) = schema {
        unwrap_option(object);
        join_variants(object);
        // An optional field is left out, never null: `null` means nothing in these kinds.
        object.remove("nullable");
        if object.get("default") == Some(&Value::Null) {
            object.remove("default");
        }
        if let Some(Value::Array(values)) = object.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        let open = object.contains_key("x-kubernetes-preserve-unknown-fields");
        if open || object.contains_key("properties") {
            object.remove("additionalProperties");
        }
        if let Some("uint" | "uint32" | "uint64") = object.get("format").and_then(Value::as_str) {
            object.insert("format".to_owned(), json!("int64"));
        }
        // A number is a number; the format says how a program may hold it.
        if let Some("float" | "double") = object.get("format").and_then(Value::as_str) {
            object.remove("format");
        }
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = text.replace('\n', " ");
        }
    }
    each_child(schema, &mut tidy);
}

/// An optional enum whose variants carry docs comes as `anyOf` with a null; the enum is left.
fn unwrap_option(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.remove("anyOf") else {
        return;
    };
    let of_null = |choice: &Value| choice["enum"] == json!([null]) || choice["nullable"] == true;
    let kept = choices.into_iter().find(|choice| !of_null(choice));
    for (name, value) in kept
        .as_ref()
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        object.entry(name).or_insert_with(|| value.clone());
    }
}

/// An enum whose variants carry docs comes as `oneOf`; Kubernetes wants `enum`, and the docs go
/// into the description.
fn join_variants(object: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = object.remove("oneOf") else {
        return;
    };
    let mut values = Vec::new();
    let mut docs = object
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    for variant in variants {
        let names = variant["enum"].as_array().cloned().unwrap_or_default();
        if let (Some(name), Some(doc)) = (names.first(), variant["description"].as_str()) {
            let name = name.as_str().unwrap_or_default();
            docs = format!("{docs} {name}: {doc}");
        }
        values.extend(names);
    }
    object.insert("description".to_owned(), json!(docs.trim()));
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(values));
}

fn each_child(schema: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    let Value::Object(object) = schema else {
        return;
    };
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(&mut *visit);
    }
    for name in ["items", "additionalProperties"] {
        if let Some(child) = object.get_mut(name) {
            visit(child);
        }
    }
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
