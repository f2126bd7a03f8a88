//! What Cloud Run fills in where a client says nothing.
//!
//! Sources: the run v2 API reference (Service, template, Container, Probe); "About container health
//! checks" for the default startup probe.

use serde_json::{Value, json};

use super::names::default_account;

pub(super) const PORT: i64 = 8080;

/// The default startup probe waits this long in one go.
const STARTUP_SECONDS: i64 = 240;

pub(super) fn fill(spec: &mut Value, project: &str) {
    set(spec, "launchStage", json!("GA"));
    set(spec, "ingress", json!("INGRESS_TRAFFIC_ALL"));
    set(
        spec,
        "traffic",
        json!([{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]),
    );
    set(spec, "template", json!({}));
    if let Some(template) = spec.get_mut("template") {
        fill_template(template, project);
    }
}

fn fill_template(template: &mut Value, project: &str) {
    set(template, "timeout", json!("300s"));
    set(template, "maxInstanceRequestConcurrency", json!(80));
    set(template, "serviceAccount", json!(default_account(project)));
    set(template, "scaling", json!({}));
    if let Some(scaling) = template.get_mut("scaling") {
        set(scaling, "maxInstanceCount", json!(100));
    }
    if let Some(vpc) = template.get_mut("vpcAccess") {
        set(vpc, "egress", json!("PRIVATE_RANGES_ONLY"));
    }
    let containers = template.get_mut("containers").and_then(Value::as_array_mut);
    let containers = containers.map(Vec::as_mut_slice).unwrap_or_default();
    let alone = containers.len() == 1;
    for container in containers {
        fill_container(container, alone);
    }
}

fn fill_container(container: &mut Value, alone: bool) {
    // "If ResourceRequirements is set, the caller must explicitly set this field to true to preserve the
    // default behavior."
    set(container, "resources", json!({"cpuIdle": true}));
    if let Some(resources) = container.get_mut("resources") {
        set(resources, "limits", json!({}));
        if let Some(limits) = resources.get_mut("limits") {
            set(limits, "cpu", json!("1000m"));
            set(limits, "memory", json!("512Mi"));
        }
    }
    if alone {
        set(container, "ports", json!([{}]));
    }
    let port = fill_port(container);
    let Some(port) = port else {
        return fill_probes(container, PORT);
    };
    let probe = json!({
        "timeoutSeconds": STARTUP_SECONDS,
        "periodSeconds": STARTUP_SECONDS,
        "failureThreshold": 1,
        "tcpSocket": {"port": port},
    });
    set(container, "startupProbe", probe);
    fill_probes(container, port);
}

/// The port that takes requests; None when this container takes none.
fn fill_port(container: &mut Value) -> Option<i64> {
    let port = container.get_mut("ports")?.as_array_mut()?.first_mut()?;
    set(port, "name", json!("http1"));
    set(port, "containerPort", json!(PORT));
    port["containerPort"].as_i64()
}

fn fill_probes(container: &mut Value, port: i64) {
    for name in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let Some(probe) = container.get_mut(name) else {
            continue;
        };
        set(probe, "timeoutSeconds", json!(1));
        set(probe, "periodSeconds", json!(10));
        set(probe, "failureThreshold", json!(3));
        for action in ["httpGet", "tcpSocket", "grpc"] {
            if let Some(action) = probe.get_mut(action) {
                set(action, "port", json!(port));
            }
        }
        if let Some(get) = probe.get_mut("httpGet") {
            set(get, "path", json!("/"));
        }
    }
}

/// Unset, empty and zero are one in proto3.
fn set(object: &mut Value, name: &str, value: Value) {
    let unset = match object.get(name) {
        None => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Number(number)) => number.as_i64() == Some(0),
        Some(_) => false,
    };
    if let Some(fields) = object.as_object_mut().filter(|_| unset) {
        fields.insert(name.to_owned(), value);
    }
}
