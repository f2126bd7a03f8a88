//! The emulator speaks exactly the API that Google describes, and the validator that says so is not blind.

mod wire;

use std::collections::BTreeSet;

use evenkeel::emulator::Scenario;
use serde_json::{Value, json};
use wire::client::{Gcp, REGION, SIZE, STAGING, connector, size};
use wire::{Exchange, Surface};

/// The client checks each exchange; this walk sees to it that there is one of every kind.
#[test]
fn every_method_answers_within_the_surface() {
    let mut gcp = Gcp::new(Scenario::Empty);
    let create =
        |id: &str, body: Value| gcp.post(&format!("{REGION}/connectors?connectorId={id}"), body);
    let first = create("first", connector("10.8.0.0/28"));
    create("overlap", connector("10.8.0.0/28"));
    create(
        "in-a-subnet",
        json!({"subnet": {"name": "s", "projectId": "host"}, "maxThroughput": 500}),
    );
    create("first", connector("10.8.0.16/28"));
    create("bad", json!({"machineType": "huge"}));
    let path = format!("{REGION}/connectors/first");
    for round in 0..6 {
        gcp.get("/v1/projects/p1/locations?pageSize=3&filter=");
        gcp.get(&format!("{REGION}/connectors?pageSize=2"));
        gcp.get(&format!(
            "{REGION}/connectors?fields=connectors(name,state),nextPageToken"
        ));
        gcp.get(&format!(
            "{REGION}/operations?pageSize=2&returnPartialSuccess=true"
        ));
        gcp.get(&first.operation());
        gcp.get(&format!("{path}?alt=json&prettyPrint=false"));
        gcp.get(&format!("{path}-no"));
        match round {
            2 => assert_eq!(gcp.patch(&format!("{path}?{SIZE}"), size(3, 5)).status, 200),
            3 => assert_eq!(gcp.delete(&path).status, 400),
            4 => assert_eq!(gcp.delete(&path).status, 200),
            _ => {}
        }
        gcp.wait(if round == 2 { 30 } else { 70 });
    }
    assert_eq!(gcp.get(&path).status, 404);
    let seen: BTreeSet<String> = gcp
        .emulator
        .requests()
        .iter()
        .filter(|entry| entry.status == evenkeel::emulator::LogStatus::Code(200))
        .filter_map(|entry| {
            gcp.surface
                .method_id(&entry.method, &entry.path)
                .map(str::to_owned)
        })
        .collect();
    let all: BTreeSet<String> = gcp
        .surface
        .method_ids()
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(seen, all, "every method of the API is met with success");
}

fn exchange(query: &'static str, body: Value) -> Exchange<'static> {
    let reply = json!({"name": "projects/p/locations/r/operations/o", "metadata": {}});
    Exchange {
        method: "PATCH",
        path: STAGING,
        query,
        body,
        status: 200,
        reply,
    }
}

fn read(reply: Value) -> Exchange<'static> {
    Exchange {
        method: "GET",
        path: STAGING,
        query: "",
        body: Value::Null,
        status: 200,
        reply,
    }
}

#[test]
fn the_validator_passes_what_is_right() {
    let surface = Surface::vpcaccess();
    let good = exchange(
        "updateMask=minInstances%2CmaxInstances&alt=json",
        size(2, 3),
    );
    assert_eq!(surface.problems(&good), Vec::<String>::new());
    assert_eq!(
        surface.problems(&read(json!({"state": "READY", "subnet": {"name": "s"}}))),
        Vec::<String>::new()
    );
}

fn assert_caught<const N: usize>(cases: [(Exchange, &str); N]) {
    let surface = Surface::vpcaccess();
    for (exchange, expected) in cases {
        let problems = surface.problems(&exchange);
        assert!(
            problems.iter().any(|problem| problem.starts_with(expected)),
            "{expected}: {problems:?}"
        );
    }
}

#[test]
fn the_validator_catches_wrong_requests() {
    assert_caught([
        (
            exchange("", json!({"labels": {}})),
            "body.labels: Connector has no such field",
        ),
        (
            exchange("", json!({"state": "READY"})),
            "body.state: is read-only",
        ),
        (
            exchange("", json!({"connectedProjects": []})),
            "body.connectedProjects: is read-only",
        ),
        (
            exchange("", json!({"minInstances": "2"})),
            "body.minInstances: expected int32",
        ),
        (
            exchange("", json!({"minInstances": 3_000_000_000_u64})),
            "body.minInstances: expected int32",
        ),
        (
            exchange("", json!({"subnet": {"zone": "a"}})),
            "body.subnet.zone: Subnet has no such field",
        ),
        (exchange("", json!([])), "body: expected a Connector"),
        (
            exchange("mask=a", json!({})),
            "query.mask: unknown parameter",
        ),
        (exchange("alt=xml", json!({})), "query.alt: \"xml\" is not"),
        (
            exchange("prettyPrint=yes", json!({})),
            "query.prettyPrint: \"yes\" is not",
        ),
        (
            Exchange {
                body: json!({}),
                ..read(json!({}))
            },
            "body: the method takes none",
        ),
        (
            Exchange {
                method: "PUT",
                ..read(json!({}))
            },
            "no method PUT",
        ),
        (
            Exchange {
                path: "/v1/projects/p/connectors",
                ..read(json!({}))
            },
            "no method GET /v1/projects/p/connectors",
        ),
    ]);
}

#[test]
fn the_validator_catches_wrong_replies() {
    assert_caught([
        (
            read(json!({"state": "BROKEN"})),
            "reply.state: \"BROKEN\" is not in the enum",
        ),
        (
            read(json!({"size": 3})),
            "reply.size: Connector has no such field",
        ),
        (
            read(json!({"connectedProjects": "p"})),
            "reply.connectedProjects: expected a list",
        ),
        (
            read(json!({"connectedProjects": [1]})),
            "reply.connectedProjects[0]: expected string",
        ),
    ]);
}

#[test]
fn the_validator_catches_wrong_operations() {
    let operation = |change: Value| {
        let mut reply = json!({"name": "o", "metadata": {"createTime": "2026-11-23T10:00:00Z"}});
        reply
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        Exchange {
            method: "DELETE",
            path: STAGING,
            query: "",
            body: Value::Null,
            status: 200,
            reply,
        }
    };
    let over = |result: &str, value: Value| {
        let ended =
            json!({"createTime": "2026-11-23T10:00:00Z", "endTime": "2026-11-23T10:01:00Z"});
        operation(json!({"done": true, "metadata": ended, result: value}))
    };
    assert_caught([
        (operation(json!({"done": true})), "reply: done is"),
        (operation(json!({"done": false})), "reply: done is"),
        (operation(json!({"response": {}})), "reply: done is"),
        (
            operation(json!({"done": true, "error": {"code": 3}})),
            "reply.metadata.endTime: must be there",
        ),
        (
            operation(json!({"metadata": {"createTime": "noon"}})),
            "reply.metadata.createTime: not a time",
        ),
        (
            over("response", json!({"@type": "x/y.Other"})),
            "reply.response.@type: unknown",
        ),
        (
            over("response", json!({"@type": "x/y.Connector", "a": 1})),
            "reply.response.a: Connector has no",
        ),
        (
            over("error", json!({"code": "3"})),
            "reply.error.code: expected int32",
        ),
    ]);
}

#[test]
fn the_validator_catches_wrong_errors() {
    let error = |status: u16, error: Value| {
        let reply = json!({"error": error});
        Exchange {
            method: "GET",
            path: STAGING,
            query: "",
            body: Value::Null,
            status,
            reply,
        }
    };
    assert_caught([
        (
            error(
                400,
                json!({"code": 404, "message": "m", "status": "NOT_FOUND"}),
            ),
            "error.code: 404",
        ),
        (
            error(
                404,
                json!({"code": 404, "message": "m", "status": "ABORTED"}),
            ),
            "error.status: \"ABORTED\"",
        ),
        (
            error(404, json!({"code": 404, "status": "NOT_FOUND"})),
            "error.message: missing",
        ),
        (
            error(
                404,
                json!({"code": 404, "message": "m", "status": "NOT_FOUND", "x": 1}),
            ),
            "error.x: in neither",
        ),
        (
            error(403, json!({"code": 403, "message": "m", "errors": []})),
            "error.errors: []",
        ),
        (
            error(
                403,
                json!({"code": 403, "message": "m", "status": "PERMISSION_DENIED", "details": [{}]}),
            ),
            "error.details[0].@type",
        ),
        (error(500, json!("oops")), "error.code: null"),
    ]);
}

#[test]
fn a_request_can_be_checked_alone() {
    let surface = Surface::vpcaccess();
    let problems = |query, body: Value| surface.request_problems("PATCH", STAGING, query, &body);
    assert!(problems(SIZE, size(2, 3)).is_empty());
    assert_eq!(problems("x=1", json!({"state": "READY"})).len(), 2);
}

#[test]
fn numbers_of_64_bits_travel_as_strings() {
    let text = r#"{"standard": {}, "methods": {"m": {"verb": "GET", "path": "/v1/{x}", "query": {}, "response": "M"}},
        "messages": {"M": {"n": {"type": "int64"}, "at": {"type": "string", "format": "google-datetime"},
        "tags": {"type": "string", "map": true}, "r": {"type": "double"}}}}"#;
    let surface = Surface::parse(text);
    let problems = |reply: Value| {
        surface
            .problems(&Exchange {
                path: "/v1/a",
                ..read(reply)
            })
            .len()
    };
    assert_eq!(
        problems(
            json!({"n": "9007199254740993", "at": "2026-11-23T10:00:00Z", "tags": {"a": "b"}, "r": 0.5})
        ),
        0
    );
    assert_eq!(
        problems(json!({"n": 5, "at": "noon", "tags": {"a": 1}, "r": "x"})),
        4
    );
}

#[test]
fn masks_texts_and_numbers_of_enums_are_checked() {
    let text = r#"{"standard": {"alt": {"type": "string", "enum": ["json"]}},
        "methods": {"m": {"verb": "PATCH", "path": "/v1/{x}", "request": "M", "response": "M",
            "query": {"updateMask": {"type": "string", "format": "google-fieldmask"}}}},
        "messages": {"M": {"inner": {"type": "N"}, "made": {"type": "string", "readOnly": true}},
            "N": {"aWord": {"type": "string", "enum": ["A"]}, "wait": {"type": "string", "format": "google-duration"},
            "raw": {"type": "string", "format": "byte"}}}}"#;
    let surface = Surface::parse(text);
    let problems =
        |query: &str, body: Value| surface.request_problems("PATCH", "/v1/a", query, &body);
    for mask in ["inner", "inner.aWord", "inner.a_word,inner.wait"] {
        assert!(
            problems(&format!("updateMask={mask}"), json!({})).is_empty(),
            "{mask}"
        );
    }
    for mask in ["", "none", "inner.none", "made", "inner,made"] {
        assert_eq!(
            problems(&format!("updateMask={mask}"), json!({})).len(),
            1,
            "{mask}"
        );
    }
    let numbers = "%24alt=json%3Benum-encoding%3Dint";
    let inner = |name: &str, value: Value| json!({"inner": {name: value}});
    assert!(problems(numbers, inner("aWord", json!(1))).is_empty());
    for (query, name, value) in [
        ("", "aWord", json!(1)),
        (numbers, "aWord", json!(1.5)),
        ("", "wait", json!("3")),
        ("", "wait", json!("1m")),
        ("", "raw", json!("a*b")),
    ] {
        assert_eq!(
            problems(query, inner(name, value.clone())).len(),
            1,
            "{name}: {value}"
        );
    }
    assert!(problems("", inner("wait", json!("3.5s"))).is_empty());
    assert!(problems("", inner("raw", json!("aGk="))).is_empty());
}
