//! What a backend service knows of the health of a group, from the instances that a scenario puts there.
//!
//! An instance is a record of its own (`projects/*/zones/*/instances/*`) with `group`, `ipAddress`, `port` and
//! `health`; another writer may change its health at any time.

use serde_json::{Value, json};

use super::collection::{fields, items, text};
use super::errors::{invalid, not_found};
use super::messages::backend_service::{HEALTH_STATUS, RESOURCE_GROUP_REFERENCE};
use super::{backend_services, links};
use crate::emulator::api::{Api, Request};
use crate::emulator::errors::ApiError;
use crate::emulator::registry::relative;
use crate::emulator::world::World;

pub(super) fn get(world: &mut World, request: &Request) -> Result<Value, ApiError> {
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
    let statuses = statuses(world, group, request.base);
    if !statuses.is_empty() {
        reply["healthStatus"] = json!(statuses);
    }
    Ok(reply)
}

fn statuses(world: &World, group: &str, base: &str) -> Vec<Value> {
    let project = group.split('/').nth(1).unwrap_or_default();
    let prefix = super::Compute.key(&format!("projects/{project}/zones/"));
    let instances = world.records.all_under(&prefix);
    let members =
        instances.filter(|(key, record)| key.contains("/instances/") && record["group"] == group);
    let status = |(key, record): (&str, &Value)| {
        let status = json!({
            "instance": relative(key),
            "ipAddress": record["ipAddress"],
            "port": record["port"],
            "healthState": record["health"],
        });
        let mut status = fields(&status).clone();
        links::render(&HEALTH_STATUS, &mut status, base);
        Value::Object(status)
    };
    members.map(status).collect()
}
