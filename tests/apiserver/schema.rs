//! Structural schemas: defaults, unknown fields, and what a value must be.
//!
//! What a schema says that is not known here is a panic, not a silent yes: see [`check_known`].

use super::answer::Cause;
use super::rules;
use regex::Regex;
use serde_json::{Map, Value, json};

/// The words of a schema that are held here, or that say nothing about values.
const KNOWN: &[&str] = &[
    "additionalProperties",
    "default",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "nullable",
    "pattern",
    "properties",
    "required",
    "type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Panics where a schema asks for something that is not held here.
pub(crate) fn check_known(schema: &Value) {
    let Some(map) = schema.as_object() else {
        return;
    };
    for word in map.keys() {
        assert!(
            KNOWN.contains(&&**word),
            "the API server of the tests does not know {word}"
        );
    }
    for (_, child) in children(schema) {
        check_known(child);
    }
    check_known(&schema["items"]);
    check_known(&schema["additionalProperties"]);
}

fn children(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn keeps_unknown(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == json!(true)
}

fn at(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Fills in the defaults. `null` where the schema does not allow it is as good as left out.
pub(crate) fn fill(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, child) in children(schema) {
                let is_null = map.get(key).is_some_and(Value::is_null);
                if is_null && child["nullable"] != json!(true) && !child["default"].is_null() {
                    map.remove(key);
                }
                if !map.contains_key(key) && !child["default"].is_null() {
                    map.insert(key.clone(), child["default"].clone());
                }
            }
            for (key, value) in map {
                fill(of_key(schema, key), value);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| fill(&schema["items"], item)),
        _ => {}
    }
}

fn of_key<'a>(schema: &'a Value, key: &str) -> &'a Value {
    match &schema["properties"][key] {
        Value::Null => &schema["additionalProperties"],
        known => known,
    }
}

/// Takes unknown fields out, and names them. The parts that every object has are not looked at.
pub(crate) fn prune(schema: &Value, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    let Some(map) = object.as_object_mut() else {
        return unknown;
    };
    let common = ["apiVersion", "kind", "metadata"];
    let keys: Vec<_> = map
        .keys()
        .filter(|key| !common.contains(&&***key))
        .cloned()
        .collect();
    for key in keys {
        if schema["properties"][&key].is_null() {
            map.remove(&key);
            unknown.push(key);
        } else {
            prune_within(
                &schema["properties"][&key],
                &mut map[&key],
                &key,
                &mut unknown,
            );
        }
    }
    unknown
}

fn prune_within(schema: &Value, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(map) => prune_map(schema, map, path, unknown),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                prune_within(&schema["items"], item, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

fn prune_map(schema: &Value, map: &mut Map<String, Value>, path: &str, unknown: &mut Vec<String>) {
    let keys: Vec<_> = map.keys().cloned().collect();
    for key in keys {
        let place = at(path, &key);
        let child = of_key(schema, &key);
        if !child.is_null() {
            prune_within(child, &mut map[&key], &place, unknown);
        } else if !keeps_unknown(schema) {
            map.remove(&key);
            unknown.push(place);
        }
    }
}

/// What is wrong with an object, and against its own past.
pub(crate) fn validate(schema: &Value, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    check(schema, object, old, "", &mut causes);
    causes
}

fn check(schema: &Value, value: &Value, old: Option<&Value>, path: &str, causes: &mut Vec<Cause>) {
    if value.is_null() && schema["nullable"] == json!(true) {
        return;
    }
    let before = causes.len();
    if !check_type(schema, value, path, causes) {
        return;
    }
    check_value(schema, value, path, causes);
    match value {
        Value::Object(map) => check_map(schema, map, old, path, causes),
        Value::Array(items) => check_items(schema, items, old, path, causes),
        _ => {}
    }
    // Rules are asked about values that have the right shape only.
    if causes.len() == before {
        causes.extend(rules::broken(schema, value, old, path));
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn check_type(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) -> bool {
    let Some(wanted) = schema["type"].as_str() else {
        return true;
    };
    let found = type_of(value);
    let whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let fits = wanted == found
        || wanted == "number" && found == "integer"
        || wanted == "integer" && found == "number" && whole;
    if !fits {
        let shown = json!(found).to_string();
        let why = format!("{path} in body must be of type {wanted}: {shown}");
        let mut cause = Cause::invalid(path, &shown, &why);
        cause.reason = "FieldValueTypeInvalid";
        causes.push(cause);
    }
    fits
}

fn check_value(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let shown = value.to_string();
    let mut wrong = |why: String| {
        causes.push(Cause::invalid(
            path,
            &shown,
            &format!("{path} in body {why}"),
        ))
    };
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        wrong(format!("should be greater than or equal to {least}"));
    }
    if let (Some(most), Some(number)) = (schema["maximum"].as_f64(), value.as_f64())
        && number > most
    {
        wrong(format!("should be less than or equal to {most}"));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !Regex::new(pattern).unwrap().is_match(text)
    {
        wrong(format!("should match '{pattern}'"));
    }
    if let (Some(least), Some(text)) = (schema["minLength"].as_u64(), value.as_str())
        && (text.chars().count() as u64) < least
    {
        wrong(format!("should be at least {least} chars long"));
    }
    if let (Some(most), Some(text)) = (schema["maxLength"].as_u64(), value.as_str())
        && text.chars().count() as u64 > most
    {
        let why = format!("Too long: may not be more than {most} bytes");
        causes.push(Cause::new("FieldValueTooLong", path, why));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        let words: Vec<_> = allowed.iter().map(Value::to_string).collect();
        let why = format!(
            "Unsupported value: {shown}: supported values: {}",
            words.join(", ")
        );
        causes.push(Cause::new("FieldValueNotSupported", path, why));
    }
}

fn check_map(
    schema: &Value,
    map: &Map<String, Value>,
    old: Option<&Value>,
    path: &str,
    causes: &mut Vec<Cause>,
) {
    for key in schema["required"].as_array().into_iter().flatten() {
        let key = key.as_str().unwrap();
        if !map.contains_key(key) {
            causes.push(Cause::new(
                "FieldValueRequired",
                &at(path, key),
                "Required value",
            ));
        }
    }
    for (key, value) in map {
        let child = of_key(schema, key);
        // What every object has is not described by a schema.
        if path.is_empty() && key == "metadata" || child.is_null() {
            continue;
        }
        let before = old.and_then(|old| old.get(key));
        check(child, value, before, &at(path, key), causes);
    }
}

fn check_items(
    schema: &Value,
    items: &[Value],
    old: Option<&Value>,
    path: &str,
    causes: &mut Vec<Cause>,
) {
    if schema["maxItems"]
        .as_u64()
        .is_some_and(|most| items.len() as u64 > most)
    {
        let most = &schema["maxItems"];
        let why = format!("Too many: {}: must have at most {most} items", items.len());
        causes.push(Cause::new("FieldValueTooMany", path, why));
    }
    if schema["minItems"]
        .as_u64()
        .is_some_and(|least| (items.len() as u64) < least)
    {
        let why = format!(
            "{path} in body should have at least {} items",
            schema["minItems"]
        );
        causes.push(Cause::invalid(path, &items.len().to_string(), &why));
    }
    let keys = schema["x-kubernetes-list-map-keys"].as_array();
    let id = |item: &Value| -> Option<Vec<Value>> {
        Some(
            keys?
                .iter()
                .map(|key| item[key.as_str().unwrap()].clone())
                .collect(),
        )
    };
    let olds = old
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (index, item) in items.iter().enumerate() {
        let place = format!("{path}[{index}]");
        if id(item).is_some() && items[..index].iter().any(|other| id(other) == id(item)) {
            let why = format!("Duplicate value: {}", json!(id(item)));
            causes.push(Cause::new("FieldValueDuplicate", &place, why));
        }
        // Only items that have a name have a past.
        let before = olds
            .iter()
            .find(|old| id(item).is_some() && id(old) == id(item));
        check(&schema["items"], item, before, &place, causes);
    }
}
