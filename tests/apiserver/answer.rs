//! Replies, and refusals as Kubernetes words them (`metav1.Status`).

use super::resource::Resource;
use axum::body::Body;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

/// What goes out.
pub(crate) struct Reply {
    code: u16,
    kind: &'static str,
    warnings: Vec<String>,
    body: Body,
}

impl Reply {
    pub fn json(code: u16, value: &Value) -> Self {
        Reply::stream(code, Body::from(value.to_string()))
    }

    pub fn stream(code: u16, body: Body) -> Self {
        Reply {
            code,
            kind: "application/json",
            warnings: Vec::new(),
            body,
        }
    }

    pub fn of_kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub fn warning(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    pub fn code(&self) -> u16 {
        self.code
    }

    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = StatusCode::from_u16(self.code).unwrap();
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static(self.kind));
        for warning in self.warnings {
            let text = format!("299 - \"{}\"", warning.replace('"', "\\\""));
            headers.append("warning", HeaderValue::from_str(&text).unwrap());
        }
        response
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Reply::json(refusal.code, &refusal.status())
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cause {
    /// As in `FieldValueInvalid`.
    pub reason: &'static str,
    pub field: String,
    /// Without the field.
    pub message: String,
}

impl Cause {
    pub fn invalid(field: &str, value: &str, message: &str) -> Self {
        Cause {
            reason: "FieldValueInvalid",
            field: field.to_owned(),
            message: format!("Invalid value: {value}: {message}"),
        }
    }

    pub fn new(reason: &'static str, field: &str, message: impl Into<String>) -> Self {
        Cause {
            reason,
            field: field.to_owned(),
            message: message.into(),
        }
    }
}

/// Why a request was not done.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    code: u16,
    reason: &'static str,
    message: String,
    details: Value,
}

impl Refusal {
    fn new(code: u16, reason: &'static str, message: String) -> Self {
        Refusal {
            code,
            reason,
            message,
            details: json!({}),
        }
    }

    fn about(mut self, resource: &Resource, name: &str) -> Self {
        self.details = json!({"name": name, "group": resource.group, "kind": resource.plural});
        self
    }

    pub fn is_conflict(&self) -> bool {
        self.reason == "Conflict"
    }

    pub fn no_route() -> Self {
        let text = "the server could not find the requested resource";
        Refusal::new(404, "NotFound", text.into())
    }

    pub fn not_found(resource: &Resource, name: &str) -> Self {
        let text = format!("{} \"{name}\" not found", resource.qualified());
        Refusal::new(404, "NotFound", text).about(resource, name)
    }

    pub fn exists(resource: &Resource, name: &str) -> Self {
        let text = format!("{} \"{name}\" already exists", resource.qualified());
        Refusal::new(409, "AlreadyExists", text).about(resource, name)
    }

    pub fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let text = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            resource.qualified()
        );
        Refusal::new(409, "Conflict", text).about(resource, name)
    }

    /// The race of an optimistic update.
    pub fn modified(resource: &Resource, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version \
                   and try again";
        Refusal::conflict(resource, name, why)
    }

    /// Server-side apply on fields that others own.
    pub fn owned(causes: &[(String, String)]) -> Self {
        let text = match causes {
            [(field, message)] => {
                format!("Apply failed with 1 conflict: {message}: {field}")
            }
            many => {
                let lines = many.iter().map(|(field, why)| format!("{why}: {field}"));
                let lines: Vec<_> = lines.collect();
                format!(
                    "Apply failed with {} conflicts: {}",
                    many.len(),
                    lines.join("\n")
                )
            }
        };
        let mut refusal = Refusal::new(409, "Conflict", text);
        let causes = causes.iter().map(|(field, message)| {
            json!({"reason": "FieldManagerConflict", "message": message, "field": field})
        });
        refusal.details = json!({"causes": causes.collect::<Vec<_>>()});
        refusal
    }

    pub fn invalid(resource: &Resource, name: &str, causes: &[Cause]) -> Self {
        let lines: Vec<_> = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        let lines = match lines.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let kind = match resource.group.as_str() {
            "" => resource.kind.clone(),
            group => format!("{}.{group}", resource.kind),
        };
        let text = format!("{kind} \"{name}\" is invalid: {lines}");
        let mut refusal = Refusal::new(422, "Invalid", text);
        let causes = causes.iter().map(
            |cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}),
        );
        refusal.details = json!({
            "name": name, "group": resource.group, "kind": resource.kind,
            "causes": causes.collect::<Vec<_>>(),
        });
        refusal
    }

    pub fn bad(message: &str) -> Self {
        Refusal::new(400, "BadRequest", message.to_owned())
    }

    pub fn forbidden(resource: &Resource, name: &str, why: &str) -> Self {
        let text = format!("{} \"{name}\" is forbidden: {why}", resource.qualified());
        Refusal::new(403, "Forbidden", text).about(resource, name)
    }

    pub fn gone(oldest: u64, asked: u64) -> Self {
        let text = format!("too old resource version: {asked} ({oldest})");
        Refusal::new(410, "Expired", text)
    }

    pub fn method() -> Self {
        let text = "the server does not allow this method on the requested resource";
        Refusal::new(405, "MethodNotAllowed", text.into())
    }

    pub fn media_type() -> Self {
        let text = "the body of the request was in an unknown format";
        Refusal::new(415, "UnsupportedMediaType", text.into())
    }

    pub fn too_large() -> Self {
        let text = "Request entity too large: limit is 3145728";
        Refusal::new(413, "RequestEntityTooLarge", text.into())
    }

    pub fn status(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "details": self.details,
            "code": self.code,
        })
    }

    pub fn into_response(self) -> Response<Body> {
        Reply::from(self).into_response()
    }
}
