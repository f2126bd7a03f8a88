//! The operations of Compute Engine: finished when `status` is `DONE`, then `error.errors[]` with
//! the HTTP status that the call would have had.

use super::error::{fault, from_finished};
use super::google_error::GoogleError;
use crate::core::error::{Fault, FaultKind};
use crate::core::observed::Operation;
use serde_json::Value;

/// Reads an operation.
///
/// # Errors
/// `Unclear` for anything that does not say which operation it is.
pub(super) fn from_compute(value: &Value) -> Result<Operation, Fault> {
    let target = value["targetLink"].as_str().map(relative);
    let Some(name) = name_of(value, target) else {
        let text = "the reply is no operation: it does not say which one";
        return Err(fault(FaultKind::Unclear, 0, "UNREADABLE_REPLY", text));
    };
    let done = value["status"] == "DONE";
    let errors = value["error"]["errors"].as_array();
    let failed = done && errors.is_some_and(|errors| !errors.is_empty());
    Ok(Operation {
        name,
        done,
        error: failed.then(|| failure(value)),
        target: target.map(str::to_owned),
        created: value["insertTime"]
            .as_str()
            .or_else(|| value["startTime"].as_str())
            .and_then(|time| time.parse().ok()),
        request: value["clientOperationId"].as_str().map(str::to_owned),
    })
}

/// `projects/p/global/operations/o`: where it can be polled. Its own link says so; else the place
/// of its target does.
fn name_of(value: &Value, target: Option<&str>) -> Option<String> {
    if let Some(link) = value["selfLink"].as_str().map(relative)
        && link.starts_with("projects/")
        && link.contains("/operations/")
    {
        return Some(link.to_owned());
    }
    let name = value["name"].as_str().filter(|name| !name.is_empty())?;
    let (place, _) = target?.rsplit_once('/')?;
    let (place, _) = place.rsplit_once('/')?;
    Some(format!("{place}/operations/{name}"))
}

/// A link without host and version.
pub(super) fn relative(link: &str) -> &str {
    let start = link.find("/projects/").map_or(0, |at| at + 1);
    &link[start..]
}

/// Why it failed: the first error speaks, and the words of all are heard.
fn failure(value: &Value) -> Fault {
    let errors = value["error"]["errors"].as_array();
    let texts = |field: &'static str| {
        let errors = errors.into_iter().flatten();
        errors.filter_map(move |error| error[field].as_str())
    };
    let details = errors.into_iter().flatten();
    let details = details
        .filter_map(|error| error["errorDetails"].as_array())
        .flatten()
        .filter_map(|detail| detail["errorInfo"]["reason"].as_str());
    let error = GoogleError {
        reasons: texts("code").chain(details).map(str::to_owned).collect(),
        message: texts("message").collect::<Vec<_>>().join("; "),
        ..GoogleError::default()
    };
    let http = value["httpErrorStatusCode"].as_u64();
    from_finished(http.and_then(|code| u16::try_from(code).ok()), &error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BASE: &str = "https://www.googleapis.com/compute/v1/projects/p/global";

    fn operation() -> Value {
        json!({"kind": "compute#operation", "name": "operation-1", "status": "RUNNING",
            "operationType": "patch", "insertTime": "2026-11-23T02:00:00.000-08:00",
            "targetLink": format!("{BASE}/healthChecks/h"),
            "selfLink": format!("{BASE}/operations/operation-1")})
    }

    fn failed(http: u16, code: &str) -> Fault {
        let mut value = operation();
        value["status"] = json!("DONE");
        value["httpErrorStatusCode"] = json!(http);
        value["error"] = json!({"errors": [{"code": code, "message": "no"}]});
        from_compute(&value).unwrap().error.unwrap()
    }

    #[test]
    fn running_and_done() {
        let mut value = operation();
        let running = from_compute(&value).unwrap();
        assert_eq!(running.name, "projects/p/global/operations/operation-1");
        assert_eq!(
            running.target.as_deref(),
            Some("projects/p/global/healthChecks/h")
        );
        assert_eq!(running.created.unwrap().to_string(), "2026-11-23T10:00:00Z");
        assert!(!running.done);
        value["status"] = json!("DONE");
        let done = from_compute(&value).unwrap();
        assert!(done.done && done.error.is_none());
    }

    #[test]
    fn without_a_link_the_target_tells_the_place() {
        let mut value = operation();
        value["targetLink"] = json!("https://h/compute/beta/projects/p/regions/r/healthChecks/h");
        value.as_object_mut().unwrap().remove("selfLink");
        let name = from_compute(&value).unwrap().name;
        assert_eq!(name, "projects/p/regions/r/operations/operation-1");
        for broken in [json!({}), json!({"name": "o"}), json!([])] {
            assert!(from_compute(&broken).is_err());
        }
    }

    #[test]
    fn failures_have_the_kind_of_their_words() {
        for (http, code, kind) in [
            (400, "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", FaultKind::InUse),
            (400, "RESOURCE_NOT_READY", FaultKind::Busy),
            (400, "INVALID_FIELD_VALUE", FaultKind::Invalid),
            (409, "RESOURCE_ALREADY_EXISTS", FaultKind::AlreadyExists),
            (412, "CONDITION_NOT_MET", FaultKind::Conflict),
            (404, "RESOURCE_NOT_FOUND", FaultKind::NotFound),
            (503, "INTERNAL_ERROR", FaultKind::Unclear),
            (403, "PERMISSIONS_ERROR", FaultKind::Denied),
        ] {
            assert_eq!(failed(http, code).kind, kind, "{code}");
        }
        assert_eq!(failed(400, "X").code, "X");
    }
}
