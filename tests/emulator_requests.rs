//! How requests are read and replies are shaped: JSON, parameters, partial responses, pages, paths.

mod wire;

use bytes::Bytes;
use evenkeel::emulator::Scenario;
use serde_json::{Value, json};
use wire::client::{Gcp, REGION, SIZE, STAGING, connector};

fn staging() -> Gcp {
    Gcp::new(Scenario::NetraStaging)
}

fn empty() -> Gcp {
    Gcp::new(Scenario::Empty)
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let gcp = staging();
    let target = format!("{STAGING}?{SIZE}");
    let cases = [
        (
            json!({"labels": {}}),
            "Invalid JSON payload received. Unknown name \"labels\" at 'connector': Cannot find field.",
        ),
        (
            json!({"minInstances": "many"}),
            "Invalid value at 'connector.min_instances' (TYPE_INT32), \"many\"",
        ),
        (
            json!({"minInstances": 3.5}),
            "Invalid value at 'connector.min_instances' (TYPE_INT32), 3.5",
        ),
        (
            json!({"machineType": 4}),
            "Invalid value at 'connector.machine_type' (TYPE_STRING), 4",
        ),
        (
            json!({"state": "GOOD"}),
            "Invalid value at 'connector.state' (type.googleapis.com/google.cloud.vpcaccess.v1.Connector.State), \"GOOD\"",
        ),
        (
            json!({"subnet": {"zone": "a"}}),
            "Invalid JSON payload received. Unknown name \"zone\" at 'connector.subnet': Cannot find field.",
        ),
        (
            json!({"subnet": "s"}),
            "Invalid value at 'connector.subnet' (type.googleapis.com/google.cloud.vpcaccess.v1.Connector.Subnet), \"s\"",
        ),
        (
            json!([1]),
            "Invalid JSON payload received. Unknown name \"\": Root element must be a message.",
        ),
    ];
    for (body, words) in cases {
        let refused = gcp.patch(&target, body);
        assert_eq!((refused.status, refused.message()), (400, words));
        let violation = &refused.body["error"]["details"][0]["fieldViolations"][0];
        assert_eq!(violation["description"], words);
    }
    let both = gcp.patch(&target, json!({"a": 1, "b": 2}));
    assert_eq!(
        both.body["error"]["details"][0]["fieldViolations"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let broken = gcp
        .send_raw("PATCH", &target, Bytes::from("{"), &[])
        .unwrap();
    assert_eq!((broken.status, broken.rpc()), (400, "INVALID_ARGUMENT"));
    assert_eq!(
        gcp.call("DELETE", STAGING, json!({"force": true})).status,
        400
    );
}

#[test]
fn proto_names_strings_for_numbers_and_nulls_are_read_as_google_reads_them() {
    let mut gcp = staging();
    let body = Bytes::from(
        r#"{"min_instances": "3", "maxInstances": 5.0, "machineType": null, "state": "READY"}"#,
    );
    let target = format!("{STAGING}?update_mask=min_instances,maxInstances");
    assert_eq!(
        gcp.send_raw("PATCH", &target, body, &[]).unwrap().status,
        200
    );
    gcp.wait(60);
    let after = gcp.get(STAGING).body;
    assert_eq!(
        (&after["minInstances"], &after["maxInstances"]),
        (&json!(3), &json!(5))
    );
}

#[test]
fn standard_parameters_are_taken_and_unknown_ones_refused() {
    let gcp = staging();
    for query in [
        "alt=json",
        "$.xgafv=2",
        "prettyPrint=true",
        "quotaUser=me&key=k",
        "$fields=name",
        "alt=json&fields=name",
    ] {
        let read = gcp
            .send_raw("GET", &format!("{STAGING}?{query}"), Bytes::new(), &[])
            .unwrap();
        assert_eq!(read.status, 200, "{query}");
    }
    for query in [
        "alt=media",
        "$.xgafv=3",
        "prettyPrint=maybe",
        "pageSize=3",
        "updateMask=a",
        "zone=a",
    ] {
        let read = gcp.get(&format!("{STAGING}?{query}"));
        assert_eq!(
            (read.status, read.rpc()),
            (400, "INVALID_ARGUMENT"),
            "{query}"
        );
    }
    let unknown = gcp.get(&format!("{STAGING}?zone=a"));
    assert!(
        unknown
            .message()
            .starts_with("Invalid JSON payload received. Unknown name \"zone\": Cannot bind")
    );
    assert_eq!(
        gcp.get(&format!("{STAGING}?prettyPrint=false"))
            .text
            .lines()
            .count(),
        1
    );
    assert!(gcp.get(STAGING).text.lines().count() > 5);
    let logged = gcp.emulator.requests();
    assert!(
        logged.iter().all(|entry| !entry.query.contains("key=k")),
        "secrets stay out of the log"
    );
}

#[test]
fn partial_responses_hold_what_was_asked_for() {
    let gcp = staging();
    assert_eq!(
        gcp.get(&format!("{STAGING}?fields=state,maxInstances"))
            .body,
        json!({"state": "READY", "maxInstances": 3})
    );
    let list = STAGING.rsplit_once('/').unwrap().0;
    assert_eq!(
        gcp.get(&format!("{list}?fields=connectors(state)")).body,
        json!({"connectors": [{"state": "READY"}]})
    );
    assert_eq!(
        gcp.get(&format!("{list}?fields=nextPageToken")).body,
        json!({})
    );
    let refused = gcp.get(&format!("{STAGING}?fields=size"));
    let violation = &refused.body["error"]["details"][0]["fieldViolations"][0];
    assert_eq!(
        (refused.status, violation["field"].as_str()),
        (400, Some("fields"))
    );
    assert!(
        violation["description"]
            .as_str()
            .unwrap()
            .contains("Cannot find matching fields for path 'size'")
    );
}

#[test]
fn lists_come_in_pages() {
    let mut gcp = empty();
    for n in 0..5 {
        gcp.ready(&format!("c{n}"), &format!("10.8.0.{}/28", n * 16));
    }
    for (what, total) in [("connectors", 5), ("operations", 5)] {
        let (mut names, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = gcp
                .get(&format!("{REGION}/{what}?pageSize=2&pageToken={token}"))
                .body;
            names.extend(
                page[what]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["name"].to_string()),
            );
            pages += 1;
            match page["nextPageToken"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => break,
            }
        }
        let mut unique = names.clone();
        unique.dedup();
        assert_eq!((pages, names.len(), unique.len()), (3, total, total));
        assert_eq!(
            gcp.get(&format!("{REGION}/{what}?pageToken=nonsense"))
                .status,
            400
        );
        assert_eq!(gcp.get(&format!("{REGION}/{what}?pageSize=-1")).status, 400);
        assert_eq!(gcp.get(&format!("{REGION}/{what}?pageSize=x")).status, 400);
        let other = if what == "connectors" {
            "operations"
        } else {
            "connectors"
        };
        let foreign = gcp.get(&format!("{REGION}/{other}?pageToken={token}"));
        assert_eq!(foreign.status, 400, "a token is good for its own list only");
    }
    let all = gcp.get(&format!("{REGION}/connectors?pageSize=0")).body;
    assert_eq!(all["connectors"].as_array().unwrap().len(), 5);
}

#[test]
fn operations_can_be_listed_by_whether_they_are_done() {
    let mut gcp = empty();
    gcp.ready("c1", "10.8.0.0/28");
    gcp.post(
        &format!("{REGION}/connectors?connectorId=c2"),
        connector("10.8.0.16/28"),
    );
    let count = |filter: &str| {
        let list = gcp
            .get(&format!("{REGION}/operations?filter={filter}"))
            .body;
        list["operations"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(
        (count(""), count("done%3Dtrue"), count("done:false")),
        (2, 1, 1)
    );
    assert_eq!(
        gcp.get(&format!("{REGION}/operations?filter=name%3Dx"))
            .status,
        400
    );
}

#[test]
fn other_places_are_not_there() {
    let gcp = staging();
    let elsewhere = STAGING.replace("us-central1", "us-nowhere1");
    let stranger = STAGING.replace("netra-staging", "other-project");
    for (target, words) in [
        (elsewhere, "Permission denied on 'locations/us-nowhere1'"),
        (stranger, "Permission 'vpcaccess.connectors.get' denied"),
    ] {
        let refused = gcp.get(&target);
        assert_eq!((refused.status, refused.rpc()), (403, "PERMISSION_DENIED"));
        assert!(refused.message().starts_with(words));
    }
    let root = "/v1/projects/netra-staging/locations";
    assert!(gcp.get(root).body["locations"].as_array().unwrap().len() > 10);
    assert_eq!(
        gcp.get(&format!("{root}/us-central1/operations/none"))
            .rpc(),
        "NOT_FOUND"
    );
    // The API has no locations.get, no v2 and no PUT: Google's front end answers with a page.
    for (verb, path) in [
        ("GET", format!("{root}/us-central1")),
        ("GET", "/v2/x".to_owned()),
        ("PUT", STAGING.to_owned()),
        ("GET", format!("{STAGING}/")),
    ] {
        let page = gcp.call(verb, &path, Value::Null);
        assert_eq!(
            (page.status, &page.headers["content-type"]),
            (404, &"text/html; charset=UTF-8".parse().unwrap())
        );
    }
}

#[test]
fn v1beta1_reads_the_same_connector_with_its_times() {
    let gcp = staging();
    let beta = STAGING.replace("/v1/", "/v1beta1/");
    let mut read = gcp.get(&beta).body;
    assert_eq!(read["createTime"], "2025-03-10T10:00:00Z");
    read.as_object_mut().unwrap().remove("createTime");
    assert_eq!(read, gcp.get(STAGING).body);
    assert_eq!(
        gcp.get(&format!("{beta}?fields=createTime")).body,
        json!({"createTime": "2025-03-10T10:00:00Z"})
    );
    assert_eq!(gcp.get(&format!("{STAGING}?fields=createTime")).status, 400);
    assert_eq!(gcp.patch(&beta, json!({})).status, 404);
}

#[test]
fn enums_travel_as_numbers_where_a_client_asks_for_it() {
    const STAGED: &str = "/v1/projects/netra-staging/locations/us-central1/connectors";
    let mut gcp = staging();
    let numbers = "$alt=json;enum-encoding=int";
    let ask = |gcp: &Gcp, verb: &str, target: &str, body: Value| {
        let separator = if target.contains('?') { '&' } else { '?' };
        gcp.call(verb, &format!("{target}{separator}{numbers}"), body)
            .body
    };
    assert_eq!(ask(&gcp, "GET", STAGING, Value::Null)["state"], 1);
    assert_eq!(gcp.get(STAGING).body["state"], "READY");
    let listed = ask(
        &gcp,
        "GET",
        &format!("{STAGED}?fields=connectors/state"),
        Value::Null,
    );
    assert_eq!(listed, json!({"connectors": [{"state": 1}]}));

    let services = "/v2/projects/netra-staging/locations/us-central1/services";
    let body = |ingress: Value| json!({"ingress": ingress, "template": {"containers": [{"image": "shop:1"}]}});
    let create = format!("{services}?serviceId=shop");
    let started = ask(&gcp, "POST", &create, body(json!(2)));
    assert_eq!(
        (
            &started["metadata"]["ingress"],
            &started["metadata"]["launchStage"]
        ),
        (&json!(2), &json!(4)),
        "inside an Any as well"
    );
    gcp.wait(60);
    let shop = format!("{services}/shop");
    assert_eq!(
        gcp.get(&shop).body["ingress"],
        "INGRESS_TRAFFIC_INTERNAL_ONLY"
    );
    let seen = ask(&gcp, "GET", &shop, Value::Null);
    assert_eq!(seen["terminalCondition"]["state"], 4);
    for unknown in [json!(5), json!(-1), json!(2.5)] {
        let refused = gcp.patch(&format!("{shop}?updateMask=ingress"), body(unknown));
        assert_eq!((refused.status, refused.rpc()), (400, "INVALID_ARGUMENT"));
        assert!(
            refused
                .message()
                .contains("google.cloud.run.v2.IngressTraffic")
        );
    }
}

#[test]
fn a_dated_version_is_named_once() {
    let gcp = staging();
    let version = [("x-goog-api-version", "2026-09-01")];
    let get = |target: &str, headers: &[(&str, &str)]| {
        let read = gcp.send_raw("GET", target, Bytes::new(), headers).unwrap();
        read.status
    };
    let dated = format!("{STAGING}?$apiVersion=2026-09-01");
    assert_eq!((get(STAGING, &version), get(&dated, &[])), (200, 200));
    assert_eq!(get(&dated, &version), 400);
}
