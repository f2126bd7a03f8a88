//! The rules of backend services.
//!
//! Sources: the API reference (compute v1, `BackendService` and `Backend`); the words about serverless network
//! endpoint groups are Google's, from public reports.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::checks::{range, referenced};
use super::collection::{Proposal, Record, default, fields, items, text, value};
use super::errors::{invalid, not_found};
use super::place::Name;
use crate::emulator::api::Api;
use crate::emulator::errors::ApiError;
use crate::emulator::world::World;

/// The only timeout that a backend service with serverless backends may have: its default.
const TIMEOUT_DEFAULT: i32 = 30;
const DRAINING_MAX: i32 = 3_600;

/// The secret of the identity-aware proxy is kept, and shown, as its hash only.
#[allow(
    clippy::unnecessary_wraps,
    reason = "one of the functions of a collection"
)]
pub(super) fn take(body: &mut Record) -> Result<(), ApiError> {
    if let Some(Value::Object(iap)) = body.get_mut("iap")
        && let Some(Value::String(secret)) = iap.remove("oauth2ClientSecret")
    {
        let hash: Vec<String> = Sha256::digest(secret.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        iap.insert("oauth2ClientSecretSha256".to_owned(), json!(hash.concat()));
    }
    Ok(())
}

pub(super) fn complete(service: &mut Record, proposal: &Proposal) {
    default(service, "affinityCookieTtlSec", 0);
    default(
        service,
        "connectionDraining",
        json!({"drainingTimeoutSec": 0}),
    );
    default(service, "description", "");
    default(service, "loadBalancingScheme", "EXTERNAL");
    default(service, "sessionAffinity", "NONE");
    default(service, "timeoutSec", TIMEOUT_DEFAULT);
    let external = text(service, "loadBalancingScheme").starts_with("EXTERNAL");
    if proposal.place.is_global() && external {
        default(service, "enableCDN", false);
    }
    default(service, "protocol", if external { "HTTP" } else { "TCP" });
    let named_port = match text(service, "protocol") {
        "HTTP" => Some((80, "http")),
        "HTTPS" => Some((443, "https")),
        _ => None,
    };
    if let Some((port, name)) = named_port {
        default(service, "port", port);
        default(service, "portName", name);
    }
    if let Some(Value::Object(log)) = service.get_mut("logConfig")
        && log.get("enable") == Some(&json!(true))
    {
        default(log, "sampleRate", 1.0);
    }
    complete_backends(service, proposal.world);
}

fn complete_backends(service: &mut Record, world: &World) {
    let Some(Value::Array(backends)) = service.get_mut("backends") else {
        return;
    };
    for backend in backends.iter_mut().filter_map(Value::as_object_mut) {
        let mode = match Group::of(world, text(backend, "group")) {
            Some(Group::Endpoints) => "RATE",
            _ => "UTILIZATION",
        };
        default(backend, "balancingMode", mode);
        default(backend, "capacityScaler", 1.0);
    }
}

/// What stands behind a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Instances,
    Endpoints,
    Serverless,
    /// Endpoints outside: they have no health check either.
    Internet,
}

impl Group {
    fn of(world: &World, name: &str) -> Option<Self> {
        let record = world.records.truth(&super::Compute.key(name))?;
        let kind = record["networkEndpointType"].as_str().unwrap_or_default();
        Some(match Name::parse(name)?.collection {
            "instanceGroups" => Self::Instances,
            _ if kind == "SERVERLESS" => Self::Serverless,
            _ if kind.starts_with("INTERNET") || kind == "PRIVATE_SERVICE_CONNECT" => {
                Self::Internet
            }
            _ => Self::Endpoints,
        })
    }
}

pub(super) fn check(service: &Record, proposal: &Proposal) -> Result<(), ApiError> {
    range(service, "timeoutSec", "resource", 1, i32::MAX)?;
    range(service, "port", "resource", 1, 65_535)?;
    if let Some(Value::Object(draining)) = service.get("connectionDraining") {
        let place = "resource.connectionDraining";
        range(draining, "drainingTimeoutSec", place, 0, DRAINING_MAX)?;
    }
    if let Some(rate) = service
        .get("logConfig")
        .and_then(|log| log.get("sampleRate"))
    {
        let words = "Must be between 0.0 and 1.0.";
        between(rate, 0.0, 1.0, "resource.logConfig.sampleRate", words)?;
    }
    check_scheme(service, proposal)?;
    check_health_checks(service, proposal)?;
    check_backends(service, proposal)
}

fn between(value: &Value, low: f64, high: f64, field: &str, words: &str) -> Result<(), ApiError> {
    let number = value.as_f64().unwrap_or_default();
    if (low..=high).contains(&number) {
        Ok(())
    } else {
        Err(invalid(field, value, words))
    }
}

/// Immutable in practice: Google's words for it are not published.
fn check_scheme(service: &Record, proposal: &Proposal) -> Result<(), ApiError> {
    let field = "loadBalancingScheme";
    match proposal.before {
        Some(before) if before.get(field) != service.get(field) => Err(invalid(
            "resource.loadBalancingScheme",
            value(service, field),
            "The load balancing scheme of a backend service cannot be changed.",
        )),
        _ => Ok(()),
    }
}

fn check_health_checks(service: &Record, proposal: &Proposal) -> Result<(), ApiError> {
    let checks = items(service, "healthChecks");
    if checks.len() > 1 {
        let words = "At most one health check can be specified.";
        return Err(invalid("resource.healthChecks", &Value::Null, words));
    }
    let Some(name) = checks.first().and_then(Value::as_str) else {
        return Ok(());
    };
    let refuse = |words: &str| Err(invalid("resource.healthChecks[0]", &json!(name), words));
    let Some(parsed) = Name::parse(name).filter(|n| n.collection.ends_with("ealthChecks")) else {
        return refuse("The URL is malformed.");
    };
    let here = proposal.place.scope.name();
    if parsed.scope != "global" && parsed.scope != here {
        return refuse("The health check must be global or in the region of the backend service.");
    }
    let check = fields(referenced(proposal.world, name)?);
    if !items(check, "sourceRegions").is_empty() {
        return refuse("A health check with source regions cannot be used with a backend service.");
    }
    Ok(())
}

fn check_backends(service: &Record, proposal: &Proposal) -> Result<(), ApiError> {
    let mut groups = Vec::new();
    for (index, backend) in items(service, "backends").iter().enumerate() {
        let backend = fields(backend);
        let name = text(backend, "group");
        let group = Group::of(proposal.world, name).ok_or_else(|| not_found(name))?;
        check_backend(backend, group, &format!("resource.backends[{index}]"))?;
        groups.push(group);
    }
    let has = |group: Group| groups.contains(&group);
    if has(Group::Serverless) && groups.iter().any(|group| *group != Group::Serverless) {
        let words = "Serverless network endpoint groups cannot be mixed with other backends.";
        return Err(invalid("resource.backends", &Value::Null, words));
    }
    let checked = !items(service, "healthChecks").is_empty();
    if has(Group::Serverless) {
        return check_serverless(service, checked);
    }
    let meshed = text(service, "loadBalancingScheme") == "INTERNAL_SELF_MANAGED";
    if has(Group::Internet) && checked && !meshed {
        let words = "Backend services with global network endpoint groups can have health checks only for \
                     INTERNAL_SELF_MANAGED load balancing scheme and INTERNET_FQDN_PORT endpoint type.";
        return Err(invalid("resource.healthChecks", &Value::Null, words));
    }
    // "must have a health check unless haPolicy is specified": Google's own words for a refusal are not known.
    let needs_check = has(Group::Instances) || has(Group::Endpoints);
    if needs_check && !checked && !service.contains_key("haPolicy") {
        let words = "A backend service with instance group or zonal network endpoint group backends must have a \
                     health check.";
        return Err(invalid("resource.healthChecks", &Value::Null, words));
    }
    Ok(())
}

fn check_serverless(service: &Record, checked: bool) -> Result<(), ApiError> {
    if checked {
        let words = "A backend service cannot have a healthcheck with Serverless network endpoint group backends.";
        return Err(invalid("resource.healthChecks", &Value::Null, words));
    }
    if *value(service, "timeoutSec") != TIMEOUT_DEFAULT {
        let words = "Timeout sec is not supported for a backend service with Serverless network endpoint groups.";
        return Err(invalid(
            "resource.timeoutSec",
            value(service, "timeoutSec"),
            words,
        ));
    }
    Ok(())
}

fn check_backend(backend: &Record, group: Group, place: &str) -> Result<(), ApiError> {
    let scaler = value(backend, "capacityScaler");
    let field = format!("{place}.capacityScaler");
    if scaler.as_f64() != Some(0.0) {
        between(
            scaler,
            0.1,
            1.0,
            &field,
            "Must be 0.0 or between 0.1 and 1.0.",
        )?;
    }
    let Some(used) = backend.get("maxUtilization") else {
        return Ok(());
    };
    let field = format!("{place}.maxUtilization");
    if group == Group::Serverless {
        let words = "Max utilization is not supported for Serverless network endpoint groups.";
        return Err(invalid(&field, used, words));
    }
    between(used, 0.0, 1.0, &field, "Must be between 0.0 and 1.0.")
}

/// URL maps are not served; a scenario says in `usedBy` which ones use a backend service.
pub(super) fn user_of(world: &World, name: &str) -> Option<String> {
    let service = world.records.truth(&super::Compute.key(name))?;
    let first = service["usedBy"].get(0)?;
    Some(first["reference"].as_str()?.to_owned())
}

/// Whether health checks make sense for a group, for those who ask how it does.
pub(super) fn is_probed(world: &World, group: &str) -> bool {
    matches!(
        Group::of(world, group),
        Some(Group::Instances | Group::Endpoints)
    )
}
