//! Rows that a declared setting holds: live is as declared, and whoever changes it makes exactly that
//! field of that resource drift.

use super::scene::Scene;
use crate::common::{Operator, run};
use evenkeel::api::envelope::Drift;
use evenkeel::api::{ConditionStatus, ConditionType, Declared};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
const DATABASE: &str = "projects/netra-staging/instances/netra-db";
const SERVICE: &str = "projects/netra-staging/locations/us-central1/services/netra-backend";

/// The resources of the plan, observed: what others change stays, so that it can be seen.
async fn observed(scene: &Scene) -> Operator {
    let mut resources = scene.set.declared.clone();
    let other = |declared: &Declared| declared.origin.file.ends_with("2-services.yaml");
    resources.retain(|declared| !other(declared));
    for declared in &mut resources {
        declared.policy.drift = Drift::Observe;
    }
    let operator = scene.world.start(resources).await;
    let ready = |operator: &Operator| {
        let shown = operator.board.resources();
        !shown.is_empty() && shown.values().all(|report| report.status.is_ready())
    };
    operator.until(DAY, ready).await;
    operator
}

/// What drifts: the resource, and what its condition says.
fn drifted(operator: &Operator) -> Vec<(String, String)> {
    let shown = operator.board.resources();
    let drifted = shown.values().filter_map(|report| {
        let drifted = report.status.condition(ConditionType::Drifted)?;
        let is = drifted.status == ConditionStatus::True;
        is.then(|| (report.name.clone(), drifted.message.clone()))
    });
    drifted.collect()
}

/// Each change of a resource, by itself, is told as the drift of that field.
fn kept(path: &str, breaks: &[(Value, &str)]) {
    let name = path.rsplit('/').next().unwrap();
    for (fields, says) in breaks {
        run(|| async {
            let scene = Scene::settled().await;
            let operator = observed(&scene).await;
            assert_eq!(drifted(&operator), [], "the row holds");
            scene.world.foreign(path, whole(&scene, path, fields));
            tokio::time::sleep(Duration::from_mins(15)).await;
            let says = format!("live differs: {says}");
            assert_eq!(drifted(&operator), [(name.to_owned(), says)]);
            operator.stop().await;
        });
    }
}

/// A deployment replaces the template of a service, so all of it is written.
fn whole(scene: &Scene, path: &str, fields: &Value) -> Value {
    let Some(changed) = fields.get("template") else {
        return fields.clone();
    };
    let mut template = scene.world.truth(path)["template"].take();
    template.as_object_mut().unwrap().remove("revision");
    merge(&mut template, changed);
    json!({"template": template})
}

/// Objects merge by field; lists by place, and their items by `name` where they have one.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (field, value) in from {
                merge(into.entry(field).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(from)) => {
            for (place, value) in from.iter().enumerate() {
                let named = into
                    .iter()
                    .position(|item| value["name"].is_string() && item["name"] == value["name"]);
                merge(&mut into[named.unwrap_or(place)], value);
            }
        }
        (into, from) => into.clone_from(from),
    }
}

fn setting(field: &str, value: Value) -> Value {
    json!({"settings": {field: value}})
}

fn variable(name: &str, value: &str) -> Value {
    json!({"template": {"containers": [{"env": [{"name": name, "value": value}]}]}})
}

fn startup_probe(field: &str, value: i64) -> Value {
    json!({"template": {"containers": [{"startupProbe": {field: value}}]}})
}

#[test]
fn the_database_has_its_tier() {
    kept(
        DATABASE,
        &[(
            setting("tier", json!("db-custom-1-3840")),
            "settings.tier db-custom-1-3840 -> db-custom-4-15360",
        )],
    );
}

#[test]
fn the_database_has_its_disk() {
    kept(
        DATABASE,
        &[(
            setting("dataDiskSizeGb", json!("50")),
            "settings.dataDiskSizeGb 50 -> at least 100",
        )],
    );
}

#[test]
fn the_database_has_its_flags() {
    let flags = json!([{"name": "max_connections", "value": "200"}]);
    kept(
        DATABASE,
        &[(
            setting("databaseFlags", flags),
            "settings.databaseFlags[max_connections].value 200 -> 400",
        )],
    );
}

#[test]
fn services_wait_for_the_database_as_long_as_the_plan_says() {
    kept(
        SERVICE,
        &[
            (
                variable("CLOUD_SQL_CONNECTIONS_TIMEOUT", "60"),
                "template.containers[].env[CLOUD_SQL_CONNECTIONS_TIMEOUT].value 60 -> 600",
            ),
            (
                variable("DB_CONNECTION_TIMEOUT", "60"),
                "template.containers[].env[DB_CONNECTION_TIMEOUT].value 60 -> 600",
            ),
            (
                variable("SQLALCHEMY_POOL_TIMEOUT", "5.0"),
                "template.containers[].env[SQLALCHEMY_POOL_TIMEOUT].value 5.0 -> 35.0",
            ),
        ],
    );
}

#[test]
fn services_go_out_by_the_connector_and_answer_within_600_s() {
    kept(
        SERVICE,
        &[
            (
                json!({"template": {"timeout": "60s"}}),
                "template.timeout 60s -> 600s",
            ),
            (
                json!({"template": {"vpcAccess": {"egress": "ALL_TRAFFIC"}}}),
                "template.vpcAccess.egress ALL_TRAFFIC -> PRIVATE_RANGES_ONLY",
            ),
            (
                json!({"template": {"vpcAccess": {"connector":
                    "projects/netra-staging/locations/us-central1/connectors/other"}}}),
                "template.vpcAccess.connector projects/netra-staging/locations/us-central1/connectors/other -> projects/netra-staging/locations/us-central1/connectors/staging-connector",
            ),
        ],
    );
}

#[test]
fn a_start_has_30_s_and_10_failures() {
    kept(
        SERVICE,
        &[
            (
                startup_probe("initialDelaySeconds", 0),
                "template.containers[].startupProbe.initialDelaySeconds 0 -> 30",
            ),
            (
                startup_probe("failureThreshold", 3),
                "template.containers[].startupProbe.failureThreshold 3 -> 10",
            ),
        ],
    );
}
