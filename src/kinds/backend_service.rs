//! `BackendService`: what compute v1 accepts, and what can go back.
//!
//! Sources: compute v1 `BackendService`; Google, "Backend services overview" and "Serverless
//! network endpoint groups overview". Arrays are replaced as a whole, so the backends are sent
//! merged: what other writers added stays. The fingerprint of the read goes with every patch; a
//! change in between makes it a 412, and the live state is read again.

mod check;
mod export;
mod groups;

use super::compute;
use super::export::{Export, Manifests};
use super::health_check::COLLECTION as HEALTH_CHECKS;
use super::{ManagedKind, Names};
use crate::api::status::Mutability;
use crate::api::{Declared, Finding, Key, Kind, Reference};
use crate::core::fields::{self, Fields};
use crate::core::items;
use crate::core::observed::{Lifecycle, Present};
use crate::core::record::Verb;
use crate::core::rules::{Change, Encoded, FieldRule, Rules};
use groups::BACKENDS;
use serde_json::{Map, Value, json};

pub(super) struct BackendService;

const API: &str = "compute v1, BackendService; patch is a JSON merge patch with a fingerprint";
const SCHEME: &str = "a backend service is made for one kind of load balancer: declare another one \
     beside it, move the URL map or forwarding rule over, then let the old one go";
/// A disruption, for people.
const SPEAKS: &str = "requests fail where a backend does not speak the new protocol";

static RULES: Rules = Rules {
    missing_for_create,
    flatten,
    refuse: groups::refuse,
    encode,
    ..Rules::new(Kind::BackendService, FIELDS)
};

const FIELDS: &[FieldRule] = &[
    plain("healthChecks"),
    FieldRule {
        path: "loadBalancingScheme",
        mutability: Mutability::Immutable,
        disruption: None,
        refusal: SCHEME,
        source: API,
    },
    FieldRule {
        disruption: Some(SPEAKS),
        ..plain("protocol")
    },
    plain("portName"),
    plain("timeoutSec"),
    plain("connectionDraining.drainingTimeoutSec"),
    plain("logConfig.enable"),
    plain("logConfig.sampleRate"),
    plain("logConfig.optionalMode"),
    plain("logConfig.optionalFields"),
    plain("outlierDetection.baseEjectionTime.seconds"),
    plain("outlierDetection.baseEjectionTime.nanos"),
    plain("outlierDetection.consecutiveErrors"),
    plain("outlierDetection.consecutiveGatewayFailure"),
    plain("outlierDetection.enforcingConsecutiveErrors"),
    plain("outlierDetection.enforcingConsecutiveGatewayFailure"),
    plain("outlierDetection.enforcingSuccessRate"),
    plain("outlierDetection.interval.seconds"),
    plain("outlierDetection.interval.nanos"),
    plain("outlierDetection.maxEjectionPercent"),
    plain("outlierDetection.successRateMinimumHosts"),
    plain("outlierDetection.successRateRequestVolume"),
    plain("outlierDetection.successRateStdevFactor"),
    plain("sessionAffinity"),
    plain("affinityCookieTtlSec"),
    plain("localityLbPolicy"),
    plain("description"),
    plain("enableCDN"),
    plain("compressionMode"),
    plain("customRequestHeaders"),
    plain("customResponseHeaders"),
    // A group can be added in place; evenkeel takes none away, since another writer may want it.
    FieldRule {
        mutability: Mutability::GrowOnly,
        ..plain("backends[].group")
    },
    plain("backends[].balancingMode"),
    plain("backends[].capacityScaler"),
    plain("backends[].maxUtilization"),
    plain("backends[].maxRate"),
    plain("backends[].maxRatePerInstance"),
    plain("backends[].maxRatePerEndpoint"),
    plain("backends[].maxConnections"),
    plain("backends[].maxConnectionsPerInstance"),
    plain("backends[].maxConnectionsPerEndpoint"),
    plain("backends[].description"),
    plain("backends[].failover"),
];

/// 64-bit numbers travel as text in Google's JSON.
const LONGS: [&str; 2] = [
    "outlierDetection.baseEjectionTime.seconds",
    "outlierDetection.interval.seconds",
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

impl ManagedKind for BackendService {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn declared(&self, declared: &Declared, names: &dyn Names) -> Fields {
        let mut fields = flatten(&declared.resource);
        let references = self.references(declared);
        if declared.resource.contains_key("healthChecksRef") {
            let links = references.iter().map(|reference| {
                let key = names.key(reference.kind, &reference.name)?;
                Some(Value::from(compute::link_of(&key, HEALTH_CHECKS)))
            });
            // What cannot be resolved is not known, and what is not known is not written.
            if let Some(links) = links.collect::<Option<Vec<_>>>() {
                fields.insert("healthChecks".to_owned(), Value::from(links));
            }
        }
        fields
    }

    fn references(&self, declared: &Declared) -> Vec<Reference> {
        let list = declared.resource.get("healthChecksRef");
        let items = list.and_then(Value::as_array).into_iter().flatten();
        items
            .enumerate()
            .filter_map(|(index, item)| {
                Some(Reference {
                    path: format!("spec.resource.healthChecksRef[{index}].name"),
                    kind: Kind::HealthCheck,
                    name: item["name"].as_str()?.to_owned(),
                })
            })
            .collect()
    }

    fn live(&self, raw: Value) -> Present {
        let mut fields = raw.as_object().map(flatten).unwrap_or_default();
        let known = defaults(&fields);
        compute::fill(&mut fields, &known, false);
        groups::fill(&mut fields);
        fields.retain(|field, _| RULES.field(field).is_some());
        Present {
            fields,
            // There is no state: a backend service that exists can be changed.
            lifecycle: Lifecycle::Ready,
            state: String::new(),
            users: users(&raw),
            raw,
        }
    }

    fn export(&self, live: &Present, _: &Key) -> Export {
        export::export(live)
    }

    fn refer(&self, resource: &mut Map<String, Value>, manifests: &Manifests) {
        export::refer(resource, manifests);
    }

    fn check(&self, declared: &Declared) -> Vec<Finding> {
        check::check(declared)
    }

    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String> {
        let groups = live.into_iter().flatten().chain(declared);
        let serverless = groups::all_without_health(groups.map(|(path, _)| path.as_str()));
        let mut notes = Vec::new();
        if serverless && declared.contains_key("timeoutSec") {
            notes.push(
                "timeoutSec has no effect on serverless backends, and Google may refuse any but 30: \
                 set the timeout of the service itself"
                    .to_owned(),
            );
        }
        notes
    }
}

/// The URL maps, forwarding rules and proxies that point at it.
fn users(raw: &Value) -> Vec<String> {
    let users = raw.get("usedBy").and_then(Value::as_array);
    users
        .into_iter()
        .flatten()
        .filter_map(|user| user["reference"].as_str())
        .map(compute::short)
        .collect()
}

/// Links without host and version, numbers in one form, backends by group.
fn flatten(resource: &Map<String, Value>) -> Fields {
    let mut fields = fields::flatten(resource);
    fields.remove("healthChecksRef");
    BACKENDS.flatten(&mut fields);
    fields.retain(|_, value| value.as_object().is_none_or(|object| !object.is_empty()));
    if let Some(Value::Array(links)) = fields.get_mut("healthChecks") {
        for link in links {
            *link = link
                .as_str()
                .map_or(Value::Null, |l| compute::short(l).into());
        }
    }
    for value in fields.values_mut() {
        *value = compute::number(value);
    }
    for path in LONGS {
        let long = fields.get_mut(path);
        if let Some(value) = long
            && let Some(number) = value.as_str().and_then(|text| text.parse::<i64>().ok())
        {
            *value = number.into();
        }
    }
    let known = defaults(&fields);
    compute::fill(&mut fields, &known, true);
    fields
}

/// Google's defaults (compute v1), where a reply may leave the field out.
fn defaults(fields: &Fields) -> Vec<(&'static str, Value)> {
    let mut defaults = vec![
        ("healthChecks", json!([])),
        ("timeoutSec", json!(30)),
        ("connectionDraining.drainingTimeoutSec", json!(0)),
        ("logConfig.enable", json!(false)),
        ("logConfig.optionalFields", json!([])),
        ("sessionAffinity", json!("NONE")),
        ("affinityCookieTtlSec", json!(0)),
        ("description", json!("")),
        ("enableCDN", json!(false)),
        ("compressionMode", json!("DISABLED")),
        ("customRequestHeaders", json!([])),
        ("customResponseHeaders", json!([])),
        ("loadBalancingScheme", json!("EXTERNAL")),
    ];
    let has = |path: &str| fields.contains_key(path);
    if fields.get("logConfig.enable") == Some(&json!(true)) {
        defaults.push(("logConfig.sampleRate", json!(1)));
    }
    if has("outlierDetection.interval.seconds") {
        defaults.push(("outlierDetection.interval.nanos", json!(0)));
    }
    if has("outlierDetection.baseEjectionTime.seconds") {
        defaults.push(("outlierDetection.baseEjectionTime.nanos", json!(0)));
    }
    defaults
}

fn missing_for_create(declared: &Fields) -> Option<&'static str> {
    let scheme = declared.get("loadBalancingScheme").and_then(Value::as_str);
    let internal = matches!(scheme, Some("INTERNAL"));
    if internal && !declared.contains_key("protocol") {
        return Some(
            "protocol: an internal passthrough load balancer takes TCP, UDP or UNSPECIFIED",
        );
    }
    // "Backend services with instance group or zonal NEG backends must have a health check"
    // (compute v1, BackendService.healthChecks).
    let unchecked = declared
        .get("healthChecks")
        .is_none_or(|checks| *checks == json!([]));
    (unchecked && groups::need_health(declared))
        .then_some("a health check: instance groups and zonal endpoint groups must have one")
}

/// The body of a call: a merge patch, with the backends merged into the live ones and the
/// fingerprint they were read with.
fn encode(change: &Change<'_>) -> Encoded {
    let single = change
        .fields
        .iter()
        .filter(|(path, _)| items::split(path).is_none())
        .map(|(path, value)| (path.clone(), sent(path, value)));
    let mut body = fields::unflatten(&single.collect());
    let live = change.live.map(|live| &live.raw);
    let backends = live.and_then(|raw| raw["backends"].as_array());
    if let Some(merged) = groups::merged(backends.map_or(&[], Vec::as_slice), change.fields) {
        body.insert("backends".to_owned(), Value::from(merged));
    }
    if change.verb == Verb::Patch
        && let Some(fingerprint) = live.and_then(|raw| raw.get("fingerprint"))
    {
        body.insert("fingerprint".to_owned(), fingerprint.clone());
    }
    Encoded {
        mask: Vec::new(),
        body: Value::Object(body),
    }
}

/// A value as Google wants it: whole links, 64-bit numbers as text.
fn sent(path: &str, value: &Value) -> Value {
    match value {
        Value::Number(number) if LONGS.contains(&path) => Value::from(number.to_string()),
        Value::Array(links) if path == "healthChecks" => links
            .iter()
            .map(|link| {
                link.as_str()
                    .map_or(Value::Null, |l| compute::full(l).into())
            })
            .collect(),
        other => other.clone(),
    }
}
