//! Compute Engine's load balancing: compute v1, with health checks, backend services, SSL certificates, target
//! HTTPS proxies, network endpoint groups and operations.
//!
//! Records hold what the API gives but for what follows from the key (kind, links, place) or from the record
//! itself (fingerprint); those come with [`Api::show`].

mod backend_services;
mod checks;
mod collection;
mod endpoint_groups;
mod errors;
pub(super) mod filter;
mod fingerprint;
mod group_health;
mod health_checks;
mod links;
mod listing;
pub(super) mod merge;
mod messages;
#[macro_use]
mod method_macros;
mod methods;
mod operations;
mod pattern;
mod place;
mod provisioning;
mod resource;
mod scenario;
mod ssl_certificates;
mod target_https_proxies;
mod time;
mod traffic;
pub(super) mod x509;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::collection::{Collection, fields};
use super::api::{Api, Eye, Method};
use super::errors::{ApiError, Shape};
use super::messages::Nulls;
use super::operations::{Ending, Operation};
use super::registry::relative;
use super::route::Route;
use super::scenario::Scenario;
use super::world::World;

pub(super) use self::traffic::{backend_of, group_of, leaf_for, leaves_of};

pub(super) struct Compute;

impl Api for Compute {
    fn service(&self) -> &'static str {
        "compute.googleapis.com"
    }

    fn title(&self) -> &'static str {
        "Compute Engine API"
    }

    fn shape(&self) -> Shape {
        Shape::Compute
    }

    fn methods(&self) -> &'static [Method] {
        &methods::METHODS
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["privateKey", "oauth2ClientSecret"]
    }

    fn admit(&self, world: &World, route: &Route) -> Result<(), ApiError> {
        if !world.knows_project(route.project()) {
            return Err(errors::not_found(&format!("projects/{}", route.project())));
        }
        check_places(route)?;
        check_id(route)
    }

    fn show(&self, key: &str, record: &Value, eye: &Eye) -> Value {
        let name = relative(key);
        match Collection::in_name(name) {
            Some(collection) => collection.show(name, fields(record), eye.base),
            None => record.clone(),
        }
    }

    fn operation(&self, operation: &Operation, eye: &Eye) -> Value {
        operations::body(operation, eye)
    }

    fn finish(&self, world: &mut World, operation: &Operation) -> Ending {
        operations::finish(world, operation)
    }

    fn begin(&self, world: &mut World) {
        provisioning::begin(world);
    }

    fn wake(&self, world: &mut World, key: &str, at: Timestamp) {
        provisioning::wake(world, key, at);
    }

    fn domains_changed(&self, world: &mut World) {
        provisioning::domains_changed(world);
    }

    /// Merges the fields in. What no client can see (an instance's health) has no message to be held against.
    fn overwrite(&self, key: &str, record: &Value, wanted: &Value) -> Result<Value, String> {
        let name = relative(key);
        let mut changed = fields(record).clone();
        let Some(collection) = Collection::in_name(name) else {
            merge::merge(&mut changed, fields(wanted));
            return Ok(Value::Object(changed));
        };
        let bytes = wanted.to_string();
        let read = super::messages::read(
            collection.message,
            "resource",
            bytes.as_bytes(),
            Nulls::Keep,
        );
        let mut read = read.map_err(|error| error.message)?;
        let project = name.split('/').nth(1).unwrap_or_default();
        links::read(collection.message, &mut read, project).map_err(|error| error.message)?;
        merge::merge(&mut changed, &read);
        Ok(Value::Object(changed))
    }

    fn seed(&self, scenario: Scenario) -> Vec<(String, Value)> {
        let resources = scenario::resources(scenario).into_iter();
        resources
            .map(|(name, record)| (self.key(&name), record))
            .collect()
    }

    /// The path that sets a global proxy's certificates leaves `global` out of the proxy's name.
    fn key(&self, name: &str) -> String {
        let parts: Vec<&str> = name.split('/').collect();
        match parts[..] {
            ["projects", project, "targetHttpsProxies", id] => {
                format!(
                    "//{}/projects/{project}/global/targetHttpsProxies/{id}",
                    self.service()
                )
            }
            _ => format!("//{}/{name}", self.service()),
        }
    }
}

fn check_places(route: &Route) -> Result<(), ApiError> {
    let (region, zone) = (route.var("region"), route.var("zone"));
    if !region.is_empty() && !place::is_region(region) {
        return Err(errors::invalid("region", &json!(region), "Unknown region."));
    }
    if !zone.is_empty() && !place::is_zone(zone) {
        return Err(errors::invalid("zone", &json!(zone), "Unknown zone."));
    }
    Ok(())
}

/// The id in a path is a name; that it may also be a number is not served.
fn check_id(route: &Route) -> Result<(), ApiError> {
    let Some(collection) = Collection::in_name(&route.name) else {
        return Ok(());
    };
    let id = route.var(collection.item);
    if id.is_empty() || resource::is_name(id) || id.bytes().all(|c| c.is_ascii_digit()) {
        return Ok(());
    }
    let words = "Must be a match of regex '[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?|[1-9][0-9]{0,19}'";
    Err(errors::invalid(collection.item, &json!(id), words))
}
