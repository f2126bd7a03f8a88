//! Cloud SQL Admin v1, and the same as v1beta4, which gcloud speaks: instances and their operations.

mod defaults;
mod disk;
mod errors;
mod filter;
mod instance;
mod limits;
mod links;
mod merge;
mod messages;
mod methods;
mod operations;
mod parts;
mod reserved;
mod scenario;
mod settings;
mod traffic;

use serde_json::Value;

use self::instance::Instance;
use self::messages::{
    DATABASE_INSTANCE, INSTANCES_LIST_RESPONSE, OPERATION, OPERATIONS_LIST_RESPONSE,
};
use self::operations::Status;
use super::api::{Api, Body, Eye, Method, NewId};
use super::errors::{ApiError, Shape};
use super::messages::{self as wire, Nulls};
use super::operations::{Ending, Operation};
use super::route::Route;
use super::scenario::Scenario;
use super::world::World;

pub(super) use self::disk::grow as grow_disk;
pub(super) use self::traffic::{addresses_of, database_of, region_of};

pub(super) const SERVICE: &str = "sqladmin.googleapis.com";

pub(super) struct SqlAdmin;

impl Api for SqlAdmin {
    fn service(&self) -> &'static str {
        SERVICE
    }

    fn title(&self) -> &'static str {
        "Cloud SQL Admin API"
    }

    fn shape(&self) -> Shape {
        Shape::Compute
    }

    /// Unlike Compute: "Cloud SQL Admin API quotas" says HTTP 429.
    fn throttled(&self) -> u16 {
        429
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["rootPassword", "password", "clientKey"]
    }

    fn admit(&self, world: &World, route: &Route) -> Result<(), ApiError> {
        if world.knows_project(route.project()) {
            Ok(())
        } else {
            Err(errors::not_authorized())
        }
    }

    fn show(&self, _key: &str, record: &Value, eye: &Eye) -> Value {
        if reserved::is_marker(record) {
            return record.clone();
        }
        Instance::of(record).body(eye)
    }

    fn operation(&self, operation: &Operation, eye: &Eye) -> Value {
        let status = if operation.is_running() {
            Status::Running
        } else {
            Status::Done
        };
        operations::body(operation, eye, status)
    }

    fn finish(&self, world: &mut World, operation: &Operation) -> Ending {
        operations::finish(world, operation)
    }

    /// Another writer's fields are merged into the instance.
    fn overwrite(&self, _key: &str, record: &Value, fields: &Value) -> Result<Value, String> {
        if reserved::is_marker(record) {
            return Err("the instance was deleted".to_owned());
        }
        let bytes = fields.to_string();
        let read = wire::read(
            &DATABASE_INSTANCE,
            "instance",
            bytes.as_bytes(),
            Nulls::Keep,
        )
        .map_err(|error| error.message)?;
        let mut instance = Instance::of(record);
        let mut whole = instance.spec.clone();
        merge::merge(&mut whole, &Value::Object(read));
        let whole = whole.as_object().cloned().unwrap_or_default();
        instance.change(defaults::spec_of(&whole));
        Ok(instance.record())
    }

    fn seed(&self, scenario: Scenario) -> Vec<(String, Value)> {
        let instances = scenario::instances(scenario).into_iter();
        instances
            .map(|instance| (self.key(&instance.path()), instance.record()))
            .collect()
    }
}

macro_rules! methods {
    ($root:literal) => {
        [
            Method::list(
                concat!($root, "/projects/{project}/instances"),
                &INSTANCES_LIST_RESPONSE,
                methods::list,
            )
            .query(&["filter", "location", "maxResults", "pageToken"])
            .called("cloudsql.instances.list", "cloudsql.instances.list"),
            Method::get(
                concat!($root, "/projects/{project}/instances/{instance}"),
                &DATABASE_INSTANCE,
                methods::get,
            )
            .query(&["location"])
            .called("cloudsql.instances.get", "cloudsql.instances.get"),
            Method::write(
                "POST",
                concat!($root, "/projects/{project}/instances"),
                &OPERATION,
                methods::insert,
            )
            .query(&["location"])
            .body(Body::Merge(&DATABASE_INSTANCE, "instance"))
            .creates(NewId::Body("name"))
            .called("cloudsql.instances.create", "cloudsql.instances.create"),
            Method::write(
                "PATCH",
                concat!($root, "/projects/{project}/instances/{instance}"),
                &OPERATION,
                methods::patch,
            )
            .query(&[
                "location",
                "reconcilePscNetworking",
                "reconcilePscNetworkingForce",
            ])
            .body(Body::Merge(&DATABASE_INSTANCE, "instance"))
            .called("cloudsql.instances.update", "cloudsql.instances.update"),
            Method::write(
                "PUT",
                concat!($root, "/projects/{project}/instances/{instance}"),
                &OPERATION,
                methods::update,
            )
            .query(&["location"])
            .body(Body::Merge(&DATABASE_INSTANCE, "instance"))
            .called("cloudsql.instances.update", "cloudsql.instances.update"),
            Method::write(
                "DELETE",
                concat!($root, "/projects/{project}/instances/{instance}"),
                &OPERATION,
                methods::delete,
            )
            .query(&[
                "enableFinalBackup",
                "finalBackupDescription",
                "finalBackupExpiryTime",
                "finalBackupTtlDays",
                "location",
            ])
            .called("cloudsql.instances.delete", "cloudsql.instances.delete"),
            Method::list(
                concat!($root, "/projects/{project}/operations"),
                &OPERATIONS_LIST_RESPONSE,
                methods::list_operations,
            )
            .query(&["instance", "location", "maxResults", "pageToken"])
            .called("cloudsql.instances.get", "cloudsql.operations.list"),
            Method::get(
                concat!($root, "/projects/{project}/operations/{operation}"),
                &OPERATION,
                methods::get_operation,
            )
            .query(&["location"])
            .called("cloudsql.instances.get", "cloudsql.operations.get"),
        ]
    };
}

const V1: [Method; 8] = methods!("/v1");
const BETA: [Method; 8] = methods!("/sql/v1beta4");

static METHODS: &[Method] = &[
    V1[0], V1[1], V1[2], V1[3], V1[4], V1[5], V1[6], V1[7], BETA[0], BETA[1], BETA[2], BETA[3],
    BETA[4], BETA[5], BETA[6], BETA[7],
];
