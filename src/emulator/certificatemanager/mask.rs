//! Update masks: "Required. The update mask applies to the resource."

use super::collection::Collection;
use super::refusal::refuse;
use crate::emulator::errors::ApiError;

/// The fields that a patch changes, by JSON name. A path may reach below a field; the whole field is then taken.
pub(super) fn read(collection: &Collection, text: &str) -> Result<Vec<&'static str>, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(refuse("update_mask", "update mask must not be empty"));
    }
    if text == "*" {
        return Ok(collection.mutable.to_vec());
    }
    let paths = text.split(',').map(str::trim);
    paths.map(|path| read_path(collection, path)).collect()
}

fn read_path(collection: &Collection, path: &str) -> Result<&'static str, ApiError> {
    let root = path.split('.').next().unwrap_or_default();
    let noun = collection.noun();
    let Some(field) = collection.message.field(root) else {
        let words = format!("invalid field path \"{path}\" for {noun}");
        return Err(refuse("update_mask", &words));
    };
    let mutable = collection.mutable.iter().find(|name| **name == field.json);
    mutable.copied().ok_or_else(|| {
        let words = format!("field \"{path}\" of {noun} is immutable");
        refuse("update_mask", &words)
    })
}
