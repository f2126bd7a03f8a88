//! What Google refuses in a health check, found before asking.

use super::family;
use super::protocol::{self, Protocol};
use crate::api::{Declared, Finding, Severity};
use crate::kinds::compute::{check_name, error, name_path, warning};
use serde_json::{Map, Value};

const API: &str = "compute v1, HealthCheck";
/// Detection this fast or faster takes backends out for a hiccup: Google's own defaults give 10 s.
const HASTY: i64 = 10;

pub(super) fn check(declared: &Declared) -> Vec<Finding> {
    let blocks = protocol::declared(declared);
    let mut findings: Vec<Finding> = check_name(declared).into_iter().collect();
    findings.extend(own_name(declared));
    findings.extend(one_protocol(declared, &blocks));
    findings.extend(times(declared));
    for protocol in blocks {
        let block = declared.resource.get(protocol.block);
        if let Some(Value::Object(block)) = block {
            findings.extend(ports(protocol, block));
            findings.extend(texts(protocol, block));
        }
    }
    findings.extend(regions(declared));
    findings
}

/// The name is that of a check which takes over for another manifest.
fn own_name(declared: &Declared) -> Option<Finding> {
    let name = &declared.key.name;
    let base = family::base_of(name);
    (base != name).then(|| Finding {
        path: name_path(declared).to_owned(),
        message: format!("`{name}` is the name of a check that takes over for `{base}`"),
        limit: None,
        help: format!("declare `{base}`, whose check it is, or choose another name"),
        severity: Severity::Error,
    })
}

fn one_protocol(declared: &Declared, blocks: &[&Protocol]) -> Option<Finding> {
    let named = declared.resource.get("type").and_then(Value::as_str);
    if let [first, second, ..] = blocks {
        let message = format!("both {} and {} are given", first.block, second.block);
        let help = "keep the one that the backends answer";
        let limit = format!("one protocol block ({API})");
        return Some(error(second.block, message, &limit, help));
    }
    let ([block], Some(named)) = (blocks, named) else {
        return None;
    };
    (block.name != named).then(|| {
        let message = format!("type is {named}, and the block is {}", block.block);
        let help = format!("write type: {}, or leave type out", block.name);
        error(
            "type",
            message,
            &format!("type and block match ({API})"),
            &help,
        )
    })
}

fn number(declared: &Declared, field: &str) -> Option<i64> {
    declared.resource.get(field).and_then(Value::as_i64)
}

fn times(declared: &Declared) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (interval, timeout) = (
        number(declared, "checkIntervalSec"),
        number(declared, "timeoutSec"),
    );
    let effective = (interval.unwrap_or(5), timeout.unwrap_or(5));
    if (interval.is_some() || timeout.is_some()) && effective.1 > effective.0 {
        let (path, help) = if timeout.is_some() {
            ("timeoutSec", "lower timeoutSec or raise checkIntervalSec")
        } else {
            (
                "checkIntervalSec",
                "declare timeoutSec too, at most checkIntervalSec",
            )
        };
        let default = |value: Option<i64>| value.map_or(" (Google's default)", |_| "");
        let message = format!(
            "timeoutSec {}{} exceeds checkIntervalSec {}{}",
            effective.1,
            default(timeout),
            effective.0,
            default(interval),
        );
        let limit = format!("timeoutSec <= checkIntervalSec ({API})");
        findings.push(error(path, message, &limit, help));
    }
    findings.extend(hasty(declared, effective.0));
    findings
}

/// Too eager a check takes every backend out at once when all are slow together.
fn hasty(declared: &Declared, interval: i64) -> Option<Finding> {
    let threshold = number(declared, "unhealthyThreshold");
    let said = threshold.is_some() || declared.resource.contains_key("checkIntervalSec");
    let seconds = threshold.unwrap_or(2) * interval;
    (said && seconds <= HASTY).then(|| {
        let path = match threshold {
            Some(_) => "unhealthyThreshold",
            None => "checkIntervalSec",
        };
        let message = format!("a backend that fails for {seconds} s is taken out of service");
        let limit = "detection time = unhealthyThreshold x checkIntervalSec (Google, \"Health \
                     checks overview\"); Google's defaults give 10 s";
        let help = "make sure that a slow moment of all backends does not last that long";
        warning(path, message, limit, help)
    })
}

fn ports(protocol: &Protocol, block: &Map<String, Value>) -> Option<Finding> {
    let path = |field: &str| format!("{}.{field}", protocol.block);
    let specification = block.get("portSpecification").and_then(Value::as_str);
    match (specification, block.get("port")) {
        (Some("USE_SERVING_PORT"), Some(port)) => Some(error(
            &path("port"),
            format!("port {port} together with USE_SERVING_PORT"),
            &format!("no port with USE_SERVING_PORT ({API})"),
            "leave port out, or write portSpecification: USE_FIXED_PORT",
        )),
        (Some("USE_FIXED_PORT"), None) if protocol.port.is_none() => Some(error(
            &path("portSpecification"),
            "USE_FIXED_PORT without a port".to_owned(),
            &format!("gRPC has no default port ({API})"),
            "add port",
        )),
        _ => None,
    }
}

fn texts(protocol: &Protocol, block: &Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in ["request", "response", "grpcServiceName"] {
        let text = block.get(field).and_then(Value::as_str).unwrap_or_default();
        let path = format!("{}.{field}", protocol.block);
        if !text.is_ascii() {
            let message = format!("{field} holds characters beyond ASCII");
            findings.push(error(
                &path,
                message,
                &format!("ASCII ({API})"),
                "use plain letters",
            ));
        }
    }
    if let Some(asked) = block.get("requestPath").and_then(Value::as_str)
        && !asked.starts_with('/')
    {
        findings.push(error(
            &format!("{}.requestPath", protocol.block),
            format!("requestPath `{asked}` does not start with a slash"),
            &format!("a path such as /healthz ({API})"),
            "start it with `/`; the host goes into host",
        ));
    }
    findings
}

/// Checks from regions of one's choice are for DNS routing only.
fn regions(declared: &Declared) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(Value::Array(regions)) = declared.resource.get("sourceRegions") else {
        return findings;
    };
    if regions.is_empty() {
        return findings;
    }
    let mut refuse = |path: &str, message: String, limit: &str, help: &str| {
        let limit = format!("{limit} ({API})");
        findings.push(error(path, message, &limit, help));
    };
    if declared.key.location != "global" {
        let help = "leave sourceRegions out, or declare the check with location: global";
        let text = "sourceRegions on a regional health check".to_owned();
        refuse("sourceRegions", text, "global health checks only", help);
    }
    let mut names: Vec<_> = regions.iter().filter_map(Value::as_str).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != 3 {
        let text = format!("{} different source regions", names.len());
        refuse("sourceRegions", text, "exactly 3", "name three regions");
    }
    let interval = number(declared, "checkIntervalSec").unwrap_or(5);
    if interval < 30 {
        let text = format!("checkIntervalSec {interval} with sourceRegions");
        refuse(
            "checkIntervalSec",
            text,
            "at least 30 with sourceRegions",
            "write 30 or more",
        );
    }
    for protocol in protocol::declared(declared) {
        if !["TCP", "HTTP", "HTTPS"].contains(&protocol.name) {
            let text = format!("{} with sourceRegions", protocol.block);
            refuse(
                protocol.block,
                text,
                "TCP, HTTP or HTTPS",
                "use one of these protocols",
            );
        }
        for field in ["proxyHeader", "request"] {
            if declared.resource[protocol.block].get(field).is_some() {
                let path = format!("{}.{field}", protocol.block);
                let text = format!("{field} with sourceRegions");
                refuse(
                    &path,
                    text,
                    "neither proxyHeader nor request",
                    "leave it out",
                );
            }
        }
    }
    findings
}
