//! What all kinds have in common: get, insert, patch, update and delete.
//!
//! A change is checked at once against the truth, and takes effect when its operation ends; until then the
//! resource takes no other change ("not ready"). What a change would leave is computed twice, when it is
//! checked and when it takes effect, so that another writer's change in between is not undone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::collection::{Collection, Proposal, Record, default, fields, text, value};
use super::errors::{
    already_exists, in_use, invalid, not_found, not_ready, required, stale_fingerprint,
};
use super::merge::merge;
use super::operations::{self, Start};
use super::place::Place;
use super::{fingerprint, links, time};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::registry::relative;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

/// RFC 1035, as every name of compute.
const NAME_PATTERN: &str = "(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)";

/// What an operation does to its resource when it succeeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Change {
    Insert { record: Record },
    Merge { patch: Record },
    Replace { record: Record },
    Delete,
}

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let key = request.route.key();
    let seen = world.records.seen(&key, request.view.at);
    let record = seen.ok_or_else(|| not_found(relative(&key)))?;
    Ok(request.route.api.show(&key, record, &request.eye()))
}

pub(super) fn insert(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    if let Some(first) = operations::repeated(world, request)? {
        return Ok(first);
    }
    let (collection, place) = (collection(request)?, Place::of(request.route));
    let mut record = input(collection, request)?;
    let id = text(&record, "name").to_owned();
    if id.is_empty() {
        return Err(required("resource.name"));
    }
    if !is_name(&id) {
        let words = format!("Must be a match of regex '{NAME_PATTERN}'");
        return Err(invalid("resource.name", &json!(id), &words));
    }
    let name = format!("{}/{id}", request.route.name);
    let key = request.route.api.key(&name);
    if world.records.truth(&key).is_some() || world.operations.running_on(&key).is_some() {
        return Err(already_exists(&name));
    }
    born(&mut record, world.clock, world.dice.below(1 << 62));
    let proposal = Proposal {
        world,
        place: &place,
        before: None,
    };
    (collection.complete)(&mut record, &proposal);
    (collection.check)(&record, &proposal)?;
    let start = Start {
        verb: "insert",
        target: key,
        change: Change::Insert { record },
        pace: Pace::Quick,
    };
    Ok(operations::start(world, request, start))
}

/// The number and the birthday that the API gives to what it makes.
pub(super) fn born(record: &mut Record, at: Timestamp, number: u64) {
    record.insert("id".to_owned(), json!((number | 1 << 60).to_string()));
    record.insert("creationTimestamp".to_owned(), json!(time::text(at)));
}

pub(super) fn patch(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    if let Some(first) = operations::repeated(world, request)? {
        return Ok(first);
    }
    let (collection, before) = (collection(request)?, before(world, request)?);
    if collection.fingerprinted {
        let sent = text(&request.body, "fingerprint");
        require_fingerprint(sent, &before)?;
    }
    let patch = input(collection, request)?;
    change(world, request, &before, "patch", Change::Merge { patch })
}

/// A full replacement: what the body leaves out goes back to its default.
pub(super) fn update(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    if let Some(first) = operations::repeated(world, request)? {
        return Ok(first);
    }
    let (collection, before) = (collection(request)?, before(world, request)?);
    if collection.fingerprinted {
        // An update without any is refused in other words than one with an old one (seen in public reports).
        let sent = text(&request.body, "fingerprint");
        if sent.is_empty() {
            return Err(required("resource.fingerprint"));
        }
        require_fingerprint(sent, &before)?;
    }
    let record = input(collection, request)?;
    change(
        world,
        request,
        &before,
        "update",
        Change::Replace { record },
    )
}

/// Checks what a change would leave, and starts it.
pub(super) fn change(
    world: &mut World,
    request: &Request,
    before: &Record,
    verb: &'static str,
    change: Change,
) -> Result<Value, ApiError> {
    let (collection, place) = (collection(request)?, Place::of(request.route));
    let proposal = Proposal {
        world,
        place: &place,
        before: Some(before),
    };
    let after = after(collection, &change, &proposal).unwrap_or_default();
    let sent = value(&after, "name");
    if sent != value(before, "name") {
        return Err(invalid(
            "resource.name",
            sent,
            "The name of a resource cannot be changed.",
        ));
    }
    (collection.check)(&after, &proposal)?;
    let start = Start {
        verb,
        target: request.route.key(),
        change,
        pace: Pace::Quick,
    };
    Ok(operations::start(world, request, start))
}

/// What a change leaves of a resource; None when nothing.
pub(super) fn after(
    collection: &Collection,
    change: &Change,
    proposal: &Proposal,
) -> Option<Record> {
    let mut after = match (change, proposal.before) {
        (Change::Insert { record }, _) => record.clone(),
        (Change::Merge { patch }, Some(before)) => {
            let mut merged = before.clone();
            merge(&mut merged, patch);
            merged
        }
        (Change::Replace { record }, Some(before)) => {
            let mut replaced = collection.output(before);
            replaced.extend(record.clone());
            default(&mut replaced, "name", value(before, "name").clone());
            replaced
        }
        (Change::Merge { .. } | Change::Replace { .. }, None) | (Change::Delete, _) => return None,
    };
    (collection.complete)(&mut after, proposal);
    Some(after)
}

pub(super) fn delete(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    if let Some(first) = operations::repeated(world, request)? {
        return Ok(first);
    }
    let (collection, before) = (collection(request)?, before(world, request)?);
    let key = request.route.key();
    let name = relative(&key);
    if let Some(user) = (collection.user_of)(world, name)
        && !world.faults.refused_late(request.verb, request.path)
    {
        return Err(in_use(collection.noun, name, &user));
    }
    let start = Start {
        verb: "delete",
        target: key,
        change: Change::Delete,
        pace: (collection.delete_pace)(&before),
    };
    Ok(operations::start(world, request, start))
}

/// The resource that a change is about, which no other operation may be changing.
pub(super) fn before(world: &World, request: &Request) -> Result<Record, ApiError> {
    let key = request.route.key();
    let truth = world.records.truth(&key);
    let record = truth.ok_or_else(|| not_found(relative(&key)))?;
    if world.operations.running_on(&key).is_some() {
        return Err(not_ready(relative(&key)));
    }
    Ok(fields(record).clone())
}

pub(super) fn collection(request: &Request) -> Result<&'static Collection, ApiError> {
    Collection::in_name(&request.route.name).ok_or_else(|| not_found(&request.route.name))
}

/// The body as a record keeps it.
fn input(collection: &Collection, request: &Request) -> Result<Record, ApiError> {
    let mut body = request.body.clone();
    collection.take_only_input(&mut body);
    links::read(collection.message, &mut body, request.route.project())?;
    (collection.take)(&mut body)?;
    Ok(body)
}

fn require_fingerprint(sent: &str, before: &Record) -> Result<(), ApiError> {
    if fingerprint::is_current(sent, before) {
        Ok(())
    } else {
        Err(stale_fingerprint())
    }
}

/// `[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?`
pub(super) fn is_name(text: &str) -> bool {
    let inside = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inside)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
}
