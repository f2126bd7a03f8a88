//! What the methods do, the same for all four collections.
//!
//! A change is checked at once against the truth, and takes effect when its operation ends; until then the
//! resource takes no other change.

use serde_json::{Value, json};

use super::collection::{Collection, Record, fields, set_or_remove};
use super::names::{check_id, show_reference};
use super::operations::{self, Change};
use super::refusal::{already_exists, busy, in_use, not_found};
use super::{labels, mask};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::registry::relative;
use crate::emulator::world::World;

pub(super) fn collection(request: &Request) -> Result<&'static Collection, ApiError> {
    Collection::in_name(&request.route.name).ok_or_else(|| not_found(&request.route.name))
}

/// A record as the API gives it.
pub(super) fn body(world: &World, collection: &Collection, name: &str, record: &Value) -> Value {
    let mut shown = fields(record).clone();
    (collection.look_around)(world, name, &mut shown);
    collection.show(&shown)
}

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let (collection, key) = (collection(request)?, request.route.key());
    let name = relative(&key);
    let seen = world.records.seen(&key, request.view.at);
    let record = seen.ok_or_else(|| not_found(name))?;
    Ok(body(world, collection, name, record))
}

pub(super) fn create(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let (collection, route) = (collection(request)?, request.route);
    let id = request.params.get(collection.id).unwrap_or_default();
    check_id(collection.id, id)?;
    let name = format!("{}/{id}", route.name);
    let mut record: Record = request.body.clone();
    record.retain(|field, _| collection.input.contains(&field.as_str()));
    labels::check(&record)?;
    (collection.take)(world, &name, &mut record)?;
    let key = route.api.key(&name);
    if world.records.truth(&key).is_some() {
        return Err(already_exists(&name));
    }
    if world.operations.running_on(&key).is_some() {
        return Err(busy());
    }
    record.insert("name".to_owned(), json!(name));
    Ok(operations::start(
        world,
        request,
        &name,
        &Change::Create { record },
    ))
}

pub(super) fn patch(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let (collection, before) = (collection(request)?, before(world, request)?);
    let mask = mask::read(
        collection,
        request.params.get("updateMask").unwrap_or_default(),
    )?;
    let mut after = before.clone();
    for field in mask {
        let value = request.body.get(field).cloned().unwrap_or_default();
        set_or_remove(&mut after, field, value);
    }
    labels::check(&after)?;
    let key = request.route.key();
    let name = relative(&key);
    (collection.take_change)(world, name, &mut after)?;
    let names = before.keys().chain(after.keys());
    let patch = names
        .filter(|field| before.get(*field) != after.get(*field))
        .map(|field| (field.clone(), after.get(field).cloned().unwrap_or_default()))
        .collect();
    Ok(operations::start(
        world,
        request,
        name,
        &Change::Update { patch },
    ))
}

pub(super) fn delete(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let collection = collection(request)?;
    before(world, request)?;
    let key = request.route.key();
    let name = relative(&key);
    if !(collection.users)(world, name).is_empty()
        && !world.faults.refused_late(request.verb, request.path)
    {
        return Err(in_use(collection.in_use, &show_reference(name)));
    }
    Ok(operations::start(world, request, name, &Change::Delete))
}

/// The resource that a change is about, which no other operation may be changing.
fn before(world: &World, request: &Request) -> Result<Record, ApiError> {
    let key = request.route.key();
    let truth = world.records.truth(&key);
    let record = truth.ok_or_else(|| not_found(relative(&key)))?;
    if world.operations.running_on(&key).is_some() {
        return Err(busy());
    }
    Ok(fields(record).clone())
}
