//! What Google accepts for a connector.
//!
//! Sources: "Connecting to a VPC network" (docs.cloud.google.com/appengine/docs/standard/connecting-vpc) for
//! sizes, machine types, growth and the /28; the API reference (vpcaccess v1, Connector) for throughput.

use std::net::Ipv4Addr;

use crate::emulator::errors::{ApiError, Violation};

pub(super) const MACHINE_TYPE_DEFAULT: &str = "e2-micro";
const MACHINE_TYPES: [&str; 3] = ["f1-micro", "e2-micro", "e2-standard-4"];

pub(super) const MIN_INSTANCES_DEFAULT: i32 = 2;
const MIN_INSTANCES_MAX: i32 = 9;
const MAX_INSTANCES_MAX: i32 = 10;

/// Throughput is told in e2-micro terms, whatever the machine: always 100 Mbps an instance.
pub(super) const MBPS_PER_INSTANCE: i32 = 100;

const NAME_LENGTH_MAX: usize = 25;

pub(super) fn refuse(field: &str, description: impl Into<String>) -> ApiError {
    let description = description.into();
    let violation = Violation {
        field: field.to_owned(),
        description: description.clone(),
    };
    ApiError::invalid(description).with_violations(vec![violation])
}

/// `^[a-z][-a-z0-9]{0,23}[a-z0-9]$`
pub(super) fn connector_id(id: &str) -> Result<(), ApiError> {
    let inside = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let good = (2..=NAME_LENGTH_MAX).contains(&id.len())
        && id.bytes().all(inside)
        && id.as_bytes()[0].is_ascii_lowercase()
        && !id.ends_with('-');
    if good {
        return Ok(());
    }
    Err(refuse(
        "connector_id",
        format!("Connector ID \"{id}\" must match the pattern ^[a-z][-a-z0-9]{{0,23}}[a-z0-9]$."),
    ))
}

/// The exact words for an unknown machine type are not published.
pub(super) fn machine_type(machine_type: &str) -> Result<(), ApiError> {
    if MACHINE_TYPES.contains(&machine_type) {
        return Ok(());
    }
    Err(refuse(
        "connector.machine_type",
        format!(
            "Invalid machine type \"{machine_type}\": it must be one of f1-micro, e2-micro, or e2-standard-4."
        ),
    ))
}

/// 2..9. The first text is Google's own; the second is not published.
pub(super) fn min_instances(min: i32) -> Result<(), ApiError> {
    let refused = |text| Err(refuse("connector.min_instances", text));
    match min {
        ..MIN_INSTANCES_DEFAULT => refused("min must be greater than or equal to 2"),
        MIN_INSTANCES_DEFAULT..=MIN_INSTANCES_MAX => Ok(()),
        _ => refused("min must be less than or equal to 9"),
    }
}

/// Above min, and so at least 3; at most 10. The first text is Google's own; the second is not published.
pub(super) fn instances(min: i32, max: i32) -> Result<(), ApiError> {
    min_instances(min)?;
    if max <= min {
        return Err(refuse(
            "connector.max_instances",
            "max needs to be greater than min",
        ));
    }
    if max > MAX_INSTANCES_MAX {
        return Err(refuse(
            "connector.max_instances",
            "max must be less than or equal to 10",
        ));
    }
    Ok(())
}

/// "Decreasing the number of instances for existing connectors is not supported."
pub(super) fn growth(from: (i32, i32), to: (i32, i32)) -> Result<(), ApiError> {
    for (field, from, to) in [("min", from.0, to.0), ("max", from.1, to.1)] {
        if to < from {
            return Err(refuse(
                &format!("connector.{field}_instances"),
                format!(
                    "Decreasing the number of instances for existing connectors is not supported: {field} is \
                     {from}, requested {to}."
                ),
            ));
        }
    }
    Ok(())
}

/// 200..900 and 300..1000 in hundreds; 0 is unset.
pub(super) fn throughput(field: &str, mbps: i32, low: i32, high: i32) -> Result<i32, ApiError> {
    if mbps == 0 || (mbps % MBPS_PER_INSTANCE == 0 && (low..=high).contains(&mbps)) {
        return Ok(mbps / MBPS_PER_INSTANCE);
    }
    Err(refuse(
        &format!("connector.{field}"),
        format!("{field} must be a multiple of 100 from {low} through {high}."),
    ))
}

/// The first address of a /28 range.
pub(super) fn slash_28(range: &str) -> Result<u32, ApiError> {
    let refused = || {
        let description = format!(
            "Invalid IP CIDR range \"{range}\" was provided: an unused /28 range in RFC 4632 notation is required."
        );
        refuse("connector.ip_cidr_range", description)
    };
    let (address, prefix) = range.split_once('/').ok_or_else(refused)?;
    let first: u32 = address.parse::<Ipv4Addr>().map_err(|_| refused())?.into();
    if prefix == "28" && first.is_multiple_of(16) {
        Ok(first)
    } else {
        Err(refused())
    }
}
