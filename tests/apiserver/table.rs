//! The columns of `kubectl get`.

use super::resource::{Column, Resource};
use jsonpath_rust::JsonPath;
use serde_json::{Value, json};

fn plain(name: &str, kind: &str, path: &str) -> Column {
    Column {
        name: name.into(),
        kind: kind.into(),
        format: if name == "Name" {
            "name".into()
        } else {
            String::new()
        },
        description: String::new(),
        priority: 0,
        path: path.into(),
    }
}

/// The columns of a kind: its name first, and its age where it says nothing.
fn columns(resource: &Resource) -> Vec<Column> {
    let mut all = vec![plain("Name", "string", ".metadata.name")];
    if resource.is_namespace() {
        all.push(plain("Status", "string", ".status.phase"));
    }
    if resource.kind == "Event" {
        for (name, path) in [("Type", ".type"), ("Reason", ".reason")] {
            all.push(plain(name, "string", path));
        }
        let message = if resource.group.is_empty() {
            ".message"
        } else {
            ".note"
        };
        all.push(plain("Message", "string", message));
    }
    if resource.kind == "Lease" {
        all.push(plain("Holder", "string", ".spec.holderIdentity"));
    }
    if resource.columns.is_empty() {
        all.push(plain("Age", "date", ".metadata.creationTimestamp"));
    }
    all.extend(resource.columns.iter().cloned());
    all
}

/// `.a.b\.c` of Kubernetes in RFC 9535: `$.a['b.c']`.
fn standard(path: &str) -> String {
    let mut text = String::from("$");
    let mut name = String::new();
    let mut letters = path.chars().peekable();
    let mut escaped = false;
    let flush = |name: &mut String, escaped: &mut bool, text: &mut String| {
        match (name.is_empty(), *escaped) {
            (true, _) => {}
            (false, true) => *text += &format!("['{name}']"),
            (false, false) => *text += &format!(".{name}"),
        }
        name.clear();
        *escaped = false;
    };
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                escaped = true;
                name.extend(letters.next());
            }
            '.' => flush(&mut name, &mut escaped, &mut text),
            '[' => {
                flush(&mut name, &mut escaped, &mut text);
                text.push('[');
                for inner in letters.by_ref() {
                    text.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            other => name.push(other),
        }
    }
    flush(&mut name, &mut escaped, &mut text);
    text
}

fn cell(column: &Column, object: &Value) -> Value {
    let found = object.query(&standard(&column.path)).unwrap_or_default();
    let Some(value) = found.first() else {
        return Value::Null;
    };
    match (&*column.kind, value) {
        (_, Value::Null) => Value::Null,
        ("date", Value::String(time)) => json!(age(time)),
        ("integer" | "number" | "boolean", value) => (*value).clone(),
        (_, Value::String(text)) => json!(text),
        (_, other) => json!(other.to_string()),
    }
}

/// As in `5m`: one unit is enough for tests.
fn age(time: &str) -> String {
    let Ok(since) = time.parse::<jiff::Timestamp>() else {
        return "<invalid>".into();
    };
    let seconds = jiff::Timestamp::now().duration_since(since).as_secs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A table of objects; `whole`: rows carry the objects, not only their metadata.
pub(crate) fn table(resource: &Resource, items: &[Value], whole: bool) -> Value {
    let columns = columns(resource);
    let rows = items.iter().map(|object| {
        let shown = if whole {
            object.clone()
        } else {
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": object["metadata"]})
        };
        let cells: Vec<_> = columns.iter().map(|column| cell(column, object)).collect();
        json!({"cells": cells, "object": shown})
    });
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {},
        "columnDefinitions": columns.iter().map(|column| json!({
            "name": column.name, "type": column.kind, "format": column.format,
            "description": column.description, "priority": column.priority,
        })).collect::<Vec<_>>(),
        "rows": rows.collect::<Vec<_>>(),
    })
}
