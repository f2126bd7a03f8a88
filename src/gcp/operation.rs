//! Long-running operations: one dialect of Google's, one [`Operation`] of ours.
//!
//! Here is google.longrunning, spoken by Serverless VPC Access, Cloud Run v2 and Certificate
//! Manager: finished when `done` is true, then `error` or `response`. Other dialects get a function
//! of their own next to this one: [`from_sqladmin`].

use super::error::{fault, from_operation};
use crate::core::error::{Fault, FaultKind};
use crate::core::observed::Operation;
use serde_json::Value;

/// Reads a google.longrunning operation.
///
/// # Errors
/// `Unclear` for anything without a name: it is no operation, and what it stands for is unknown.
pub fn from_longrunning(value: &Value) -> Result<Operation, Fault> {
    let Some(name) = value["name"].as_str().filter(|name| !name.is_empty()) else {
        let text = "the reply is no operation: it has no name";
        return Err(fault(FaultKind::Unclear, 0, "UNREADABLE_REPLY", text));
    };
    // `done` is left out while the operation runs.
    let done = value["done"].as_bool().unwrap_or(false);
    let failed = done && value["error"].is_object();
    Ok(Operation {
        name: name.to_owned(),
        done,
        error: failed.then(|| from_operation(&value["error"])),
        target: target(&value["metadata"]),
        created: created(&value["metadata"]),
        request: None,
    })
}

/// Where the metadata is the resource itself, as in Cloud Run, it says its name.
fn target(metadata: &Value) -> Option<String> {
    let target = metadata["target"].as_str();
    target
        .or_else(|| metadata["name"].as_str())
        .map(str::to_owned)
}

/// A resource as metadata was created long ago, and updated by this operation.
fn created(metadata: &Value) -> Option<jiff::Timestamp> {
    let of_itself = metadata.get("target").is_some();
    let field = if of_itself {
        "createTime"
    } else {
        "updateTime"
    };
    metadata[field].as_str()?.parse().ok()
}

/// Reads an operation of Cloud SQL: finished when `status` is `DONE`, then `error.errors` or
/// nothing.
///
/// # Errors
/// `Unclear` for anything without a name and a project.
pub fn from_sqladmin(value: &Value) -> Result<Operation, Fault> {
    let text = |field: &str| value[field].as_str().filter(|text| !text.is_empty());
    let (Some(name), Some(project)) = (text("name"), text("targetProject")) else {
        let text = "the reply is no operation: it has no name and no project";
        return Err(fault(FaultKind::Unclear, 0, "UNREADABLE_REPLY", text));
    };
    let done = text("status") == Some("DONE");
    let failed = done && value["error"].is_object();
    Ok(Operation {
        name: format!("projects/{project}/operations/{name}"),
        done,
        error: failed.then(|| sqladmin_error(&value["error"])),
        target: text("targetId").map(|id| format!("projects/{project}/instances/{id}")),
        created: text("insertTime").and_then(|time| time.parse().ok()),
        request: None,
    })
}

/// Only codes that say so are taken for transient: the same change would fail again.
fn sqladmin_error(error: &Value) -> Fault {
    let first = &error["errors"][0];
    let code = first["code"].as_str().unwrap_or("UNKNOWN");
    let message = first["message"].as_str().unwrap_or("no message");
    let kind = match code {
        "INTERNAL_ERROR" | "INTERNAL" | "UNKNOWN" | "UNAVAILABLE" => FaultKind::Unclear,
        "OPERATION_IN_PROGRESS" => FaultKind::Busy,
        "RESOURCE_EXHAUSTED" | "STOCKOUT" => FaultKind::Throttled { after: None },
        "PERMISSION_DENIED" | "NOT_AUTHORIZED" => FaultKind::Denied,
        _ => FaultKind::Invalid,
    };
    fault(kind, 0, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metadata() -> Value {
        json!({"@type": "type.googleapis.com/google.cloud.vpcaccess.v1.OperationMetadata",
            "createTime": "2026-11-23T10:00:00.5Z", "target": "projects/p/locations/l/connectors/c"})
    }

    #[test]
    fn running_done_failed() {
        let mut value =
            json!({"name": "projects/p/locations/l/operations/o", "metadata": metadata()});
        let running = from_longrunning(&value).unwrap();
        assert!(!running.done && running.error.is_none());
        assert_eq!(
            running.target.as_deref(),
            Some("projects/p/locations/l/connectors/c")
        );
        assert_eq!(
            running.created.unwrap().to_string(),
            "2026-11-23T10:00:00.5Z"
        );

        value["done"] = json!(true);
        value["response"] = json!({});
        assert_eq!(from_longrunning(&value).unwrap().error, None);

        value["error"] = json!({"code": 3, "message": "max"});
        let error = from_longrunning(&value).unwrap().error.unwrap();
        assert_eq!(
            (error.kind, error.code.as_str()),
            (FaultKind::Invalid, "INVALID_ARGUMENT")
        );
    }

    #[test]
    fn a_resource_as_metadata() {
        let service = json!({"@type": "type.googleapis.com/google.cloud.run.v2.Service",
            "name": "projects/p/locations/l/services/s",
            "createTime": "2020-01-01T00:00:00Z", "updateTime": "2026-11-23T10:00:00Z"});
        let read = from_longrunning(&json!({"name": "o", "metadata": service})).unwrap();
        assert_eq!(
            read.target.as_deref(),
            Some("projects/p/locations/l/services/s")
        );
        assert_eq!(read.created.unwrap().to_string(), "2026-11-23T10:00:00Z");
    }

    #[test]
    fn sqladmin() {
        let mut value = json!({"kind": "sql#operation", "name": "u-1", "status": "RUNNING",
            "insertTime": "2026-11-23T10:00:00Z", "targetId": "db", "targetProject": "p"});
        let running = from_sqladmin(&value).unwrap();
        assert!(!running.done);
        assert_eq!(running.name, "projects/p/operations/u-1");
        assert_eq!(running.target.as_deref(), Some("projects/p/instances/db"));
        value["status"] = json!("DONE");
        assert_eq!(from_sqladmin(&value).unwrap().error, None);
        value["error"] = json!({"errors": [{"code": "ERROR_INVALID_TIER", "message": "no"}]});
        let error = from_sqladmin(&value).unwrap().error.unwrap();
        assert_eq!(error.kind, FaultKind::Invalid);
        assert!(from_sqladmin(&json!({"name": "u"})).is_err());
    }

    #[test]
    fn bare_and_broken() {
        let bare = from_longrunning(&json!({"name": "o"})).unwrap();
        assert_eq!((bare.done, bare.target, bare.created), (false, None, None));
        for value in [
            json!({}),
            json!(null),
            json!([]),
            json!({"name": ""}),
            json!({"name": 1}),
        ] {
            assert_eq!(
                from_longrunning(&value).unwrap_err().kind,
                FaultKind::Unclear
            );
        }
    }
}
