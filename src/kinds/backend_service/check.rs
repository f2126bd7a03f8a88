//! What Google refuses in a backend service, found before asking.

use super::groups::{COLLECTIONS, NO_HEALTH_CHECK, is_without_health};
use crate::api::{Declared, Finding};
use crate::kinds::compute::{check_name, error, is_link, short, warning};
use serde_json::Value;
use std::collections::BTreeSet;

const API: &str = "compute v1, BackendService";

pub(super) fn check(declared: &Declared) -> Vec<Finding> {
    let mut findings: Vec<Finding> = check_name(declared).into_iter().collect();
    findings.extend(health_checks(declared));
    findings.extend(backends(declared));
    findings.extend(health_beside_serverless(declared));
    findings.extend(logging(declared));
    findings.extend(outliers(declared));
    findings.extend(headers(declared));
    findings
}

fn list<'d>(declared: &'d Declared, field: &str) -> &'d [Value] {
    let list = declared.resource.get(field).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn health_checks(declared: &Declared) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has = |field: &str| declared.resource.contains_key(field);
    if has("healthChecks") && has("healthChecksRef") {
        findings.push(error(
            "healthChecks",
            "both healthChecks and healthChecksRef are given".to_owned(),
            &format!("at most one health check ({API})"),
            "keep healthChecksRef for a check that a manifest declares, healthChecks for any other",
        ));
    }
    for (index, link) in list(declared, "healthChecks").iter().enumerate() {
        let text = link.as_str().unwrap_or_default();
        let collections = ["healthChecks", "httpHealthChecks", "httpsHealthChecks"];
        if !is_link(text, &collections) {
            findings.push(error(
                &format!("healthChecks[{index}]"),
                format!("`{text}` is not the link of a health check"),
                &format!("projects/p/global/healthChecks/h, or the whole URL ({API})"),
                "use healthChecksRef for a check that a manifest declares",
            ));
        }
    }
    findings
}

fn backends(declared: &Declared) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, backend) in list(declared, "backends").iter().enumerate() {
        let at = |field: &str| format!("backends[{index}].{field}");
        let Some(group) = backend["group"].as_str() else {
            continue;
        };
        if !is_link(group, &COLLECTIONS) {
            findings.push(error(
                &at("group"),
                format!("`{group}` is not the link of an instance group or endpoint group"),
                &format!("a link from projects/ on, or the whole URL ({API})"),
                "write projects/p/zones/z/instanceGroups/g or \
                 projects/p/regions/r/networkEndpointGroups/n",
            ));
        } else if !seen.insert(short(group)) {
            findings.push(error(
                &at("group"),
                format!("`{}` stands here twice", short(group)),
                &format!("one entry for each group ({API})"),
                "join the two entries",
            ));
        }
        findings.extend(capacity(&at("capacityScaler"), backend));
        if is_without_health(group) {
            findings.extend(balancing(index, backend));
        }
    }
    findings
}

/// 0, or 0.1 to 1: the gap is Google's.
fn capacity(path: &str, backend: &Value) -> Option<Finding> {
    let scaler = backend["capacityScaler"].as_f64()?;
    (scaler > 0.0 && scaler < 0.1).then(|| {
        let message = format!("capacityScaler is {scaler}");
        let limit = format!("0, or 0.1 to 1 ({API})");
        error(path, message, &limit, "write 0 to drain the group, or 0.1")
    })
}

/// Serverless groups have no capacity to balance.
fn balancing(index: usize, backend: &Value) -> Vec<Finding> {
    let fields = [
        "balancingMode",
        "maxUtilization",
        "maxRate",
        "maxConnections",
    ];
    let given = fields.iter().filter(|field| backend.get(**field).is_some());
    given
        .map(|field| {
            warning(
                &format!("backends[{index}].{field}"),
                format!("{field} on a serverless or internet endpoint group"),
                "Google refuses maxUtilization there and ignores or refuses the others (Google, \
                 \"Serverless network endpoint groups overview\")",
                "leave it out",
            )
        })
        .collect()
}

fn health_beside_serverless(declared: &Declared) -> Option<Finding> {
    let field = ["healthChecksRef", "healthChecks"]
        .into_iter()
        .find(|field| !list(declared, field).is_empty())?;
    let groups = list(declared, "backends").iter();
    let mut groups = groups.filter_map(|backend| backend["group"].as_str());
    let group = groups.find(|group| is_without_health(group))?;
    Some(error(
        field,
        format!("a health check beside the backend {}", short(group)),
        &format!("no health check with serverless or internet endpoint groups ({API})"),
        NO_HEALTH_CHECK,
    ))
}

fn logging(declared: &Declared) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(log) = declared.resource.get("logConfig") else {
        return findings;
    };
    if log["enable"] == false && log.get("sampleRate").is_some() {
        findings.push(error(
            "logConfig.sampleRate",
            "sampleRate with enable: false".to_owned(),
            &format!("sampleRate only while logging is on ({API})"),
            "leave sampleRate out, or write enable: true",
        ));
    }
    let named = log["optionalFields"]
        .as_array()
        .is_some_and(|f| !f.is_empty());
    if named && log["optionalMode"] != "CUSTOM" {
        findings.push(error(
            "logConfig.optionalFields",
            "optionalFields without optionalMode: CUSTOM".to_owned(),
            &format!("a list of fields only with CUSTOM ({API})"),
            "write optionalMode: CUSTOM",
        ));
    }
    findings
}

fn outliers(declared: &Declared) -> Option<Finding> {
    let scheme = declared.resource.get("loadBalancingScheme")?.as_str()?;
    let able = [
        "EXTERNAL_MANAGED",
        "INTERNAL_MANAGED",
        "INTERNAL_SELF_MANAGED",
    ];
    (declared.resource.contains_key("outlierDetection") && !able.contains(&scheme)).then(|| {
        error(
            "outlierDetection",
            format!("outlierDetection with loadBalancingScheme {scheme}"),
            &format!("{} only ({API})", able.join(", ")),
            "leave it out, or use an Envoy-based load balancer",
        )
    })
}

fn headers(declared: &Declared) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in ["customRequestHeaders", "customResponseHeaders"] {
        for (index, header) in list(declared, field).iter().enumerate() {
            let text = header.as_str().unwrap_or_default();
            if text.split_once(':').is_none_or(|(name, _)| name.is_empty()) {
                findings.push(error(
                    &format!("{field}[{index}]"),
                    format!("`{text}` is not a header"),
                    &format!("`Name: value` ({API})"),
                    "write the name, a colon and the value",
                ));
            }
        }
    }
    findings
}
