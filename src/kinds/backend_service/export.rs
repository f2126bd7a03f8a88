//! A live backend service as a manifest.

use super::groups::{all_without_health, is_without_health};
use super::{HEALTH_CHECKS, defaults};
use crate::api::Kind;
use crate::core::observed::Present;
use crate::kinds::compute::{key_of, short};
use crate::kinds::export::{Export, LeftOut, Manifests};
use crate::kinds::secret::is_secret;
use serde_json::{Map, Value, json};

/// What serverless and internet groups show and do not use.
const CAPACITY: [&str; 4] = [
    "balancingMode",
    "maxUtilization",
    "maxRate",
    "maxConnections",
];
const SECRET: &str = "a header in it holds what looks like a secret, and secrets are not exported";

pub(super) fn export(live: &Present) -> Export {
    let mut export = Export::of(Kind::BackendService, &live.raw);
    links(&mut export);
    logging(&mut export);
    let mut idle = defaults(&live.fields);
    idle.push(("outlierDetection.interval.nanos", json!(0)));
    idle.push(("outlierDetection.baseEjectionTime.nanos", json!(0)));
    export.drop_idle(&idle);
    if let Some(Value::Array(backends)) = export.get_mut("backends") {
        backends.iter_mut().for_each(backend);
    }
    if all_without_health(live.fields.keys().map(String::as_str)) {
        export.drop("timeoutSec");
    }
    for field in ["customRequestHeaders", "customResponseHeaders"] {
        headers(&mut export, field);
    }
    export
}

/// Links from `projects/` on: the host in them is that of whoever asked.
fn links(export: &mut Export) {
    let shorten = |link: &mut Value| {
        if let Some(text) = link.as_str() {
            *link = short(text).into();
        }
    };
    if let Some(Value::Array(checks)) = export.get_mut("healthChecks") {
        checks.iter_mut().for_each(shorten);
    }
    if let Some(Value::Array(backends)) = export.get_mut("backends") {
        let groups = backends.iter_mut().filter_map(|one| one.get_mut("group"));
        groups.for_each(shorten);
    }
}

fn logging(export: &mut Export) {
    if export.get("logConfig.enable") == Some(&json!(false)) {
        export.drop("logConfig.sampleRate");
    }
    if export.get("logConfig.optionalMode") == Some(&json!("EXCLUDE_ALL_OPTIONAL")) {
        export.drop("logConfig.optionalMode");
    }
}

/// Without what Google fills in.
fn backend(backend: &mut Value) {
    let serverless = backend["group"].as_str().is_some_and(is_without_health);
    let Value::Object(fields) = backend else {
        return;
    };
    fields.retain(|name, value| {
        let idle = match name.as_str() {
            "capacityScaler" => *value == json!(1),
            "description" => *value == json!(""),
            "failover" => *value == json!(false),
            other => serverless && CAPACITY.contains(&other),
        };
        !idle
    });
}

/// The list is replaced as a whole, so it is left out as a whole.
fn headers(export: &mut Export, field: &str) {
    let list = export.resource.get(field).and_then(Value::as_array);
    let mut texts = list.into_iter().flatten().filter_map(Value::as_str);
    if !texts.any(holds_secret) {
        return;
    }
    export.drop(field);
    export.left_out.push(LeftOut {
        path: field.to_owned(),
        why: SECRET.into(),
    });
}

fn holds_secret(header: &str) -> bool {
    let (name, value) = header.split_once(':').unwrap_or((header, ""));
    let name = name.trim().to_ascii_uppercase().replace('-', "_");
    let value = value.trim();
    (name.ends_with("AUTHORIZATION") && !value.is_empty()) || is_secret(&name, value)
}

/// `healthChecksRef` where each of the checks has a manifest.
pub(super) fn refer(resource: &mut Map<String, Value>, manifests: &Manifests) {
    let links = resource.get("healthChecks").and_then(Value::as_array);
    let name = |link: &Value| {
        let key = key_of(Kind::HealthCheck, link.as_str()?, HEALTH_CHECKS)?;
        Some(json!({"name": manifests.get(&key)?}))
    };
    let names = links.and_then(|links| links.iter().map(name).collect::<Option<Vec<_>>>());
    if let Some(names) = names.filter(|names| !names.is_empty()) {
        resource.remove("healthChecks");
        resource.insert("healthChecksRef".to_owned(), Value::from(names));
    }
}
