//! Long-running operations: one dialect of Google's, one [`Operation`] of ours.
//!
//! Here is google.longrunning, spoken by Serverless VPC Access, Cloud Run v2 and Certificate
//! Manager: finished when `done` is true, then `error` or `response`. Other dialects get a function
//! of their own next to this one.

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
        target: value["metadata"]["target"].as_str().map(str::to_owned),
        created: value["metadata"]["createTime"]
            .as_str()
            .and_then(|time| time.parse().ok()),
    })
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
