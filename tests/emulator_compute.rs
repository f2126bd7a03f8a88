//! What all of compute has in common: links, operations, fingerprints, uses, refusals.

mod wire;

use bytes::Bytes;
use evenkeel::emulator::{Action, FaultRule, Leaves};
use serde_json::{Value, json};
use wire::compute::{
    CERTIFICATE, CHECK, GLOBAL, PROJECT, PROXY, REGIONAL, SERVERLESS, SERVICE, assert_refused, gcp,
    http_check, link,
};

#[test]
fn the_scenario_is_there_to_read() {
    let gcp = gcp();
    let check = gcp.get(CHECK).body;
    assert_eq!(check["kind"], "compute#healthCheck");
    assert_eq!(check["selfLink"], link(CHECK));
    assert_eq!(check["creationTimestamp"], "2025-03-10T02:00:00.000-08:00");
    assert_eq!(
        (&check["timeoutSec"], &check["unhealthyThreshold"]),
        (&json!(1), &json!(1))
    );
    assert!(check.get("fingerprint").is_none() && check.get("region").is_none());

    let service = gcp.get(SERVICE).body;
    assert_eq!(service["healthChecks"], json!([link(CHECK)]));
    let map = link(&format!("{GLOBAL}/urlMaps/staging-url-map"));
    assert_eq!(service["usedBy"], json!([{"reference": map}]));
    assert_eq!(service["fingerprint"].as_str().unwrap().len(), 12);
    let neg = gcp
        .get(&format!("{REGIONAL}/networkEndpointGroups/staging-neg"))
        .body;
    assert_eq!(neg["networkEndpointType"], "SERVERLESS");
    assert_eq!(neg["region"], link(REGIONAL));
    assert_eq!(
        gcp.get(SERVERLESS).body["backends"][0]["group"],
        neg["selfLink"]
    );
    assert_eq!(
        gcp.get(PROXY).body["sslCertificates"],
        json!([link(CERTIFICATE)])
    );
    assert_eq!(gcp.get(CERTIFICATE).body["managed"]["status"], "ACTIVE");
}

#[test]
fn links_stand_under_the_base_that_the_client_uses() {
    let gcp = gcp();
    let read = |target: &str, headers: &[(&str, &str)]| {
        let reply = gcp.send_raw("GET", target, Bytes::new(), headers).unwrap();
        reply.body["healthChecks"][0].clone()
    };
    let host = |host: &str| read(SERVICE, &[("host", host)]);
    assert_eq!(
        host("127.0.0.1:8080"),
        format!("http://127.0.0.1:8080{CHECK}")
    );
    assert_eq!(host("compute.googleapis.com"), link(CHECK));
    let absolute = read(&format!("http://gcp.example:81{SERVICE}"), &[]);
    assert_eq!(absolute, format!("http://gcp.example:81{CHECK}"));
}

#[test]
fn a_resource_takes_one_change_at_a_time() {
    let mut gcp = gcp();
    gcp.patch(CHECK, json!({"timeoutSec": 4}));
    let busy = gcp.patch(CHECK, json!({"timeoutSec": 3}));
    assert_refused(&busy, 400, "resourceNotReady", "is not ready");
    gcp.wait(4);
    assert_eq!(gcp.patch(CHECK, json!({"timeoutSec": 3})).status, 200);
}

#[test]
fn a_request_id_makes_a_repeat_harmless() {
    let mut gcp = gcp();
    let target = format!("{CHECK}?requestId=5f2c1f0a-8d2e-4c59-9d65-0d7a4c8c8f10");
    let first = gcp.patch(&target, json!({"timeoutSec": 4}));
    assert_eq!(
        first.body["clientOperationId"],
        "5f2c1f0a-8d2e-4c59-9d65-0d7a4c8c8f10"
    );
    let running = gcp.patch(&target, json!({"timeoutSec": 4}));
    assert_eq!(running.body["name"], first.body["name"]);
    gcp.wait(4);
    gcp.done("PATCH", CHECK, json!({"timeoutSec": 2}));
    let late = gcp.patch(&target, json!({"timeoutSec": 4}));
    assert_eq!(
        (&late.body["name"], &late.body["status"]),
        (&first.body["name"], &json!("DONE"))
    );
    assert_eq!(gcp.get(CHECK).body["timeoutSec"], 2);
    for id in ["x", "00000000-0000-0000-0000-000000000000"] {
        let refused = gcp.patch(&format!("{CHECK}?requestId={id}"), json!({}));
        assert_refused(&refused, 400, "invalid", "'requestId'");
    }
}

#[test]
fn fingerprints_guard_what_has_them() {
    let mut gcp = gcp();
    for path in [SERVICE, PROXY] {
        let current = gcp.fingerprint(path);
        for stale in [
            json!({"description": "x"}),
            json!({"description": "x", "fingerprint": "AAAAAAAAAAA="}),
        ] {
            assert_refused(
                &gcp.patch(path, stale),
                412,
                "conditionNotMet",
                "Invalid fingerprint.",
            );
        }
        gcp.done(
            "PATCH",
            path,
            json!({"description": "x", "fingerprint": current}),
        );
        assert_ne!(gcp.fingerprint(path), current);
        let late = gcp.patch(path, json!({"description": "y", "fingerprint": current}));
        assert_refused(&late, 412, "conditionNotMet", "Invalid fingerprint.");
    }
    let mut whole = gcp.get(SERVICE).body;
    let missing = gcp.call("PUT", SERVICE, json!({"name": "staging-vm-backend"}));
    assert_refused(
        &missing,
        400,
        "required",
        "Required field 'resource.fingerprint' not specified",
    );
    // As gcloud does: everything that was read goes back.
    whole["timeoutSec"] = json!(60);
    let reply = gcp
        .send_raw("PUT", SERVICE, Bytes::from(whole.to_string()), &[])
        .unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text);
    gcp.wait(4);
    let after = gcp.get(SERVICE).body;
    assert_eq!(
        (&after["timeoutSec"], &after["usedBy"]),
        (&json!(60), &whole["usedBy"])
    );
}

#[test]
fn what_is_in_use_is_not_deleted() {
    let mut gcp = gcp();
    let uses = [
        (
            CHECK,
            "The health_check resource 'projects/netra-staging/global/healthChecks/staging-hc' is already being used by 'projects/netra-staging/global/backendServices/staging-vm-backend'",
        ),
        (
            SERVICE,
            "The backend_service resource 'projects/netra-staging/global/backendServices/staging-vm-backend' is already being used by 'projects/netra-staging/global/urlMaps/staging-url-map'",
        ),
        (
            CERTIFICATE,
            "The ssl_certificate resource 'projects/netra-staging/global/sslCertificates/staging-cert' is already being used by 'projects/netra-staging/global/targetHttpsProxies/staging-https-proxy'",
        ),
    ];
    for (path, words) in uses {
        let refused = gcp.delete(path);
        assert_refused(&refused, 400, "resourceInUseByAnotherResource", words);
        assert_eq!(refused.message(), words);
    }
    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::LateRefusal)]);
    for (path, words) in uses {
        let over = gcp.done("DELETE", path, Value::Null).body;
        let error = &over["error"]["errors"][0];
        assert_eq!(error["code"], "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE");
        assert_eq!(
            (&error["message"], &over["httpErrorStatusCode"]),
            (&json!(words), &json!(400))
        );
        assert_eq!(gcp.get(path).status, 200);
    }
    gcp.emulator.set_faults(Vec::new());
    gcp.done("DELETE", PROXY, Value::Null);
    gcp.done("DELETE", CERTIFICATE, Value::Null);
    assert_eq!(gcp.get(CERTIFICATE).status, 404);
    assert_eq!(gcp.delete(CERTIFICATE).status, 404);
}

#[test]
fn a_use_that_begins_during_a_delete_stops_it() {
    let mut gcp = gcp();
    gcp.done(
        "POST",
        &format!("{GLOBAL}/healthChecks"),
        http_check("other"),
    );
    let path = format!("{GLOBAL}/healthChecks/other");
    let deleting = gcp.delete(&path);
    let change = json!({"healthChecks": [link(&path)]});
    let service = SERVICE.strip_prefix("/compute/v1/").unwrap();
    gcp.emulator
        .foreign_patch(gcp.now, service, &change)
        .unwrap();
    gcp.wait(4);
    let over = gcp.get(&deleting.compute_operation()).body;
    assert_eq!(
        over["error"]["errors"][0]["code"],
        "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"
    );
    assert_eq!(gcp.get(&path).status, 200);
}

#[test]
fn other_places_and_names_are_not_there() {
    let gcp = gcp();
    for (path, status, reason, words) in [
        (
            "/compute/v1/projects/other/global/healthChecks/h".to_owned(),
            404,
            "notFound",
            "The resource 'projects/other' was not found",
        ),
        (
            format!("{PROJECT}/regions/us-nowhere1/healthChecks"),
            400,
            "invalid",
            "Invalid value for field 'region': 'us-nowhere1'. Unknown region.",
        ),
        (
            format!("{PROJECT}/zones/us-central1-q/networkEndpointGroups"),
            400,
            "invalid",
            "Unknown zone.",
        ),
        (
            format!("{GLOBAL}/healthChecks/-x"),
            400,
            "invalid",
            "Invalid value for field 'healthCheck': '-x'. Must be a match of regex",
        ),
        (
            format!("{GLOBAL}/operations/none"),
            404,
            "notFound",
            "operations/none' was not found",
        ),
    ] {
        assert_refused(&gcp.get(&path), status, reason, words);
    }
    for (verb, path) in [
        ("PATCH", CERTIFICATE.to_owned()),
        (
            "POST",
            format!("{GLOBAL}/targetHttpsProxies/staging-https-proxy/setSslCertificates"),
        ),
        (
            "GET",
            format!("{PROJECT}/regions/us-central1/healthChecks/aggregated/x"),
        ),
        ("GET", CHECK.replace("/v1/", "/beta/")),
    ] {
        let page = gcp.call(verb, &path, Value::Null);
        assert_eq!(
            page.headers["content-type"], "text/html; charset=UTF-8",
            "{path}"
        );
    }
}

#[test]
fn faults_befall_compute_too() {
    let mut gcp = gcp();
    let failure = Action::FailOperation {
        code: 13,
        message: "broken".into(),
        leaves: Leaves::Ready,
    };
    gcp.emulator.set_faults(vec![
        FaultRule::new(failure).times(1),
        FaultRule::new(Action::IgnoreWrite),
    ]);
    let over = gcp.done("PATCH", CHECK, json!({"timeoutSec": 4})).body;
    assert_eq!(
        over["error"]["errors"][0],
        json!({"code": "INTERNAL_ERROR", "message": "broken"})
    );
    assert_eq!(over["httpErrorStatusCode"], 500);
    let over = gcp.done("PATCH", CHECK, json!({"timeoutSec": 4})).body;
    assert!(over.get("error").is_none());
    assert_eq!(gcp.get(CHECK).body["timeoutSec"], 1, "neither changed it");
}

#[test]
fn quota_and_access_are_refused_in_computes_envelope() {
    let gcp = gcp();
    gcp.emulator.set_quota(evenkeel::emulator::Quota {
        reads_per_minute: 1,
        writes_per_minute: 0,
    });
    assert_eq!(gcp.get(CHECK).status, 200);
    assert_refused(
        &gcp.get(CHECK),
        403,
        "rateLimitExceeded",
        "Quota exceeded for quota metric 'Read requests'",
    );
    let connector = "/v1/projects/netra-staging/locations/us-central1/connectors/staging-connector";
    assert_eq!(
        gcp.get(connector).status,
        200,
        "each API has a quota of its own"
    );
    gcp.emulator.set_quota(evenkeel::emulator::Quota::default());
    gcp.emulator.set_access(evenkeel::emulator::Access::Denied);
    assert_refused(
        &gcp.get(CHECK),
        403,
        "forbidden",
        "Required 'compute.healthChecks.get' permission for 'projects/netra-staging/global/healthChecks/staging-hc'",
    );
    gcp.emulator
        .set_access(evenkeel::emulator::Access::ApiDisabled);
    assert_refused(
        &gcp.get(CHECK),
        403,
        "accessNotConfigured",
        "Compute Engine API has not been used",
    );
    gcp.emulator
        .set_access(evenkeel::emulator::Access::AnyToken);
    assert_refused(
        &gcp.get(CHECK),
        401,
        "authError",
        "missing required authentication credential",
    );
}
