//! Saved states as `ControllerRevision`s that go with their object, redacted like everything that
//! is stored.

use super::calls::{ShelfError, is, said, within};
use super::shelf::Shelf;
use super::words::ObjectId;
use crate::core::digest;
use crate::core::record::Revision;
use crate::journal::REVISION_LIMIT;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams};
use std::collections::BTreeMap;

/// Which object a saved state belongs to, as a label.
pub const OWNER: &str = "evenkeel.dev/owner";

/// Saves a state. Durable when this returns.
///
/// # Errors
/// It was not saved.
pub async fn put(shelf: &Shelf, id: &ObjectId, revision: &Revision) -> Result<(), ShelfError> {
    let owner = shelf.owner(id).ok_or(ShelfError::Gone)?;
    let wanted = ControllerRevision {
        metadata: ObjectMeta {
            name: Some(name(id, revision.number)),
            labels: Some(BTreeMap::from([(OWNER.to_owned(), owner.uid.clone())])),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        data: RawExtension(digest::to_value(revision)),
        revision: Some(revision.number),
    };
    let api = api(shelf);
    let params = PostParams::default();
    match within(api.create(&params, &wanted)).await {
        Ok(_) => {}
        Err(error) if is(&error, 409) => replace(&api, &wanted).await?,
        Err(error) => return Err(said(&error)),
    }
    let oldest = revision.number - i64::from(REVISION_LIMIT);
    if oldest > 0 {
        // One too many is no reason to stop; the next save tries the next one.
        let _ = within(api.delete(&name(id, oldest), &DeleteParams::default())).await;
    }
    Ok(())
}

/// The number was used before, by an attempt that was not written down: what is there is not it,
/// unless it is the same.
async fn replace(
    api: &Api<ControllerRevision>,
    wanted: &ControllerRevision,
) -> Result<(), ShelfError> {
    let name = wanted.metadata.name.as_deref().unwrap_or_default();
    let there = within(api.get_opt(name))
        .await
        .map_err(|error| said(&error))?;
    let same = |there: &ControllerRevision| {
        there.data == wanted.data
            && there.metadata.owner_references == wanted.metadata.owner_references
    };
    if there.as_ref().is_some_and(same) {
        return Ok(());
    }
    if there.is_some() {
        let gone = within(api.delete(name, &DeleteParams::default())).await;
        gone.map_err(|error| said(&error))?;
    }
    let made = within(api.create(&PostParams::default(), wanted)).await;
    made.map(drop).map_err(|error| said(&error))
}

/// A saved state, while it is kept.
///
/// # Errors
/// It cannot be read.
pub async fn get(
    shelf: &Shelf,
    id: &ObjectId,
    number: i64,
) -> Result<Option<Revision>, ShelfError> {
    let found = within(api(shelf).get_opt(&name(id, number))).await;
    let found = found.map_err(|error| said(&error))?;
    Ok(found.and_then(read))
}

/// A saved state as it was kept.
#[must_use]
pub fn read(found: ControllerRevision) -> Option<Revision> {
    serde_json::from_value(found.data.0).ok()
}

fn api(shelf: &Shelf) -> Api<ControllerRevision> {
    Api::namespaced(shelf.client(), shelf.namespace())
}

/// Names have 253 characters at most.
fn name(id: &ObjectId, number: i64) -> String {
    let kind = id.kind.short_name();
    let whole = format!("{kind}-{}-{number}", id.name);
    if whole.len() <= 253 {
        return whole;
    }
    let digest = digest::of(&id.name.as_str().into());
    let digest: String = digest
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(16)
        .collect();
    let short: String = id.name.chars().take(180).collect();
    format!("{kind}-{short}-{digest}-{number}")
}
