//! What a connector carries, and what helps when that is not enough.

use super::{DEFAULT_MACHINE, MACHINES, MAX};
use crate::core::fields::Fields;
use crate::core::saturation::Capacity;
use serde_json::Value;

/// The machine that carries the most.
const LARGEST: &str = "e2-standard-4";

/// `None` where the machine type is not known, or how many of them there may be.
pub(super) fn of(live: &Fields) -> Option<Capacity> {
    let machine = live.get("machineType").and_then(Value::as_str);
    let machine = machine.unwrap_or(DEFAULT_MACHINE);
    let each = mbps(machine)?;
    let max = live.get("maxInstances").and_then(Value::as_i64)?;
    Some(Capacity {
        machine_type: machine.to_owned(),
        each: f64::from(each),
        max_instances: u32::try_from(max).ok()?,
        ways_out: ways_out(machine, each, max),
    })
}

fn mbps(machine: &str) -> Option<u32> {
    let each = MACHINES.iter().find(|(name, _)| *name == machine)?.1;
    u32::try_from(each).ok()
}

/// What can go back first, then what only grows, then what takes another resource.
fn ways_out(machine: &str, each: u32, max: i64) -> Vec<String> {
    let mut ways = Vec::new();
    if let Some(more) = mbps(LARGEST).filter(|_| machine != LARGEST) {
        ways.push(format!(
            "machineType {LARGEST} ({more} instead of {each} Mbps an instance; it can go back, and \
             long-running connections may drop)"
        ));
    }
    if max < MAX.1 {
        ways.push(format!(
            "maxInstances {} instead of {max} (it only grows)",
            MAX.1
        ));
    }
    ways.push("a second connector for some of the services".to_owned());
    ways.push("Direct VPC egress, without a connector".to_owned());
    ways
}
