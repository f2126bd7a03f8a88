//! Cloud Run v2: how a service changes, what is refused, and in which words.

mod wire;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use evenkeel::emulator::{Action, FaultRule, Leaves, Options, Scenario, Timing};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use wire::client::{Gcp, Reply};

const SERVICES: &str = "/v2/projects/p1/locations/us-central1/services";
const SHOP: &str = "/v2/projects/p1/locations/us-central1/services/shop";
const BACKEND: &str = "/v2/projects/netra-staging/locations/us-central1/services/netra-backend";

fn container(image: &str) -> Value {
    json!({"image": image, "env": [{"name": "LEVEL", "value": "info"}]})
}

fn body(image: &str) -> Value {
    json!({"template": {"containers": [container(image)]}})
}

fn create(gcp: &Gcp, id: &str, body: Value) -> Reply {
    gcp.post(&format!("{SERVICES}?serviceId={id}"), body)
}

fn operation(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.operation().replace("/v1/", "/v2/")
}

fn state(service: &Value) -> &str {
    service["terminalCondition"]["state"].as_str().unwrap()
}

/// A world with the service `shop`, ready.
fn shop() -> Gcp {
    let mut gcp = Gcp::new(Scenario::Empty);
    create(&gcp, "shop", body("shop:1"));
    gcp.wait(15);
    assert_eq!(state(&gcp.get(SHOP).body), "CONDITION_SUCCEEDED");
    gcp
}

/// Fields of an output that the client may send back are ignored by the API, not by the validator.
fn patch_raw(gcp: &Gcp, target: &str, body: &Value) -> Reply {
    let bytes = Bytes::from(body.to_string());
    gcp.send_raw("PATCH", target, bytes, &[]).unwrap()
}

fn refused(reply: &Reply, status: u16, rpc: &str, words: &str) {
    assert_eq!((reply.status, reply.rpc()), (status, rpc), "{}", reply.text);
    assert!(reply.message().contains(words), "{}", reply.message());
}

#[test]
fn a_create_reconciles_then_serves() {
    let mut gcp = Gcp::new(Scenario::Empty);
    let started = create(&gcp, "shop", body("shop:1"));
    let path = operation(&started);
    assert_eq!(started.body.get("done"), None);
    assert_eq!(
        started.body["metadata"]["@type"],
        "type.googleapis.com/google.cloud.run.v2.Service"
    );
    let busy = gcp.get(SHOP).body;
    assert_eq!(
        (&busy["reconciling"], state(&busy)),
        (&json!(true), "CONDITION_RECONCILING")
    );
    assert_eq!(
        (&busy["generation"], &busy["observedGeneration"]),
        (&json!("1"), &json!("0"))
    );
    assert_eq!(busy.get("uri"), None);

    gcp.wait(14);
    assert_eq!(gcp.get(&path).body.get("done"), None);
    gcp.wait(1);
    let over = gcp
        .post(&format!("{path}:wait"), json!({"timeout": "5s"}))
        .body;
    assert_eq!(over["done"], true);
    assert_eq!(over["response"]["observedGeneration"], "1");
    let ready = gcp.get(SHOP).body;
    assert_eq!(
        (state(&ready), ready.get("reconciling")),
        ("CONDITION_SUCCEEDED", None)
    );
    assert_eq!(ready["latestReadyRevision"], ready["latestCreatedRevision"]);
    assert_eq!(
        ready["trafficStatuses"],
        json!([{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}])
    );
    assert!(ready["uri"].as_str().unwrap().starts_with("https://shop-"));
    assert_eq!(ready["etag"], busy["etag"], "only writes change the etag");
    let revision = ready["latestReadyRevision"].as_str().unwrap();
    let made = gcp.get(&format!("/v2/{revision}")).body;
    assert_eq!(
        (&made["service"], &made["maxInstanceRequestConcurrency"]),
        (&json!("shop"), &json!(80))
    );
    refused(
        &create(&gcp, "shop", body("shop:1")),
        409,
        "ALREADY_EXISTS",
        "already exists",
    );
}

#[test]
fn defaults_are_filled_in() {
    let gcp = shop();
    let shop = gcp.get(SHOP).body;
    let template = &shop["template"];
    assert_eq!(
        (&shop["ingress"], &shop["launchStage"], &template["timeout"]),
        (&json!("INGRESS_TRAFFIC_ALL"), &json!("GA"), &json!("300s"))
    );
    assert_eq!(template["scaling"], json!({"maxInstanceCount": 100}));
    let container = &template["containers"][0];
    assert_eq!(
        container["resources"],
        json!({"limits": {"cpu": "1000m", "memory": "512Mi"}, "cpuIdle": true})
    );
    assert_eq!(
        container["startupProbe"],
        json!({"timeoutSeconds": 240, "periodSeconds": 240, "failureThreshold": 1, "tcpSocket": {"port": 8080}})
    );
    assert_eq!(
        container["ports"],
        json!([{"name": "http1", "containerPort": 8080}])
    );
}

#[test]
fn a_new_template_makes_a_revision_and_traffic_waits_for_it() {
    let mut gcp = shop();
    let before = gcp.get(SHOP).body;
    let mask = format!("{SHOP}?updateMask=template.containers");
    gcp.patch(&mask, body("shop:2"));
    let busy = gcp.get(SHOP).body;
    assert_eq!(
        (&busy["generation"], &busy["observedGeneration"]),
        (&json!("2"), &json!("1"))
    );
    assert_ne!(
        busy["latestCreatedRevision"],
        before["latestCreatedRevision"]
    );
    assert_eq!(busy["latestReadyRevision"], before["latestReadyRevision"]);
    gcp.wait(15);
    let after = gcp.get(SHOP).body;
    let name = after["latestReadyRevision"].as_str().unwrap();
    assert!(name.contains("/revisions/shop-00002-"), "{name}");
    let listed = gcp.get(&format!("{SHOP}/revisions")).body;
    assert_eq!(listed["revisions"].as_array().unwrap().len(), 2);
    let all = gcp.get(&format!("{SERVICES}/-/revisions?pageSize=1")).body;
    assert!(all["nextPageToken"].is_string());

    // The same again changes nothing.
    let again = operation(&gcp.patch(&mask, body("shop:2")));
    gcp.wait(4);
    assert_eq!(gcp.get(&again).body["done"], true);
    let same = gcp.get(SHOP).body;
    assert_eq!(
        (&same["generation"], &same["latestCreatedRevision"]),
        (&json!("2"), &after["latestCreatedRevision"])
    );
    gcp.patch(
        &format!("{SHOP}?updateMask=labels&forceNewRevision=true"),
        json!({}),
    );
    gcp.wait(15);
    assert_eq!(gcp.get(SHOP).body["generation"], "3");
}

#[test]
fn a_mask_writes_its_paths_only_and_no_mask_replaces_all() {
    let mut gcp = shop();
    let mut wanted = body("shop:2");
    wanted["labels"] = json!({"team": "a"});
    wanted["template"]["timeout"] = json!("60s");
    wanted["template"]["scaling"] = json!({"minInstanceCount": 2, "maxInstanceCount": 4});
    gcp.patch(SHOP, wanted.clone());
    gcp.wait(15);
    let mask = "template.scaling.max_instance_count,template.timeout,labels";
    gcp.patch(
        &format!("{SHOP}?updateMask={mask}"),
        json!({"template": {"scaling": {"minInstanceCount": 9, "maxInstanceCount": 8}}}),
    );
    gcp.wait(15);
    let after = gcp.get(SHOP).body;
    assert_eq!(
        after["template"]["scaling"],
        json!({"minInstanceCount": 2, "maxInstanceCount": 8})
    );
    assert_eq!(
        (&after["template"]["timeout"], after.get("labels")),
        (&json!("300s"), None)
    );
    assert_eq!(after["template"]["containers"][0]["image"], "shop:2");

    gcp.patch(SHOP, body("shop:3"));
    gcp.wait(15);
    let after = gcp.get(SHOP).body;
    assert_eq!(
        after["template"]["scaling"],
        json!({"maxInstanceCount": 100})
    );
    for mask in [
        "template.nothing",
        "template.containers.image",
        "labels.team",
    ] {
        let reply = gcp.patch(&format!("{SHOP}?updateMask={mask}"), body("shop:4"));
        refused(&reply, 400, "INVALID_ARGUMENT", mask);
    }
}

#[test]
fn output_only_fields_are_ignored() {
    let mut gcp = shop();
    let mut whole = gcp.get(SHOP).body;
    whole["generation"] = json!("77");
    whole["uid"] = json!("mine");
    whole["template"]["timeout"] = json!("10s");
    assert_eq!(patch_raw(&gcp, SHOP, &whole).status, 200);
    gcp.wait(15);
    let after = gcp.get(SHOP).body;
    assert_eq!(
        (&after["generation"], &after["template"]["timeout"]),
        (&json!("2"), &json!("10s"))
    );
    assert_ne!(after["uid"], "mine");
    whole["etag"] = after["etag"].clone();
    assert_eq!(
        patch_raw(&gcp, &format!("{SHOP}?updateMask=uid,generation"), &whole).status,
        200
    );
}

#[test]
fn an_etag_that_is_not_the_latest_is_a_conflict() {
    let mut gcp = shop();
    let first = gcp.get(SHOP).body["etag"].clone();
    let mut wanted = body("shop:2");
    wanted["etag"] = first.clone();
    assert_eq!(gcp.patch(SHOP, wanted.clone()).status, 200);
    gcp.wait(15);
    assert_ne!(gcp.get(SHOP).body["etag"], first);
    refused(
        &gcp.patch(SHOP, wanted),
        409,
        "ABORTED",
        "but current version is",
    );
    let query: String =
        url::form_urlencoded::byte_serialize(first.as_str().unwrap().as_bytes()).collect();
    refused(
        &gcp.delete(&format!("{SHOP}?etag={query}")),
        409,
        "ABORTED",
        "Conflict for resource 'shop'",
    );
}

#[test]
fn revision_names_are_used_once() {
    let mut gcp = shop();
    let named = |image: &str| {
        let mut wanted = body(image);
        wanted["template"]["revision"] = json!("shop-blue");
        wanted
    };
    assert_eq!(gcp.patch(SHOP, named("shop:2")).status, 200);
    gcp.wait(15);
    let after = gcp.get(SHOP).body;
    assert!(
        after["latestReadyRevision"]
            .as_str()
            .unwrap()
            .ends_with("/shop-blue")
    );
    assert_eq!(
        gcp.patch(SHOP, named("shop:2")).status,
        200,
        "the same content is fine"
    );
    gcp.wait(15);
    let words = "Revision named 'shop-blue' with different configuration already exists.";
    refused(
        &gcp.patch(SHOP, named("shop:3")),
        409,
        "ALREADY_EXISTS",
        words,
    );
    // A mask keeps the name that is there.
    let masked = gcp.patch(
        &format!("{SHOP}?updateMask=template.containers"),
        body("shop:3"),
    );
    refused(&masked, 409, "ALREADY_EXISTS", words);
    let mut other = body("shop:3");
    other["template"]["revision"] = json!("blue");
    refused(
        &gcp.patch(SHOP, other),
        400,
        "INVALID_ARGUMENT",
        "must be prefixed",
    );
}

#[test]
fn traffic_is_split_among_revisions_that_are_there() {
    let mut gcp = shop();
    let first = gcp.get(SHOP).body["latestReadyRevision"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let to = |revision: &str, percent: i32| json!({"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": revision, "percent": percent});
    let latest = |percent: i32| json!({"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": percent, "tag": "next"});
    let mask = format!("{SHOP}?updateMask=traffic");
    let cases = [
        (json!([to(&first, 60)]), "sum to 100"),
        (
            json!([to("shop-none", 100)]),
            "Revision 'shop-none' referenced in traffic not found.",
        ),
        (json!([to(&first, 110), latest(-10)]), "between 0 and 100"),
        (json!([to("", 100)]), "must be set"),
    ];
    for (traffic, words) in cases {
        refused(
            &gcp.patch(&mask, json!({"traffic": traffic})),
            400,
            "INVALID_ARGUMENT",
            words,
        );
    }
    assert_eq!(
        gcp.patch(&mask, json!({"traffic": [to(&first, 100)]}))
            .status,
        200
    );
    gcp.wait(4);
    gcp.patch(&format!("{SHOP}?updateMask=template"), body("shop:2"));
    gcp.wait(15);
    assert_eq!(
        gcp.get(SHOP).body["trafficStatuses"],
        json!([to(&first, 100)]),
        "the new one is ready, and gets nothing"
    );
    gcp.patch(&mask, json!({"traffic": [to(&first, 90), latest(10)]}));
    assert_eq!(
        gcp.get(SHOP).body["trafficStatuses"],
        json!([to(&first, 100)])
    );
    gcp.wait(4);
    let after = gcp.get(SHOP).body;
    assert_eq!(after["trafficStatuses"][0]["percent"], 90);
    assert!(
        after["trafficStatuses"][1]["uri"]
            .as_str()
            .unwrap()
            .starts_with("https://next---shop-")
    );
    assert_eq!(after["generation"], "4");
}

#[test]
fn a_revision_that_fails_gets_no_traffic() {
    let mut gcp = shop();
    let before = gcp.get(SHOP).body;
    let action = Action::FailOperation {
        code: 9,
        message: "The user-provided container failed to start and listen on the port.".to_owned(),
        leaves: Leaves::Ready,
    };
    gcp.emulator.set_faults(vec![
        FaultRule::new(action)
            .on("PATCH", "/services/shop")
            .times(1),
    ]);
    let path = operation(&gcp.patch(&format!("{SHOP}?updateMask=template"), body("shop:bad")));
    gcp.wait(15);
    let error = gcp.get(&path).body["error"].clone();
    assert_eq!(error["code"], 9);
    let after = gcp.get(SHOP).body;
    assert_eq!(
        (state(&after), &after["observedGeneration"]),
        ("CONDITION_FAILED", &json!("2"))
    );
    assert_eq!(after["terminalCondition"]["message"], error["message"]);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("is not ready and cannot serve traffic. The user-provided")
    );
    assert_eq!(after["latestReadyRevision"], before["latestReadyRevision"]);
    assert_ne!(
        after["latestCreatedRevision"],
        before["latestCreatedRevision"]
    );
    let failed = gcp
        .get(&format!(
            "/v2/{}",
            after["latestCreatedRevision"].as_str().unwrap()
        ))
        .body;
    assert_eq!(failed["conditions"][0]["state"], "CONDITION_FAILED");

    // The same template once more is one more try.
    gcp.patch(&format!("{SHOP}?updateMask=template"), body("shop:bad"));
    gcp.wait(15);
    let mended = gcp.get(SHOP).body;
    assert_eq!(state(&mended), "CONDITION_SUCCEEDED");
    assert!(
        mended["latestReadyRevision"]
            .as_str()
            .unwrap()
            .contains("shop-00003-")
    );
}

#[test]
fn a_second_change_supersedes_the_first() {
    let mut gcp = shop();
    let mask = format!("{SHOP}?updateMask=template");
    let first = operation(&gcp.patch(&mask, body("shop:2")));
    gcp.wait(5);
    let second = operation(&gcp.patch(&mask, body("shop:3")));
    gcp.wait(10);
    let over = gcp.get(&first).body;
    assert_eq!((&over["done"], over.get("error")), (&json!(true), None));
    let busy = gcp.get(SHOP).body;
    assert_eq!(
        (
            &busy["reconciling"],
            &busy["generation"],
            &busy["observedGeneration"]
        ),
        (&json!(true), &json!("3"), &json!("1"))
    );
    assert!(
        busy["latestReadyRevision"]
            .as_str()
            .unwrap()
            .contains("shop-00002-")
    );
    gcp.wait(5);
    assert_eq!(gcp.get(&second).body["response"]["observedGeneration"], "3");
    assert!(
        gcp.get(SHOP).body["latestReadyRevision"]
            .as_str()
            .unwrap()
            .contains("shop-00003-")
    );
}

#[test]
fn the_connector_must_exist() {
    let mut gcp = Gcp::new(Scenario::Empty);
    let name = "projects/p1/locations/us-central1/connectors/c1";
    let mut wanted = body("shop:1");
    wanted["template"]["vpcAccess"] = json!({"connector": name});
    let path = operation(&create(&gcp, "shop", wanted.clone()));
    gcp.wait(15);
    let words = format!(
        "VPC connector {name} does not exist, or Cloud Run does not have permission to use it."
    );
    assert!(
        gcp.get(&path).body["error"]["message"]
            .as_str()
            .unwrap()
            .ends_with(&words)
    );
    let failed = gcp.get(SHOP).body;
    assert_eq!(state(&failed), "CONDITION_FAILED");
    assert_eq!(
        (
            failed.get("trafficStatuses"),
            failed.get("latestReadyRevision")
        ),
        (None, None)
    );

    gcp.ready("c1", "10.8.0.0/28");
    gcp.patch(SHOP, wanted.clone());
    gcp.wait(15);
    let after = gcp.get(SHOP).body;
    assert_eq!(state(&after), "CONDITION_SUCCEEDED");
    assert_eq!(
        after["template"]["vpcAccess"]["egress"],
        "PRIVATE_RANGES_ONLY"
    );
    wanted["template"]["vpcAccess"]["networkInterfaces"] = json!([{"network": "default"}]);
    refused(
        &gcp.patch(SHOP, wanted.clone()),
        400,
        "INVALID_ARGUMENT",
        "mutually exclusive",
    );
    wanted["template"]["vpcAccess"] = json!({"connector": "c1"});
    refused(
        &gcp.patch(SHOP, wanted.clone()),
        400,
        "INVALID_ARGUMENT",
        "must match projects/",
    );
    wanted["template"]["vpcAccess"] = json!({"connector": name, "egress": "SOME"});
    refused(&gcp.patch(SHOP, wanted), 400, "INVALID_ARGUMENT", "egress");
}

fn assert_refused(gcp: &Gcp, cases: Vec<(Value, &str)>) {
    for (template, words) in cases {
        let reply = gcp.patch(
            &format!("{SHOP}?validateOnly=true"),
            json!({"template": template}),
        );
        refused(&reply, 400, "INVALID_ARGUMENT", words);
        assert!(
            reply
                .message()
                .starts_with("Violation in UpdateServiceRequest.service.")
        );
    }
    assert_eq!(gcp.get(SHOP).body["generation"], "1");
}

#[test]
fn probes_out_of_range_are_refused() {
    let probe = |name: &str, change: Value| {
        let mut probe = json!({"httpGet": {"path": "/up"}});
        probe
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let mut container = container("shop:2");
        container[name] = probe;
        json!({"containers": [container]})
    };
    let startup = |change: Value| probe("startupProbe", change);
    let cases = vec![
        (
            startup(json!({"initialDelaySeconds": 241})),
            "startup_probe.initial_delay_seconds: must be between 0 and 240",
        ),
        (
            startup(json!({"periodSeconds": 241})),
            "period_seconds: must be between 1 and 240",
        ),
        (
            startup(json!({"timeoutSeconds": 11})),
            "less than or equal to period_seconds",
        ),
        (
            startup(json!({"periodSeconds": 100})),
            "at most 240 seconds, got 300",
        ),
        (
            startup(json!({"failureThreshold": -1})),
            "failure_threshold: must be at least 1",
        ),
        (startup(json!({"grpc": {}})), "exactly one of"),
        (
            probe("livenessProbe", json!({"periodSeconds": 3601})),
            "liveness_probe.period_seconds: must be between 1 and 3600",
        ),
    ];
    assert_refused(&shop(), cases);
}

#[test]
fn what_cannot_run_is_refused() {
    let gcp = shop();
    let with = |name: &str, value: Value| {
        let mut template = json!({"containers": [container("shop:2")]});
        template[name] = value;
        template
    };
    let env = |env: Value| json!({"containers": [{"image": "i", "env": env}]});
    let many: Vec<Value> = (0..1001)
        .map(|n| json!({"name": format!("N{n}")}))
        .collect();
    let cases = vec![
        (with("timeout", json!("3601s")), "template.timeout"),
        (with("timeout", json!("1h")), "is no duration"),
        (
            with("maxInstanceRequestConcurrency", json!(1001)),
            "max_instance_request_concurrency",
        ),
        (
            with(
                "scaling",
                json!({"minInstanceCount": 5, "maxInstanceCount": 4}),
            ),
            "min_instance_count",
        ),
        (env(json!(many)), "at most 1000"),
        (
            env(json!([{"name": "A", "value": "x".repeat(32_769)}])),
            "at most 32768 bytes",
        ),
        (
            env(json!([{"name": "PORT", "value": "1"}])),
            "reserved env names were provided: PORT",
        ),
        (env(json!([{"name": "A"}, {"name": "A"}])), "duplicate"),
        (json!({"containers": []}), "at least one container"),
        (json!({"containers": [{"image": ""}]}), "image: must be set"),
        (
            json!({"containers": [{"image": "a"}, {"image": "b"}]}),
            "exactly one container with an exposed port",
        ),
        (
            json!({"containers": [{"image": "a", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}),
            "there is no volume",
        ),
    ];
    assert_refused(&gcp, cases);
    for id in ["", "Shop", "1shop", "shop-", &"s".repeat(50)] {
        refused(
            &create(&gcp, id, body("shop:1")),
            400,
            "INVALID_ARGUMENT",
            "service_id",
        );
    }
}

#[test]
fn a_dry_run_shows_and_leaves_nothing() {
    let gcp = shop();
    let before = gcp.get(SHOP).body;
    let shown = gcp
        .patch(&format!("{SHOP}?validateOnly=true"), body("shop:2"))
        .body;
    assert_eq!(
        shown["response"]["template"]["containers"][0]["image"],
        "shop:2"
    );
    gcp.post(
        &format!("{SERVICES}?serviceId=other&validateOnly=true"),
        body("o:1"),
    );
    gcp.delete(&format!("{SHOP}?validateOnly=true"));
    assert_eq!(gcp.get(SHOP).body, before);
    let missing = gcp.get(&format!("{SERVICES}/other"));
    refused(
        &missing,
        404,
        "NOT_FOUND",
        "service \"projects/p1/locations/us-central1/services/other\" not found",
    );
    let made = gcp.patch(&format!("{SERVICES}/other?allowMissing=true"), body("o:1"));
    assert_eq!(made.status, 200);
    refused(
        &gcp.patch(&format!("{SERVICES}/third"), body("o:1")),
        404,
        "NOT_FOUND",
        "third",
    );
}

#[test]
fn a_delete_takes_the_revisions_along() {
    let mut gcp = shop();
    let etag = gcp.get(SHOP).body["etag"].as_str().unwrap().to_owned();
    let query: String = url::form_urlencoded::byte_serialize(etag.as_bytes()).collect();
    let path = operation(&gcp.delete(&format!("{SHOP}?etag={query}")));
    refused(
        &gcp.patch(SHOP, body("shop:2")),
        400,
        "FAILED_PRECONDITION",
        "is being deleted",
    );
    gcp.wait(4);
    assert!(gcp.get(&path).body["response"]["deleteTime"].is_string());
    assert_eq!(gcp.get(SHOP).status, 404);
    assert_eq!(gcp.get(&format!("{SHOP}/revisions")).body, json!({}));
    assert_eq!(gcp.get(SERVICES).body, json!({}));
}

#[test]
fn a_lost_write_leaves_the_service_as_it_was() {
    let mut gcp = shop();
    let before = gcp.get(SHOP).body;
    gcp.emulator.set_faults(vec![
        FaultRule::new(Action::IgnoreWrite).on("PATCH", "shop"),
    ]);
    let path = operation(&gcp.patch(SHOP, body("shop:2")));
    gcp.wait(15);
    assert_eq!(gcp.get(&path).body["done"], true);
    let after = gcp.get(SHOP).body;
    assert_eq!(
        (&after["template"], &after["generation"]),
        (&before["template"], &before["generation"])
    );
    assert_eq!(
        gcp.get(&format!("{SHOP}/revisions")).body["revisions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn the_staging_services_share_the_connector() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    let parent = BACKEND.rsplit_once('/').unwrap().0;
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let page = gcp
            .get(&format!("{parent}?pageSize=5&pageToken={token}"))
            .body;
        all.extend(page["services"].as_array().unwrap().clone());
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(all.len(), 12);
    for service in &all {
        assert_eq!(state(service), "CONDITION_SUCCEEDED");
        let vpc = &service["template"]["vpcAccess"];
        assert_eq!(
            vpc["connector"],
            "projects/netra-staging/locations/us-central1/connectors/staging-connector"
        );
        assert_eq!(vpc["egress"], "PRIVATE_RANGES_ONLY");
    }
    let backend = gcp.get(BACKEND).body;
    let env = backend["template"]["containers"][0]["env"]
        .as_array()
        .unwrap()
        .clone();
    let named = |name: &str| env.iter().any(|variable| variable["name"] == name);
    assert!(named("DB_CONNECTION_TIMEOUT") && named("GIT_SHA"));

    let fields = json!({"labels": {"by": "a person"}});
    gcp.emulator
        .foreign_patch(gcp.now, BACKEND, &fields)
        .unwrap();
    let after = gcp.get(BACKEND).body;
    assert_eq!(
        (&after["labels"], state(&after)),
        (&fields["labels"], "CONDITION_SUCCEEDED")
    );
    assert_ne!(after["etag"], backend["etag"]);
    gcp.wait(1);
    assert_eq!(
        gcp.get("/v2/projects/other/locations/us-central1/services")
            .status,
        403
    );
}

#[test]
fn a_snapshot_goes_on_with_the_operation_at_hand() {
    let script = |gcp: &mut Gcp| {
        gcp.patch(BACKEND, body("backend:2"));
        gcp.wait(20);
        gcp.patch(
            &format!("{BACKEND}?updateMask=template.timeout"),
            json!({"template": {"timeout": "9s"}}),
        );
        gcp.wait(10);
    };
    let start = || Gcp::timed(Scenario::NetraStaging, 7, Timing::realistic());
    let end = |gcp: &mut Gcp| {
        gcp.wait(120);
        (
            gcp.get(BACKEND).body,
            gcp.get(&format!("{BACKEND}/revisions")).body,
        )
    };
    let mut whole = start();
    script(&mut whole);
    let mut other = start();
    script(&mut other);
    let copy = Gcp::around(evenkeel::emulator::Emulator::new(Options::default()));
    copy.emulator.restore(&other.emulator.snapshot()).unwrap();
    let mut copy = Gcp {
        now: other.now,
        ..copy
    };
    assert_eq!(end(&mut whole), end(&mut copy));
}

/// What clients see and what is true, after a while of changes under every kind of fault.
fn under_faults(seed: u64) -> (Value, String) {
    let mut gcp = Gcp::timed(Scenario::NetraStaging, seed, Timing::realistic());
    gcp.emulator.set_faults(FaultRule::from_seed(seed));
    let sql = "/v1/projects/netra-staging/instances/netra-db";
    for round in 0..40 {
        gcp.send(
            "PATCH",
            &format!("{BACKEND}?updateMask=template"),
            body(&format!("backend:{round}")),
        );
        gcp.send("GET", BACKEND, Value::Null);
        gcp.send("GET", BACKEND.rsplit_once('/').unwrap().0, Value::Null);
        gcp.send(
            "PATCH",
            sql,
            json!({"settings": {"dataDiskSizeGb": (50 + round).to_string()}}),
        );
        gcp.send("GET", sql, Value::Null);
        gcp.wait(17);
    }
    gcp.wait(3600);
    gcp.emulator.advance(gcp.now);
    let log = gcp.emulator.requests();
    (
        gcp.emulator.truth(BACKEND).unwrap(),
        serde_json::to_string(&log).unwrap(),
    )
}

#[test]
fn a_seed_decides_everything_and_the_end_is_sound() {
    let mut logs = BTreeSet::new();
    for seed in 0..6 {
        let (backend, log) = under_faults(seed);
        let again = under_faults(seed);
        assert_eq!((&backend, &log), (&again.0, &again.1));
        logs.insert(log);
        assert_eq!(
            backend["generation"], backend["observedGeneration"],
            "{backend:#}"
        );
        assert_eq!(backend.get("reconciling"), None);
        let ready = backend["latestReadyRevision"] == backend["latestCreatedRevision"];
        assert!(
            ready || state(&backend) == "CONDITION_FAILED",
            "{backend:#}"
        );
    }
    assert_eq!(logs.len(), 6);
}

#[test]
fn reads_lag_behind_and_some_places_cannot_be_reached() {
    let mut gcp = Gcp::timed(
        Scenario::Empty,
        3,
        Timing::fixed(Duration::from_secs(40), Duration::from_secs(5)),
    );
    let path = operation(&create(&gcp, "shop", body("shop:1")));
    gcp.wait(10);
    assert_eq!(gcp.get(&path).body["done"], true, "operations do not lag");
    let early = gcp.send("GET", SHOP, Value::Null).unwrap();
    assert!(early.status == 404 || state(&early.body) == "CONDITION_RECONCILING");
    gcp.wait(5);
    assert_eq!(state(&gcp.get(SHOP).body), "CONDITION_SUCCEEDED");
    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::UnreachableList)]);
    assert_eq!(
        gcp.get(SERVICES).body,
        json!({"unreachable": ["projects/p1/locations/us-central1"]})
    );
    let everywhere = gcp.send_raw(
        "GET",
        "/v1/projects/p1/locations/-/services",
        Bytes::new(),
        &[],
    );
    let everywhere = everywhere.unwrap().body;
    assert_eq!(everywhere["unreachable"], json!(["us-central1"]));
    assert!(everywhere.get("items").is_none());
    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::ResetAfter).on("PATCH", "shop")]);
    assert_eq!(gcp.send("PATCH", SHOP, body("shop:2")), None);
    gcp.wait(30);
    gcp.emulator.set_faults(Vec::new());
    assert_eq!(gcp.get(SHOP).body["generation"], "2", "it landed");
}

#[test]
fn there_are_worlds_with_many_services() {
    let gcp = Gcp::new(Scenario::Many);
    let parent = "/v2/projects/netra-many/locations/us-central1/services";
    let (mut count, mut token) = (0, String::new());
    loop {
        let page = gcp
            .get(&format!("{parent}?pageSize=500&pageToken={token}"))
            .body;
        count += page["services"].as_array().unwrap().len();
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(count, 2_000);
}

/// JSON of the names that the APIs know, in places where they may not belong.
fn any_body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5..400_i64).prop_map(Value::from),
        "[a-z0-9s]{0,4}".prop_map(Value::from),
    ];
    let names = vec![
        "metadata",
        "spec",
        "template",
        "containers",
        "env",
        "name",
        "value",
        "valueFrom",
        "valueSource",
        "secretKeyRef",
        "traffic",
        "percent",
        "annotations",
        "labels",
        "scaling",
        "minInstanceCount",
        "vpcAccess",
        "connector",
        "resources",
        "limits",
        "ports",
        "containerPort",
        "startupProbe",
        "httpGet",
        "timeout",
        "settings",
        "tier",
        "databaseFlags",
        "dataDiskSizeGb",
        "ipConfiguration",
        "backupConfiguration",
        "locationPreference",
        "region",
    ];
    leaf.prop_recursive(5, 48, 4, move |inner| {
        let name = prop::sample::select(names.clone());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..5).prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_sent_makes_it_panic(body in any_body(), mask in "(template|labels|traffic|template[.]scaling)?") {
        let mut gcp = Gcp::new(Scenario::NetraStaging);
        let sql = "/v1/projects/netra-staging/instances/netra-db";
        let knative = "/apis/serving.knative.dev/v1/namespaces/netra-staging/services/netra-auth";
        let bytes = Bytes::from(body.to_string());
        let send = |gcp: &Gcp, verb: &str, path: &str| gcp.send_raw(verb, path, bytes.clone(), &[]);
        send(&gcp, "PATCH", &format!("{BACKEND}?updateMask={mask}"));
        send(&gcp, "PUT", knative);
        send(&gcp, "PATCH", sql);
        gcp.wait(120);
        send(&gcp, "PUT", sql);
        for path in [BACKEND, sql] {
            gcp.emulator.foreign_patch(gcp.now, path, &body).ok();
            prop_assert_eq!(gcp.get(path).status, 200);
        }
        prop_assert_eq!(gcp.get(knative).status, 200);
    }
}
