//! What goes wrong in a cloud: lag, throttling, lost replies, failed operations, other writers, restarts.

mod wire;

use std::time::Duration;

use bytes::Bytes;
use evenkeel::emulator::{
    Access, Action, ErrorFault, FaultRule, ForeignError, Leaves, LogStatus, Quota, Scenario, Shape,
    Timing,
};
use serde_json::{Value, json};
use wire::client::{Gcp, REGION, SIZE, STAGING, connector, size};

const NAME: &str = "projects/netra-staging/locations/us-central1/connectors/staging-connector";

fn staging() -> Gcp {
    Gcp::new(Scenario::NetraStaging)
}

fn with_faults(rules: Vec<FaultRule>) -> Gcp {
    let gcp = staging();
    gcp.emulator.set_faults(rules);
    gcp
}

fn grow(gcp: &Gcp) -> Option<wire::client::Reply> {
    gcp.send("PATCH", &format!("{STAGING}?{SIZE}"), size(3, 5))
}

fn truth(gcp: &Gcp) -> Value {
    gcp.emulator
        .connector("netra-staging", "us-central1", "staging-connector")
        .unwrap()
}

#[test]
fn reads_lag_behind_a_finished_operation_and_then_catch_up() {
    let (minute, lag) = (Duration::from_mins(1), Duration::from_secs(5));
    let mut seen = Vec::new();
    for seed in 0..8 {
        let mut gcp = Gcp::timed(Scenario::NetraStaging, seed, Timing::fixed(minute, lag));
        let operation = grow(&gcp).unwrap().operation();
        gcp.wait(60);
        assert_eq!(
            gcp.get(&operation).body["done"],
            true,
            "operations are never stale"
        );
        let stale = gcp.get(STAGING).body;
        assert_eq!(stale["maxInstances"], 3);
        seen.push(stale["state"].as_str().unwrap().to_owned());
        let list = gcp.get(STAGING.rsplit_once('/').unwrap().0).body;
        assert_eq!(list["connectors"][0], stale, "a list is as stale as a get");
        assert_eq!(truth(&gcp)["maxInstances"], 5);
        gcp.wait(5);
        assert_eq!(gcp.get(STAGING).body, truth(&gcp));
    }
    assert!(
        seen.contains(&"UPDATING".to_owned()) && seen.contains(&"READY".to_owned()),
        "{seen:?}"
    );
}

#[test]
fn a_new_connector_may_not_be_found_at_first_and_a_deleted_one_may_linger() {
    let (minute, lag) = (Duration::from_mins(1), Duration::from_secs(5));
    let (mut missing, mut lingers) = (false, false);
    for seed in 0..8 {
        let mut gcp = Gcp::timed(Scenario::Empty, seed, Timing::fixed(minute, lag));
        gcp.post(
            &format!("{REGION}/connectors?connectorId=c1"),
            connector("10.8.0.0/28"),
        );
        let path = format!("{REGION}/connectors/c1");
        gcp.wait(120);
        missing |= gcp.get(&path).status == 404;
        gcp.wait(5);
        gcp.delete(&path);
        gcp.wait(60);
        lingers |= gcp.get(&path).status == 200;
        gcp.wait(5);
        assert_eq!(gcp.get(&path).status, 404);
    }
    assert!(missing && lingers);
}

#[test]
fn error_faults_wear_either_envelope() {
    let google = ErrorFault {
        status: 429,
        retry_after: Some(7),
        ..ErrorFault::default()
    };
    let compute = ErrorFault {
        status: 403,
        shape: Shape::Compute,
        ..ErrorFault::default()
    };
    let gcp = with_faults(vec![
        FaultRule::new(Action::Error(google)).times(1),
        FaultRule::new(Action::Error(compute))
            .named("compute")
            .times(1),
    ]);
    let first = gcp.get(STAGING);
    assert_eq!(
        (first.status, first.rpc(), &first.headers["retry-after"]),
        (429, "RESOURCE_EXHAUSTED", &"7".parse().unwrap())
    );
    assert_eq!(
        first.body["error"]["details"][0]["reason"],
        "RATE_LIMIT_EXCEEDED"
    );
    // Both met the first request; the first rule in the list spoke. So the second is spent too.
    assert_eq!(gcp.get(STAGING).status, 200);
    let fired = gcp.emulator.faults_fired();
    assert_eq!((fired["error"], fired["compute"]), (1, 1));

    let gcp = with_faults(vec![FaultRule::new(Action::Error(ErrorFault {
        status: 403,
        shape: Shape::Compute,
        ..ErrorFault::default()
    }))]);
    let error = gcp.get(STAGING).body["error"].clone();
    assert_eq!(error["errors"][0]["reason"], "rateLimitExceeded");
    assert!(error.get("status").is_none());
}

#[test]
fn every_error_code_has_a_good_envelope() {
    for status in [400, 401, 403, 404, 409, 429, 499, 500, 501, 503, 504] {
        for shape in [Shape::Google, Shape::Compute] {
            let gcp = with_faults(vec![FaultRule::new(Action::Error(ErrorFault {
                status,
                shape,
                ..ErrorFault::default()
            }))]);
            assert_eq!(gcp.get(STAGING).status, status); // the client checks the envelope
        }
    }
}

#[test]
fn a_rule_meets_only_what_it_matches_after_n_and_so_often() {
    let mut rule = FaultRule::new(Action::Error(ErrorFault {
        status: 503,
        ..ErrorFault::default()
    }))
    .on("patch", "staging-connector")
    .times(2);
    rule.matching.after = 1;
    let gcp = with_faults(vec![rule]);
    let bad = |mask: &str| {
        gcp.patch(&format!("{STAGING}?updateMask={mask}"), json!({}))
            .status
    };
    assert_eq!(
        [bad("x"), bad("x"), bad("x"), bad("x")],
        [400, 503, 503, 400]
    );
    assert_eq!(gcp.get(STAGING).status, 200);
    assert_eq!(gcp.emulator.faults_fired()["error"], 2);
}

#[test]
fn a_lost_reply_tells_nothing_but_the_log_does() {
    for (action, landed) in [(Action::ResetBefore, false), (Action::ResetAfter, true)] {
        let gcp = with_faults(vec![FaultRule::new(action).on("PATCH", "").named("lost")]);
        assert!(grow(&gcp).is_none());
        assert_eq!(truth(&gcp)["state"] == "UPDATING", landed);
        let entry = gcp.emulator.requests().pop().unwrap();
        assert_eq!(
            (entry.status, entry.landed, entry.faults),
            (LogStatus::RESET, landed, vec!["lost".to_owned()])
        );
        let refused = gcp.send("PATCH", &format!("{STAGING}?updateMask=name"), json!({}));
        assert!(refused.is_none() && !gcp.emulator.requests().pop().unwrap().landed);
    }
}

#[test]
fn operations_can_be_slow_fail_or_do_nothing() {
    let failure = |leaves| Action::FailOperation {
        code: 13,
        message: "broken".into(),
        leaves,
    };
    let cases = [
        (Action::SlowOperation { seconds: 90 }, None, "UPDATING", 3),
        (Action::IgnoreWrite, Some("response"), "READY", 3),
        (failure(Leaves::Ready), Some("error"), "READY", 3),
        (failure(Leaves::Error), Some("error"), "ERROR", 3),
    ];
    for (action, result, state, max) in cases {
        let mut gcp = with_faults(vec![FaultRule::new(action)]);
        let operation = grow(&gcp).unwrap().operation();
        gcp.wait(60);
        let over = gcp.get(&operation).body;
        assert_eq!(result.is_some(), over["done"] == true);
        assert!(
            result.is_none_or(|result| over.get(result).is_some()),
            "{over}"
        );
        assert_eq!(
            (&truth(&gcp)["state"], &truth(&gcp)["maxInstances"]),
            (&json!(state), &json!(max))
        );
        gcp.wait(90);
        assert_eq!(gcp.get(&operation).body["done"], true);
        assert_eq!(gcp.emulator.faults_fired().len(), 1);
    }
}

#[test]
fn a_create_that_fails_leaves_error_whatever_the_fault_says() {
    let mut gcp = Gcp::new(Scenario::Empty);
    let failure = Action::FailOperation {
        code: 13,
        message: "broken".into(),
        leaves: Leaves::Ready,
    };
    gcp.emulator.set_faults(vec![FaultRule::new(failure)]);
    gcp.post(
        &format!("{REGION}/connectors?connectorId=c1"),
        connector("10.8.0.0/28"),
    );
    gcp.wait(120);
    assert_eq!(
        gcp.get(&format!("{REGION}/connectors/c1")).body["state"],
        "ERROR"
    );

    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::IgnoreWrite)]);
    gcp.delete(&format!("{REGION}/connectors/c1"));
    gcp.wait(60);
    let still = gcp.get(&format!("{REGION}/connectors/c1")).body;
    assert_eq!(
        still["state"], "ERROR",
        "a delete that does nothing mends nothing"
    );
}

#[test]
fn an_ignored_create_and_delete_change_nothing() {
    let mut gcp = Gcp::new(Scenario::Empty);
    let path = gcp.ready("c1", "10.8.0.0/28");
    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::IgnoreWrite)]);
    let operation = gcp.delete(&path).operation();
    let create = gcp.post(
        &format!("{REGION}/connectors?connectorId=c2"),
        connector("10.8.0.16/28"),
    );
    gcp.wait(120);
    assert_eq!(gcp.get(&operation).body["done"], true);
    assert_eq!(gcp.get(&create.operation()).body["done"], true);
    assert_eq!(gcp.get(&path).body["state"], "READY");
    assert_eq!(gcp.get(&format!("{REGION}/connectors/c2")).status, 404);
}

#[test]
fn reads_can_be_stale_and_lists_partial() {
    let mut gcp = with_faults(vec![FaultRule::new(Action::StaleReads { seconds: 70 })]);
    grow(&gcp);
    gcp.wait(60);
    assert_eq!(gcp.get(STAGING).body["state"], "READY");
    assert_eq!(gcp.get(STAGING).body["maxInstances"], 3);
    gcp.wait(70);
    assert_eq!(gcp.get(STAGING).body["maxInstances"], 5);

    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::UnreachableList)]);
    let region = STAGING.rsplit_once("/connectors").unwrap().0;
    assert_eq!(gcp.get(&format!("{region}/connectors")).body, json!({}));
    assert_eq!(gcp.get(STAGING).status, 200, "it is still there to get");
    let operations = gcp.get(&format!("{region}/operations")).body;
    assert_eq!(
        operations,
        json!({"unreachable": [region.strip_prefix("/v1/").unwrap()]})
    );
}

#[test]
fn a_delay_is_handed_to_the_caller() {
    let gcp = with_faults(vec![FaultRule::new(Action::Delay { ms: 1500 })]);
    assert_eq!(gcp.get(STAGING).delay, Duration::from_millis(1500));
}

#[test]
fn quota_runs_out_and_refills_with_the_next_minute() {
    let mut gcp = staging();
    gcp.emulator.set_quota(Quota {
        reads_per_minute: 2,
        writes_per_minute: 1,
    });
    assert_eq!(
        [gcp.get(STAGING).status, gcp.get(STAGING).status],
        [200, 200]
    );
    let over = gcp.get(STAGING);
    assert_eq!((over.status, over.rpc()), (429, "RESOURCE_EXHAUSTED"));
    let info = &over.body["error"]["details"][0];
    assert_eq!(
        (&info["reason"], &info["metadata"]["quota_limit_value"]),
        (&json!("RATE_LIMIT_EXCEEDED"), &json!("2"))
    );
    assert_eq!(gcp.delete(STAGING).status, 200, "writes are counted apart");
    assert_eq!(gcp.delete(STAGING).status, 429);
    gcp.wait(59);
    assert_eq!(gcp.get(STAGING).status, 429);
    gcp.wait(1);
    assert_eq!(gcp.get(STAGING).status, 404, "let in, and deleted by now");
    gcp.emulator.set_quota(Quota {
        reads_per_minute: 0,
        writes_per_minute: 0,
    });
    assert!((0..50).all(|_| gcp.get(STAGING).status == 404));
}

#[test]
fn access_is_refused_as_google_refuses_it() {
    let gcp = staging();
    let read = |token: Option<&str>| {
        let headers: Vec<(&str, &str)> = token
            .map(|token| ("authorization", token))
            .into_iter()
            .collect();
        let reply = gcp
            .send_raw("GET", STAGING, Bytes::new(), &headers)
            .unwrap();
        let reason = reply.body["error"]["details"][0]["reason"]
            .as_str()
            .unwrap_or("")
            .to_owned();
        (reply.status, reason)
    };
    assert_eq!(read(None).0, 200);
    gcp.emulator.set_access(Access::AnyToken);
    assert_eq!(read(None), (401, "CREDENTIALS_MISSING".into()));
    assert_eq!(read(Some("Basic x")).0, 401);
    assert_eq!(read(Some("Bearer x")).0, 200);
    gcp.emulator.set_access(Access::Token("new".into()));
    assert_eq!(
        read(Some("Bearer old")),
        (401, "ACCESS_TOKEN_EXPIRED".into())
    );
    assert_eq!(read(Some("bearer new")).0, 200);
    gcp.emulator.set_access(Access::Denied);
    assert_eq!(
        read(Some("Bearer x")),
        (403, "IAM_PERMISSION_DENIED".into())
    );
    gcp.emulator.set_access(Access::ApiDisabled);
    assert_eq!(read(Some("Bearer x")), (403, "SERVICE_DISABLED".into()));
    let disabled = gcp.get(STAGING); // the client checks the envelope
    assert!(
        disabled
            .message()
            .starts_with("Serverless VPC Access API has not been used in project")
    );
}

#[test]
fn another_writer_changes_things_at_once_and_is_told_apart() {
    let mut gcp = staging();
    grow(&gcp);
    gcp.emulator
        .foreign_patch(gcp.now, NAME, &json!({"machineType": "e2-standard-4"}))
        .unwrap();
    assert_eq!(gcp.get(STAGING).body["machineType"], "e2-standard-4");
    gcp.wait(60);
    let after = gcp.get(STAGING).body;
    assert_eq!(
        (&after["machineType"], &after["maxInstances"]),
        (&json!("e2-standard-4"), &json!(5))
    );
    let foreign = gcp
        .emulator
        .requests()
        .into_iter()
        .find(|entry| entry.foreign)
        .unwrap();
    assert_eq!(
        (
            foreign.landed,
            foreign.before.unwrap()["machineType"].clone()
        ),
        (true, json!("e2-micro"))
    );

    let fails = |name: &str, fields: Value| gcp.emulator.foreign_patch(gcp.now, name, &fields);
    assert_eq!(
        fails("x", json!({})),
        Err(ForeignError::NotFound("x".into()))
    );
    assert!(matches!(
        fails(NAME, json!({"size": 1})),
        Err(ForeignError::Fields(_))
    ));
    assert!(matches!(
        fails(NAME, json!({"name": "y"})),
        Err(ForeignError::Fields(_))
    ));
    gcp.emulator.foreign_delete(gcp.now, NAME).unwrap();
    assert_eq!(gcp.get(STAGING).status, 404);
}
