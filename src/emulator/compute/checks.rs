//! Rules that several kinds share: ranges, texts and references.

use serde_json::Value;

use super::collection::Record;
use super::errors::{invalid, not_found};
use crate::emulator::api::Api;
use crate::emulator::errors::ApiError;
use crate::emulator::messages::int32;
use crate::emulator::world::World;

/// A number that is set must be in the range. The words are Google's.
pub(super) fn range(
    record: &Record,
    name: &str,
    place: &str,
    low: i32,
    high: i32,
) -> Result<(), ApiError> {
    let Some(value) = record.get(name) else {
        return Ok(());
    };
    let number = int32(value).unwrap_or_default();
    let field = format!("{place}.{name}");
    if number < low {
        let words = format!("Must be greater than or equal to {low}");
        return Err(invalid(&field, value, &words));
    }
    if number > high {
        let words = format!("Must be less than or equal to {high}");
        return Err(invalid(&field, value, &words));
    }
    Ok(())
}

/// At most so many bytes, all ASCII.
pub(super) fn ascii(
    record: &Record,
    name: &str,
    place: &str,
    bytes_max: usize,
) -> Result<(), ApiError> {
    let Some(value) = record.get(name) else {
        return Ok(());
    };
    let text = value.as_str().unwrap_or_default();
    if text.is_ascii() && text.len() <= bytes_max {
        return Ok(());
    }
    let words = format!("Must be ASCII and at most {bytes_max} bytes long.");
    Err(invalid(&format!("{place}.{name}"), value, &words))
}

/// What a record refers to must exist.
pub(super) fn referenced<'a>(world: &'a World, name: &str) -> Result<&'a Value, ApiError> {
    let found = world.records.truth(&super::Compute.key(name));
    found.ok_or_else(|| not_found(name))
}

/// The first resource in a project, of one collection, whose list `field` holds this name.
pub(super) fn holder(world: &World, name: &str, collection: &str, field: &str) -> Option<String> {
    let project = name.split('/').nth(1)?;
    let prefix = super::Compute.key(&format!("projects/{project}/"));
    let in_collection = format!("/{collection}/");
    let holds = |record: &Value| {
        let list = record[field].as_array();
        list.is_some_and(|list| list.iter().any(|item| item == name))
    };
    let mut all = world.records.all_under(&prefix);
    all.find(|(key, record)| key.contains(&in_collection) && holds(record))
        .map(|(key, _)| crate::emulator::registry::relative(key).to_owned())
}
