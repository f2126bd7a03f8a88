//! What may stand in labels ("Requirements for labels", docs.cloud.google.com/resource-manager).

use super::collection::Record;
use super::refusal::refuse;
use crate::emulator::errors::ApiError;
use serde_json::Value;

const LABELS_MAX: usize = 64;
const LENGTH_MAX: usize = 63;

pub(super) fn check(record: &Record) -> Result<(), ApiError> {
    let Some(labels) = record.get("labels").and_then(Value::as_object) else {
        return Ok(());
    };
    if labels.len() > LABELS_MAX {
        return Err(refuse("labels", "at most 64 labels can be specified"));
    }
    let inside = |c: char| c.is_lowercase() || c.is_numeric() || matches!(c, '_' | '-');
    for (key, value) in labels {
        let value = value.as_str().unwrap_or_default();
        let good = |text: &str| text.chars().count() <= LENGTH_MAX && text.chars().all(inside);
        if !good(key) || !key.starts_with(char::is_lowercase) {
            return Err(refuse("labels", &format!("invalid label key \"{key}\"")));
        }
        if !good(value) {
            let words = format!("invalid label value \"{value}\"");
            return Err(refuse("labels", &words));
        }
    }
    Ok(())
}
