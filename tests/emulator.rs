//! The connector API: what it does, what it refuses, and in which words.

mod wire;

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
            "min must be less than or equal to 9",
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
