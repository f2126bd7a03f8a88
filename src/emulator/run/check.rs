//! What Cloud Run accepts in a service. Looks at a spec with its defaults filled in.
//!
//! Sources: the run v2 API reference; "Cloud Run quotas and limits" for numbers of variables, concurrency and
//! timeout; "Configure environment variables" for reserved names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names::part;
use super::probes;
use super::refusal::{Checked, Refusal, refuse};

const ENV_MAX: usize = 1_000;
const ENV_BYTES_MAX: usize = 32_768;
const TIMEOUT_SECONDS_MAX: f64 = 3_600.0;
const CONCURRENCY_MAX: i64 = 1_000;

/// Set by the system.
const RESERVED_ENV: [&str; 4] = ["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"];

/// `^[a-z]([-a-z0-9]{0,47}[a-z0-9])?$`: "must be less than 50 characters" (`serviceId` of services.create).
pub(super) fn service_id(id: &str) -> Result<(), String> {
    if is_label(id) && id.len() < 50 {
        return Ok(());
    }
    Err(format!(
        "Violation in CreateServiceRequest.service_id: \"{id}\" must use only lowercase alphanumeric characters \
         and dashes, cannot begin or end with a dash, and cannot be longer than 49 characters."
    ))
}

fn is_label(id: &str) -> bool {
    let inside = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    id.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && id.bytes().all(inside)
        && !id.ends_with('-')
}

/// `id` is the service's, which revisions must be named after.
pub(super) fn spec(spec: &Value, id: &str) -> Checked {
    let template = &spec["template"];
    revision_name(template, id)?;
    timeout(template)?;
    scaling(&template["scaling"], "template.scaling")?;
    scaling(&spec["scaling"], "scaling")?;
    let concurrency = number(template, "maxInstanceRequestConcurrency");
    if !(0..=CONCURRENCY_MAX).contains(&concurrency) {
        return refuse(
            "template.max_instance_request_concurrency",
            format!("must be between 0 and {CONCURRENCY_MAX}, inclusive."),
        );
    }
    vpc_access(&template["vpcAccess"])?;
    containers(template)
}

fn revision_name(template: &Value, id: &str) -> Checked {
    let name = text(template, "revision");
    let after = name
        .strip_prefix(id)
        .and_then(|rest| rest.strip_prefix('-'));
    let good = after.is_some_and(|rest| !rest.is_empty()) && is_label(name) && name.len() < 64;
    if name.is_empty() || good {
        return Ok(());
    }
    refuse(
        "template.revision",
        format!(
            "\"{name}\" must be prefixed by the name of the enclosing Service with a trailing -, and use only \
             lowercase alphanumeric characters and dashes, at most 63."
        ),
    )
}

fn timeout(template: &Value) -> Checked {
    let given = text(template, "timeout");
    let seconds: Option<f64> = given.strip_suffix('s').and_then(|s| s.parse().ok());
    match seconds {
        Some(seconds) if seconds > 0.0 && seconds <= TIMEOUT_SECONDS_MAX => Ok(()),
        Some(_) => refuse(
            "template.timeout",
            "must be greater than 0 and at most 3600 seconds.",
        ),
        None => refuse("template.timeout", format!("\"{given}\" is no duration.")),
    }
}

fn scaling(scaling: &Value, field: &str) -> Checked {
    let (min, max) = (
        number(scaling, "minInstanceCount"),
        number(scaling, "maxInstanceCount"),
    );
    if min < 0 || max < 0 {
        return refuse(field, "instance counts must not be negative.");
    }
    if max > 0 && min > max {
        return refuse(
            format!("{field}.min_instance_count"),
            format!("must be less than or equal to max_instance_count: {min} is more than {max}."),
        );
    }
    Ok(())
}

/// A connector or network interfaces, not both: "Direct VPC egress" and connectors are alternatives.
fn vpc_access(vpc: &Value) -> Checked {
    let connector = text(vpc, "connector");
    let interfaces = list(vpc, "networkInterfaces");
    if !connector.is_empty() && !interfaces.is_empty() {
        return refuse(
            "template.vpc_access",
            "connector and network_interfaces are mutually exclusive.",
        );
    }
    if interfaces.len() > 1 {
        return refuse(
            "template.vpc_access.network_interfaces",
            "only one network interface is supported.",
        );
    }
    if connector.is_empty() || is_connector(connector) {
        return Ok(());
    }
    refuse(
        "template.vpc_access.connector",
        format!(
            "\"{connector}\" must match projects/{{project}}/locations/{{location}}/connectors/{{connector}}."
        ),
    )
}

fn is_connector(name: &str) -> bool {
    let fixed = [(0, "projects"), (2, "locations"), (4, "connectors")];
    name.split('/').count() == 6
        && name.split('/').all(|part| !part.is_empty())
        && fixed
            .iter()
            .all(|(index, word)| part(name, *index) == *word)
}

fn containers(template: &Value) -> Checked {
    let containers = list(template, "containers");
    if containers.is_empty() {
        return refuse("template.containers", "at least one container is required.");
    }
    let serving = containers
        .iter()
        .filter(|container| !list(container, "ports").is_empty());
    if serving.count() != 1 {
        return refuse(
            "template.containers",
            "Revision template should contain exactly one container with an exposed port.",
        );
    }
    let volumes = list(template, "volumes");
    let volumes: BTreeSet<&str> = volumes.iter().map(|volume| text(volume, "name")).collect();
    for (index, container) in containers.iter().enumerate() {
        let at = format!("template.containers[{index}]");
        self::container(container, &at)?;
        mounts(container, &at, &volumes)?;
    }
    Ok(())
}

fn container(container: &Value, at: &str) -> Checked {
    if text(container, "image").is_empty() {
        return refuse(format!("{at}.image"), "must be set.");
    }
    for port in list(container, "ports") {
        if !(1..=65_535).contains(&number(port, "containerPort")) {
            return refuse(
                format!("{at}.ports[0].container_port"),
                "must be between 1 and 65535, inclusive.",
            );
        }
    }
    env(list(container, "env"), at)?;
    probes::check(container, at)
}

fn env(variables: &[Value], at: &str) -> Checked {
    if variables.len() > ENV_MAX {
        return refuse(
            format!("{at}.env"),
            format!(
                "at most {ENV_MAX} environment variables are allowed, got {}.",
                variables.len()
            ),
        );
    }
    let mut seen = BTreeSet::new();
    for (index, variable) in variables.iter().enumerate() {
        variable_is_good(variable, &mut seen).map_err(|text| Refusal {
            field: format!("{at}.env[{index}]"),
            text,
        })?;
    }
    Ok(())
}

fn variable_is_good<'a>(variable: &'a Value, seen: &mut BTreeSet<&'a str>) -> Result<(), String> {
    let name = text(variable, "name");
    if name.is_empty() || name.contains('=') {
        return Err(format!("\"{name}\" is no name of an environment variable."));
    }
    if RESERVED_ENV.contains(&name) {
        return Err(format!(
            "The following reserved env names were provided: {name}. These values are automatically set by the \
             system."
        ));
    }
    if !seen.insert(name) {
        return Err(format!("duplicate environment variable name \"{name}\"."));
    }
    let value = text(variable, "value");
    if value.len() > ENV_BYTES_MAX {
        return Err(format!(
            "the value of \"{name}\" must be at most {ENV_BYTES_MAX} bytes."
        ));
    }
    let source = &variable["valueSource"]["secretKeyRef"];
    if !source.is_null() && !value.is_empty() {
        return Err("value and value_source are mutually exclusive.".to_owned());
    }
    if !source.is_null() && text(source, "secret").is_empty() {
        return Err("value_source.secret_key_ref.secret must be set.".to_owned());
    }
    Ok(())
}

fn mounts(container: &Value, at: &str, volumes: &BTreeSet<&str>) -> Checked {
    for (index, mount) in list(container, "volumeMounts").iter().enumerate() {
        let name = text(mount, "name");
        if !volumes.contains(name) {
            return refuse(
                format!("{at}.volume_mounts[{index}].name"),
                format!("there is no volume \"{name}\"."),
            );
        }
    }
    Ok(())
}

/// Percents make 100, and every revision named is there; `exists` knows the names.
pub(super) fn traffic(spec: &Value, exists: impl Fn(&str) -> bool) -> Checked {
    let targets = list(spec, "traffic");
    for (index, target) in targets.iter().enumerate() {
        let at = format!("traffic[{index}]");
        let (kind, revision) = (text(target, "type"), text(target, "revision"));
        let named = kind.ends_with("_REVISION");
        match (named, revision) {
            (true, "") => {
                return refuse(format!("{at}.revision"), "must be set for this type.");
            }
            (true, name) if !exists(name) => {
                return refuse(
                    format!("{at}.revision"),
                    format!("Revision '{name}' referenced in traffic not found."),
                );
            }
            (false, name) if !name.is_empty() => {
                return refuse(
                    format!("{at}.revision"),
                    "must not be set with the type TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST.",
                );
            }
            _ => {}
        }
        if !(0..=100).contains(&number(target, "percent")) {
            return refuse(
                format!("{at}.percent"),
                "must be between 0 and 100, inclusive.",
            );
        }
    }
    let sum: i64 = targets.iter().map(|target| number(target, "percent")).sum();
    if sum == 100 {
        return Ok(());
    }
    refuse(
        "traffic",
        format!("Traffic targets must sum to 100, got {sum}."),
    )
}

pub(super) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

pub(super) fn number(object: &Value, name: &str) -> i64 {
    object[name].as_i64().unwrap_or_default()
}

pub(super) fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object[name]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}
