//! `crds/` is what the types say, and what Kubernetes accepts.
//!
//! `UPDATE=1 cargo test --test crds` writes the files anew.

use evenkeel::api::{DocumentKind, crd};
use serde_json::{Value, json};
use std::fs;

fn definition() -> Value {
    let (_, yaml) = &crd::crds()[0];
    serde_saphyr::from_str(yaml).unwrap()
}

fn root_schema() -> Value {
    schema_of(&definition())
}

fn schema_of(definition: &Value) -> Value {
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

fn root_schemas() -> Vec<Value> {
    let read = |yaml: &str| -> Value { serde_saphyr::from_str(yaml).unwrap() };
    crd::crds()
        .iter()
        .map(|(_, yaml)| schema_of(&read(yaml)))
        .collect()
}

#[test]
fn files_are_fresh() {
    let crds = crd::crds()
        .into_iter()
        .map(|(name, text)| (format!("crds/{name}"), text));
    let schemas = crd::editor_schemas()
        .into_iter()
        .map(|(name, text)| (format!("crds/schema/{name}"), text));
    for (path, text) in crds.chain(schemas) {
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all("crds/schema").unwrap();
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "{path} is stale: run UPDATE=1 cargo test --test crds"
        );
    }
}

/// Calls `visit` for a schema and every schema in it.
fn walk(schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        walk(child, &format!("{path}.{name}"), visit);
    }
    for name in ["items", "additionalProperties"] {
        if schema[name].is_object() {
            walk(&schema[name], &format!("{path}.{name}"), visit);
        }
    }
}

#[test]
fn schemas_are_structural() {
    for root in root_schemas() {
        walk(&root, "", &mut structural);
    }
}

fn structural(path: &str, schema: &Value) {
    {
        let object = schema
            .as_object()
            .unwrap_or_else(|| panic!("{path} is no schema"));
        let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
        let typed = ["object", "array", "string", "integer", "number", "boolean"]
            .iter()
            .any(|known| schema["type"] == *known);
        assert!(typed || open, "{path} has no type");
        for forbidden in [
            "$ref",
            "$schema",
            "$defs",
            "definitions",
            "oneOf",
            "anyOf",
            "allOf",
            "not",
            "const",
            "nullable",
            "title",
            "examples",
            "dependencies",
            "patternProperties",
        ] {
            assert!(!object.contains_key(forbidden), "{path} has {forbidden}");
        }
        let both = object.contains_key("properties") && object.contains_key("additionalProperties");
        assert!(!both, "{path} has properties and additionalProperties");
        assert!(schema["additionalProperties"] != false, "{path} is closed");
        assert!(
            schema["type"] != "array" || schema["items"].is_object(),
            "{path} has no items"
        );
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap();
            assert!(
                schema["properties"][name].is_object(),
                "{path} requires {name}"
            );
        }
        for value in schema["enum"].as_array().into_iter().flatten() {
            assert!(value.is_string(), "{path} has the enum value {value}");
        }
        if let Some(format) = object.get("format").and_then(Value::as_str) {
            assert!(
                ["int32", "int64", "date-time"].contains(&format),
                "{path}: {format}"
            );
        }
        if let Some(default) = object.get("default") {
            let fits = match schema["type"].as_str().unwrap() {
                "boolean" => default.is_boolean(),
                "string" => default.is_string(),
                "integer" => default.is_i64(),
                other => panic!("{path} has a default of type {other}"),
            };
            assert!(fits, "{path} has the default {default}");
        }
    }
}

#[test]
fn rules_bind_only_what_gcp_binds() {
    for (kind, schema) in DocumentKind::all().zip(root_schemas()) {
        let identity: &[&str] = match kind {
            DocumentKind::Managed(_) => {
                &["", ".spec.location", ".spec.project", ".spec.resourceName"]
            }
            _ => &[],
        };
        assert_eq!(
            transitions(&schema),
            identity,
            "{kind}: only identity may look at the old manifest"
        );
    }
}

/// Where a rule compares with the old manifest.
fn transitions(schema: &Value) -> Vec<String> {
    let mut transitions = Vec::new();
    walk(schema, "", &mut |path, schema| {
        for rule in schema["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert!(rule["message"].is_string(), "{path}: {rule}");
            if rule["rule"].as_str().unwrap().contains("oldSelf") {
                transitions.push(path.to_owned());
            }
        }
    });
    transitions
}

#[test]
fn limits_of_a_connector_are_there() {
    let schema = root_schema();
    let spec = &schema["properties"]["spec"];
    let resource = &spec["properties"]["resource"]["properties"];
    let range = |name: &str| (&resource[name]["minimum"], &resource[name]["maximum"]);
    assert_eq!(range("minInstances"), (&json!(2), &json!(9)));
    assert_eq!(range("maxInstances"), (&json!(3), &json!(10)));
    let types = json!(["f1-micro", "e2-micro", "e2-standard-4"]);
    assert_eq!(resource["machineType"]["enum"], types);
    assert_eq!(spec["required"], json!(["project", "location", "resource"]));
    assert_eq!(spec["properties"]["deletion"]["default"], "Orphan");
    assert_eq!(
        spec["properties"]["deletion"]["enum"],
        json!(["Orphan", "Delete"])
    );
    let rollout = &spec["properties"]["rollout"]["properties"];
    assert_eq!(rollout["maxStep"]["additionalProperties"]["minimum"], 1);
    assert!(
        rollout["maxStep"]["default"].is_null(),
        "has(maxStep) must mean that it is written"
    );
    assert!(rollout["steps"]["default"].is_null());
}

#[test]
fn definition_serves_status_and_columns() {
    let definition = definition();
    assert_eq!(
        definition["metadata"]["name"],
        "vpcaccessconnectors.evenkeel.dev"
    );
    let spec = &definition["spec"];
    assert_eq!(spec["scope"], "Namespaced");
    assert_eq!(spec["names"]["shortNames"], json!(["vac"]));
    assert_eq!(spec["names"]["categories"], json!(["evenkeel", "gcp"]));
    let version = &spec["versions"][0];
    assert_eq!(version["subresources"], json!({"status": {}}));
    let columns = version["additionalPrinterColumns"].as_array().unwrap();
    let names: Vec<_> = columns
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["Ready", "Reason", "Message", "Age", "Project", "Location"]
    );
    assert!(root_schema()["properties"]["status"]["properties"]["conditions"].is_object());
}

/// The definition of a kind, by its plural.
fn of(plural: &str) -> Value {
    let crds = crd::crds();
    let name = format!("evenkeel.dev_{plural}.yaml");
    let (_, yaml) = crds.iter().find(|(file, _)| *file == name).unwrap();
    serde_saphyr::from_str(yaml).unwrap()
}

fn columns(definition: &Value) -> Vec<(&str, &str)> {
    let columns = &definition["spec"]["versions"][0]["additionalPrinterColumns"];
    columns
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            (
                column["name"].as_str().unwrap(),
                column["jsonPath"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn checks_phases_and_alerts_are_served_too() {
    let check = of("checks");
    let shown = columns(&check);
    let names: Vec<_> = shown.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "Passing",
            "Warning",
            "Component",
            "Message",
            "Age",
            "Description"
        ]
    );
    assert_eq!(
        shown[0].1,
        r#".status.conditions[?(@.type=="Passing")].status"#
    );
    let spec = &schema_of(&check)["properties"]["spec"];
    assert_eq!(spec["required"], json!(["expect"]));
    assert_eq!(spec["properties"]["interval"]["default"], "30s");
    assert_eq!(spec["properties"]["passes"]["default"], 3);
    let rule = spec["x-kubernetes-validations"][0]["rule"]
        .as_str()
        .unwrap();
    for source in evenkeel::api::check::SOURCES {
        assert!(spec["properties"][source].is_object(), "{source}");
        assert!(rule.contains(&format!("has(self.{source})")), "{source}");
    }

    let phase = of("phases");
    assert_eq!(columns(&phase)[0].0, "Ready");
    let spec = &schema_of(&phase)["properties"]["spec"]["properties"];
    assert_eq!(spec["onFailure"]["default"], "Hold");
    assert_eq!(spec["maxParallel"]["default"], 1);

    let alert = of("alerts");
    assert_eq!(columns(&alert)[1], ("Severity", ".spec.minSeverity"));
    let spec = &schema_of(&alert)["properties"]["spec"]["properties"];
    assert_eq!(
        spec["minSeverity"]["enum"],
        json!(["info", "warning", "critical"])
    );
    assert_eq!(spec["minSeverity"]["default"], "warning");
}

#[test]
fn editor_schema_is_closed_and_free_of_kubernetes() {
    for (kind, (_, text)) in DocumentKind::all().zip(crd::editor_schemas()) {
        closed_and_free(kind.as_str(), &text);
    }
}

fn closed_and_free(kind: &str, text: &str) {
    assert!(!text.contains("x-kubernetes"));
    let schema: Value = serde_json::from_str(text).unwrap();
    assert_eq!(schema["properties"]["kind"]["const"], kind);
    walk(&schema, "", &mut |path, schema| {
        let closed = schema["additionalProperties"] == false;
        assert!(schema["properties"].is_null() || closed, "{path} is open");
    });
}
