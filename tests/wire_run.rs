//! Cloud Run, Cloud SQL and Secret Manager speak exactly the APIs that Google describes.

mod wire;

use std::collections::BTreeSet;

use bytes::Bytes;
use evenkeel::emulator::{LogStatus, Scenario};
use serde_json::{Value, json};
use wire::Surface;
use wire::client::Gcp;

const SERVICES: &str = "/v2/projects/p1/locations/us-central1/services";
const OPERATIONS: &str = "/v2/projects/p1/locations/us-central1/operations";
const INSTANCES: &str = "/v1/projects/p1/instances";

/// What the API was asked with success, by the ids of its methods.
fn met(gcp: &Gcp, surface: &Surface) -> BTreeSet<String> {
    let requests = gcp.emulator.requests();
    let landed = requests
        .iter()
        .filter(|entry| entry.status == LogStatus::Code(200));
    landed
        .filter_map(|entry| surface.method_id(&entry.method, &entry.path))
        .map(str::to_owned)
        .collect()
}

fn all(surface: &Surface) -> BTreeSet<String> {
    surface
        .method_ids()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Everything that a template can say.
fn rich(image: &str) -> Value {
    json!({
        "labels": {"app": "shop"},
        "annotations": {"example.com/note": "n"},
        "description": "A shop",
        "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
        "scaling": {"minInstanceCount": 1, "scalingMode": "AUTOMATIC"},
        "template": {
            "labels": {"tier": "web"},
            "timeout": "60s",
            "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
            "scaling": {"minInstanceCount": 1, "maxInstanceCount": 5, "cpuUtilization": 0.6},
            "vpcAccess": {"networkInterfaces": [{"network": "default", "tags": ["web"]}], "egress": "ALL_TRAFFIC"},
            "volumes": [{"name": "v", "secret": {"secret": "s", "items": [{"path": "p", "version": "1"}]}}],
            "containers": [{
                "image": image,
                "command": ["run"],
                "env": [
                    {"name": "A", "value": "b"},
                    {"name": "P", "valueSource": {"secretKeyRef": {"secret": "s", "version": "latest"}}},
                ],
                "livenessProbe": {"httpGet": {"path": "/up", "httpHeaders": [{"name": "h", "value": "v"}]}},
                "startupProbe": {"grpc": {"service": "health"}},
                "resources": {"limits": {"cpu": "2"}, "startupCpuBoost": true},
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            }],
        },
    })
}

#[test]
fn every_method_of_cloud_run_answers_within_the_surface() {
    let mut gcp = Gcp::new(Scenario::Empty);
    let shop = format!("{SERVICES}/shop");
    let first = gcp.post(&format!("{SERVICES}?serviceId=shop"), rich("shop:1"));
    assert_eq!(first.status, 200, "{}", first.text);
    let operation = first.operation().replace("/v1/", "/v2/");
    let mut broken = rich("broken:1");
    broken["template"]["vpcAccess"] =
        json!({"connector": "projects/p1/locations/us-central1/connectors/none"});
    gcp.post(&format!("{SERVICES}?serviceId=broken"), broken);
    gcp.post(&format!("{SERVICES}?serviceId=shop"), rich("shop:1"));
    gcp.post(
        &format!("{SERVICES}?serviceId=dry&validateOnly=true"),
        rich("dry:1"),
    );
    for round in 0..7 {
        gcp.get(&format!("{SERVICES}?pageSize=1&showDeleted=false"));
        gcp.get(&format!(
            "{SERVICES}?fields=services(name,terminalCondition/state,template/containers/image)"
        ));
        gcp.get(&format!("{SERVICES}/-/revisions?pageSize=2"));
        gcp.get(&format!("{OPERATIONS}?pageSize=2&filter=done=true"));
        gcp.get(&operation);
        gcp.post(&format!("{operation}:wait"), json!({"timeout": "1s"}));
        let seen = gcp.get(&shop).body;
        if let Some(revision) = seen["latestCreatedRevision"].as_str() {
            assert_eq!(gcp.get(&format!("/v2/{revision}")).status, 200);
        }
        gcp.get(&format!("{shop}-no?alt=json"));
        match round {
            2 => drop(gcp.patch(&shop, rich("shop:2"))),
            3 => drop(gcp.patch(&format!("{shop}?updateMask=traffic,labels"), json!({
                "traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100, "tag": "t"}],
            }))),
            4 => assert_eq!(gcp.delete(&format!("{shop}?etag=no")).status, 409),
            5 => assert_eq!(gcp.delete(&shop).status, 200),
            _ => {}
        }
        gcp.wait(if round == 2 { 5 } else { 20 });
    }
    assert_eq!(gcp.get(&shop).status, 404);
    let surface = Surface::run();
    assert_eq!(met(&gcp, &surface), all(&surface));
}

#[test]
fn every_method_of_cloud_sql_answers_within_the_surface_in_both_versions() {
    for root in ["/v1", "/sql/v1beta4"] {
        let mut gcp = Gcp::new(Scenario::Empty);
        let instances = INSTANCES.replace("/v1", root);
        let db = format!("{instances}/db");
        let settings = json!({
            "tier": "db-custom-1-3840",
            "activationPolicy": "ALWAYS",
            "backupConfiguration": {"enabled": true, "backupRetentionSettings": {"retainedBackups": 7}},
            "databaseFlags": [{"name": "log_connections", "value": "on"}],
            "insightsConfig": {"queryInsightsEnabled": true},
            "ipConfiguration": {"authorizedNetworks": [{"name": "n", "value": "10.0.0.0/8"}], "privateNetwork": "projects/p1/global/networks/default"},
            "maintenanceWindow": {"day": 7, "hour": 3, "updateTrack": "stable"},
        });
        let whole = json!({"name": "db", "databaseVersion": "POSTGRES_15", "region": "us-central1", "rootPassword": "p", "settings": settings});
        let started = gcp.post(&instances, whole);
        assert_eq!(started.status, 200, "{}", started.text);
        let operations = instances.replace("instances", "operations");
        let operation = format!("{operations}/{}", started.body["name"].as_str().unwrap());
        for round in 0..6 {
            gcp.get(&format!("{instances}?maxResults=1&filter=name:db"));
            gcp.get(&format!("{operations}?instance=db&maxResults=1"));
            gcp.get(&operation);
            gcp.get(&format!("{db}?fields=settings(tier,settingsVersion),state"));
            gcp.get(&format!("{db}?location=us-central1"));
            match round {
                2 => drop(gcp.patch(&db, json!({"settings": {"tier": "db-custom-2-7680"}}))),
                3 => {
                    let update =
                        json!({"settings": {"tier": "db-custom-2-7680", "settingsVersion": "2"}});
                    assert_eq!(gcp.call("PUT", &db, update).status, 200);
                }
                4 => assert_eq!(gcp.delete(&db).status, 200),
                _ => {}
            }
            gcp.wait(121);
        }
        if root == "/v1" {
            let surface = Surface::sqladmin();
            assert_eq!(met(&gcp, &surface), all(&surface));
        }
    }
}

#[test]
fn knative_reads_and_writes_the_same_services() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    let namespace = "/apis/serving.knative.dev/v1/namespaces/netra-staging";
    let path = format!("{namespace}/services/netra-backend");
    let mut read = gcp.get(&path).body;
    assert_eq!(
        read["metadata"]["labels"]["cloud.googleapis.com/location"],
        "us-central1"
    );
    assert_eq!(read["status"]["conditions"][0]["status"], "True");
    let annotations = &read["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["autoscaling.knative.dev/maxScale"], "20");
    assert_eq!(
        annotations["run.googleapis.com/vpc-access-egress"],
        "private-ranges-only"
    );
    let revision = read["status"]["latestReadyRevisionName"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        gcp.get(&format!("{namespace}/revisions/{revision}")).body["metadata"]["name"],
        revision
    );
    let everywhere = "/v1/projects/netra-staging/locations/-/services";
    let everywhere = gcp.send_raw("GET", everywhere, Bytes::new(), &[]).unwrap();
    for list in [gcp.get(&format!("{namespace}/services")), everywhere] {
        assert_eq!(list.body["items"].as_array().unwrap().len(), 12);
    }
    let of_one =
        format!("{namespace}/revisions?labelSelector=serving.knative.dev/service%3Dnetra-backend");
    assert_eq!(gcp.get(&of_one).body["items"].as_array().unwrap().len(), 1);

    let v2 = "/v2/projects/netra-staging/locations/us-central1/services/netra-backend";
    let before = gcp.get(v2).body;
    assert_eq!(gcp.call("PUT", &path, read.clone()).status, 200);
    gcp.wait(15);
    let same = gcp.get(v2).body;
    assert_eq!(
        (&same["template"], &same["generation"]),
        (&before["template"], &json!("1")),
        "what is read can be written"
    );

    let stale = gcp.call("PUT", &path, read.clone());
    assert_eq!((stale.status, stale.rpc()), (409, "ABORTED"));
    read["metadata"]["resourceVersion"] =
        gcp.get(&path).body["metadata"]["resourceVersion"].clone();
    read["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"] =
        json!("7");
    read["spec"]["traffic"] = json!([{"percent": 100, "revisionName": revision}]);
    let written = gcp.call("PUT", &path, read).body;
    assert_eq!(written["status"]["conditions"][0]["status"], "Unknown");
    gcp.wait(15);
    let after = gcp.get(v2).body;
    assert_eq!(after["template"]["scaling"]["maxInstanceCount"], 7);
    assert_eq!(
        after["template"]["containers"],
        before["template"]["containers"]
    );
    assert_eq!(after["trafficStatuses"][0]["revision"], revision);
    assert_eq!(gcp.get(&format!("{namespace}/services/none")).status, 404);
}

#[test]
fn the_validator_picks_the_api_by_the_path() {
    let id = |verb: &str, path: &str| {
        let surface = Surface::of_request(verb, path)?;
        surface.method_id(verb, path)
    };
    assert_eq!(
        id("GET", "/v1/projects/p/instances/i"),
        Some("sql.instances.get")
    );
    assert_eq!(
        id("GET", "/v1/projects/p/locations/r/connectors/c"),
        Some("vpcaccess.projects.locations.connectors.get")
    );
    assert_eq!(
        id("POST", "/v2/projects/p/locations/r/operations/o:wait"),
        Some("run.projects.locations.operations.wait")
    );
    assert_eq!(id("POST", "/v2/projects/p/locations/r/operations/o"), None);
    assert_eq!(id("GET", "/v1/projects/p/secrets/s/versions/1"), None);
}
