//! Serverless VPC Access: vpcaccess v1, and the v1beta1 read view.

mod connector;
mod limits;
pub(super) mod messages;
mod methods;
mod operations;
mod scenario;
mod traffic;

use serde_json::Value;

use self::connector::Connector;
use self::messages::{CONNECTOR, CONNECTOR_BETA, LIST_CONNECTORS, LIST_CONNECTORS_BETA};
use super::api::{Api, Body, Eye, Method, NewId};
use super::errors::ApiError;
use super::longrunning::{self, LIST_OPERATIONS, OPERATION};
use super::operations::{Ending, Operation};
use super::route::Route;
use super::scenario::Scenario;
use super::world::World;
use super::{locations, locations::LIST_LOCATIONS};

pub(super) use self::scenario::STAGING_CONNECTOR;
pub(super) use self::traffic::connector_of;

pub(super) const SERVICE: &str = "vpcaccess.googleapis.com";

pub(super) struct VpcAccess;

impl Api for VpcAccess {
    fn service(&self) -> &'static str {
        SERVICE
    }

    fn title(&self) -> &'static str {
        "Serverless VPC Access API"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn serves(&self, location: &str) -> bool {
        locations::REGIONS.contains(&location)
    }

    fn admit(&self, world: &World, route: &Route) -> Result<(), ApiError> {
        world.check_project(route)?;
        locations::check_region(route)
    }

    fn show(&self, _key: &str, record: &Value, eye: &Eye) -> Value {
        Connector::of(record).body(eye)
    }

    fn operation(&self, operation: &Operation, _eye: &Eye) -> Value {
        operations::body(operation)
    }

    fn finish(&self, world: &mut World, operation: &Operation) -> Ending {
        operations::finish(world, operation)
    }

    fn overwrite(&self, _key: &str, record: &Value, fields: &Value) -> Result<Value, String> {
        let mut connector = Connector::of(record);
        connector.overwrite(fields)?;
        Ok(connector.record())
    }

    fn seed(&self, scenario: Scenario) -> Vec<(String, Value)> {
        let connectors = scenario::connectors(scenario).into_iter();
        connectors
            .map(|connector| (self.key(&connector.name), connector.record()))
            .collect()
    }
}

macro_rules! path {
    ($version:literal, $tail:literal) => {
        concat!("/", $version, "/projects/{project}/locations", $tail)
    };
}

macro_rules! service {
    ($method:literal) => {
        concat!("google.cloud.vpcaccess.v1.VpcAccessService.", $method)
    };
}

/// v1beta1 is served for reads only.
macro_rules! reads {
    ($version:literal, $connector:expr, $list:expr) => {
        [
            Method::list(path!($version, ""), &LIST_LOCATIONS, locations::list)
                .query(locations::LIST_QUERY)
                .called(
                    "vpcaccess.locations.list",
                    "google.cloud.location.Locations.ListLocations",
                ),
            Method::list(
                path!($version, "/{location}/connectors"),
                $list,
                methods::list,
            )
            .query(&["pageSize", "pageToken"])
            .called("vpcaccess.connectors.list", service!("ListConnectors")),
            Method::get(
                path!($version, "/{location}/connectors/{connector}"),
                $connector,
                methods::get,
            )
            .called("vpcaccess.connectors.get", service!("GetConnector")),
            Method::list(
                path!($version, "/{location}/operations"),
                &LIST_OPERATIONS,
                longrunning::list,
            )
            .query(&["filter", "pageSize", "pageToken", "returnPartialSuccess"])
            .called(
                "vpcaccess.operations.list",
                "google.longrunning.Operations.ListOperations",
            ),
            Method::get(
                path!($version, "/{location}/operations/{operation}"),
                &OPERATION,
                longrunning::get,
            )
            .called(
                "vpcaccess.operations.get",
                "google.longrunning.Operations.GetOperation",
            ),
        ]
    };
}

const V1: [Method; 5] = reads!("v1", &CONNECTOR, &LIST_CONNECTORS);
const BETA: [Method; 5] = reads!("v1beta1", &CONNECTOR_BETA, &LIST_CONNECTORS_BETA);

static METHODS: &[Method] = &[
    V1[0],
    V1[1],
    V1[2],
    V1[3],
    V1[4],
    Method::write(
        "POST",
        path!("v1", "/{location}/connectors"),
        &OPERATION,
        methods::create,
    )
    .query(&["connectorId"])
    .body(Body::Message(&CONNECTOR, "connector"))
    .creates(NewId::Query("connectorId"))
    .called("vpcaccess.connectors.create", service!("CreateConnector")),
    Method::write(
        "PATCH",
        path!("v1", "/{location}/connectors/{connector}"),
        &OPERATION,
        methods::patch,
    )
    .query(&["updateMask"])
    .body(Body::Message(&CONNECTOR, "connector"))
    .called("vpcaccess.connectors.update", service!("UpdateConnector")),
    Method::write(
        "DELETE",
        path!("v1", "/{location}/connectors/{connector}"),
        &OPERATION,
        methods::delete,
    )
    .called("vpcaccess.connectors.delete", service!("DeleteConnector")),
    BETA[0],
    BETA[1],
    BETA[2],
    BETA[3],
    BETA[4],
];
