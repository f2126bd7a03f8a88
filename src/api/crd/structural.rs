//! What Kubernetes asks of a structural schema: no `$ref`, no `oneOf`, a type at every level.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The schema of a type, as Kubernetes wants it.
pub(super) fn structural<T: JsonSchema>() -> Value {
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
        if let Some("uint" | "uint16" | "uint32" | "uint64") =
            object.get("format").and_then(Value::as_str)
        {
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

/// Calls `visit` for each schema directly below this one.
pub(super) fn each_child(schema: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
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
