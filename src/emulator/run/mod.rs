//! Cloud Run Admin v2: services, their revisions and operations; and the Knative v1 views that gcloud reads.

mod check;
mod condition;
mod container;
mod defaults;
mod knative;
mod knative_methods;
mod knative_write;
mod mask;
mod messages;
mod methods;
mod names;
mod probes;
mod refusal;
mod revision;
mod rollout;
mod scenario;
mod service;
mod settle;
mod startup;
mod template;
mod traffic;

use serde_json::Value;

use self::condition::Condition;
use self::messages::{
    LIST_REVISIONS_RESPONSE, LIST_SERVICES_RESPONSE, REVISION, SERVICE as SERVICE_MESSAGE,
};
use self::revision::Revision;
use self::service::{Service, only_spec};
use super::api::{Api, Body, Eye, Method, NewId};
use super::errors::ApiError;
use super::locations;
use super::longrunning::{self, LIST_OPERATIONS, OPERATION};
use super::messages::{self as wire, Kind, Message, Nulls, field};
use super::operations::{Ending, Operation};
use super::route::Route;
use super::scenario::Scenario;
use super::world::World;

pub(super) use self::traffic::{hosts, shares};

pub(super) const SERVICE: &str = "run.googleapis.com";

pub(super) struct Run;

impl Api for Run {
    fn service(&self) -> &'static str {
        SERVICE
    }

    fn title(&self) -> &'static str {
        "Cloud Run Admin API"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn admit(&self, world: &World, route: &Route) -> Result<(), ApiError> {
        if !knative_methods::is_known_number(world, route) {
            world.check_project(route)?;
        }
        locations::check_region(route)
    }

    fn show(&self, key: &str, record: &Value, _eye: &Eye) -> Value {
        if key.contains("/revisions/") {
            Revision::of(record).body()
        } else {
            Service::of(record).body()
        }
    }

    fn operation(&self, operation: &Operation, _eye: &Eye) -> Value {
        rollout::body(operation)
    }

    fn finish(&self, world: &mut World, operation: &Operation) -> Ending {
        settle::finish(world, operation)
    }

    /// Another writer's fields replace those of the service whole, and are in effect at once. Revisions are
    /// immutable for everyone.
    fn overwrite(&self, key: &str, record: &Value, fields: &Value) -> Result<Value, String> {
        if key.contains("/revisions/") {
            return Err("a revision cannot be changed".to_owned());
        }
        let bytes = fields.to_string();
        let read = wire::read(&SERVICE_MESSAGE, "service", bytes.as_bytes(), Nulls::Unset)
            .map_err(|error| error.message)?;
        let fields = only_spec(&read);
        let mut service = Service::of(record);
        let mut spec = service.spec.clone();
        if let (Some(spec), Some(fields)) = (spec.as_object_mut(), fields.as_object()) {
            spec.extend(fields.clone());
        }
        let at = service.updated;
        service.write(at, spec);
        service.observed_generation = service.generation;
        service.condition = Condition::succeeded(at);
        service.route_traffic();
        Ok(service.record())
    }

    fn seed(&self, scenario: Scenario) -> Vec<(String, Value)> {
        scenario::records(scenario)
    }
}

/// google.longrunning.WaitOperationRequest
static WAIT: Message = Message {
    type_name: "google.longrunning.WaitOperationRequest",
    fields: &[field("timeout", "timeout", Kind::Text)],
};

macro_rules! path {
    ($tail:literal) => {
        concat!("/v2/projects/{project}/locations/{location}", $tail)
    };
}

macro_rules! services {
    ($method:literal) => {
        concat!("google.cloud.run.v2.Services.", $method)
    };
}

macro_rules! v1 {
    ($method:literal) => {
        concat!("google.cloud.run.v1.Services.", $method)
    };
}

macro_rules! operations {
    ($method:literal) => {
        concat!("google.longrunning.Operations.", $method)
    };
}

macro_rules! knative {
    ($tail:literal) => {
        concat!("/apis/serving.knative.dev/v1/namespaces/{project}", $tail)
    };
}

/// Query parameters of Knative lists.
const KNATIVE_LIST: &[&str] = &["continue", "fieldSelector", "labelSelector", "limit"];

static METHODS: &[Method] = &[
    Method::list(path!("/services"), &LIST_SERVICES_RESPONSE, methods::list)
        .query(&["pageSize", "pageToken", "showDeleted"])
        .called("run.services.list", services!("ListServices")),
    Method::get(path!("/services/{service}"), &SERVICE_MESSAGE, methods::get)
        .called("run.services.get", services!("GetService")),
    Method::write("POST", path!("/services"), &OPERATION, methods::create)
        .query(&["serviceId", "validateOnly"])
        .body(Body::Message(&SERVICE_MESSAGE, "service"))
        .creates(NewId::Query("serviceId"))
        .called("run.services.create", services!("CreateService")),
    Method::write(
        "PATCH",
        path!("/services/{service}"),
        &OPERATION,
        methods::patch,
    )
    .query(&[
        "allowMissing",
        "forceNewRevision",
        "updateMask",
        "validateOnly",
    ])
    .body(Body::Message(&SERVICE_MESSAGE, "service"))
    .called("run.services.update", services!("UpdateService")),
    Method::write(
        "DELETE",
        path!("/services/{service}"),
        &OPERATION,
        methods::delete,
    )
    .query(&["etag", "validateOnly"])
    .called("run.services.delete", services!("DeleteService")),
    Method::list(
        path!("/services/{service}/revisions"),
        &LIST_REVISIONS_RESPONSE,
        methods::list_revisions,
    )
    .query(&["pageSize", "pageToken", "showDeleted"])
    .called(
        "run.revisions.list",
        "google.cloud.run.v2.Revisions.ListRevisions",
    ),
    Method::get(
        path!("/services/{service}/revisions/{revision}"),
        &REVISION,
        methods::get_revision,
    )
    .called(
        "run.revisions.get",
        "google.cloud.run.v2.Revisions.GetRevision",
    ),
    Method::list(path!("/operations"), &LIST_OPERATIONS, longrunning::list)
        .query(&["filter", "pageSize", "pageToken", "returnPartialSuccess"])
        .called("run.operations.list", operations!("ListOperations")),
    Method::get(
        path!("/operations/{operation}"),
        &OPERATION,
        longrunning::get,
    )
    .called("run.operations.get", operations!("GetOperation")),
    Method::get(
        path!("/operations/{operation}:wait"),
        &OPERATION,
        methods::wait,
    )
    .posted()
    .body(Body::Message(&WAIT, ""))
    .called("run.operations.get", operations!("WaitOperation")),
    Method::list(
        knative!("/services"),
        &knative_methods::LIST,
        knative_methods::list,
    )
    .query(KNATIVE_LIST)
    .called("run.services.list", v1!("ListServices")),
    Method::list(
        "/v1/projects/{project}/locations/-/services",
        &knative_methods::LIST,
        knative_methods::list,
    )
    .query(KNATIVE_LIST)
    .called("run.services.list", v1!("ListServices")),
    Method::get(
        knative!("/services/{service}"),
        &knative_methods::OBJECT,
        knative_methods::get,
    )
    .called("run.services.get", v1!("GetService")),
    Method::write(
        "PUT",
        knative!("/services/{service}"),
        &knative_methods::OBJECT,
        knative_methods::replace,
    )
    .query(&["dryRun"])
    .body(Body::Message(&knative_methods::OBJECT, "service"))
    .called("run.services.update", v1!("ReplaceService")),
    Method::list(
        knative!("/revisions"),
        &knative_methods::LIST,
        knative_methods::list_revisions,
    )
    .query(KNATIVE_LIST)
    .called(
        "run.revisions.list",
        "google.cloud.run.v1.Revisions.ListRevisions",
    ),
    Method::get(
        knative!("/revisions/{revision}"),
        &knative_methods::OBJECT,
        knative_methods::get_revision,
    )
    .called(
        "run.revisions.get",
        "google.cloud.run.v1.Revisions.GetRevision",
    ),
];
