//! `HealthCheck`: what compute v1 accepts, and what can go back.
//!
//! Sources: compute v1 `HealthCheck`; Google, "Health checks overview" and "Use health checks" for
//! the limits and the arithmetic of detection. A health check has no fingerprint: the last writer
//! wins, so a change carries the differing fields only, and the result is read back. Another
//! protocol is another check, see [`swap`].

mod check;
mod export;
mod family;
mod notes;
mod protocol;
mod swap;

use super::compute;
use super::export::Export;
use super::{ManagedKind, Names};
use crate::api::status::Mutability;
use crate::api::{Declared, Finding, Key, Kind};
use crate::core::fields::{self, Fields};
use crate::core::observed::Present;
use crate::core::procedure::Procedures;
use crate::core::record::Verb;
use crate::core::rules::{Change, Encoded, FieldRule, Rules};
use protocol::PROTOCOLS;
use serde_json::{Map, Value, json};

pub use family::base_of;

pub(super) struct HealthCheck;

/// The collection of the API.
pub(super) const COLLECTION: &str = "healthChecks";

const API: &str = "compute v1, HealthCheck; patch is a JSON merge patch";
const SWAP: &str = "the protocol of a health check in use cannot be changed in place: commit the \
     type, and another check takes over";

static RULES: Rules = Rules {
    missing_for_create,
    flatten,
    encode,
    procedures: Some(&Procedures {
        change: swap::change,
        removal: swap::removal,
        always: false,
        looks_around: true,
    }),
    ..Rules::new(Kind::HealthCheck, FIELDS)
};

const FIELDS: &[FieldRule] = &[
    FieldRule {
        path: "type",
        mutability: Mutability::Immutable,
        disruption: None,
        refusal: SWAP,
        source: "compute v1: one protocol block that matches type; a delete and a new create meet \
                 resourceInUseByAnotherResource",
    },
    plain("checkIntervalSec"),
    plain("timeoutSec"),
    plain("healthyThreshold"),
    plain("unhealthyThreshold"),
    plain("description"),
    plain("logConfig.enable"),
    plain("sourceRegions"),
    plain("tcpHealthCheck.port"),
    plain("tcpHealthCheck.portSpecification"),
    plain("tcpHealthCheck.proxyHeader"),
    plain("tcpHealthCheck.request"),
    plain("tcpHealthCheck.response"),
    plain("sslHealthCheck.port"),
    plain("sslHealthCheck.portSpecification"),
    plain("sslHealthCheck.proxyHeader"),
    plain("sslHealthCheck.request"),
    plain("sslHealthCheck.response"),
    plain("httpHealthCheck.host"),
    plain("httpHealthCheck.port"),
    plain("httpHealthCheck.portSpecification"),
    plain("httpHealthCheck.proxyHeader"),
    plain("httpHealthCheck.requestPath"),
    plain("httpHealthCheck.response"),
    plain("httpsHealthCheck.host"),
    plain("httpsHealthCheck.port"),
    plain("httpsHealthCheck.portSpecification"),
    plain("httpsHealthCheck.proxyHeader"),
    plain("httpsHealthCheck.requestPath"),
    plain("httpsHealthCheck.response"),
    plain("http2HealthCheck.host"),
    plain("http2HealthCheck.port"),
    plain("http2HealthCheck.portSpecification"),
    plain("http2HealthCheck.proxyHeader"),
    plain("http2HealthCheck.requestPath"),
    plain("http2HealthCheck.response"),
    plain("grpcHealthCheck.port"),
    plain("grpcHealthCheck.portSpecification"),
    plain("grpcHealthCheck.grpcServiceName"),
    plain("grpcTlsHealthCheck.port"),
    plain("grpcTlsHealthCheck.portSpecification"),
    plain("grpcTlsHealthCheck.grpcServiceName"),
];

const fn plain(path: &'static str) -> FieldRule {
    FieldRule {
        path,
        mutability: Mutability::Reversible,
        disruption: None,
        refusal: "",
        source: API,
    }
}

impl ManagedKind for HealthCheck {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn declared(&self, declared: &Declared, _: &dyn Names) -> Fields {
        let mut fields = flatten(&declared.resource);
        // The block alone says the protocol, also while nothing in it is managed.
        if let (None, [protocol]) = (fields.get("type"), protocol::declared(declared).as_slice()) {
            fields.insert("type".to_owned(), protocol.name.into());
        }
        fields
    }

    fn live(&self, raw: Value) -> Present {
        family::present(raw)
    }

    fn export(&self, live: &Present, _: &Key) -> Export {
        export::export(live)
    }

    fn check(&self, declared: &Declared) -> Vec<Finding> {
        check::check(declared)
    }

    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String> {
        notes::notes(live, declared)
    }
}

/// The managed fields of one check as Google has it.
fn live_fields(body: &Value) -> Fields {
    let mut fields = body.as_object().map(flatten).unwrap_or_default();
    let known = defaults(&fields);
    compute::fill(&mut fields, &known, false);
    fields.retain(|field, _| RULES.field(field).is_some());
    fields
}

/// Regions are a set: GCP gives them in any order, by name or by link.
fn flatten(resource: &Map<String, Value>) -> Fields {
    let mut fields = fields::flatten(resource);
    // An empty block has nothing to compare.
    fields.retain(|_, value| value.as_object().is_none_or(|object| !object.is_empty()));
    if let Some(Value::Array(regions)) = fields.get_mut("sourceRegions") {
        let mut names: Vec<String> = regions
            .iter()
            .filter_map(Value::as_str)
            .map(|region| region.rsplit('/').next().unwrap_or(region).to_owned())
            .collect();
        names.sort_unstable();
        *regions = names.into_iter().map(Value::from).collect();
    }
    let known = defaults(&fields);
    compute::fill(&mut fields, &known, true);
    fields
}

/// Google's defaults (compute v1), those of the protocol's block included.
fn defaults(fields: &Fields) -> Vec<(&'static str, Value)> {
    let mut defaults = vec![
        ("checkIntervalSec", json!(5)),
        ("timeoutSec", json!(5)),
        ("healthyThreshold", json!(2)),
        ("unhealthyThreshold", json!(2)),
        ("description", json!("")),
        ("logConfig.enable", json!(false)),
        ("sourceRegions", json!([])),
    ];
    if let Some(protocol) = protocol::of(fields) {
        defaults.extend(protocol.defaults(fields));
    }
    defaults
}

fn missing_for_create(declared: &Fields) -> Option<&'static str> {
    let Some(protocol) = protocol::of(declared) else {
        return Some("a protocol: one block such as httpHealthCheck, or a type");
    };
    let port = |field| declared.get(protocol.fields[field]);
    let serving = port(protocol::SPECIFICATION).is_some_and(|s| s == "USE_SERVING_PORT");
    (protocol.port.is_none() && port(protocol::PORT).is_none() && !serving)
        .then_some("a port: gRPC has no default; give port, or portSpecification: USE_SERVING_PORT")
}

/// A merge patch of what differs. A fixed port goes when the serving port comes: Google refuses
/// both together.
fn encode(change: &Change<'_>) -> Encoded {
    let mut body = fields::unflatten(change.fields);
    for protocol in PROTOCOLS {
        if change.verb == Verb::Create {
            if change
                .fields
                .get("type")
                .is_some_and(|name| *name == protocol.name)
            {
                body.entry(protocol.block).or_insert_with(|| json!({}));
            }
        } else if protocol.leaves_fixed_port(change) {
            body[protocol.block]["port"] = Value::Null;
        }
    }
    Encoded {
        mask: Vec::new(),
        body: Value::Object(body),
    }
}
