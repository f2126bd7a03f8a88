//! Certificate Manager: certificatemanager v1, with certificates, maps, map entries, DNS authorizations, locations and
//! operations. Issuance configs, trust configs and managed identities are not served.
//!
//! Records hold what the API gives, with references by the project's id; who uses a resource is told by looking
//! around when it is read.

mod authorizations;
mod certificates;
mod collection;
mod labels;
mod listing;
mod maps;
mod mask;
mod messages;
mod methods;
mod names;
mod operations;
mod places;
mod provisioning;
mod refusal;
mod traffic;

use jiff::Timestamp;
use serde_json::Value;

use self::collection::{Collection, fields};
use super::api::{Api, Body, Eye, Method, NewId};
use super::compute::merge::merge;
use super::errors::ApiError;
use super::locations::{LIST_LOCATIONS, LIST_QUERY, LOCATION};
use super::longrunning::{self, LIST_OPERATIONS, OPERATION};
use super::messages::{self as wire, Nulls};
use super::operations::{Ending, Operation};
use super::registry::relative;
use super::route::Route;
use super::scenario::Scenario;
use super::world::World;

pub(super) const SERVICE: &str = "certificatemanager.googleapis.com";

pub(super) use self::traffic::{leaf_of, leaves_of_map};

pub(super) struct CertificateManager;

impl Api for CertificateManager {
    fn service(&self) -> &'static str {
        SERVICE
    }

    fn title(&self) -> &'static str {
        "Certificate Manager API"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["pemPrivateKey"]
    }

    fn serves(&self, location: &str) -> bool {
        places::exists(location)
    }

    fn admit(&self, world: &World, route: &Route) -> Result<(), ApiError> {
        world.check_project(route)?;
        places::check(route)
    }

    fn show(&self, key: &str, record: &Value, _eye: &Eye) -> Value {
        match Collection::in_name(relative(key)) {
            Some(collection) => collection.show(fields(record)),
            None => record.clone(),
        }
    }

    fn operation(&self, operation: &Operation, _eye: &Eye) -> Value {
        operations::body(operation)
    }

    fn finish(&self, world: &mut World, operation: &Operation) -> Ending {
        operations::finish(world, operation)
    }

    fn wake(&self, world: &mut World, key: &str, at: Timestamp) {
        provisioning::wake(world, key, at);
    }

    fn domains_changed(&self, world: &mut World) {
        provisioning::domains_changed(world);
    }

    fn dns_changed(&self, world: &mut World) {
        provisioning::dns_changed(world);
    }

    /// Merges the fields in; references become the project's id again.
    fn overwrite(&self, key: &str, record: &Value, wanted: &Value) -> Result<Value, String> {
        let name = relative(key);
        let collection = Collection::in_name(name).ok_or("there is no such collection")?;
        let bytes = wanted.to_string();
        let read = wire::read(
            collection.message,
            &collection.noun(),
            bytes.as_bytes(),
            Nulls::Keep,
        );
        let mut changed = fields(record).clone();
        merge(&mut changed, &read.map_err(|error| error.message)?);
        collection.read_references(name, &mut changed);
        Ok(Value::Object(changed))
    }

    fn seed(&self, _scenario: Scenario) -> Vec<(String, Value)> {
        Vec::new()
    }
}

macro_rules! path {
    ($tail:literal) => {
        concat!("/v1/projects/{project}/locations/{location}", $tail)
    };
}

macro_rules! manager {
    ($method:literal) => {
        concat!(
            "google.cloud.certificatemanager.v1.CertificateManager.",
            $method
        )
    };
}

/// The five methods of a collection.
macro_rules! collection {
    ($path:literal, $item:literal, $id:literal, $noun:literal, $permission:literal,
     $message:ident, $list:ident, $one:literal, $many:literal) => {
        [
            Method::list(path!($path), &messages::$list, listing::list)
                .query(&["filter", "orderBy", "pageSize", "pageToken"])
                .called(
                    concat!("certificatemanager.", $permission, ".list"),
                    manager!($many),
                ),
            Method::get(path!($item), &messages::$message, methods::get).called(
                concat!("certificatemanager.", $permission, ".get"),
                concat!(
                    "google.cloud.certificatemanager.v1.CertificateManager.Get",
                    $one
                ),
            ),
            Method::write("POST", path!($path), &OPERATION, methods::create)
                .query(&[$id])
                .body(Body::Message(&messages::$message, $noun))
                .creates(NewId::Query($id))
                .called(
                    concat!("certificatemanager.", $permission, ".create"),
                    concat!(
                        "google.cloud.certificatemanager.v1.CertificateManager.Create",
                        $one
                    ),
                ),
            Method::write("PATCH", path!($item), &OPERATION, methods::patch)
                .query(&["updateMask"])
                .body(Body::Message(&messages::$message, $noun))
                .called(
                    concat!("certificatemanager.", $permission, ".update"),
                    concat!(
                        "google.cloud.certificatemanager.v1.CertificateManager.Update",
                        $one
                    ),
                ),
            Method::write("DELETE", path!($item), &OPERATION, methods::delete).called(
                concat!("certificatemanager.", $permission, ".delete"),
                concat!(
                    "google.cloud.certificatemanager.v1.CertificateManager.Delete",
                    $one
                ),
            ),
        ]
    };
}

const CERTIFICATES: [Method; 5] = collection!(
    "/certificates",
    "/certificates/{certificate}",
    "certificateId",
    "certificate",
    "certs",
    CERTIFICATE,
    LIST_CERTIFICATES,
    "Certificate",
    "ListCertificates"
);
const MAPS: [Method; 5] = collection!(
    "/certificateMaps",
    "/certificateMaps/{map}",
    "certificateMapId",
    "certificate_map",
    "certmaps",
    MAP,
    LIST_MAPS,
    "CertificateMap",
    "ListCertificateMaps"
);
const ENTRIES: [Method; 5] = collection!(
    "/certificateMaps/{map}/certificateMapEntries",
    "/certificateMaps/{map}/certificateMapEntries/{entry}",
    "certificateMapEntryId",
    "certificate_map_entry",
    "certmapentries",
    ENTRY,
    LIST_ENTRIES,
    "CertificateMapEntry",
    "ListCertificateMapEntries"
);
const AUTHORIZATIONS: [Method; 5] = collection!(
    "/dnsAuthorizations",
    "/dnsAuthorizations/{authorization}",
    "dnsAuthorizationId",
    "dns_authorization",
    "dnsauthorizations",
    AUTHORIZATION,
    LIST_AUTHORIZATIONS,
    "DnsAuthorization",
    "ListDnsAuthorizations"
);

macro_rules! operations {
    ($method:literal) => {
        concat!("google.longrunning.Operations.", $method)
    };
}

static METHODS: &[Method] = &[
    Method::list(
        "/v1/projects/{project}/locations",
        &LIST_LOCATIONS,
        places::list,
    )
    .query(LIST_QUERY)
    .called(
        "certificatemanager.locations.list",
        "google.cloud.location.Locations.ListLocations",
    ),
    Method::get(path!(""), &LOCATION, places::get).called(
        "certificatemanager.locations.get",
        "google.cloud.location.Locations.GetLocation",
    ),
    CERTIFICATES[0],
    CERTIFICATES[1],
    CERTIFICATES[2],
    CERTIFICATES[3],
    CERTIFICATES[4],
    MAPS[0],
    MAPS[1],
    MAPS[2],
    MAPS[3],
    MAPS[4],
    ENTRIES[0],
    ENTRIES[1],
    ENTRIES[2],
    ENTRIES[3],
    ENTRIES[4],
    AUTHORIZATIONS[0],
    AUTHORIZATIONS[1],
    AUTHORIZATIONS[2],
    AUTHORIZATIONS[3],
    AUTHORIZATIONS[4],
    Method::list(path!("/operations"), &LIST_OPERATIONS, longrunning::list)
        .query(&["filter", "pageSize", "pageToken", "returnPartialSuccess"])
        .called(
            "certificatemanager.operations.list",
            operations!("ListOperations"),
        ),
    Method::get(
        path!("/operations/{operation}"),
        &OPERATION,
        longrunning::get,
    )
    .called(
        "certificatemanager.operations.get",
        operations!("GetOperation"),
    ),
    Method::write(
        "POST",
        path!("/operations/{operation}:cancel"),
        &messages::EMPTY,
        operations::cancel,
    )
    .body(Body::Message(&messages::EMPTY, ""))
    .called(
        "certificatemanager.operations.cancel",
        operations!("CancelOperation"),
    ),
    Method::write(
        "DELETE",
        path!("/operations/{operation}"),
        &messages::EMPTY,
        operations::forget,
    )
    .called(
        "certificatemanager.operations.delete",
        operations!("DeleteOperation"),
    ),
];
