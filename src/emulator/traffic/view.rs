//! The load as people and tests read it: `GET /_emulator/load`.

use serde_json::{Map, Value, json};

use super::connector::ConnectorLoad;
use super::database::DatabaseLoad;
use super::scene::Backend;
use super::service::{ShareLoad, Work};
use crate::emulator::world::World;

/// Null where nobody wants anything.
pub(in crate::emulator) fn view(world: &mut World) -> Value {
    let Some(load) = world.load() else {
        return Value::Null;
    };
    let (connect, _) = load.way_of(&world.traffic.vantage());
    json!({
        "at": world.clock.to_string(),
        "connectors": named(&load.connectors, connector),
        "databases": named(&load.databases, database),
        "services": named(&load.services, |shares| shares.iter().map(share).collect()),
        "backends": backends(world),
        "edge": {
            "handshakeSeconds": load.edge.handshake(connect),
            "handshakesThatFail": load.edge.tls_fails,
            "dnsSeconds": load.edge.dns,
            "dnsThatFails": load.edge.dns_fails,
        },
    })
}

fn named<'a, T: 'a>(
    things: impl IntoIterator<Item = (&'a String, &'a T)>,
    show: impl Fn(&T) -> Value,
) -> Value {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let shown = things.into_iter();
    shown
        .map(|(name, thing)| (last(name), show(thing)))
        .collect::<Map<_, _>>()
        .into()
}

fn connector(load: &ConnectorLoad) -> Value {
    json!({
        "instances": load.instances,
        "capacityMbps": load.capacity_mbps,
        "offeredMbps": load.offered_mbps,
        "utilisation": load.utilisation(),
        "cpu": load.cpu,
        "connectSeconds": load.connect,
        "connectionsLost": load.lost,
    })
}

fn database(load: &DatabaseLoad) -> Value {
    json!({
        "works": load.works,
        "connectionsWanted": load.wanted,
        "connectionsOpen": load.open(),
        "connectionsLimit": load.limit,
        "cpu": load.cpu,
        "querySeconds": load.query,
    })
}

fn share(load: &ShareLoad) -> Value {
    json!({
        "revision": load.revision,
        "part": load.part,
        "requestsPerSecond": load.requests_per_second,
        "instances": load.instances,
        "available": load.available,
        "unavailable": load.unavailable(Work::Page),
        "errors": load.errors,
        "pageSeconds": load.takes(Work::Page),
        "healthSeconds": load.takes(Work::Health),
        "goldenPathSeconds": load.takes(Work::GoldenPath),
        "startupSeconds": load.startup,
        "startsInTime": load.starts,
    })
}

/// Which machines the load balancer sends requests to.
fn backends(world: &World) -> Value {
    let scene = world.scene_at(world.clock);
    let backends = scene.into_iter().flat_map(|scene| &scene.backends);
    let mut shown = Map::new();
    for (name, backend) in backends {
        let Backend::Machines { machines, .. } = backend else {
            continue;
        };
        let well = machines.iter().map(|machine| {
            let well = world.is_well(world.clock, name, machine);
            (machine.name.clone(), json!(well))
        });
        let well: Map<_, _> = well.collect();
        shown.insert(name.clone(), Value::Object(well));
    }
    named(&shown, |machines| {
        named(machines.as_object().into_iter().flatten(), Value::clone)
    })
}
