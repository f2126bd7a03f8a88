//! The dialect of `google.longrunning` that most APIs speak: how an operation looks, get and list.

use serde_json::{Value, json};

use super::api::{Api, Eye, Request};
use super::errors::ApiError;
use super::messages::{Kind, Message, field, many};
use super::operations::{Ending, Operation};
use super::query::{Params, page};
use super::registry::relative;
use super::world::World;

pub(super) static OPERATION: Message = Message {
    type_name: "google.longrunning.Operation",
    fields: &[
        field("name", "name", Kind::Text),
        field("metadata", "metadata", Kind::Open),
        field("done", "done", Kind::Bool),
        field("error", "error", Kind::Message(&STATUS)),
        field("response", "response", Kind::Open),
    ],
};

static STATUS: Message = Message {
    type_name: "google.rpc.Status",
    fields: &[
        field("code", "code", Kind::Int32),
        field("message", "message", Kind::Text),
        many("details", "details", Kind::Open),
    ],
};

pub(super) static LIST_OPERATIONS: Message = Message {
    type_name: "google.longrunning.ListOperationsResponse",
    fields: &[
        many("operations", "operations", Kind::Message(&OPERATION)),
        field("nextPageToken", "next_page_token", Kind::Text),
        many("unreachable", "unreachable", Kind::Text),
    ],
};

/// The body around an API's own metadata. "done" and the result are absent, not false and null, while it runs.
pub(super) fn body(operation: &Operation, metadata: &Value) -> Value {
    let name = relative(&operation.key);
    match &operation.ending {
        None => json!({"name": name, "metadata": metadata}),
        Some(Ending::Done(response)) => {
            json!({"name": name, "metadata": metadata, "done": true, "response": response})
        }
        Some(Ending::Failed(failure)) => {
            let error = json!({"code": failure.code, "message": failure.message});
            json!({"name": name, "metadata": metadata, "done": true, "error": error})
        }
    }
}

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let operation = world.operations.get(&request.route.key());
    let operation =
        operation.ok_or_else(|| ApiError::not_found("Requested entity was not found."))?;
    Ok(request.route.api.operation(operation, &request.eye()))
}

pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let wanted = done_filter(request.params)?;
    let parent = request.route.resource();
    let prefix = format!("{}/operations/", request.route.api.key(parent));
    let found = world
        .operations
        .under(&prefix)
        .filter(|_| !request.view.partial)
        .filter(|operation| wanted.is_none_or(|done| done != operation.is_running()))
        .map(|operation| (operation.key.as_str(), operation));
    let (page, next) = page(found, &prefix, request.params)?;
    let mut reply = json!({});
    if !page.is_empty() {
        reply["operations"] = bodies(request.route.api, &page, &request.eye());
    }
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    if request.view.partial {
        reply["unreachable"] = json!([parent]);
    }
    Ok(reply)
}

fn bodies(api: &dyn Api, operations: &[&Operation], eye: &Eye) -> Value {
    let bodies = operations.iter();
    bodies
        .map(|operation| api.operation(operation, eye))
        .collect()
}

/// Of the filter language only `done` is served; the rest is refused rather than ignored.
fn done_filter(params: &Params) -> Result<Option<bool>, ApiError> {
    let filter = params
        .get("filter")
        .unwrap_or_default()
        .replace([' ', '"'], "");
    match filter.replace(':', "=").to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "done=true" => Ok(Some(true)),
        "done=false" => Ok(Some(false)),
        _ => Err(ApiError::invalid("Invalid list filter.")),
    }
}
