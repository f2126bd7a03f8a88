//! Storage that grows by itself: "storageAutoResize: configuration to increase storage size automatically".

use serde_json::{Value, json};

use super::instance::Instance;
use super::limits;
use crate::emulator::messages::int64;
use crate::emulator::world::World;

/// The disk of the instance at this path grows to `gb`, as Cloud SQL lets it when it is nearly full. No client
/// asked, so the version of the settings stays.
pub(in crate::emulator) fn grow(world: &mut World, path: &str, gb: i64) -> Result<Value, String> {
    let key = world.find(path);
    let key = key.ok_or_else(|| format!("there is no instance \"{path}\""))?;
    let record = world.records.truth(&key).map(Instance::of);
    let mut instance = record.ok_or_else(|| format!("there is no instance \"{path}\""))?;
    let settings = instance.settings();
    let limit = int64(&settings["storageAutoResizeLimit"]).unwrap_or_default();
    if settings["storageAutoResize"] != true {
        return Err("storageAutoResize is off".to_owned());
    }
    if gb <= limits::disk_gb(settings) || (limit > 0 && gb > limit) {
        return Err(format!("the disk cannot grow to {gb} GB"));
    }
    instance.spec["settings"]["dataDiskSizeGb"] = json!(gb.to_string());
    world.show(&key, Some(instance.record()));
    Ok(world.truth_body(&key).unwrap_or_default())
}
