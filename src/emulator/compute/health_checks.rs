//! The rules of health checks.
//!
//! Sources: the API reference (compute v1, `HealthCheck`) for defaults, protocol blocks, lengths and source
//! regions; gcloud's own bounds for interval, timeout and thresholds.

use serde_json::{Value, json};

use super::checks::{ascii, holder, range};
use super::collection::{Proposal, Record, default, items, text, value};
use super::errors::{invalid, required};
use super::place::is_region;
use crate::emulator::errors::ApiError;
use crate::emulator::world::World;

/// Type, its block, and the port that the block gets when it names none.
const PROTOCOLS: [(&str, &str, Option<i32>); 7] = [
    ("TCP", "tcpHealthCheck", Some(80)),
    ("SSL", "sslHealthCheck", Some(443)),
    ("HTTP", "httpHealthCheck", Some(80)),
    ("HTTPS", "httpsHealthCheck", Some(443)),
    ("HTTP2", "http2HealthCheck", Some(443)),
    ("GRPC", "grpcHealthCheck", None),
    ("GRPC_WITH_TLS", "grpcTlsHealthCheck", None),
];

const SOURCE_REGIONS: usize = 3;
const SOURCE_REGIONS_INTERVAL_MIN: i64 = 30;

/// "request: ... can only be ASCII", "response: ... at most 1024 bytes".
const PAYLOAD_BYTES_MAX: usize = 1024;

pub(super) fn complete(check: &mut Record, _: &Proposal) {
    default(check, "checkIntervalSec", 5);
    default(check, "timeoutSec", 5);
    default(check, "healthyThreshold", 2);
    default(check, "unhealthyThreshold", 2);
    for (kind, block, port) in PROTOCOLS {
        if let Some(Value::Object(block)) = check.get_mut(block) {
            complete_block(kind, block, port);
        }
    }
}

fn complete_block(kind: &str, block: &mut Record, port: Option<i32>) {
    let fixed = matches!(text(block, "portSpecification"), "" | "USE_FIXED_PORT");
    if let Some(port) = port.filter(|_| fixed) {
        default(block, "port", port);
    }
    if !kind.starts_with("GRPC") {
        default(block, "proxyHeader", "NONE");
    }
    if kind.starts_with("HTTP") {
        default(block, "requestPath", "/");
    }
}

pub(super) fn check(check: &Record, proposal: &Proposal) -> Result<(), ApiError> {
    let (kind, name) = protocol(check)?;
    range(check, "checkIntervalSec", "resource", 1, 300)?;
    range(check, "timeoutSec", "resource", 1, 300)?;
    range(check, "healthyThreshold", "resource", 1, 10)?;
    range(check, "unhealthyThreshold", "resource", 1, 10)?;
    let timeout = value(check, "timeoutSec");
    if timeout.as_i64() > value(check, "checkIntervalSec").as_i64() {
        let words = "TimeoutSec should be less than checkIntervalSec.";
        return Err(invalid("resource.timeoutSec", timeout, words));
    }
    let Some(Value::Object(block)) = check.get(name) else {
        return Ok(());
    };
    check_block(block, &format!("resource.{name}"))?;
    check_source_regions(check, kind, block, proposal)
}

/// Exactly one block, the one of the type.
fn protocol(check: &Record) -> Result<(&'static str, &'static str), ApiError> {
    let kind = text(check, "type");
    if kind.is_empty() {
        return Err(required("resource.type"));
    }
    let found = PROTOCOLS.into_iter().find(|(name, ..)| *name == kind);
    let (kind, block, _) = found.ok_or_else(|| {
        let words = "The type of a health check must be one that the API serves.";
        invalid("resource.type", &json!(kind), words)
    })?;
    if !check.contains_key(block) {
        let words = format!("{kind} healthCheck missing.");
        return Err(invalid(&format!("resource.{block}"), &Value::Null, &words));
    }
    let other = PROTOCOLS
        .iter()
        .find(|(_, other, _)| *other != block && check.contains_key(*other));
    if let Some((_, other, _)) = other {
        let words = format!("Must not be set for a health check of type {kind}.");
        return Err(invalid(&format!("resource.{other}"), &Value::Null, &words));
    }
    Ok((kind, block))
}

fn check_block(block: &Record, place: &str) -> Result<(), ApiError> {
    range(block, "port", place, 1, 65_535)?;
    for name in ["request", "response", "grpcServiceName"] {
        ascii(block, name, place, PAYLOAD_BYTES_MAX)?;
    }
    let specification = text(block, "portSpecification");
    if specification == "USE_SERVING_PORT" && block.contains_key("port") {
        let words = "Must not be set when portSpecification is USE_SERVING_PORT.";
        return Err(invalid(
            &format!("{place}.port"),
            value(block, "port"),
            words,
        ));
    }
    if specification == "USE_NAMED_PORT" || block.contains_key("portName") {
        let field = format!("{place}.portSpecification");
        return Err(invalid(
            &field,
            &json!(specification),
            "Named ports are not supported.",
        ));
    }
    if block.contains_key("requestPath") && !text(block, "requestPath").starts_with('/') {
        let field = format!("{place}.requestPath");
        return Err(invalid(
            &field,
            value(block, "requestPath"),
            "Must start with '/'.",
        ));
    }
    Ok(())
}

fn check_source_regions(
    check: &Record,
    kind: &str,
    block: &Record,
    proposal: &Proposal,
) -> Result<(), ApiError> {
    let regions = items(check, "sourceRegions");
    if regions.is_empty() {
        return Ok(());
    }
    let refuse = |words: &str| Err(invalid("resource.sourceRegions", &Value::Null, words));
    if !proposal.place.is_global() {
        return refuse("Source regions can only be set for a global health check.");
    }
    if regions.len() != SOURCE_REGIONS {
        return refuse("Exactly 3 source regions must be specified.");
    }
    let known = |region: &Value| region.as_str().is_some_and(is_region);
    if let Some(unknown) = regions.iter().find(|region| !known(region)) {
        return Err(invalid(
            "resource.sourceRegions",
            unknown,
            "Unknown region.",
        ));
    }
    if !matches!(kind, "TCP" | "HTTP" | "HTTPS") {
        return refuse("SSL, HTTP2 and GRPC health checks cannot have source regions.");
    }
    if value(check, "checkIntervalSec").as_i64() < Some(SOURCE_REGIONS_INTERVAL_MIN) {
        return refuse("checkIntervalSec must be at least 30 with source regions.");
    }
    if !text(block, "request").is_empty() {
        return refuse("The TCP request field is not supported with source regions.");
    }
    if text(block, "proxyHeader") != "NONE" {
        return refuse("The proxyHeader field is not supported with source regions.");
    }
    Ok(())
}

pub(super) fn user_of(world: &World, name: &str) -> Option<String> {
    holder(world, name, "backendServices", "healthChecks")
}
