//! Update masks of a service: which paths of what is asked for a patch writes.

use serde_json::{Map, Value};

use super::messages::SERVICE;
use super::service::SPEC;
use crate::emulator::errors::{ApiError, Violation};
use crate::emulator::messages::{Field, Kind, Message};

/// Paths of JSON names.
pub(super) struct Mask {
    paths: Vec<Vec<&'static str>>,
}

impl Mask {
    /// None: the mask is absent, empty or `*`, and the whole is replaced.
    pub fn read(text: &str) -> Result<Option<Self>, ApiError> {
        let text = text.trim();
        if text.is_empty() || text == "*" {
            return Ok(None);
        }
        let paths: Result<Vec<_>, _> = text.split(',').map(|path| read_path(path.trim())).collect();
        let mut paths = paths?;
        // Output only fields may be named, and are not written.
        paths.retain(|path| path.first().is_some_and(|root| SPEC.contains(root)));
        Ok(Some(Self { paths }))
    }

    /// `before` with the masked paths as `body` has them: what the body leaves out is cleared.
    pub fn apply(&self, before: &Value, body: &Map<String, Value>) -> Value {
        let mut after = before.clone();
        let body = Value::Object(body.clone());
        for path in &self.paths {
            write(&mut after, &body, path);
        }
        after
    }
}

fn read_path(path: &str) -> Result<Vec<&'static str>, ApiError> {
    let mut names = Vec::new();
    let mut message: Option<&'static Message> = Some(&SERVICE);
    for name in path.split('.') {
        let field: Option<&'static Field> = message.and_then(|message| message.field(name));
        let field = field.ok_or_else(|| unknown(path))?;
        names.push(field.json);
        // A mask cannot reach into lists and maps (google/protobuf/field_mask.proto).
        message = match &field.kind {
            Kind::Message(inner) if !field.is_repeated() => Some(inner),
            _ => None,
        };
    }
    Ok(names)
}

fn unknown(path: &str) -> ApiError {
    let description =
        format!("Invalid field mask path \"{path}\" for google.cloud.run.v2.Service.");
    ApiError::invalid(description.clone()).with_violations(vec![Violation {
        field: "update_mask".to_owned(),
        description,
    }])
}

fn write(after: &mut Value, body: &Value, path: &[&str]) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    let Some(fields) = after.as_object_mut() else {
        return;
    };
    match (body.get(name), rest) {
        (Some(value), []) => {
            fields.insert((*name).to_owned(), value.clone());
        }
        (None, []) => {
            fields.remove(*name);
        }
        (inner, rest) => {
            let empty = || Value::Object(Map::new());
            let inner = inner.cloned().unwrap_or_else(empty);
            write(fields.entry(*name).or_insert_with(empty), &inner, rest);
        }
    }
}
