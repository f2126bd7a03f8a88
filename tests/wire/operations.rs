//! What the descriptions leave open about operations.

use serde_json::{Map, Value};

use super::messages::How;
use super::{Surface, is_time};

impl Surface {
    /// An operation's metadata is the resource itself, or tells when the operation began and ended.
    fn check_metadata(
        &self,
        place: &str,
        metadata: &Value,
        done: bool,
        how: How,
        problems: &mut Vec<String>,
    ) {
        let kind = self.message_of(metadata["@type"].as_str().unwrap_or_default());
        if self.section("messages").contains_key(&kind) {
            let mut resource = metadata.clone();
            resource
                .as_object_mut()
                .map(|fields| fields.remove("@type"));
            let place = format!("{place}.metadata");
            return self.check_message(&kind, &place, &resource, how, problems);
        }
        for name in ["createTime", "endTime"] {
            if metadata.get(name).is_some_and(|time| !is_time(time)) {
                problems.push(format!("{place}.metadata.{name}: not a time"));
            }
        }
        if done != metadata.get("endTime").is_some() {
            problems.push(format!(
                "{place}.metadata.endTime: must be there exactly when it is done"
            ));
        }
    }

    /// What the description leaves open: an operation is done with a result or running without one, and the
    /// `Any` inside it has a type that is known here.
    pub(super) fn check_operation(
        &self,
        place: &str,
        operation: &Map<String, Value>,
        how: How,
        problems: &mut Vec<String>,
    ) {
        let has = |name: &str| operation.contains_key(name);
        // A partial response may have cut any of it.
        if !has("name") || !has("metadata") {
            return;
        }
        let results = usize::from(has("response")) + usize::from(has("error"));
        match operation.get("done") {
            Some(Value::Bool(true)) if results == 1 => {}
            None if results == 0 => {}
            done => problems.push(format!("{place}: done is {done:?} with {results} results")),
        }
        self.check_metadata(place, &operation["metadata"], has("done"), how, problems);
        let Some(response) = operation.get("response").and_then(Value::as_object) else {
            return;
        };
        let kind = response
            .get("@type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let message = &self.message_of(kind);
        let mut inner = response.clone();
        inner.remove("@type");
        let place = format!("{place}.response");
        match message.as_str() {
            "Empty" if inner.is_empty() => {}
            known if self.section("messages").contains_key(known) => {
                self.check_message(known, &place, &Value::Object(inner), how, problems);
            }
            _ => problems.push(format!("{place}.@type: unknown type \"{kind}\"")),
        }
    }
}

/// What the descriptions of compute and of Cloud SQL leave open: an operation runs without an end, or is DONE with
/// one; compute's errors come with an HTTP code.
pub(super) fn check_status_operation(
    place: &str,
    operation: &Map<String, Value>,
    problems: &mut Vec<String>,
) {
    let has = |name: &str| operation.contains_key(name);
    // A partial response may have cut any of it.
    if !has("name") || !has("status") {
        return;
    }
    let mut demand = |good: bool, problem: &str| {
        if !good {
            problems.push(format!("{place}: {problem}"));
        }
    };
    let done = operation["status"] == "DONE";
    let is_sql = operation.get("kind") == Some(&"sql#operation".into());
    demand(
        is_sql || operation.get("kind") == Some(&"compute#operation".into()),
        "kind is not that of an operation",
    );
    demand(
        done == has("endTime"),
        "endTime must be there exactly when it is DONE",
    );
    demand(done || !has("error"), "an error before it is DONE");
    for name in ["insertTime", "startTime", "endTime"] {
        let good = operation.get(name).is_none_or(is_time);
        demand(good, &format!("{name} is not a time"));
    }
    let root = if is_sql {
        "/projects/"
    } else {
        "/compute/v1/projects/"
    };
    for name in ["selfLink", "targetLink"] {
        let link = operation.get(name).and_then(Value::as_str);
        demand(
            link.is_none_or(|link| link.contains(root)),
            &format!("{name} is not a link"),
        );
    }
    if let Some(error) = operation.get("error") {
        let texts = |error: &Value| error["code"].is_string() && error["message"].is_string();
        let errors = error["errors"].as_array();
        let good = errors.is_some_and(|errors| !errors.is_empty() && errors.iter().all(texts));
        demand(good, "error.errors must have codes and messages");
        demand(
            is_sql || (has("httpErrorStatusCode") && has("httpErrorMessage")),
            "an error without an HTTP code",
        );
    }
}
