//! What scenarios hold of Compute Engine.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::collection::{Record, fields};
use super::{provisioning, resource, time};
use crate::emulator::query::checksum;
use crate::emulator::scenario::Scenario;

/// When the resources of a scenario were made.
const BORN: Timestamp = Timestamp::constant(1_741_600_800, 0);

/// So many of each kind in `many`.
const MANY: usize = 2_000;

type Resource = (String, Value);

pub(super) fn resources(scenario: Scenario) -> Vec<Resource> {
    match (scenario, scenario.project()) {
        (Scenario::NetraStaging, Some(project)) => netra(project),
        (Scenario::Many, Some(project)) => many(project),
        _ => Vec::new(),
    }
}

/// A load balancer in two halves: one before Cloud Run, one before a machine that is probed too strictly.
fn netra(project: &str) -> Vec<Resource> {
    let global = format!("projects/{project}/global");
    let zone = format!("projects/{project}/zones/us-central1-a");
    let region = format!("projects/{project}/regions/us-central1");
    let url_map = json!([{"reference": format!("{global}/urlMaps/staging-url-map")}]);
    vec![
        strict_health_check(&global),
        made(
            &format!("{region}/networkEndpointGroups/staging-neg"),
            &json!({"networkEndpointType": "SERVERLESS", "cloudRun": {"service": "netra-backend"}, "size": 0}),
        ),
        made(
            &format!("{zone}/instanceGroups/staging-group"),
            &json!({"size": 2, "namedPorts": [{"name": "http", "port": 8080}]}),
        ),
        instance(&zone, "staging-vm-1", "10.128.0.2", 0.6),
        instance(&zone, "staging-vm-2", "10.128.0.3", 4.6),
        backend_service(
            &global,
            "staging-backend",
            json!({"backends": [backend(&format!("{region}/networkEndpointGroups/staging-neg"))],
                   "loadBalancingScheme": "EXTERNAL_MANAGED", "usedBy": url_map}),
        ),
        backend_service(
            &global,
            "staging-vm-backend",
            json!({"backends": [backend(&format!("{zone}/instanceGroups/staging-group"))],
                   "loadBalancingScheme": "EXTERNAL_MANAGED", "usedBy": url_map,
                   "healthChecks": [format!("{global}/healthChecks/staging-hc")]}),
        ),
        certificate(&global, "staging-cert", "staging.netra.example.com"),
        made(
            &format!("{global}/targetHttpsProxies/staging-https-proxy"),
            &json!({"urlMap": format!("{global}/urlMaps/staging-url-map"), "quicOverride": "NONE",
                   "sslCertificates": [format!("{global}/sslCertificates/staging-cert")]}),
        ),
    ]
}

/// One answer late by a second, and a machine is taken out.
fn strict_health_check(place: &str) -> Resource {
    made(
        &format!("{place}/healthChecks/staging-hc"),
        &json!({
            "type": "HTTP", "checkIntervalSec": 5, "timeoutSec": 1, "healthyThreshold": 5,
            "unhealthyThreshold": 1,
            "httpHealthCheck": {"port": 8080, "proxyHeader": "NONE", "requestPath": "/health"},
        }),
    )
}

/// Its application listens on port 8000, and an old forwarder before it on 8080. `/health` looks into everything
/// that the application needs, `/health/basic` at itself only.
fn instance(zone: &str, id: &str, address: &str, health_seconds: f64) -> Resource {
    let record = json!({"group": format!("{zone}/instanceGroups/staging-group"), "ipAddress": address,
                        "ports": [8000, 8080],
                        "answers": {"/": 0.2, "/health": health_seconds, "/health/basic": 0.02}});
    (format!("{zone}/instances/{id}"), record)
}

fn backend(group: &str) -> Value {
    json!({"group": group, "balancingMode": "UTILIZATION", "capacityScaler": 1.0})
}

fn backend_service(place: &str, id: &str, more: Value) -> Resource {
    let mut record = json!({
        "affinityCookieTtlSec": 0, "connectionDraining": {"drainingTimeoutSec": 300}, "description": "",
        "enableCDN": false, "loadBalancingScheme": "EXTERNAL", "port": 80, "portName": "http",
        "protocol": "HTTP", "sessionAffinity": "NONE", "timeoutSec": 30,
    });
    if let (Some(record), Value::Object(more)) = (record.as_object_mut(), more) {
        record.extend(more);
    }
    made(&format!("{place}/backendServices/{id}"), &record)
}

/// An issued one. Its renewal is up to its owner's clock: see `provisioning`.
fn certificate(place: &str, id: &str, domain: &str) -> Resource {
    made(
        &format!("{place}/sslCertificates/{id}"),
        &json!({
            "type": "MANAGED",
            "managed": {"domains": [domain], "domainStatus": {domain: "ACTIVE"}, "status": "ACTIVE"},
            "subjectAlternativeNames": [domain],
            "expireTime": time::text(provisioning::expiry_of(BORN)),
        }),
    )
}

fn made(name: &str, record: &Value) -> Resource {
    let mut record: Record = fields(record).clone();
    let id = name.rsplit('/').next().unwrap_or_default();
    record.insert("name".to_owned(), json!(id));
    resource::born(&mut record, BORN, checksum(name, "") >> 4);
    (name.to_owned(), Value::Object(record))
}

/// Half of everything is global, the rest is spread over two regions; managed certificates are global only.
fn many(project: &str) -> Vec<Resource> {
    let place = |index: usize| match index % 4 {
        0 => format!("projects/{project}/regions/us-central1"),
        1 => format!("projects/{project}/regions/europe-west1"),
        _ => format!("projects/{project}/global"),
    };
    let mut resources = Vec::with_capacity(MANY * 3);
    for index in 0..MANY {
        let place = place(index);
        let id = |kind: &str| format!("{kind}-{index:04}");
        resources.push(made(
            &format!("{place}/healthChecks/{}", id("hc")),
            &json!({
                "type": "TCP", "checkIntervalSec": 10, "timeoutSec": 5, "healthyThreshold": 2,
                "unhealthyThreshold": 2, "tcpHealthCheck": {"port": 80, "proxyHeader": "NONE"},
            }),
        ));
        let check = format!("{place}/healthChecks/{}", id("hc"));
        let more = json!({"healthChecks": [check]});
        resources.push(backend_service(&place, &id("bs"), more));
        let global = format!("projects/{project}/global");
        let domain = format!("d{index}.example.com");
        resources.push(certificate(&global, &id("cert"), &domain));
    }
    resources
}
