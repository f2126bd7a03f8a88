//! The regions that serve the API, and who may ask there.

use serde_json::{Value, json};

use super::errors::ApiError;
use super::query::{Params, page};
use super::route::{Call, Route};
use super::world::World;

/// Enough of the regions on "Serverless VPC Access locations" to work with.
const REGIONS: [&str; 16] = [
    "asia-east1",
    "asia-northeast1",
    "asia-south1",
    "asia-southeast1",
    "australia-southeast1",
    "europe-north1",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "northamerica-northeast1",
    "southamerica-east1",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-west1",
];

impl World {
    /// A project or region that is not there looks like one that is not allowed.
    pub fn check_parent(&self, route: &Route) -> Result<(), ApiError> {
        if self
            .projects
            .as_ref()
            .is_some_and(|known| !known.contains(&route.project))
        {
            return Err(ApiError::permission_denied(route));
        }
        if route.call == Call::ListLocations || REGIONS.contains(&route.location.as_str()) {
            return Ok(());
        }
        let message = format!(
            "Permission denied on 'locations/{}' (or it may not exist).",
            route.location
        );
        let metadata =
            json!({"consumer": format!("projects/{}", route.project), "location": route.location});
        Err(ApiError::new(403, message).with_info(
            "LOCATION_POLICY_VIOLATED",
            "googleapis.com",
            &metadata,
        ))
    }
}

pub(super) fn list(route: &Route, params: &Params) -> Result<Value, ApiError> {
    let parent = route.resource();
    let items = REGIONS
        .iter()
        .map(|region| ((*region).to_owned(), location(&parent, region)));
    let (locations, next) = page(items, &parent, params)?;
    let mut reply = json!({"locations": locations});
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    Ok(reply)
}

fn location(parent: &str, region: &str) -> Value {
    json!({
        "name": format!("{parent}/locations/{region}"),
        "locationId": region,
        "displayName": region,
        "labels": {"cloud.googleapis.com/region": region},
    })
}
