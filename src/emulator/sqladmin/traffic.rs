//! What the traffic model sees of an instance.
//!
//! Sources: "Cloud SQL, operational guidelines and quotas" for the default of `max_connections` by memory
//! (Postgres); "Instance settings" for what the tiers hold.

use serde_json::Value;

use super::instance::{Instance, State};
use super::operations::key;
use crate::emulator::traffic::database::Database;
use crate::emulator::world::World;

/// Memory in MB from which on an instance takes so many connections by default.
const CONNECTIONS: [(f64, u32); 9] = [
    (122_880.0, 1_000),
    (61_440.0, 800),
    (30_720.0, 600),
    (15_360.0, 500),
    (7_680.0, 400),
    (6_144.0, 200),
    (3_840.0, 100),
    (1_700.0, 50),
    (0.0, 25),
];

/// By its name, from `projects` on.
pub(in crate::emulator) fn database_of(world: &World, name: &str) -> Option<Database> {
    let instance = Instance::of(world.records.truth(&key(name))?);
    let settings = instance.settings();
    let (vcpus, memory) = size(settings["tier"].as_str().unwrap_or_default());
    let flag = max_connections(settings);
    let fits = CONNECTIONS.iter().find(|(least, _)| memory >= *least);
    Some(Database {
        max_connections: flag.unwrap_or(fits.map_or(25, |(_, connections)| *connections)),
        vcpus,
        works: instance.state == State::Runnable && settings["activationPolicy"] != "NEVER",
    })
}

pub(in crate::emulator) fn region_of(world: &World, name: &str) -> String {
    let record = world.records.truth(&key(name));
    let region = record.and_then(|record| record["spec"]["region"].as_str());
    region.unwrap_or_default().to_owned()
}

/// The addresses that clients reach an instance at.
pub(in crate::emulator) fn addresses_of(world: &World, name: &str) -> Vec<String> {
    let record = world.records.truth(&key(name));
    let addresses = record.map(|record| Instance::of(record).addresses());
    let text = |address: &Value| Some(address["ipAddress"].as_str()?.to_owned());
    addresses.iter().flatten().filter_map(text).collect()
}

fn max_connections(settings: &Value) -> Option<u32> {
    let flags = settings["databaseFlags"].as_array()?;
    let flag = flags
        .iter()
        .find(|flag| flag["name"] == "max_connections")?;
    flag["value"].as_str()?.parse().ok()
}

/// Processors, and memory in MB.
fn size(tier: &str) -> (f64, f64) {
    let number = |text: &str| text.parse::<u32>().ok().map(f64::from);
    let custom = |rest: &str| {
        let (vcpus, memory) = rest.split_once('-')?;
        Some((number(vcpus)?, number(memory)?))
    };
    // So many processors, each with so much memory.
    let series = |prefix: &str, each: f64| {
        let vcpus = number(tier.strip_prefix(prefix)?)?;
        Some((vcpus, vcpus * each))
    };
    let known = match tier {
        "db-f1-micro" => Some((0.2, 614.0)),
        "db-g1-small" => Some((0.5, 1_741.0)),
        _ => tier.strip_prefix("db-custom-").and_then(custom),
    };
    known
        .or_else(|| series("db-n1-standard-", 3_840.0))
        .or_else(|| series("db-n1-highmem-", 6_656.0))
        .or_else(|| series("db-perf-optimized-N-", 8_192.0))
        .unwrap_or((1.0, 3_840.0))
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn tiers_have_the_size_that_their_name_says() {
        for (tier, vcpus, memory) in [
            ("db-custom-2-7680", 2.0, 7_680.0),
            ("db-n1-standard-4", 4.0, 15_360.0),
            ("db-perf-optimized-N-8", 8.0, 65_536.0),
            ("db-f1-micro", 0.2, 614.0),
        ] {
            assert_eq!(size(tier), (vcpus, memory), "{tier}");
        }
    }
}
