//! What Cloud SQL accepts in an instance.
//!
//! Sources: the API reference (instance, settings); "Cloud SQL instance settings" for names, custom
//! machine types and disk sizes; "Configure database flags" for the flags that restart.

use std::collections::BTreeSet;

use serde_json::Value;

use super::errors;
use crate::emulator::errors::ApiError;
use crate::emulator::locations::REGIONS;
use crate::emulator::messages::int64;

const DISK_GB_MIN: i64 = 10;
const DISK_GB_MAX: i64 = 65_536;
/// Of project and instance together.
const NAME_LENGTH_MAX: usize = 98;

/// Of custom machine types: memory in MB.
const MEMORY_MIN: u32 = 3_840;
const MEMORY_STEP: u32 = 256;
const VCPUS_MAX: u32 = 96;

/// Flags of Postgres whose change restarts the server.
const RESTARTING_FLAGS: &[&str] = &[
    "cloudsql.enable_pgaudit",
    "cloudsql.logical_decoding",
    "max_connections",
    "max_locks_per_transaction",
    "max_replication_slots",
    "max_wal_senders",
    "max_worker_processes",
    "shared_buffers",
    "wal_buffers",
];

pub(super) fn name(project: &str, name: &str) -> Result<(), ApiError> {
    let inside = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let good = name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && name.bytes().all(inside)
        && !name.ends_with('-')
        && project.len() + 1 + name.len() <= NAME_LENGTH_MAX;
    if good {
        return Ok(());
    }
    Err(errors::invalid(format!("Invalid instance name ({name}).")))
}

pub(super) fn spec(spec: &Value) -> Result<(), ApiError> {
    let region = spec["region"].as_str().unwrap_or_default();
    if !REGIONS.contains(&region) {
        return Err(errors::invalid(format!("Invalid region ({region}).")));
    }
    let version = spec["databaseVersion"].as_str().unwrap_or_default();
    let engines = ["MYSQL_", "POSTGRES_", "SQLSERVER_"];
    if !engines.iter().any(|engine| version.starts_with(engine)) {
        return Err(errors::invalid(format!(
            "Invalid database version ({version})."
        )));
    }
    let settings = &spec["settings"];
    tier(settings)?;
    disk(settings)?;
    flags(settings)
}

/// The frame of the sentence is Google's: "Invalid Tier (...) for (ENTERPRISE) Edition."
fn tier(settings: &Value) -> Result<(), ApiError> {
    let tier = settings["tier"].as_str().unwrap_or_default();
    let edition = settings["edition"].as_str().unwrap_or_default();
    let good = match tier.strip_prefix("db-custom-") {
        Some(custom) => custom_machine(custom),
        None => {
            ["db-f1-micro", "db-g1-small"].contains(&tier)
                || tier.starts_with("db-n1-")
                || tier.starts_with("db-perf-optimized-N-")
        }
    };
    if good {
        return Ok(());
    }
    Err(errors::invalid(format!(
        "Invalid Tier ({tier}) for ({edition}) Edition."
    )))
}

/// 1 or an even number of vCPUs up to 96; memory in steps of 256 MB, at least 3.75 GB, 0.9 to 6.5 GB a vCPU.
fn custom_machine(text: &str) -> bool {
    let parsed = || {
        let (vcpus, memory) = text.split_once('-')?;
        Some((vcpus.parse::<u32>().ok()?, memory.parse::<u32>().ok()?))
    };
    let Some((vcpus, memory)) = parsed() else {
        return false;
    };
    let vcpus_good = vcpus == 1 || (vcpus.is_multiple_of(2) && (2..=VCPUS_MAX).contains(&vcpus));
    // In tenths of a GB.
    let per_vcpu = |tenths: u32| u64::from(tenths) * u64::from(vcpus) * 1_024;
    let tenths = u64::from(memory) * 10;
    vcpus_good
        && memory >= MEMORY_MIN
        && memory.is_multiple_of(MEMORY_STEP)
        && (per_vcpu(9)..=per_vcpu(65)).contains(&tenths)
}

pub(super) fn disk_gb(settings: &Value) -> i64 {
    int64(&settings["dataDiskSizeGb"]).unwrap_or_default()
}

fn disk(settings: &Value) -> Result<(), ApiError> {
    let size = disk_gb(settings);
    if (DISK_GB_MIN..=DISK_GB_MAX).contains(&size) {
        return Ok(());
    }
    Err(errors::invalid(format!(
        "Invalid disk size: {size} GB. The disk size must be between {DISK_GB_MIN} GB and {DISK_GB_MAX} GB."
    )))
}

fn flags(settings: &Value) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for flag in list(settings) {
        let name = flag["name"].as_str().unwrap_or_default();
        if name.is_empty() || !seen.insert(name) {
            return Err(errors::invalid(format!(
                "Invalid flag name ({name}): a flag must have a name, and be set once."
            )));
        }
    }
    Ok(())
}

/// "You can't decrease the storage capacity of an instance" with a patch. Region and engine stay for good.
pub(super) fn change(before: &Value, after: &Value) -> Result<(), ApiError> {
    let (from, to) = (disk_gb(&before["settings"]), disk_gb(&after["settings"]));
    if to < from {
        return Err(errors::invalid(format!(
            "Disk size cannot be decreased: it is {from} GB, requested {to} GB."
        )));
    }
    if before["region"] != after["region"] {
        return Err(errors::invalid(
            "The region of an instance cannot be changed.",
        ));
    }
    let engine = |spec: &Value| {
        let version = spec["databaseVersion"].as_str().unwrap_or_default();
        version.split('_').next().map(str::to_owned)
    };
    if engine(before) != engine(after) {
        return Err(errors::invalid(
            "The database engine of an instance cannot be changed.",
        ));
    }
    Ok(())
}

/// Whether the server restarts: "WARNING: Changing this restarts the instance" (Settings.tier), another database
/// version, and some flags.
pub(super) fn restarts(before: &Value, after: &Value) -> bool {
    let (old, new) = (&before["settings"], &after["settings"]);
    let flag = |settings: &Value, name: &str| {
        let found = list(settings).iter().find(|flag| flag["name"] == name);
        found.map(|flag| flag["value"].clone())
    };
    old["tier"] != new["tier"]
        || old["edition"] != new["edition"]
        || before["databaseVersion"] != after["databaseVersion"]
        || RESTARTING_FLAGS
            .iter()
            .any(|name| flag(old, name) != flag(new, name))
}

fn list(settings: &Value) -> &[Value] {
    let flags = settings["databaseFlags"].as_array();
    flags.map(Vec::as_slice).unwrap_or_default()
}
