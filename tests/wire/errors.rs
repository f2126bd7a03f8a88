//! The envelopes of errors.

use serde_json::{Map, Value};

const RPC: [(&str, u16); 14] = [
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("OUT_OF_RANGE", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("ABORTED", 409),
    ("ALREADY_EXISTS", 409),
    ("RESOURCE_EXHAUSTED", 429),
    ("CANCELLED", 499),
    ("INTERNAL", 500),
    ("UNIMPLEMENTED", 501),
    ("UNAVAILABLE", 503),
    ("DEADLINE_EXCEEDED", 504),
];

/// The two envelopes: `google.rpc` (status) and Compute (errors[]).
pub(super) fn check_error(status: u16, reply: &Value, problems: &mut Vec<String>) {
    let error = &reply["error"];
    if error["code"] != status {
        problems.push(format!(
            "error.code: {} in a reply with status {status}",
            error["code"]
        ));
    }
    if error["message"].as_str().is_none_or(str::is_empty) {
        problems.push("error.message: missing".to_owned());
    }
    for name in error.as_object().into_iter().flat_map(Map::keys) {
        if !matches!(
            name.as_str(),
            "code" | "message" | "status" | "errors" | "details"
        ) {
            problems.push(format!("error.{name}: in neither envelope"));
        }
    }
    if let Some(errors) = error.get("errors") {
        let texts = |item: &Value| {
            ["message", "domain", "reason"]
                .iter()
                .all(|n| item[n].is_string())
        };
        if !errors
            .as_array()
            .is_some_and(|items| !items.is_empty() && items.iter().all(texts))
        {
            problems.push(format!("error.errors: {errors}"));
        }
    } else if !RPC
        .iter()
        .any(|(name, code)| error["status"] == *name && *code == status)
    {
        problems.push(format!(
            "error.status: {} for HTTP {status}",
            error["status"]
        ));
    }
    for (index, detail) in error["details"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let kind = detail["@type"].as_str().unwrap_or_default();
        if !kind.starts_with("type.googleapis.com/google.rpc.") {
            problems.push(format!("error.details[{index}].@type: \"{kind}\""));
        }
        if kind.ends_with(".ErrorInfo")
            && !(detail["reason"].is_string() && detail["domain"].is_string())
        {
            problems.push(format!(
                "error.details[{index}]: ErrorInfo without reason and domain"
            ));
        }
    }
}
