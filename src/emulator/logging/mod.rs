//! Cloud Logging v2: searching for entries that the traffic model and the operations of other APIs write, each a
//! little late.

mod audit;
mod entry;
mod filter;
mod methods;
mod writers;

use serde_json::{Value, json};

use super::api::{Api, Body, Eye, Method};
use super::errors::ApiError;
use super::messages::{Kind, Message, field, many};
use super::operations::{Ending, Operation};
use super::route::Route;
use super::scenario::Scenario;
use super::world::World;

pub(super) struct Logging;

impl Api for Logging {
    fn service(&self) -> &'static str {
        "logging.googleapis.com"
    }

    fn title(&self) -> &'static str {
        "Cloud Logging API"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    /// The body names the projects: see `methods`.
    fn admit(&self, _world: &World, _route: &Route) -> Result<(), ApiError> {
        Ok(())
    }

    /// There are no records: entries follow from what happens.
    fn show(&self, _key: &str, _record: &Value, _eye: &Eye) -> Value {
        json!({})
    }

    fn operation(&self, _operation: &Operation, _eye: &Eye) -> Value {
        json!({})
    }

    fn finish(&self, _world: &mut World, _operation: &Operation) -> Ending {
        Ending::Done(json!({}))
    }

    fn overwrite(&self, _key: &str, _record: &Value, _fields: &Value) -> Result<Value, String> {
        Err("there is nothing to set here: lines are added by /_emulator/traffic".to_owned())
    }

    fn seed(&self, _scenario: Scenario) -> Vec<(String, Value)> {
        Vec::new()
    }

    fn root(&self) -> &'static str {
        "/v2"
    }
}

static REQUEST: Message = Message {
    type_name: "google.logging.v2.ListLogEntriesRequest",
    fields: &[
        many("resourceNames", "resource_names", Kind::Text),
        many("projectIds", "project_ids", Kind::Text),
        field("filter", "filter", Kind::Text),
        field("orderBy", "order_by", Kind::Text),
        field("pageSize", "page_size", Kind::Int32),
        field("pageToken", "page_token", Kind::Text),
    ],
};

static RESPONSE: Message = Message {
    type_name: "google.logging.v2.ListLogEntriesResponse",
    fields: &[
        many("entries", "entries", Kind::Open),
        field("nextPageToken", "next_page_token", Kind::Text),
    ],
};

static METHODS: &[Method] = &[Method::list("/v2/entries:list", &RESPONSE, methods::list)
    .posted()
    .body(Body::Message(&REQUEST, ""))
    .called(
        "logging.logEntries.list",
        "google.logging.v2.LoggingServiceV2.ListLogEntries",
    )];
