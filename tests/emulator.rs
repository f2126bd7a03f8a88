//! The connector API: what it does, what it refuses, and in which words.

mod wire;

use bytes::Bytes;
use evenkeel::emulator::Scenario;
use serde_json::{Value, json};
use wire::client::{Gcp, REGION, Reply, SIZE, STAGING, connector, size};

fn staging() -> Gcp {
    Gcp::new(Scenario::NetraStaging)
}

fn empty() -> Gcp {
    Gcp::new(Scenario::Empty)
}

fn create(gcp: &Gcp, id: &str, body: Value) -> Reply {
    gcp.post(&format!("{REGION}/connectors?connectorId={id}"), body)
}

#[test]
fn the_incident_is_there_to_read() {
    let gcp = staging();
    let expected = json!({
        "name": "projects/netra-staging/locations/us-central1/connectors/staging-connector",
        "network": "default", "ipCidrRange": "10.8.0.0/28", "machineType": "e2-micro",
        "minInstances": 2, "maxInstances": 3, "minThroughput": 200, "maxThroughput": 300,
        "state": "READY", "connectedProjects": ["netra-staging"],
    });
    assert_eq!(gcp.get(STAGING).body, expected);
    let world = gcp.get("/_emulator/world").body;
    assert_eq!(world["services"].as_array().unwrap().len(), 12);
    assert_eq!(world["connectors"], json!([expected]));
}

#[test]
fn a_connector_grows_through_an_operation() {
    let mut gcp = staging();
    let started = gcp.patch(&format!("{STAGING}?{SIZE}"), size(3, 5));
    assert_eq!(started.status, 200);
    assert_eq!(
        started.body["metadata"]["method"],
        "google.cloud.vpcaccess.v1.VpcAccessService.UpdateConnector"
    );
    assert!(
        started.body.get("done").is_none(),
        "an operation says done only once it is"
    );
    let busy = gcp.get(STAGING).body;
    assert_eq!(
        (&busy["state"], &busy["minInstances"]),
        (&json!("UPDATING"), &json!(2))
    );

    gcp.wait(59);
    assert!(gcp.get(&started.operation()).body.get("done").is_none());
    gcp.wait(1);
    let over = gcp.get(&started.operation()).body;
    assert_eq!(over["done"], true);
    assert_eq!(over["metadata"]["endTime"], "2026-11-23T10:01:00Z");
    assert_eq!(over["response"]["maxInstances"], 5);
    let after = gcp.get(STAGING).body;
    assert_eq!(
        (
            &after["state"],
            &after["minThroughput"],
            &after["maxThroughput"]
        ),
        (&json!("READY"), &json!(300), &json!(500))
    );
}

#[test]
fn the_machine_type_goes_both_ways_and_throughput_does_not_follow_it() {
    let mut gcp = staging();
    for machine in ["e2-standard-4", "f1-micro", "e2-micro"] {
        let body = json!({"machineType": machine});
        assert_eq!(
            gcp.patch(&format!("{STAGING}?updateMask=machineType"), body)
                .status,
            200
        );
        gcp.wait(60);
        let now = gcp.get(STAGING).body;
        assert_eq!(
            (&now["machineType"], &now["maxThroughput"]),
            (&json!(machine), &json!(300))
        );
    }
}

#[test]
fn a_create_boots_then_is_ready() {
    let mut gcp = empty();
    let started = create(&gcp, "c1", connector("10.8.0.0/28"));
    assert_eq!(
        gcp.get(&format!("{REGION}/connectors/c1")).body["state"],
        "CREATING"
    );
    gcp.wait(120);
    assert_eq!(
        gcp.get(&started.operation()).body["response"]["state"],
        "READY"
    );
    let made = gcp.get(&format!("{REGION}/connectors/c1")).body;
    assert_eq!(
        (&made["machineType"], &made["connectedProjects"]),
        (&json!("e2-micro"), &json!(["p1"]))
    );
}

#[test]
fn a_delete_ends_with_nothing() {
    let mut gcp = empty();
    let path = gcp.ready("c1", "10.8.0.0/28");
    let started = gcp.delete(&path);
    assert_eq!(gcp.get(&path).body["state"], "DELETING");
    gcp.wait(60);
    let over = gcp.get(&started.operation()).body;
    assert_eq!(
        over["response"],
        json!({"@type": "type.googleapis.com/google.protobuf.Empty"})
    );
    let gone = gcp.get(&path);
    assert_eq!(
        (gone.status, gone.rpc(), gone.message()),
        (404, "NOT_FOUND", "The connector is not found.")
    );
    gcp.ready("c1", "10.8.0.0/28");
}

#[test]
fn patches_are_refused_in_googles_words() {
    let gcp = staging();
    let cases = [
        (
            "minInstances",
            json!({"minInstances": 3}),
            "max needs to be greater than min",
        ),
        (
            "maxInstances",
            json!({"maxInstances": 5}),
            "min must be greater than or equal to 2",
        ),
        (
            "minInstances,maxInstances",
            size(2, 2),
            "max needs to be greater than min",
        ),
        (
            "minInstances,maxInstances",
            size(1, 3),
            "min must be greater than or equal to 2",
        ),
        (
            "minInstances,maxInstances",
            size(2, 50),
            "max must be less than or equal to 10",
        ),
        (
            "minInstances,maxInstances",
            size(2, 11),
            "max must be less than or equal to 10",
        ),
        (
            "minInstances,maxInstances",
            size(10, 11),
            "max must be less than or equal to 10",
        ),
        (
            "machineType",
            json!({"machineType": "e2-standard-8"}),
            "must be one of f1-micro, e2-micro, or e2-standard-4",
        ),
        ("network", json!({"network": "other"}), "cannot be updated"),
        ("ipCidrRange,minInstances", json!({}), "cannot be updated"),
        ("subnet.name", json!({}), "cannot be updated"),
        (
            "minThroughput",
            json!({"minThroughput": 300}),
            "cannot be updated",
        ),
        ("state", json!({}), "cannot be updated"),
        ("labels", json!({}), "not a field of Connector"),
        // Empty: all modifiable fields, so what the body leaves out is written as nothing.
        ("", json!({}), "min must be greater than or equal to 2"),
    ];
    for (mask, body, words) in cases {
        let refused = gcp.patch(&format!("{STAGING}?updateMask={mask}"), body);
        assert_eq!(
            (refused.status, refused.rpc()),
            (400, "INVALID_ARGUMENT"),
            "{mask}"
        );
        assert!(
            refused.message().contains(words),
            "{mask}: {}",
            refused.message()
        );
    }
    assert_eq!(gcp.get(STAGING).body["state"], "READY");
    assert!(gcp.emulator.requests().iter().all(|entry| !entry.landed));
}

#[test]
fn a_connector_never_shrinks() {
    let mut gcp = staging();
    gcp.patch(&format!("{STAGING}?{SIZE}"), size(4, 8));
    gcp.wait(60);
    for (min, max) in [(3, 8), (4, 7), (2, 3)] {
        let refused = gcp.patch(&format!("{STAGING}?{SIZE}"), size(min, max));
        assert_eq!((refused.status, refused.rpc()), (400, "INVALID_ARGUMENT"));
        assert!(
            refused
                .message()
                .starts_with("Decreasing the number of instances")
        );
    }
    assert_eq!(
        gcp.patch(&format!("{STAGING}?{SIZE}"), size(9, 10)).status,
        200
    );
}

#[test]
fn an_empty_mask_writes_all_modifiable_fields_and_ignores_the_others() {
    let mut gcp = staging();
    let mut whole = gcp.get(STAGING).body;
    whole["maxInstances"] = json!(6);
    whole["network"] = json!("other");
    whole
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name != "state" && name != "connectedProjects");
    assert_eq!(gcp.patch(STAGING, whole).status, 200);
    gcp.wait(60);
    let after = gcp.get(STAGING).body;
    assert_eq!(
        (&after["maxInstances"], &after["network"]),
        (&json!(6), &json!("default"))
    );
}

#[test]
fn a_busy_connector_takes_no_change() {
    let gcp = staging();
    gcp.patch(&format!("{STAGING}?{SIZE}"), size(3, 5));
    for refused in [
        gcp.patch(&format!("{STAGING}?{SIZE}"), size(4, 6)),
        gcp.delete(STAGING),
    ] {
        assert_eq!(
            (refused.status, refused.rpc()),
            (400, "FAILED_PRECONDITION")
        );
        assert!(refused.message().contains("UPDATING"));
    }
    let last = gcp.emulator.requests().pop().unwrap();
    assert_eq!(
        (last.method.as_str(), last.state.as_deref(), last.landed),
        ("DELETE", Some("UPDATING"), false)
    );
    assert_eq!(last.before.unwrap()["minInstances"], 2);
}

#[test]
fn creates_are_refused_before_anything_starts() {
    let gcp = empty();
    let with = |change: Value| {
        let mut body = connector("10.8.0.0/28");
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        body
    };
    let cases = [
        (
            "c1",
            with(json!({"machineType": "e2-standard-8"})),
            "must be one of",
        ),
        (
            "c1",
            with(size(2, 50)),
            "max must be less than or equal to 10",
        ),
        ("c1", with(size(5, 5)), "max needs to be greater than min"),
        ("c1", with(json!({"ipCidrRange": "10.8.0.0/24"})), "/28"),
        ("c1", with(json!({"ipCidrRange": "10.8.0.1/28"})), "/28"),
        ("c1", with(json!({"ipCidrRange": "here/28"})), "/28"),
        ("c1", with(json!({"subnet": {"name": "s"}})), "not both"),
        (
            "c1",
            json!({"maxInstances": 3}),
            "must specify either network",
        ),
        (
            "c1",
            json!({"network": "default", "maxInstances": 3}),
            "/28",
        ),
        (
            "c1",
            json!({"subnet": {}, "maxInstances": 3}),
            "name of the subnet",
        ),
        (
            "c1",
            json!({"subnet": {"name": "s"}, "maxThroughput": 350}),
            "multiple of 100",
        ),
        ("", connector("10.8.0.0/28"), "must match the pattern"),
        ("C1", connector("10.8.0.0/28"), "must match the pattern"),
        ("1c", connector("10.8.0.0/28"), "must match the pattern"),
        ("c1-", connector("10.8.0.0/28"), "must match the pattern"),
        (
            "abcdefghijklmnopqrstuvwxyz",
            connector("10.8.0.0/28"),
            "must match the pattern",
        ),
    ];
    for (id, body, words) in cases {
        let refused = create(&gcp, id, body);
        assert_eq!(
            (refused.status, refused.rpc()),
            (400, "INVALID_ARGUMENT"),
            "{id}"
        );
        assert!(
            refused.message().contains(words),
            "{id}: {}",
            refused.message()
        );
    }
    assert_eq!(gcp.get(&format!("{REGION}/connectors")).body, json!({}));
    assert_eq!(
        create(&gcp, "abcdefghijklmnopqrstuvwxy", connector("10.8.0.0/28")).status,
        200
    );
}

#[test]
fn a_failed_create_keeps_the_name_in_error() {
    let mut gcp = empty();
    gcp.ready("c1", "10.8.0.0/28");
    let mut unsized_body = connector("10.9.0.0/28");
    unsized_body.as_object_mut().unwrap().remove("maxInstances");
    let cases = [
        (
            "no-max",
            unsized_body,
            "A Connector must specify either max_throughput or max_instances.",
        ),
        (
            "overlap",
            connector("10.8.0.0/28"),
            "It conflicts with an existing subnetwork.",
        ),
    ];
    for (id, body, words) in cases {
        let started = create(&gcp, id, body.clone());
        assert_eq!(started.status, 200, "Google accepts it, then fails");
        gcp.wait(120);
        let error = gcp.get(&started.operation()).body["error"].clone();
        assert_eq!(error["code"], 3);
        assert!(error["message"].as_str().unwrap().contains(words));

        let path = format!("{REGION}/connectors/{id}");
        assert_eq!(gcp.get(&path).body["state"], "ERROR");
        let again = create(&gcp, id, body);
        assert_eq!((again.status, again.rpc()), (409, "ALREADY_EXISTS"));
        assert_eq!(
            gcp.patch(&format!("{path}?{SIZE}"), size(3, 5)).rpc(),
            "FAILED_PRECONDITION"
        );
        assert_eq!(gcp.delete(&path).status, 200);
        gcp.wait(60);
        assert_eq!(gcp.get(&path).status, 404);
    }
}

#[test]
fn instances_win_over_throughput() {
    let mut gcp = empty();
    let cases = [
        (json!({"minThroughput": 400, "maxThroughput": 800}), (4, 8)),
        (
            json!({"minThroughput": 400, "maxThroughput": 800, "minInstances": 2, "maxInstances": 3}),
            (2, 3),
        ),
        (json!({"maxThroughput": 300}), (2, 3)),
        (json!({"maxInstances": 7}), (2, 7)),
    ];
    for (index, (mut body, expected)) in cases.into_iter().enumerate() {
        body["subnet"] = json!({"name": format!("s{index}")});
        assert_eq!(create(&gcp, &format!("c{index}"), body).status, 200);
        gcp.wait(120);
        let made = gcp.get(&format!("{REGION}/connectors/c{index}")).body;
        assert_eq!(
            (&made["minInstances"], &made["maxInstances"]),
            (&json!(expected.0), &json!(expected.1))
        );
        assert_eq!(made["maxThroughput"], expected.1 * 100);
        assert_eq!(made["subnet"]["name"], format!("s{index}"));
    }
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
    create(&gcp, "c2", connector("10.8.0.16/28"));
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
