//! Names of deleted instances. "You can't reuse the name of the deleted instance until one week from the
//! deletion date" ("Delete instances").

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::instance::Instance;
use super::operations::key;
use crate::emulator::timing::later;
use crate::emulator::world::World;

const RESERVED: Duration = Duration::from_hours(7 * 24);

fn place(project: &str, name: &str) -> String {
    key(&format!("projects/{project}/deletedInstances/{name}"))
}

pub(super) fn reserve(world: &mut World, instance: &Instance, at: Timestamp) {
    let until = later(at, RESERVED).to_string();
    let record = json!({"reservedUntil": until});
    let key = place(&instance.project, &instance.name);
    let lag = crate::emulator::records::Lag::default();
    world.records.change(&key, at, lag, Some(record));
}

pub(super) fn is_reserved(world: &World, project: &str, name: &str) -> bool {
    let record = world.records.truth(&place(project, name));
    let until = record.and_then(|record| record["reservedUntil"].as_str()?.parse().ok());
    until.is_some_and(|until: Timestamp| world.clock < until)
}

pub(super) fn is_marker(record: &Value) -> bool {
    record.get("reservedUntil").is_some()
}
