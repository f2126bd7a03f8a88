//! Google's two error envelopes, and the errors that every API gives.
//!
//! `google.rpc` form (AIP-193): code, message, status, details[]. Compute form: code, message, errors[]
//! with domain and reason. The texts are the ones Google sends where they are known.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply;
use super::route::Route;

/// Which of the two envelopes an error wears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    #[default]
    Google,
    Compute,
}

#[derive(Debug, Clone)]
pub(super) struct ApiError {
    pub http: u16,
    pub message: String,
    /// None: the envelope of the API that was asked.
    pub shape: Option<Shape>,
    /// Compute form only: `errors[0].reason`.
    pub reason: Option<String>,
    pub details: Vec<Value>,
    pub headers: Vec<(&'static str, String)>,
    /// The `google.rpc` status, where the HTTP code alone does not tell it.
    status: Option<&'static str>,
}

/// One entry of `BadRequest.fieldViolations`.
#[derive(Debug, Clone)]
pub(super) struct Violation {
    pub field: String,
    pub description: String,
}

impl ApiError {
    pub fn new(http: u16, message: impl Into<String>) -> Self {
        Self {
            http,
            message: message.into(),
            shape: None,
            reason: None,
            details: Vec::new(),
            headers: Vec::new(),
            status: None,
        }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// The request cannot be read: one line a violation, as Google's JSON transcoder says it.
    pub fn unreadable(violations: Vec<Violation>) -> Self {
        let lines: Vec<String> = violations.iter().map(|v| v.description.clone()).collect();
        Self::invalid(lines.join("\n"))
            .with_violations(violations)
            .with_reason("badRequest")
    }

    pub fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        let violations: Vec<Value> = violations
            .into_iter()
            .map(|v| json!({"field": v.field, "description": v.description}))
            .collect();
        self.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": violations,
        }));
        self
    }

    /// The exact code for a change while the connector is busy is not documented. Chosen:
    /// `FAILED_PRECONDITION`, which AIP-193 gives to "the system is not in the state required".
    pub fn failed_precondition(message: impl Into<String>) -> Self {
        Self {
            status: Some("FAILED_PRECONDITION"),
            ..Self::new(400, message)
        }
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }

    pub fn already_exists() -> Self {
        Self {
            status: Some("ALREADY_EXISTS"),
            ..Self::new(409, "Requested entity already exists")
        }
    }

    pub fn internal(message: &str) -> Self {
        Self::new(500, message)
    }

    pub fn with_info(mut self, reason: &str, domain: &str, metadata: &Value) -> Self {
        self.details.push(error_info(reason, domain, metadata));
        self
    }

    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As IAM refuses: the same words whether the resource is missing or not allowed.
    pub fn permission_denied(route: &Route) -> Self {
        let (permission, resource) = (route.method.permission, route.resource());
        let service = route.api.service();
        if route.api.shape() == Shape::Compute {
            let message = format!("Required '{permission}' permission for '{resource}'");
            return Self::new(403, message).with_reason("forbidden");
        }
        let message = format!(
            "Permission '{permission}' denied on resource '//{service}/{resource}' (or it may not exist)."
        );
        let metadata = json!({"permission": permission, "resource": resource});
        Self::new(403, message).with_info("IAM_PERMISSION_DENIED", service, &metadata)
    }

    /// The word that the Compute form gives next to the code.
    pub fn with_reason(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// Wears this envelope, unless it has one already.
    pub fn in_shape(mut self, shape: Shape) -> Self {
        self.shape.get_or_insert(shape);
        self
    }

    pub fn reply(&self) -> http::Response<Bytes> {
        let mut response = reply::json(self.http, &self.body(), true);
        for (name, value) in &self.headers {
            reply::set_header(&mut response, name, value);
        }
        response
    }

    fn body(&self) -> Value {
        let mut error = json!({"code": self.http, "message": self.message});
        let status = self.status.unwrap_or(rpc_status(self.http));
        match self.shape.unwrap_or_default() {
            Shape::Google => {
                error["status"] = json!(status);
            }
            Shape::Compute => {
                let reason = self.reason.as_deref().unwrap_or(compute_reason(self.http));
                let domain = if reason == "rateLimitExceeded" {
                    "usageLimits"
                } else {
                    "global"
                };
                error["errors"] =
                    json!([{"message": self.message, "domain": domain, "reason": reason}]);
            }
        }
        // What has details comes from the layer before the API, which speaks both dialects at once.
        if !self.details.is_empty() {
            error["status"] = json!(status);
            error["details"] = json!(self.details);
        }
        json!({"error": error})
    }
}

pub(super) fn error_info(reason: &str, domain: &str, metadata: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": domain,
        "metadata": metadata,
    })
}

/// `google.rpc.Code` for an HTTP code, as google/rpc/code.proto maps them. 409 is `ABORTED` or
/// `ALREADY_EXISTS`; a fault means the former.
fn rpc_status(http: u16) -> &'static str {
    match http {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        412 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNKNOWN",
    }
}

/// What Google says when a fault gives no words of its own.
pub(super) fn default_message(http: u16) -> &'static str {
    match http {
        401 => "Request had invalid authentication credentials.",
        403 => "The caller does not have permission",
        404 => "Requested entity was not found.",
        409 => "The operation was aborted.",
        412 => "Precondition check failed.",
        429 => "Resource has been exhausted (e.g. check quota).",
        500 => "Internal error encountered.",
        502 | 503 => "The service is currently unavailable.",
        504 => "Deadline expired before operation could complete.",
        _ => "Request contains an invalid argument.",
    }
}

/// Compute says throttling with 403, not 429 (compute/docs/api-rate-limits).
fn compute_reason(http: u16) -> &'static str {
    match http {
        400 => "invalid",
        401 => "authError",
        403 | 429 => "rateLimitExceeded",
        404 => "notFound",
        409 => "alreadyExists",
        412 => "conditionNotMet",
        500 => "internalError",
        _ => "backendError",
    }
}
