//! OpenAPI v3, as far as `kubectl explain` and `kubectl apply` read it.

use super::answer::{Refusal, Reply};
use super::resource::Resource;
use super::store::Store;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Answers what is below `/openapi/v3`.
pub(crate) fn answer(store: &Store, rest: &[&str]) -> Result<Reply, Refusal> {
    let value = match rest {
        [] => index(store),
        ["api", version] => document(store, "", version).ok_or_else(Refusal::no_route)?,
        ["apis", group, version] => {
            document(store, group, version).ok_or_else(Refusal::no_route)?
        }
        _ => return Err(Refusal::no_route()),
    };
    Ok(Reply::json(200, &value))
}

fn index(store: &Store) -> Value {
    let bases: BTreeSet<_> = store.resources.iter().map(|r| r.base_path()).collect();
    let version = store.version();
    let paths: Map<_, _> = bases
        .into_iter()
        .map(|base| {
            let url = format!("/openapi/v3{base}?hash={version}");
            (
                base.trim_start_matches('/').to_owned(),
                json!({"serverRelativeURL": url}),
            )
        })
        .collect();
    json!({"paths": paths})
}

fn schema_name(resource: &Resource) -> String {
    let group = if resource.group.is_empty() {
        "core"
    } else {
        &resource.group
    };
    let mut parts: Vec<_> = group.split('.').collect();
    parts.reverse();
    format!("{}.{}.{}", parts.join("."), resource.version, resource.kind)
}

fn document(store: &Store, group: &str, version: &str) -> Option<Value> {
    let mut all = store
        .resources
        .iter()
        .filter(|r| r.group == group && r.version == version);
    let mut all: Vec<_> = all.by_ref().collect();
    all.sort_by(|one, two| one.kind.cmp(&two.kind));
    if all.is_empty() {
        return None;
    }
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for resource in all {
        let name = schema_name(resource);
        schemas.insert(name.clone(), schema(resource));
        let space = if resource.namespaced {
            "/namespaces/{namespace}"
        } else {
            ""
        };
        let base = format!("{}{space}/{}", resource.base_path(), resource.plural);
        paths.insert(base.clone(), operations(resource, &name, &["get", "post"]));
        let one = operations(resource, &name, &["get", "put", "patch", "delete"]);
        paths.insert(format!("{base}/{{name}}"), one);
    }
    Some(json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.32.4"},
        "paths": paths, "components": {"schemas": schemas},
    }))
}

fn schema(resource: &Resource) -> Value {
    let mut schema = match &resource.schema {
        Some(schema) => (**schema).clone(),
        None => json!({"type": "object", "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"},
            "metadata": {"type": "object"},
        }, "x-kubernetes-preserve-unknown-fields": true}),
    };
    schema["x-kubernetes-group-version-kind"] = json!([resource.gvk()]);
    schema
}

fn operations(resource: &Resource, schema: &str, methods: &[&str]) -> Value {
    let reference = json!({"$ref": format!("#/components/schemas/{schema}")});
    let content = json!({"application/json": {"schema": reference}});
    let mut operations = Map::new();
    for method in methods {
        let action = match (*method, methods.contains(&"post")) {
            ("get", true) => "list",
            ("get", false) => "get",
            ("put", _) => "put",
            (other, _) => other,
        };
        let parameter =
            |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
        let mut operation = json!({
            "operationId": format!("{action}{}", resource.kind),
            "parameters": [parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")],
            "responses": {"200": {"description": "OK", "content": content}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": resource.gvk(),
        });
        if ["post", "put", "patch"].contains(method) {
            operation["requestBody"] = json!({"content": content});
        }
        operations.insert((*method).to_owned(), operation);
    }
    Value::Object(operations)
}
