//! A Knative v1 service that a client writes, as the fields of run v2.
//!
//! What has no counterpart here stays as the service has it: gcloud sends back everything it read.

use serde_json::{Map, Value, json};

use super::check::{list, number, text};
use super::knative::{egress, ingress};
use super::service::Service;

/// The spec that `body`, a whole Knative service, asks for.
pub(super) fn spec(body: &Map<String, Value>, before: &Service) -> Value {
    let empty = json!({});
    let metadata = body.get("metadata").unwrap_or(&empty);
    let wanted = body.get("spec").unwrap_or(&empty);
    let mut spec = before.spec.clone();
    let mut labels = metadata["labels"].as_object().cloned().unwrap_or_default();
    labels.retain(|name, _| !name.contains("googleapis.com/"));
    set(&mut spec, "labels", labels.into());
    let ingress = ingress(text(&metadata["annotations"], "run.googleapis.com/ingress"));
    if !ingress.is_empty() {
        set(&mut spec, "ingress", json!(ingress));
    }
    let traffic: Vec<Value> = list(wanted, "traffic").iter().map(target).collect();
    set(&mut spec, "traffic", traffic.into());
    let template = template(&wanted["template"], before.template());
    set(&mut spec, "template", template);
    spec
}

fn target(target: &Value) -> Value {
    let mut body = json!({"percent": number(target, "percent")});
    body["type"] = json!("TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST");
    if target["latestRevision"] != true {
        body["type"] = json!("TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION");
        body["revision"] = target["revisionName"].clone();
    }
    if !text(target, "tag").is_empty() {
        body["tag"] = target["tag"].clone();
    }
    body
}

fn template(wanted: &Value, before: &Value) -> Value {
    let mut template = before.clone();
    let (metadata, spec) = (&wanted["metadata"], &wanted["spec"]);
    set(&mut template, "revision", metadata["name"].clone());
    set(
        &mut template,
        "serviceAccount",
        spec["serviceAccountName"].clone(),
    );
    set(
        &mut template,
        "maxInstanceRequestConcurrency",
        spec["containerConcurrency"].clone(),
    );
    if let Some(seconds) = spec["timeoutSeconds"].as_i64() {
        set(&mut template, "timeout", json!(format!("{seconds}s")));
    }
    let annotations = &metadata["annotations"];
    set(&mut template, "scaling", scaling(annotations));
    set(&mut template, "vpcAccess", vpc_access(annotations, before));
    let old = list(before, "containers");
    let containers = list(spec, "containers").iter().enumerate();
    let containers: Vec<Value> = containers
        .map(|(index, container)| self::container(container, old.get(index)))
        .collect();
    set(&mut template, "containers", containers.into());
    template
}

fn scaling(annotations: &Value) -> Value {
    let count = |name: &str| {
        let value = text(annotations, &format!("autoscaling.knative.dev/{name}"));
        value.parse::<i64>().ok()
    };
    let mut scaling = json!({});
    for (name, v2) in [
        ("minScale", "minInstanceCount"),
        ("maxScale", "maxInstanceCount"),
    ] {
        if let Some(count) = count(name) {
            scaling[v2] = json!(count);
        }
    }
    scaling
}

/// Network interfaces are not told in this view: they stay.
fn vpc_access(annotations: &Value, before: &Value) -> Value {
    let connector = text(annotations, "run.googleapis.com/vpc-access-connector");
    if connector.is_empty() {
        let interfaces = &before["vpcAccess"]["networkInterfaces"];
        return match interfaces {
            Value::Array(_) => before["vpcAccess"].clone(),
            _ => Value::Null,
        };
    }
    let egress = egress(text(annotations, "run.googleapis.com/vpc-access-egress"));
    json!({"connector": connector, "egress": egress})
}

fn container(wanted: &Value, before: Option<&Value>) -> Value {
    let mut container = wanted.clone();
    let idle = before.map(|before| before["resources"]["cpuIdle"].clone());
    if let (Some(idle @ Value::Bool(_)), Some(resources)) = (idle, container.get_mut("resources")) {
        set(resources, "cpuIdle", idle);
    }
    if let Some(env) = container.get_mut("env").and_then(Value::as_array_mut) {
        for variable in env {
            let secret = variable["valueFrom"]["secretKeyRef"].clone();
            if secret.is_object() {
                let key = json!({"secret": secret["name"], "version": secret["key"]});
                *variable = json!({"name": variable["name"], "valueSource": {"secretKeyRef": key}});
            }
        }
    }
    container
}

/// Null and what is empty go away.
fn set(object: &mut Value, name: &str, value: Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    let empty = value.is_null() || value == json!({}) || value == json!("");
    if empty {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value);
    }
}
