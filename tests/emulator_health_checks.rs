//! Health checks: what the API fills in, what it refuses, and in which words.

mod wire;

use serde_json::{Value, json};
use wire::compute::{CHECK, GLOBAL, REGIONAL, assert_refused, gcp, http_check, link, with};

#[test]
fn an_insert_fills_in_defaults_and_takes_effect_when_it_is_done() {
    let mut gcp = gcp();
    let path = format!("{GLOBAL}/healthChecks/new");
    let body = json!({"name": "new", "type": "HTTP", "httpHealthCheck": {}});
    let started = gcp.post(&format!("{GLOBAL}/healthChecks"), body.clone());
    assert_eq!(started.body["status"], "RUNNING");
    assert_eq!(started.body["operationType"], "insert");
    assert_eq!(started.body["targetLink"], link(&path));
    assert!(
        started.body["name"]
            .as_str()
            .unwrap()
            .starts_with("operation-1795428")
    );
    assert_refused(
        &gcp.get(&path),
        404,
        "notFound",
        "The resource 'projects/netra-staging/global/healthChecks/new' was not found",
    );
    let again = gcp.post(&format!("{GLOBAL}/healthChecks"), body.clone());
    assert_refused(
        &again,
        409,
        "alreadyExists",
        "The resource 'projects/netra-staging/global/healthChecks/new' already exists",
    );
    gcp.wait(4);
    let over = gcp
        .post(
            &format!("{}/wait", started.compute_operation()),
            Value::Null,
        )
        .body;
    assert_eq!(
        (&over["status"], &over["progress"]),
        (&json!("DONE"), &json!(100))
    );
    let made = gcp.get(&path).body;
    assert_eq!(made["id"], over["targetId"]);
    let expected = json!({
        "checkIntervalSec": 5, "timeoutSec": 5, "healthyThreshold": 2, "unhealthyThreshold": 2,
        "httpHealthCheck": {"port": 80, "requestPath": "/", "proxyHeader": "NONE"},
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!(
        gcp.post(&format!("{GLOBAL}/healthChecks"), body).status,
        409
    );
}

#[test]
fn defaults_follow_the_protocol_and_the_port_specification() {
    let mut gcp = gcp();
    let cases = [
        (
            "TCP",
            "tcpHealthCheck",
            json!({"port": 80, "proxyHeader": "NONE"}),
        ),
        (
            "SSL",
            "sslHealthCheck",
            json!({"port": 443, "proxyHeader": "NONE"}),
        ),
        (
            "HTTPS",
            "httpsHealthCheck",
            json!({"port": 443, "proxyHeader": "NONE", "requestPath": "/"}),
        ),
        (
            "HTTP2",
            "http2HealthCheck",
            json!({"port": 443, "proxyHeader": "NONE", "requestPath": "/"}),
        ),
        ("GRPC", "grpcHealthCheck", json!({})),
        ("GRPC_WITH_TLS", "grpcTlsHealthCheck", json!({})),
    ];
    for (index, (kind, block, expected)) in cases.into_iter().enumerate() {
        let name = format!("c{index}");
        let body = json!({"name": name, "type": kind, block: {}});
        gcp.done("POST", &format!("{REGIONAL}/healthChecks"), body);
        let made = gcp.get(&format!("{REGIONAL}/healthChecks/{name}")).body;
        assert_eq!(made[block], expected, "{kind}");
        assert_eq!(made["region"], link(REGIONAL));
    }
    let serving = json!({"name": "s", "type": "TCP", "tcpHealthCheck": {"portSpecification": "USE_SERVING_PORT"}});
    gcp.done("POST", &format!("{GLOBAL}/healthChecks"), serving);
    let made = gcp.get(&format!("{GLOBAL}/healthChecks/s")).body;
    assert!(made["tcpHealthCheck"].get("port").is_none());
}

#[test]
fn health_checks_are_refused_in_googles_words() {
    let gcp = gcp();
    let regions = json!(["us-central1", "us-east1", "europe-west1"]);
    let sourced = json!({"sourceRegions": regions, "checkIntervalSec": 30});
    let cases = [
        (
            json!({"name": "Bad_Name"}),
            "'resource.name': 'Bad_Name'. Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'",
        ),
        (
            json!({"name": null}),
            "Required field 'resource.name' not specified",
        ),
        (
            json!({"type": null}),
            "Required field 'resource.type' not specified",
        ),
        (
            json!({"httpHealthCheck": null}),
            "'resource.httpHealthCheck': ''. HTTP healthCheck missing.",
        ),
        (
            json!({"tcpHealthCheck": {"port": 80}}),
            "'resource.tcpHealthCheck': ''. Must not be set",
        ),
        (
            json!({"checkIntervalSec": 301}),
            "'resource.checkIntervalSec': '301'. Must be less than or equal to 300",
        ),
        (
            json!({"checkIntervalSec": 0}),
            "'resource.checkIntervalSec': '0'. Must be greater than or equal to 1",
        ),
        (
            json!({"timeoutSec": 30}),
            "'resource.timeoutSec': '30'. TimeoutSec should be less than checkIntervalSec.",
        ),
        (
            json!({"unhealthyThreshold": 12}),
            "'resource.unhealthyThreshold': '12'. Must be less than or equal to 10",
        ),
        (
            json!({"healthyThreshold": 0}),
            "Must be greater than or equal to 1",
        ),
        (
            json!({"httpHealthCheck": {"port": 70_000}}),
            "'resource.httpHealthCheck.port': '70000'",
        ),
        (
            json!({"httpHealthCheck": {"requestPath": "x"}}),
            "Must start with '/'",
        ),
        (
            json!({"httpHealthCheck": {"portSpecification": "USE_SERVING_PORT", "port": 1}}),
            "Must not be set",
        ),
        (
            json!({"httpHealthCheck": {"portSpecification": "USE_NAMED_PORT"}}),
            "not supported",
        ),
        (
            json!({"httpHealthCheck": {"response": "\u{e9}"}}),
            "Must be ASCII",
        ),
        (
            with(sourced.clone(), json!({"sourceRegions": ["us-central1"]})),
            "Exactly 3",
        ),
        (
            with(sourced.clone(), json!({"sourceRegions": ["a", "b", "c"]})),
            "Unknown region",
        ),
        (
            with(sourced.clone(), json!({"checkIntervalSec": 29})),
            "at least 30",
        ),
        (
            with(
                sourced,
                json!({"httpHealthCheck": {"proxyHeader": "PROXY_V1"}}),
            ),
            "proxyHeader",
        ),
    ];
    for (changes, words) in cases {
        let body = with(http_check("new"), changes);
        let refused = gcp.post(&format!("{GLOBAL}/healthChecks"), body);
        assert_eq!(refused.status, 400, "{words}");
        assert!(refused.message().contains(words), "{}", refused.message());
        assert!(["invalid", "required"].contains(&refused.reason()));
    }
    let regional = with(
        http_check("new"),
        json!({"sourceRegions": regions, "checkIntervalSec": 30}),
    );
    let refused = gcp.post(&format!("{REGIONAL}/healthChecks"), regional);
    assert_refused(&refused, 400, "invalid", "global health check");
    assert!(gcp.emulator.requests().iter().all(|entry| !entry.landed));
}

#[test]
fn a_body_that_cannot_be_read_is_refused_with_its_place() {
    let gcp = gcp();
    for (body, words) in [
        (
            json!({"interval": 3}),
            "Unknown name \"interval\" at 'resource': Cannot find field.",
        ),
        (
            json!({"checkIntervalSec": "often"}),
            "Invalid value at 'resource.checkIntervalSec' (TYPE_INT32), \"often\"",
        ),
        (json!({"type": "UDP"}), "Invalid value at 'resource.type'"),
        (
            json!({"httpHealthCheck": {"path": "/"}}),
            "Unknown name \"path\" at 'resource.httpHealthCheck'",
        ),
    ] {
        let refused = gcp.patch(CHECK, body);
        assert_eq!(refused.status, 400);
        assert!(refused.message().contains(words), "{}", refused.message());
        assert_eq!(refused.body["error"]["errors"][0]["reason"], "badRequest");
    }
}

#[test]
fn a_patch_merges_and_an_update_replaces_all() {
    let mut gcp = gcp();
    gcp.done(
        "PATCH",
        CHECK,
        json!({"timeoutSec": 4, "httpHealthCheck": {"requestPath": "/ready"}, "description": "d"}),
    );
    let patched = gcp.get(CHECK).body;
    assert_eq!(
        patched["httpHealthCheck"],
        json!({"port": 8080, "proxyHeader": "NONE", "requestPath": "/ready"})
    );
    assert_eq!(
        (&patched["timeoutSec"], &patched["unhealthyThreshold"]),
        (&json!(4), &json!(1))
    );

    gcp.done(
        "PATCH",
        CHECK,
        json!({"description": null, "timeoutSec": null}),
    );
    let emptied = gcp.get(CHECK).body;
    assert!(emptied.get("description").is_none());
    assert_eq!(emptied["timeoutSec"], 5, "null puts the default back");

    gcp.done(
        "PATCH",
        CHECK,
        json!({"type": "TCP", "tcpHealthCheck": {"port": 1}, "httpHealthCheck": null}),
    );
    assert_eq!(gcp.get(CHECK).body["tcpHealthCheck"]["port"], 1);

    gcp.done("PUT", CHECK, http_check("staging-hc"));
    let replaced = gcp.get(CHECK).body;
    assert_eq!(
        (&replaced["unhealthyThreshold"], &replaced["id"]),
        (&json!(2), &patched["id"])
    );
    assert!(replaced.get("tcpHealthCheck").is_none());
    let renamed = gcp.patch(CHECK, json!({"name": "other"}));
    assert_refused(&renamed, 400, "invalid", "cannot be changed");
}
