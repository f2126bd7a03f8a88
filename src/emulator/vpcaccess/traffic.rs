//! What the traffic model sees of a connector.

use super::connector::{Connector, State};
use crate::emulator::traffic::connector::Connector as Seen;
use crate::emulator::world::World;

/// By its name, from `projects` on.
pub(in crate::emulator) fn connector_of(world: &World, name: &str) -> Option<Seen> {
    let key = format!("//{}/{name}", super::SERVICE);
    let connector = Connector::of(world.records.truth(&key)?);
    let count = |number: i32| u32::try_from(number).unwrap_or_default();
    Some(Seen {
        works: matches!(connector.state, State::Ready | State::Updating),
        min: count(connector.min_instances),
        max: count(connector.max_instances),
        machine_type: connector.machine_type,
    })
}
