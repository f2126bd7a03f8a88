//! The kinds of resources, as data: names, messages, and the rules that only the kind knows.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::messages::{
    backend_service::BACKEND_SERVICE, certificate::SSL_CERTIFICATE, group::NETWORK_ENDPOINT_GROUP,
    health_check::HEALTH_CHECK, proxy::TARGET_HTTPS_PROXY,
};
use super::place::{Name, Place};
use super::{
    backend_services, endpoint_groups, fingerprint, health_checks, links, ssl_certificates,
    target_https_proxies,
};
use crate::emulator::errors::ApiError;
use crate::emulator::messages::Message;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

pub(super) type Record = Map<String, Value>;

/// What is proposed for a resource, with all that its rules may look at.
pub(super) struct Proposal<'a> {
    pub world: &'a World,
    pub place: &'a Place,
    /// The resource as it is; None for an insert.
    pub before: Option<&'a Record>,
}

pub(super) struct Collection {
    /// As in paths, such as `healthChecks`.
    pub name: &'static str,
    /// As in a path's template, such as `healthCheck`.
    pub item: &'static str,
    /// As in "The `health_check` resource ... is already being used by".
    pub noun: &'static str,
    pub kind: &'static str,
    pub list_kind: &'static str,
    pub aggregated_kind: &'static str,
    pub message: &'static Message,
    /// A change must carry the current fingerprint.
    pub fingerprinted: bool,
    /// Given by the API and never taken: what a client sends in them is dropped.
    pub output_only: &'static [&'static str],
    /// Takes out of a body what must not be kept, such as secrets.
    pub take: fn(&mut Record) -> Result<(), ApiError>,
    /// Fills in defaults.
    pub complete: fn(&mut Record, &Proposal),
    pub check: fn(&Record, &Proposal) -> Result<(), ApiError>,
    /// The name of a resource that uses the one with this name.
    pub user_of: fn(&World, &str) -> Option<String>,
    /// How long a delete takes.
    pub delete_pace: fn(&Record) -> Pace,
}

/// Given by the API for every resource.
const OUTPUT_ONLY: &[&str] = &[
    "creationTimestamp",
    "fingerprint",
    "id",
    "kind",
    "region",
    "selfLink",
    "zone",
];

static HEALTH_CHECKS: Collection = Collection {
    name: "healthChecks",
    item: "healthCheck",
    noun: "health_check",
    kind: "compute#healthCheck",
    list_kind: "compute#healthCheckList",
    aggregated_kind: "compute#healthChecksAggregatedList",
    message: &HEALTH_CHECK,
    fingerprinted: false,
    output_only: &[],
    take: keep_all,
    complete: health_checks::complete,
    check: health_checks::check,
    user_of: health_checks::user_of,
    delete_pace: quick,
};

static BACKEND_SERVICES: Collection = Collection {
    name: "backendServices",
    item: "backendService",
    noun: "backend_service",
    kind: "compute#backendService",
    list_kind: "compute#backendServiceList",
    aggregated_kind: "compute#backendServiceAggregatedList",
    message: &BACKEND_SERVICE,
    fingerprinted: true,
    output_only: &["usedBy"],
    take: backend_services::take,
    complete: backend_services::complete,
    check: backend_services::check,
    user_of: backend_services::user_of,
    delete_pace: quick,
};

static SSL_CERTIFICATES: Collection = Collection {
    name: "sslCertificates",
    item: "sslCertificate",
    noun: "ssl_certificate",
    kind: "compute#sslCertificate",
    list_kind: "compute#sslCertificateList",
    aggregated_kind: "compute#sslCertificateAggregatedList",
    message: &SSL_CERTIFICATE,
    fingerprinted: false,
    output_only: &["expireTime", "subjectAlternativeNames"],
    take: ssl_certificates::take,
    complete: ssl_certificates::complete,
    check: ssl_certificates::check,
    user_of: ssl_certificates::user_of,
    delete_pace: ssl_certificates::delete_pace,
};

static TARGET_HTTPS_PROXIES: Collection = Collection {
    name: "targetHttpsProxies",
    item: "targetHttpsProxy",
    noun: "target_https_proxy",
    kind: "compute#targetHttpsProxy",
    list_kind: "compute#targetHttpsProxyList",
    aggregated_kind: "compute#targetHttpsProxyAggregatedList",
    message: &TARGET_HTTPS_PROXY,
    fingerprinted: true,
    output_only: &[],
    take: keep_all,
    complete: target_https_proxies::complete,
    check: target_https_proxies::check,
    user_of: nobody,
    delete_pace: quick,
};

static NETWORK_ENDPOINT_GROUPS: Collection = Collection {
    name: "networkEndpointGroups",
    item: "networkEndpointGroup",
    noun: "network_endpoint_group",
    kind: "compute#networkEndpointGroup",
    list_kind: "compute#networkEndpointGroupList",
    aggregated_kind: "compute#networkEndpointGroupAggregatedList",
    message: &NETWORK_ENDPOINT_GROUP,
    fingerprinted: false,
    output_only: &["size"],
    take: keep_all,
    complete: endpoint_groups::complete,
    check: endpoint_groups::check,
    user_of: nobody,
    delete_pace: quick,
};

static ALL: [&Collection; 5] = [
    &HEALTH_CHECKS,
    &BACKEND_SERVICES,
    &SSL_CERTIFICATES,
    &TARGET_HTTPS_PROXIES,
    &NETWORK_ENDPOINT_GROUPS,
];

#[allow(
    clippy::unnecessary_wraps,
    reason = "one of the functions of a collection"
)]
fn keep_all(_: &mut Record) -> Result<(), ApiError> {
    Ok(())
}

fn nobody(_: &World, _: &str) -> Option<String> {
    None
}

fn quick(_: &Record) -> Pace {
    Pace::Quick
}

impl Collection {
    /// The collection in a relative name or a path: of an item, of a list or of everything.
    pub fn in_name(name: &str) -> Option<&'static Self> {
        let of = |segment: &str| {
            ALL.into_iter()
                .find(|collection| collection.name == segment)
        };
        name.split('/').find_map(of)
    }

    /// Drops what a client cannot set.
    pub fn take_only_input(&self, body: &mut Record) {
        body.retain(|name, _| !self.is_output_only(name));
    }

    /// What stays when everything that a client can set is replaced.
    pub fn output(&self, record: &Record) -> Record {
        let kept = record.iter().filter(|(name, _)| self.is_output_only(name));
        kept.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn is_output_only(&self, name: &str) -> bool {
        OUTPUT_ONLY.contains(&name) || self.output_only.contains(&name)
    }

    /// A record as a client sees it: with its kind, its links and its fingerprint.
    pub fn show(&self, name: &str, record: &Record, base: &str) -> Value {
        let mut shown = record.clone();
        shown.insert("kind".to_owned(), json!(self.kind));
        shown.insert("selfLink".to_owned(), json!(name));
        if let Some((field, place)) = Name::parse(name).and_then(|name| name.place_field()) {
            shown.insert(field.to_owned(), json!(place));
        }
        if self.fingerprinted {
            shown.insert("fingerprint".to_owned(), json!(fingerprint::of(record)));
        }
        links::render(self.message, &mut shown, base);
        Value::Object(shown)
    }
}

/// A record's fields. Records of compute are objects.
pub(super) fn fields(record: &Value) -> &Record {
    static EMPTY: LazyLock<Record> = LazyLock::new(Record::new);
    record.as_object().unwrap_or(&EMPTY)
}

pub(super) fn value<'a>(record: &'a Record, name: &str) -> &'a Value {
    record.get(name).unwrap_or(&Value::Null)
}

pub(super) fn text<'a>(record: &'a Record, name: &str) -> &'a str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn items<'a>(record: &'a Record, name: &str) -> &'a [Value] {
    let list = record.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// Sets what is not set yet.
pub(super) fn default(record: &mut Record, name: &str, value: impl Into<Value>) {
    if !record.contains_key(name) {
        record.insert(name.to_owned(), value.into());
    }
}
