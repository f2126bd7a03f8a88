//! `x-kubernetes-validations`: rules in CEL. A rule that names `oldSelf` is asked only about values
//! that have a past.

use super::answer::Cause;
use cel::{Context, Program, Value as Cel};
use serde_json::Value;
use std::collections::HashMap;

/// The rules that a value breaks.
pub(crate) fn broken(schema: &Value, value: &Value, old: Option<&Value>, path: &str) -> Vec<Cause> {
    let rules = schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten();
    let asked = rules.filter(|rule| {
        old.is_some()
            || !rule["rule"]
                .as_str()
                .unwrap_or_default()
                .contains("oldSelf")
    });
    asked
        .filter(|rule| !holds(rule["rule"].as_str().unwrap(), value, old))
        .map(|rule| {
            let message = rule["message"].as_str().map_or_else(
                || format!("failed rule: {}", rule["rule"].as_str().unwrap()),
                str::to_owned,
            );
            Cause::invalid(path, &shown(value), &message)
        })
        .collect()
}

/// As the server of Kubernetes shows what a rule is about: objects and lists by their type.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "\"object\"".into(),
        Value::Array(_) => "\"array\"".into(),
        other => other.to_string(),
    }
}

fn holds(rule: &str, value: &Value, old: Option<&Value>) -> bool {
    let program = Program::compile(rule).unwrap_or_else(|e| panic!("{rule}: {e}"));
    let mut context = Context::default();
    context.add_variable_from_value("self", cel(value));
    if let Some(old) = old {
        context.add_variable_from_value("oldSelf", cel(old));
    }
    match program.execute(&context) {
        Ok(Cel::Bool(holds)) => holds,
        other => panic!("{rule}: {other:?}"),
    }
}

/// Numbers without a fraction are `int`, as they are for Kubernetes.
fn cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Cel::Float(number.as_f64().unwrap()), Cel::Int),
        Value::String(text) => Cel::from(text.as_str()),
        Value::Array(items) => Cel::from(items.iter().map(cel).collect::<Vec<_>>()),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), cel(value)));
            Cel::from(entries.collect::<HashMap<String, Cel>>())
        }
    }
}
