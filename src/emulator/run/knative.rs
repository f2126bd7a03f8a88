//! The Knative v1 view of services and revisions (`serving.knative.dev/v1`), which is what gcloud speaks.

use serde_json::{Map, Value, json};

use super::check::{list, number, text};
use super::names;
use super::revision::Revision;
use super::service::Service;
use crate::emulator::quota::project_number;

const INGRESS: [(&str, &str); 4] = [
    ("INGRESS_TRAFFIC_ALL", "all"),
    ("INGRESS_TRAFFIC_INTERNAL_ONLY", "internal"),
    (
        "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        "internal-and-cloud-load-balancing",
    ),
    ("INGRESS_TRAFFIC_NONE", "none"),
];

const EGRESS: [(&str, &str); 2] = [
    ("ALL_TRAFFIC", "all-traffic"),
    ("PRIVATE_RANGES_ONLY", "private-ranges-only"),
];

/// One word in the other language.
pub(super) fn word(pairs: &[(&'static str, &'static str)], wanted: &str) -> &'static str {
    let found = pairs.iter().find_map(|(v2, knative)| match wanted {
        w if w == *v2 => Some(*knative),
        w if w == *knative => Some(*v2),
        _ => None,
    });
    found.unwrap_or_default()
}

pub(super) fn ingress(wanted: &str) -> &'static str {
    word(&INGRESS, wanted)
}

pub(super) fn egress(wanted: &str) -> &'static str {
    word(&EGRESS, wanted)
}

pub(super) fn service(service: &Service) -> Value {
    let mut metadata = metadata(&service.name, &service.uid, service.generation);
    metadata["creationTimestamp"] = json!(service.created.to_string());
    metadata["resourceVersion"] = json!(service.etag());
    let labels = &service.spec["labels"];
    for (name, value) in labels.as_object().into_iter().flatten() {
        metadata["labels"][name] = value.clone();
    }
    metadata["annotations"] = json!({
        "run.googleapis.com/ingress": ingress(text(&service.spec, "ingress")),
        "serving.knative.dev/creator": names::CALLER,
        "serving.knative.dev/lastModifier": names::CALLER,
    });
    let mut spec = json!({"template": template(service.template())});
    spec["traffic"] = traffic(list(&service.spec, "traffic"), service, false);
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": spec,
        "status": status(service),
    })
}

pub(super) fn revision(revision: &Revision) -> Value {
    let mut metadata = metadata(&revision.name, &revision.uid, 1);
    let id = names::part(&revision.name, 5);
    metadata["name"] = json!(revision.id());
    metadata["creationTimestamp"] = json!(revision.created.to_string());
    metadata["resourceVersion"] = json!(names::etag(revision.updated, 1, &revision.name));
    metadata["labels"]["serving.knative.dev/service"] = json!(id);
    metadata["labels"]["serving.knative.dev/configuration"] = json!(id);
    let template = template(&revision.template);
    metadata["annotations"] = template["metadata"]["annotations"].clone();
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Revision",
        "metadata": metadata,
        "spec": template["spec"],
        "status": {
            "observedGeneration": 1,
            "conditions": [condition(&revision.condition, "Ready")],
            "serviceName": id,
        },
    })
}

fn metadata(name: &str, uid: &str, generation: i64) -> Value {
    let number = project_number(names::project(name));
    let id = names::part(name, 5);
    json!({
        "name": id,
        "namespace": number.to_string(),
        "selfLink": format!("/apis/serving.knative.dev/v1/namespaces/{number}/services/{id}"),
        "uid": uid,
        "generation": generation,
        "labels": {"cloud.googleapis.com/location": names::region(name)},
    })
}

fn status(service: &Service) -> Value {
    let conditions = ["Ready", "ConfigurationsReady", "RoutesReady"];
    let conditions: Vec<Value> = conditions
        .iter()
        .map(|kind| condition(&service.condition, kind))
        .collect();
    let mut status = json!({
        "observedGeneration": service.generation,
        "conditions": conditions,
        "latestCreatedRevisionName": service.latest_created,
        "traffic": traffic(&service.traffic_statuses, service, true),
    });
    if !service.latest_ready.is_empty() {
        status["latestReadyRevisionName"] = json!(service.latest_ready);
    }
    if service.observed_generation > 0 {
        let url = names::uri(&service.name, "");
        status["url"] = json!(url);
        status["address"] = json!({"url": url});
    }
    status
}

fn condition(condition: &super::condition::Condition, kind: &str) -> Value {
    let mut body = json!({
        "type": kind,
        "status": condition.knative(),
        "lastTransitionTime": condition.at.to_string(),
    });
    if condition.is_failed() {
        body["reason"] = json!("RevisionFailed");
        body["message"] = json!(condition.message);
    }
    body
}

/// What is asked for names the latest revision by `latestRevision` only; a status names it too.
fn traffic(targets: &[Value], service: &Service, is_status: bool) -> Value {
    let target = |target: &Value| {
        let mut body = json!({"percent": number(target, "percent")});
        let revision = text(target, "revision");
        if revision.is_empty() {
            body["latestRevision"] = json!(true);
        }
        if !revision.is_empty() {
            body["revisionName"] = json!(revision);
        } else if is_status {
            body["revisionName"] = json!(service.latest_ready);
        }
        for (name, knative) in [("tag", "tag"), ("uri", "url")] {
            if !text(target, name).is_empty() {
                body[knative] = target[name].clone();
            }
        }
        body
    };
    targets.iter().map(target).collect()
}

fn template(template: &Value) -> Value {
    let mut annotations = Map::new();
    let mut annotate =
        |name: &str, value: String| annotations.insert(name.to_owned(), value.into());
    let scaling = &template["scaling"];
    for (name, knative) in [
        ("minInstanceCount", "minScale"),
        ("maxInstanceCount", "maxScale"),
    ] {
        if number(scaling, name) > 0 {
            let count = number(scaling, name).to_string();
            annotate(&format!("autoscaling.knative.dev/{knative}"), count);
        }
    }
    let vpc = &template["vpcAccess"];
    if !text(vpc, "connector").is_empty() {
        annotate(
            "run.googleapis.com/vpc-access-connector",
            text(vpc, "connector").to_owned(),
        );
        let egress = egress(text(vpc, "egress"));
        annotate("run.googleapis.com/vpc-access-egress", egress.to_owned());
    }
    let mut metadata = json!({"annotations": annotations});
    if template["labels"].is_object() {
        metadata["labels"] = template["labels"].clone();
    }
    if !text(template, "revision").is_empty() {
        metadata["name"] = template["revision"].clone();
    }
    let seconds = text(template, "timeout").trim_end_matches('s');
    let containers: Vec<Value> = list(template, "containers").iter().map(container).collect();
    json!({"metadata": metadata, "spec": {
        "containers": containers,
        "containerConcurrency": template["maxInstanceRequestConcurrency"],
        "timeoutSeconds": seconds.parse::<i64>().unwrap_or_default(),
        "serviceAccountName": template["serviceAccount"],
    }})
}

/// Containers are nearly the same in both; references to secrets differ, and `cpuIdle` is an annotation.
fn container(container: &Value) -> Value {
    let mut body = container.clone();
    if let Some(resources) = body.get_mut("resources").and_then(Value::as_object_mut) {
        resources.retain(|name, _| name == "limits");
    }
    if let Some(env) = body.get_mut("env").and_then(Value::as_array_mut) {
        for variable in env {
            let secret = variable["valueSource"]["secretKeyRef"].clone();
            if secret.is_object() {
                let key = json!({"name": secret["secret"], "key": secret["version"]});
                *variable = json!({"name": variable["name"], "valueFrom": {"secretKeyRef": key}});
            }
        }
    }
    body
}
