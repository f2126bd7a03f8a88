//! What a backend service knows of the health of a group: see `traffic` for the machines that a scenario puts
//! there, and for what a health check makes of them.

use serde_json::{Value, json};

use super::collection::{fields, items, text};
use super::errors::{invalid, not_found};
use super::messages::backend_service::{HEALTH_STATUS, RESOURCE_GROUP_REFERENCE};
use super::{backend_services, links, traffic};
use crate::emulator::api::{Api, Request};
use crate::emulator::errors::ApiError;
use crate::emulator::registry::relative;
use crate::emulator::traffic::machine::Machine;
use crate::emulator::traffic::scene::Backend;
use crate::emulator::world::World;

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    world.watch(world.clock);
    let key = request.route.key();
    let seen = world.records.seen(&key, request.view.at);
    let service = fields(seen.ok_or_else(|| not_found(relative(&key)))?);
    let mut body = request.body.clone();
    links::read(
        &RESOURCE_GROUP_REFERENCE,
        &mut body,
        request.route.project(),
    )?;
    let group = text(&body, "group");
    let mut backends = items(service, "backends").iter();
    if !backends.any(|backend| backend["group"] == group) {
        let words = "The group is not a backend of the backend service.";
        return Err(invalid("resource.group", &json!(group), words));
    }
    let mut reply = json!({"kind": "compute#backendServiceGroupHealth"});
    // Nothing is known of what is not probed: without a health check, and of serverless backends.
    if items(service, "healthChecks").is_empty() || !backend_services::is_probed(world, group) {
        return Ok(reply);
    }
    let statuses = statuses(world, relative(&key), group, request.base);
    if !statuses.is_empty() {
        reply["healthStatus"] = json!(statuses);
    }
    Ok(reply)
}

fn statuses(world: &World, service: &str, group: &str, base: &str) -> Vec<Value> {
    let port = match traffic::backend_of(world, service) {
        Some(Backend::Machines { check, port, .. }) => {
            check.and_then(|check| check.port).unwrap_or(port)
        }
        _ => 0,
    };
    let status = |machine: &Machine| {
        let well = world.is_well(world.clock, service, machine);
        let record = world.records.truth(&super::Compute.key(&machine.name));
        let status = json!({
            "instance": machine.name,
            "ipAddress": record.map(|record| &record["ipAddress"]),
            "port": port,
            "healthState": if well { "HEALTHY" } else { "UNHEALTHY" },
        });
        let mut status = fields(&status).clone();
        links::render(&HEALTH_STATUS, &mut status, base);
        Value::Object(status)
    };
    traffic::machines(world, group).iter().map(status).collect()
}
