//! Where certificates live: globally, or in a region. Maps are global only ("Certificate maps").

use serde_json::{Value, json};

use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::locations::{REGIONS, check_region, location};
use crate::emulator::query::page;
use crate::emulator::route::Route;
use crate::emulator::world::World;

const GLOBAL: &str = "global";

/// Stands for every location in lists (AIP-159).
const EVERYWHERE: &str = "-";

pub(super) fn exists(location: &str) -> bool {
    location == GLOBAL || location == EVERYWHERE || REGIONS.contains(&location)
}

pub(super) fn check(route: &Route) -> Result<(), ApiError> {
    match route.var("location") {
        GLOBAL => Ok(()),
        EVERYWHERE if route.is_list() => Ok(()),
        _ if route.name.contains("/certificateMaps") => Err(super::refusal::refuse(
            "parent",
            "certificate maps are supported in location global only",
        )),
        _ => check_region(route),
    }
}

pub(super) fn list(_: &mut World, request: &Request) -> Result<Value, ApiError> {
    let parent = request.route.resource();
    let mut names: Vec<&str> = REGIONS.to_vec();
    names.push(GLOBAL);
    names.sort_unstable();
    let items = names.into_iter().map(|name| (name, location(parent, name)));
    let (locations, next) = page(items, parent, request.params)?;
    let mut reply = json!({"locations": locations});
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    Ok(reply)
}

pub(super) fn get(_: &mut World, request: &Request) -> Result<Value, ApiError> {
    let (project, name) = (request.route.project(), request.route.var("location"));
    if !exists(name) {
        return Err(super::refusal::not_found(request.route.resource()));
    }
    Ok(location(&format!("projects/{project}"), name))
}
