//! Backend services, the groups behind them and how those do.

mod wire;

use serde_json::{Value, json};
use wire::compute::{
    CHECK, GLOBAL, PROJECT, REGIONAL, SERVERLESS, SERVICE, assert_refused, gcp, link, with,
};

#[test]
fn backend_services_are_refused_in_googles_words() {
    let gcp = gcp();
    let check = json!([link(CHECK)]);
    let group = json!([{"group": link(&format!("{PROJECT}/zones/us-central1-a/instanceGroups/staging-group"))}]);
    let neg = json!([{"group": link(&format!("{REGIONAL}/networkEndpointGroups/staging-neg"))}]);
    let mixed = json!([group[0], neg[0]]);
    let cases = [
        (
            json!({"backends": neg, "healthChecks": check}),
            400,
            "'resource.healthChecks': ''. A backend service cannot have a healthcheck with Serverless network endpoint group backends.",
        ),
        (
            json!({"backends": neg, "timeoutSec": 120}),
            400,
            "'resource.timeoutSec': '120'. Timeout sec is not supported for a backend service with Serverless network endpoint groups.",
        ),
        (
            json!({"backends": [with(neg[0].clone(), json!({"maxUtilization": 0.8}))]}),
            400,
            "'resource.backends[0].maxUtilization': '0.8'. Max utilization is not supported for Serverless network endpoint groups.",
        ),
        (json!({"backends": group}), 400, "must have a health check"),
        (json!({"backends": mixed}), 400, "cannot be mixed"),
        (
            json!({"healthChecks": [check[0], check[0]]}),
            400,
            "At most one health check",
        ),
        (
            json!({"healthChecks": [link(&format!("{GLOBAL}/healthChecks/none"))]}),
            404,
            "The resource 'projects/netra-staging/global/healthChecks/none' was not found",
        ),
        (
            json!({"healthChecks": ["none"]}),
            400,
            "'resource.healthChecks[0]': 'none'. The URL is malformed.",
        ),
        (
            json!({"healthChecks": [link(SERVICE)]}),
            400,
            "The URL is malformed.",
        ),
        (
            json!({"backends": [{"group": link(&format!("{REGIONAL}/networkEndpointGroups/none"))}]}),
            404,
            "networkEndpointGroups/none' was not found",
        ),
        (
            json!({"timeoutSec": 0}),
            400,
            "'resource.timeoutSec': '0'. Must be greater than or equal to 1",
        ),
        (
            json!({"connectionDraining": {"drainingTimeoutSec": 3601}}),
            400,
            "'resource.connectionDraining.drainingTimeoutSec'",
        ),
        (
            json!({"logConfig": {"enable": true, "sampleRate": 1.5}}),
            400,
            "'resource.logConfig.sampleRate': '1.5'",
        ),
        (
            json!({"backends": [with(group[0].clone(), json!({"capacityScaler": 0.05}))], "healthChecks": check}),
            400,
            "capacityScaler",
        ),
    ];
    for (changes, status, words) in cases {
        let body = with(json!({"name": "new"}), changes);
        let refused = gcp.post(&format!("{GLOBAL}/backendServices"), body);
        assert_eq!(refused.status, status, "{words}");
        assert!(refused.message().contains(words), "{}", refused.message());
    }
    let fingerprint = gcp.fingerprint(SERVICE);
    let change = json!({"loadBalancingScheme": "EXTERNAL", "fingerprint": fingerprint});
    assert_refused(
        &gcp.patch(SERVICE, change),
        400,
        "invalid",
        "'resource.loadBalancingScheme'",
    );
    let change = json!({"healthChecks": check, "fingerprint": gcp.fingerprint(SERVERLESS)});
    assert_refused(&gcp.patch(SERVERLESS, change), 400, "invalid", "Serverless");
}

#[test]
fn backend_services_get_their_defaults() {
    let mut gcp = gcp();
    let group = format!("{PROJECT}/zones/us-central1-a/instanceGroups/staging-group");
    let body = json!({"name": "new", "healthChecks": [link(CHECK)], "backends": [{"group": link(&group)}],
                      "iap": {"enabled": true, "oauth2ClientId": "i", "oauth2ClientSecret": "quiet"},
                      "logConfig": {"enable": true}});
    gcp.done("POST", &format!("{GLOBAL}/backendServices"), body);
    let made = gcp.get(&format!("{GLOBAL}/backendServices/new")).body;
    let expected = json!({
        "affinityCookieTtlSec": 0, "description": "", "enableCDN": false, "loadBalancingScheme": "EXTERNAL",
        "port": 80, "portName": "http", "protocol": "HTTP", "sessionAffinity": "NONE", "timeoutSec": 30,
        "connectionDraining": {"drainingTimeoutSec": 0}, "logConfig": {"enable": true, "sampleRate": 1.0},
        "backends": [{"group": link(&group), "balancingMode": "UTILIZATION", "capacityScaler": 1.0}],
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let iap = &made["iap"];
    assert_eq!(
        iap["oauth2ClientSecretSha256"].as_str().map(str::len),
        Some(64)
    );
    let log = serde_json::to_string(&gcp.emulator.requests()).unwrap();
    let world = gcp.emulator.snapshot().to_string();
    assert!(
        !log.contains("quiet") && !world.contains("quiet"),
        "a secret is kept nowhere"
    );
}

#[test]
fn the_health_of_a_group_is_what_its_instances_say() {
    let gcp = gcp();
    let ask = |service: &str, group: &str| {
        gcp.post(
            &format!("{service}/getHealth"),
            json!({"group": link(&format!("{PROJECT}/{group}"))}),
        )
    };
    let group = "zones/us-central1-a/instanceGroups/staging-group";
    let health = ask(SERVICE, group).body;
    let states: Vec<&Value> = health["healthStatus"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["healthState"])
        .collect();
    assert_eq!(states, ["HEALTHY", "UNHEALTHY"]);
    let vm = format!("{PROJECT}/zones/us-central1-a/instances/staging-vm-1");
    assert_eq!(health["healthStatus"][0]["instance"], link(&vm));
    gcp.emulator
        .foreign_patch(
            gcp.now,
            vm.strip_prefix("/compute/v1/").unwrap(),
            &json!({"health": "UNHEALTHY"}),
        )
        .unwrap();
    assert_eq!(
        ask(SERVICE, group).body["healthStatus"][0]["healthState"],
        "UNHEALTHY"
    );

    let neg = "regions/us-central1/networkEndpointGroups/staging-neg";
    assert_eq!(
        ask(SERVERLESS, neg).body,
        json!({"kind": "compute#backendServiceGroupHealth"})
    );
    assert_refused(&ask(SERVICE, neg), 400, "invalid", "not a backend");
    assert_eq!(
        ask(&format!("{GLOBAL}/backendServices/none"), neg).status,
        404
    );
    assert!(
        gcp.emulator
            .requests()
            .iter()
            .all(|entry| !entry.landed || entry.foreign)
    );
}

#[test]
fn endpoint_groups_are_made_where_they_belong() {
    let mut gcp = gcp();
    let run =
        json!({"name": "api", "networkEndpointType": "SERVERLESS", "cloudRun": {"service": "api"}});
    gcp.done(
        "POST",
        &format!("{REGIONAL}/networkEndpointGroups"),
        run.clone(),
    );
    let made = gcp
        .get(&format!("{REGIONAL}/networkEndpointGroups/api"))
        .body;
    assert_eq!(
        (&made["size"], &made["kind"]),
        (&json!(0), &json!("compute#networkEndpointGroup"))
    );
    let zone = format!("{PROJECT}/zones/us-central1-a/networkEndpointGroups");
    assert_refused(
        &gcp.post(&zone, run),
        400,
        "invalid",
        "is only allowed in regional scope.",
    );
    let started = gcp.post(&zone, json!({"name": "vms"}));
    assert_eq!(
        started.body["zone"],
        link(&format!("{PROJECT}/zones/us-central1-a"))
    );
    gcp.wait(4);
    assert_eq!(gcp.get(&started.compute_operation()).body["status"], "DONE");
    assert_eq!(
        gcp.get(&format!("{zone}/vms")).body["networkEndpointType"],
        "GCE_VM_IP_PORT"
    );
}
