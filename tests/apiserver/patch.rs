//! The patches that say what to change: merge (RFC 7386), JSON (RFC 6902), and strategic, which for
//! the kinds here is a merge.

use super::answer::Refusal;
use super::log::Incoming;
use serde_json::Value;

/// The object after the patch of a request.
pub(crate) fn patched(request: &Incoming, live: &Value) -> Result<Value, Refusal> {
    let body = request.object()?;
    let mut object = live.clone();
    match request.content_type() {
        "application/merge-patch+json" => json_patch::merge(&mut object, &body),
        "application/strategic-merge-patch+json" => {
            json_patch::merge(&mut object, &without_directives(body));
        }
        "application/json-patch+json" => {
            let operations: json_patch::Patch =
                serde_json::from_value(body).map_err(|e| Refusal::bad(&e.to_string()))?;
            json_patch::patch(&mut object, &operations)
                .map_err(|e| Refusal::bad(&e.to_string()))?;
        }
        _ => return Err(Refusal::media_type()),
    }
    Ok(object)
}

/// `$retainKeys` and its like steer how lists merge; here lists are replaced.
fn without_directives(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(key, _)| !key.starts_with('$'))
            .map(|(key, value)| (key, without_directives(value)))
            .collect(),
        other => other,
    }
}
