//! The emulator speaks exactly the compute API that Google describes, and the validator that says so is not blind.

mod wire;

use std::collections::BTreeSet;

use evenkeel::emulator::{LogStatus, Scenario};
use serde_json::{Value, json};
use wire::client::Gcp;
use wire::compute::{CHECK, GLOBAL, PROJECT, PROXY, REGIONAL, SERVICE, http_check, link, managed};
use wire::{Exchange, Surface};

const PEM: &str = include_str!("wire/certificate.pem");
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";

/// Makes, reads, lists, changes and deletes one of a kind in one place.
fn walk(gcp: &mut Gcp, place: &str, collection: &str, body: Value) {
    let list = format!("{place}/{collection}");
    let item = format!("{list}/{}", body["name"].as_str().unwrap());
    gcp.done("POST", &list, body.clone());
    for target in [
        list.as_str(),
        &format!("{list}?maxResults=1&orderBy=name"),
        &item,
    ] {
        assert_eq!(gcp.get(target).status, 200);
    }
    let mut fingerprint = json!({});
    if let Some(current) = gcp.get(&item).body.get("fingerprint") {
        fingerprint["fingerprint"] = current.clone();
    }
    let mut patch = fingerprint.clone();
    patch["description"] = json!("walked");
    let patched = gcp.send("PATCH", &item, patch).unwrap();
    if patched.status == 200 {
        gcp.wait(4);
        let mut whole = body;
        if let Some(current) = gcp.get(&item).body.get("fingerprint") {
            whole["fingerprint"] = current.clone();
        }
        gcp.call("PUT", &item, whole);
        gcp.wait(4);
    }
    gcp.call("DELETE", &item, Value::Null);
    gcp.wait(24 * 3600);
}

/// The client checks each exchange; this walk sees to it that there is one of every kind.
#[test]
fn every_method_answers_within_the_surface() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    for place in [GLOBAL, REGIONAL] {
        walk(&mut gcp, place, "healthChecks", http_check("a"));
        walk(
            &mut gcp,
            place,
            "backendServices",
            json!({"name": "a", "healthChecks": [link(CHECK)]}),
        );
        let own = json!({"name": "a", "certificate": PEM, "privateKey": KEY});
        walk(&mut gcp, place, "sslCertificates", own.clone());
        let mut kept = own;
        kept["name"] = json!("kept");
        gcp.done("POST", &format!("{place}/sslCertificates"), kept);
        let certificates = json!([link(&format!("{place}/sslCertificates/kept"))]);
        let proxy = json!({"name": "a", "urlMap": link(&format!("{place}/urlMaps/m")), "sslCertificates": certificates});
        walk(&mut gcp, place, "targetHttpsProxies", proxy.clone());
        let mut kept = proxy;
        kept["name"] = json!("kept");
        gcp.done("POST", &format!("{place}/targetHttpsProxies"), kept);
        let proxies = place.replace("/global", "");
        let set = format!("{proxies}/targetHttpsProxies/kept/setSslCertificates");
        gcp.done("POST", &set, json!({"sslCertificates": certificates}));
    }
    walk(
        &mut gcp,
        GLOBAL,
        "sslCertificates",
        managed("m", &["a.example.com"]),
    );
    let zone = format!("{PROJECT}/zones/us-central1-a");
    let groups = [
        (GLOBAL, "INTERNET_FQDN_PORT"),
        (REGIONAL, "PRIVATE_SERVICE_CONNECT"),
        (zone.as_str(), "GCE_VM_IP_PORT"),
    ];
    for (place, kind) in groups {
        walk(
            &mut gcp,
            place,
            "networkEndpointGroups",
            json!({"name": "a", "networkEndpointType": kind}),
        );
        let operations = gcp.get(&format!("{place}/operations")).body;
        let operation = wire::client::path_of(&operations["items"][0]["selfLink"]);
        gcp.get(&operation);
        gcp.post(&format!("{operation}/wait"), Value::Null);
    }
    for collection in [
        "healthChecks",
        "backendServices",
        "sslCertificates",
        "targetHttpsProxies",
        "networkEndpointGroups",
    ] {
        gcp.get(&format!(
            "{PROJECT}/aggregated/{collection}?includeAllScopes=true"
        ));
    }
    let group = link(&format!("{zone}/instanceGroups/staging-group"));
    gcp.post(&format!("{SERVICE}/getHealth"), json!({"group": group}));
    let service =
        json!({"name": "b", "healthChecks": [link(CHECK)], "backends": [{"group": group}]});
    gcp.done("POST", &format!("{REGIONAL}/backendServices"), service);
    gcp.post(
        &format!("{REGIONAL}/backendServices/b/getHealth"),
        json!({"group": group}),
    );
    gcp.post(
        &format!("{PROXY}/setCertificateMap"),
        json!({"certificateMap": ""}),
    );

    let seen: BTreeSet<String> = gcp
        .emulator
        .requests()
        .iter()
        .filter(|entry| entry.status == LogStatus::Code(200))
        .filter_map(|entry| gcp.compute.method_id(&entry.method, &entry.path))
        .map(str::to_owned)
        .collect();
    let all: BTreeSet<String> = gcp
        .compute
        .method_ids()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let missing: Vec<&String> = all.difference(&seen).collect();
    assert!(
        missing.is_empty(),
        "every method of the API is met with success, but {missing:?}"
    );
}

#[test]
fn the_validator_catches_what_compute_would_not_say() {
    let surface = Surface::compute();
    let problems = |method: &'static str, path: &'static str, body: Value, reply: Value| {
        surface.problems(&Exchange {
            method,
            path,
            query: "",
            body,
            status: 200,
            reply,
        })
    };
    let operation = |change: Value| {
        let mut reply = json!({"kind": "compute#operation", "name": "o", "status": "RUNNING"});
        reply
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        problems("DELETE", CHECK, Value::Null, reply)
    };
    assert_eq!(operation(json!({})), Vec::<String>::new());
    for (change, words) in [
        (json!({"status": "DONE"}), "endTime must be there"),
        (
            json!({"endTime": "2026-11-23T10:00:00Z"}),
            "endTime must be there",
        ),
        (json!({"kind": "compute#op"}), "kind is not"),
        (json!({"insertTime": "noon"}), "insertTime is not a time"),
        (json!({"targetLink": "x"}), "targetLink is not a link"),
        (json!({"error": {}}), "an error before it is DONE"),
        (json!({"status": "OVER"}), "not in the enum"),
        (json!({"id": 5}), "expected uint64"),
        (json!({"done": true}), "no such field"),
    ] {
        let found = operation(change);
        assert!(
            found.iter().any(|problem| problem.contains(words)),
            "{words}: {found:?}"
        );
    }
    let sent = problems(
        "PATCH",
        CHECK,
        json!({"kind": "x", "description": null, "size": null}),
        json!({}),
    );
    assert_eq!(sent.len(), 2, "{sent:?}");
}
