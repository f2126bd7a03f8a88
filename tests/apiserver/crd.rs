//! Custom resources: what a `CustomResourceDefinition` makes served.

use super::resource::{Column, Resource};
use super::schema::check_known;
use super::store::now;
use serde_json::{Value, json};
use std::sync::Arc;

fn words(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn column(value: &Value) -> Column {
    Column {
        name: text(&value["name"]),
        kind: text(&value["type"]),
        format: text(&value["format"]),
        description: text(&value["description"]),
        priority: value["priority"].as_i64().unwrap_or(0),
        path: text(&value["jsonPath"]),
    }
}

/// What a definition makes served, one for each version.
pub(crate) fn resources(definition: &Value) -> Vec<Resource> {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let versions = spec["versions"].as_array().into_iter().flatten();
    let served = versions.filter(|version| version["served"] == json!(true));
    served
        .map(|version| Resource {
            group: text(&spec["group"]),
            version: text(&version["name"]),
            kind: text(&names["kind"]),
            plural: text(&names["plural"]),
            singular: text(&names["singular"]),
            short_names: words(&names["shortNames"]),
            categories: words(&names["categories"]),
            namespaced: spec["scope"] == "Namespaced",
            status: version["subresources"]["status"].is_object(),
            unconditional: false,
            columns: version["additionalPrinterColumns"]
                .as_array()
                .map(|columns| columns.iter().map(column).collect())
                .unwrap_or_default(),
            schema: Some(Arc::new({
                let schema = version["schema"]["openAPIV3Schema"].clone();
                check_known(&schema);
                schema
            })),
        })
        .collect()
}

/// Fills in what the server of Kubernetes fills in, and says that it is served.
pub(crate) fn establish(definition: &mut Value) {
    let names = definition["spec"]["names"].clone();
    let mut full = names.clone();
    let kind = text(&names["kind"]);
    if names["singular"].is_null() {
        full["singular"] = json!(kind.to_lowercase());
    }
    if names["listKind"].is_null() {
        full["listKind"] = json!(format!("{kind}List"));
    }
    definition["spec"]["names"] = full.clone();
    if definition["spec"]["conversion"].is_null() {
        definition["spec"]["conversion"] = json!({"strategy": "None"});
    }
    let versions = definition["spec"]["versions"].as_array();
    let stored: Vec<_> = versions
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == json!(true))
        .map(|version| version["name"].clone())
        .collect();
    if definition["status"]["conditions"].is_array() {
        return;
    }
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": "True", "reason": reason, "message": message,
               "lastTransitionTime": now()})
    };
    definition["status"] = json!({
        "acceptedNames": full,
        "storedVersions": stored,
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted",
                "the initial names have been accepted"),
        ],
    });
}
