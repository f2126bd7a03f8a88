//! The remediation plan of `netra-staging`, carried out through the APIs.

use serde_json::{Value, json};

use super::client::{Gcp, STAGING};
use super::compute::{CHECK, link};

pub const SERVICES: &str = "/v2/projects/netra-staging/locations/us-central1/services";
pub const DATABASE: &str = "/v1/projects/netra-staging/instances/netra-db";

/// Waits until operations are over, instances are there and health checks have noticed.
pub fn settle(gcp: &mut Gcp) {
    gcp.wait(300);
    gcp.emulator.advance(gcp.now);
}

/// How everything does, as the emulator's own control tells it.
pub fn load(gcp: &Gcp) -> Value {
    gcp.get("/_emulator/load").body
}

pub fn number(load: &Value, path: &str) -> f64 {
    let found = load.pointer(path);
    found
        .and_then(Value::as_f64)
        .unwrap_or_else(|| panic!("{path} in {load:#}"))
}

pub fn connector_load(gcp: &Gcp, name: &str) -> f64 {
    number(&load(gcp), &format!("/connectors/staging-connector/{name}"))
}

/// Phase 1: the connector, in one step.
pub fn connector(gcp: &mut Gcp, machine_type: &str, min: i32, max: i32) {
    let mask = "updateMask=machineType,minInstances,maxInstances";
    let body = json!({"machineType": machine_type, "minInstances": min, "maxInstances": max});
    let patched = gcp.patch(&format!("{STAGING}?{mask}"), body);
    assert_eq!(patched.status, 200, "{}", patched.text);
    settle(gcp);
}

/// The names of the services.
pub fn services(gcp: &Gcp) -> Vec<String> {
    let listed = gcp.get(SERVICES).body;
    let services = listed["services"].as_array().expect("services");
    let name = |service: &Value| service["name"].as_str().map(str::to_owned);
    services.iter().filter_map(name).collect()
}

/// Changes the template of a service, as a deployment does.
pub fn deploy(gcp: &Gcp, name: &str, change: impl Fn(&mut Value)) {
    let path = format!("/v2/{name}");
    let mut template = gcp.get(&path).body["template"].take();
    template.as_object_mut().unwrap().remove("revision");
    change(&mut template);
    let path = format!("{path}?updateMask=template");
    let patched = gcp.patch(&path, json!({"template": template}));
    assert_eq!(patched.status, 200, "{}", patched.text);
}

pub fn set_env(template: &mut Value, name: &str, value: &str) {
    let env = template["containers"][0]["env"].as_array_mut().unwrap();
    env.retain(|variable| variable["name"] != name);
    env.push(json!({"name": name, "value": value}));
}

/// Phase 2: what the services wait for, and how many of them there are; the database.
pub fn database(gcp: &mut Gcp) {
    for name in services(gcp) {
        deploy(gcp, &name, |template| {
            set_env(template, "CLOUD_SQL_CONNECTIONS_TIMEOUT", "600");
            set_env(template, "DB_CONNECTION_TIMEOUT", "600");
            set_env(template, "SQLALCHEMY_POOL_TIMEOUT", "35.0");
            template["scaling"]["minInstanceCount"] = json!(3);
            template["timeout"] = json!("600s");
            template["containers"][0]["startupProbe"] = json!({
                "initialDelaySeconds": 30, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 10,
                "httpGet": {"path": "/health/basic", "port": 8000},
            });
        });
    }
    sql(gcp, "db-custom-4-15360", "400");
}

pub fn sql(gcp: &mut Gcp, tier: &str, connections: &str) {
    let flags = json!([{"name": "max_connections", "value": connections}]);
    let body = json!({"settings": {"tier": tier, "dataDiskSizeGb": "100", "databaseFlags": flags}});
    let patched = gcp.patch(DATABASE, body);
    assert_eq!(patched.status, 200, "{}", patched.text);
    settle(gcp);
}

/// Phase 3: the health check.
pub fn edge(gcp: &mut Gcp) {
    let body = json!({
        "checkIntervalSec": 10, "timeoutSec": 5, "healthyThreshold": 2, "unhealthyThreshold": 3,
        "httpHealthCheck": {"port": 8000, "requestPath": "/health/basic"},
    });
    let patched = gcp.patch(CHECK, body);
    assert_eq!(patched.status, 200, "{}", patched.text);
    settle(gcp);
}

pub fn all(gcp: &mut Gcp) {
    connector(gcp, "e2-standard-4", 5, 10);
    database(gcp);
    edge(gcp);
}

/// What goes wrong from now on, on top of what the state leads to.
pub fn faults(gcp: &Gcp, faults: &Value) {
    let set = gcp.call("PUT", "/_emulator/traffic", json!({"faults": faults}));
    assert_eq!(set.status, 200, "{}", set.text);
}

/// A group of machines as `getHealth` tells it.
pub fn health(gcp: &Gcp) -> Vec<String> {
    let group =
        "/compute/v1/projects/netra-staging/zones/us-central1-a/instanceGroups/staging-group";
    let path = format!("{}/getHealth", super::compute::SERVICE);
    let health = gcp.post(&path, json!({"group": link(group)})).body;
    let states = health["healthStatus"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let word = |state: &Value| state["healthState"].as_str().map(str::to_owned);
    states.iter().filter_map(word).collect()
}
