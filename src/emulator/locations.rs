//! The regions there are, who may ask there, and the list of them that most APIs give.

use serde_json::{Value, json};

use super::api::Request;
use super::errors::ApiError;
use super::messages::{Kind, Message, field, many};
use super::query::page;
use super::route::Route;
use super::world::World;

/// Enough of the regions on "Serverless VPC Access locations" to work with.
pub(super) const REGIONS: [&str; 16] = [
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

pub(super) static LOCATION: Message = Message {
    type_name: "google.cloud.location.Location",
    fields: &[
        field("name", "name", Kind::Text),
        field("locationId", "location_id", Kind::Text),
        field("displayName", "display_name", Kind::Text),
        field("labels", "labels", Kind::Open),
        field("metadata", "metadata", Kind::Open),
    ],
};

pub(super) static LIST_LOCATIONS: Message = Message {
    type_name: "google.cloud.location.ListLocationsResponse",
    fields: &[
        many("locations", "locations", Kind::Message(&LOCATION)),
        field("nextPageToken", "next_page_token", Kind::Text),
    ],
};

/// Query parameters of the list.
pub(super) const LIST_QUERY: &[&str] = &["extraLocationTypes", "filter", "pageSize", "pageToken"];

impl World {
    pub fn knows_project(&self, project: &str) -> bool {
        self.projects
            .as_ref()
            .is_none_or(|known| known.contains(project))
    }

    /// A project that is not there looks like one that is not allowed.
    pub fn check_project(&self, route: &Route) -> Result<(), ApiError> {
        if self.knows_project(route.project()) {
            Ok(())
        } else {
            Err(ApiError::permission_denied(route))
        }
    }
}

/// A region that is not there looks like one that is not allowed.
pub(super) fn check_region(route: &Route) -> Result<(), ApiError> {
    let (project, location) = (route.project(), route.var("location"));
    if location.is_empty() || REGIONS.contains(&location) {
        return Ok(());
    }
    let message = format!("Permission denied on 'locations/{location}' (or it may not exist).");
    let metadata = json!({"consumer": format!("projects/{project}"), "location": location});
    Err(ApiError::new(403, message).with_info(
        "LOCATION_POLICY_VIOLATED",
        "googleapis.com",
        &metadata,
    ))
}

pub(super) fn list(_: &mut World, request: &Request) -> Result<Value, ApiError> {
    let parent = request.route.resource();
    let items = REGIONS
        .iter()
        .map(|region| (*region, location(parent, region)));
    let (locations, next) = page(items, parent, request.params)?;
    let mut reply = json!({"locations": locations});
    if let Some(next) = next {
        reply["nextPageToken"] = next.into();
    }
    Ok(reply)
}

pub(super) fn location(parent: &str, region: &str) -> Value {
    json!({
        "name": format!("{parent}/locations/{region}"),
        "locationId": region,
        "displayName": region,
        "labels": {"cloud.googleapis.com/region": region},
    })
}
