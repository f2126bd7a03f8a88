//! Certificate Manager: how a certificate is authorized, issued, served and renewed, and what is refused.

mod wire;

use std::collections::BTreeMap;

use bytes::Bytes;
use evenkeel::emulator::{Action, Domain, Emulator, FaultRule, Scenario, Timing};
use serde_json::{Value, json};
use wire::client::{Gcp, Reply};
use wire::manager::{
    ATTEMPTED, AUTHORIZATIONS, CERTIFICATES, ENTRIES, GLOBAL, MAPS, assert_refused, name_of, serve,
    served,
};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn gcp() -> Gcp {
    Gcp::new(Scenario::Empty)
}

#[test]
fn a_wildcard_is_issued_once_its_record_is_published() {
    let mut gcp = gcp();
    let (name, data) = gcp.authorize("auth", "example.com");
    assert_eq!(name, "_acme-challenge.example.com.");
    assert!(
        data.ends_with(".authorize.certificatemanager.goog."),
        "{data}"
    );
    gcp.certify("cert", &["*.example.com", "example.com"], &["auth"]);
    serve(&mut gcp, &["cert"]);
    assert_eq!(gcp.managed("cert")["state"], "PROVISIONING");
    assert_eq!(gcp.get(&format!("{ENTRIES}/wild")).body["state"], "PENDING");

    gcp.wait(10 * ATTEMPTED);
    let waiting = gcp.managed("cert");
    assert_eq!(waiting["state"], "PROVISIONING");
    assert_eq!(
        waiting["provisioningIssue"]["reason"],
        "AUTHORIZATION_ISSUE"
    );
    let attempt = &waiting["authorizationAttemptInfo"][0];
    assert_eq!(attempt["domain"], "*.example.com");
    assert_eq!(
        (&attempt["state"], &attempt["failureReason"]),
        (&json!("FAILED"), &json!("CONFIG"))
    );
    let looked = &attempt["troubleshooting"];
    assert_eq!(looked["cname"], json!({"name": name, "expectedData": data}));
    assert_eq!(looked["issues"], json!(["CNAME_MISMATCH"]));

    gcp.publish(&[(&name, "elsewhere.example.net")]);
    gcp.wait(ATTEMPTED);
    let attempt = gcp.managed("cert")["authorizationAttemptInfo"][0].clone();
    let resolved = &attempt["troubleshooting"]["cname"]["resolvedData"];
    assert_eq!(resolved, &json!(["elsewhere.example.net."]));

    gcp.publish(&[(name.trim_end_matches('.'), &data)]);
    gcp.wait(ATTEMPTED - 1);
    assert_eq!(gcp.managed("cert")["state"], "PROVISIONING");
    gcp.wait(1);
    let issued = gcp.get(&format!("{CERTIFICATES}/cert")).body;
    assert_eq!(issued["managed"]["state"], "ACTIVE");
    assert!(issued["managed"].get("provisioningIssue").is_none());
    for attempt in issued["managed"]["authorizationAttemptInfo"]
        .as_array()
        .unwrap()
    {
        assert_eq!(attempt["state"], "AUTHORIZED");
    }
    assert!(issued["expireTime"].is_string());
    assert_eq!(
        issued["sanDnsnames"],
        json!(["*.example.com", "example.com"])
    );
    assert_eq!(gcp.get(&format!("{ENTRIES}/wild")).body["state"], "ACTIVE");
    let user = format!("//certificatemanager.googleapis.com/{}", &ENTRIES[4..]);
    assert_eq!(issued["usedBy"], json!([{"name": format!("{user}/wild")}]));
}

#[test]
fn what_forbids_a_domain_shows_and_is_tried_again_except_for_good() {
    for (word, state, reason) in [
        (Domain::CaaForbidden, "PROVISIONING", "CAA"),
        (Domain::CaaUnreadable, "PROVISIONING", "CAA"),
        (Domain::RateLimited, "PROVISIONING", "RATE_LIMITED"),
        (Domain::FailsForGood, "FAILED", "CONFIG"),
    ] {
        let mut gcp = gcp();
        let (name, data) = gcp.authorize("auth", "example.com");
        gcp.publish(&[(&name, &data)]);
        let domains = BTreeMap::from([("example.com".to_owned(), word)]);
        gcp.emulator.set_domains(domains);
        gcp.certify("cert", &["*.example.com"], &["auth"]);
        gcp.wait(ATTEMPTED);
        let managed = gcp.managed("cert");
        let attempt = &managed["authorizationAttemptInfo"][0];
        assert_eq!(managed["state"], state, "{word:?}");
        assert_eq!(attempt["failureReason"], reason, "{word:?}");

        gcp.emulator.set_domains(BTreeMap::new());
        gcp.wait(2 * ATTEMPTED);
        let mended = if state == "FAILED" {
            "FAILED"
        } else {
            "ACTIVE"
        };
        assert_eq!(gcp.managed("cert")["state"], mended, "{word:?}");
    }
}

#[test]
fn a_certificate_is_renewed_by_the_same_record_and_serves_on_without_it() {
    let (mut gcp, (name, data)) = served();
    let expiry = |gcp: &Gcp| gcp.get(&format!("{CERTIFICATES}/cert")).body["expireTime"].clone();
    let first = expiry(&gcp);
    gcp.wait(61 * DAY);
    let second = expiry(&gcp);
    assert_ne!(first, second);
    assert_eq!(gcp.managed("cert")["state"], "ACTIVE");

    gcp.publish(&[]);
    gcp.wait(61 * DAY);
    assert_eq!(gcp.managed("cert")["state"], "PROVISIONING");
    assert_eq!(expiry(&gcp), second, "it serves until its end");
    assert_eq!(gcp.get(&format!("{ENTRIES}/wild")).body["state"], "ACTIVE");
    gcp.publish(&[(&name, &data)]);
    gcp.wait(DAY);
    assert_eq!(gcp.managed("cert")["state"], "ACTIVE");

    gcp.publish(&[]);
    gcp.wait(91 * DAY);
    assert_eq!(gcp.managed("cert")["state"], "FAILED");
    gcp.publish(&[(&name, &data)]);
    gcp.wait(DAY);
    assert_eq!(gcp.managed("cert")["state"], "FAILED", "for good");
}

#[test]
fn without_dns_authorization_a_load_balancer_must_serve_the_certificate() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    let place = "/v1/projects/netra-staging/locations/global";
    let body = json!({"managed": {"domains": ["shop.example.com"]}});
    gcp.settled(
        "POST",
        &format!("{place}/certificates?certificateId=lb"),
        body,
    );
    let managed = |gcp: &Gcp| gcp.get(&format!("{place}/certificates/lb")).body["managed"].clone();
    gcp.wait(ATTEMPTED);
    let issues = &managed(&gcp)["authorizationAttemptInfo"][0]["troubleshooting"]["issues"];
    assert_eq!(issues, &json!(["CERTIFICATE_NOT_ATTACHED"]));

    gcp.settled(
        "POST",
        &format!("{place}/certificateMaps?certificateMapId=m"),
        json!({}),
    );
    let name = "projects/netra-staging/locations/global/certificates/lb";
    let entry = json!({"matcher": "PRIMARY", "certificates": [name]});
    let entries = format!("{place}/certificateMaps/m/certificateMapEntries");
    gcp.settled("POST", &format!("{entries}?certificateMapEntryId=e"), entry);
    let map = "//certificatemanager.googleapis.com/projects/netra-staging/locations/global/certificateMaps/m";
    let set = "/compute/v1/projects/netra-staging/global/targetHttpsProxies/staging-https-proxy/setCertificateMap";
    gcp.done("POST", set, json!({"certificateMap": map}));
    gcp.wait(2 * ATTEMPTED);
    assert_eq!(managed(&gcp)["state"], "ACTIVE");

    let map = format!("{place}/certificateMaps/m");
    let proxy = "//compute.googleapis.com/projects/netra-staging/global/targetHttpsProxies/staging-https-proxy";
    assert_eq!(
        gcp.get(&map).body["gclbTargets"],
        json!([{"targetHttpsProxy": proxy}])
    );
    assert_refused(&gcp.delete(&map), "FAILED_PRECONDITION", "target proxy");
}

#[test]
fn a_map_takes_its_entries_along() {
    let (mut gcp, _) = served();
    gcp.settled("DELETE", &format!("{MAPS}/front"), Value::Null);
    assert_eq!(gcp.get(&format!("{ENTRIES}/wild")).status, 404);
    gcp.settled("DELETE", &format!("{CERTIFICATES}/cert"), Value::Null);
}

#[test]
fn references_come_with_the_number_of_the_project_and_may_be_sent_so() {
    let (mut gcp, _) = served();
    let named = gcp.managed("cert")["dnsAuthorizations"][0].clone();
    assert!(!named.as_str().unwrap().contains("/p1/"), "{named}");
    let body = json!({"managed": {"domains": ["example.com"], "dnsAuthorizations": [named]}});
    gcp.settled("POST", &format!("{CERTIFICATES}?certificateId=again"), body);
    let own = gcp.get(&format!("{CERTIFICATES}/again")).body["name"].clone();
    assert_eq!(own, name_of("again"), "its own name has the id");
}

#[test]
fn lists_come_in_pages_of_one_place_or_of_all() {
    let mut gcp = gcp();
    for index in 0..60 {
        let target = format!("{AUTHORIZATIONS}?dnsAuthorizationId=a{index:02}");
        gcp.post(&target, json!({"domain": format!("d{index}.example.com"), "labels": {"n": format!("{}", index % 2)}}));
    }
    let regional = "/v1/projects/p1/locations/us-east1/dnsAuthorizations";
    gcp.post(
        &format!("{regional}?dnsAuthorizationId=r"),
        json!({"domain": "r.example.com"}),
    );
    gcp.wait(10);
    let names = |reply: &Reply| -> Vec<String> {
        let items = reply.body["dnsAuthorizations"]
            .as_array()
            .into_iter()
            .flatten();
        items
            .map(|item| {
                item["name"]
                    .as_str()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = gcp.get(&format!("{AUTHORIZATIONS}?pageSize=25&pageToken={token}"));
        seen.extend(names(&page));
        match page.body["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 60);
    let all = gcp.get("/v1/projects/p1/locations/-/dnsAuthorizations?pageSize=100");
    assert_eq!(names(&all).len(), 61);
    assert_eq!(
        gcp.get(regional).body["dnsAuthorizations"][0]["type"],
        "PER_PROJECT_RECORD"
    );
    let odd = gcp.get(&format!("{AUTHORIZATIONS}?filter=labels.n%3D1"));
    assert_eq!(names(&odd).len(), 30);
    let last = gcp.get(&format!("{AUTHORIZATIONS}?orderBy=name%20desc&pageSize=2"));
    assert_eq!(names(&last), ["a59", "a58"]);
    let token = last.body["nextPageToken"].as_str().unwrap();
    let next = gcp.get(&format!(
        "{AUTHORIZATIONS}?orderBy=name%20desc&pageSize=2&pageToken={token}"
    ));
    assert_eq!(names(&next), ["a57", "a56"]);
    for bad in ["filter=((", "orderBy=domain", "pageSize=-1", "pageToken=x"] {
        assert_eq!(
            gcp.get(&format!("{AUTHORIZATIONS}?{bad}")).rpc(),
            "INVALID_ARGUMENT",
            "{bad}"
        );
    }
    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::UnreachableList)]);
    let reply = gcp.get(AUTHORIZATIONS).body;
    assert_eq!(
        reply,
        json!({"unreachable": ["projects/p1/locations/global"]})
    );
}

#[test]
fn entries_come_fifty_at_a_time() {
    let (mut gcp, _) = served();
    for index in 0..60 {
        let entry =
            json!({"hostname": format!("h{index}.example.com"), "certificates": [name_of("cert")]});
        gcp.post(&format!("{ENTRIES}?certificateMapEntryId=e{index}"), entry);
    }
    gcp.wait(10);
    let first = gcp.get(ENTRIES).body;
    assert_eq!(first["certificateMapEntries"].as_array().unwrap().len(), 50);
    let all = gcp.get(&format!("{ENTRIES}?pageSize=5000")).body;
    assert_eq!(all["certificateMapEntries"].as_array().unwrap().len(), 61);
    let maps = gcp.get(MAPS).body;
    assert_eq!(
        maps["certificateMaps"].as_array().unwrap().len(),
        1,
        "{maps}"
    );
}

#[test]
fn an_own_certificate_is_replaced_in_place_and_its_key_is_nowhere() {
    let mut gcp = gcp();
    let pem = include_str!("wire/certificate.pem");
    let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWtleS1ieXRlcw==\n-----END PRIVATE KEY-----\n";
    let own = json!({"selfManaged": {"pemCertificate": pem, "pemPrivateKey": key}});
    gcp.settled(
        "POST",
        &format!("{CERTIFICATES}?certificateId=own"),
        own.clone(),
    );
    let shown = gcp.get(&format!("{CERTIFICATES}/own")).body;
    assert_eq!(shown["selfManaged"], json!({}));
    assert_eq!(shown["pemCertificate"], pem);
    assert!(shown["expireTime"].is_string());
    let target = format!("{CERTIFICATES}/own?updateMask=selfManaged");
    gcp.settled("PATCH", &target, own);
    let half = json!({"selfManaged": {"pemCertificate": pem}});
    assert_refused(&gcp.patch(&target, half), "INVALID_ARGUMENT", "private key");
    let everything = format!("{}{:?}", gcp.emulator.snapshot(), gcp.emulator.requests());
    assert!(
        !everything.contains("c2VjcmV0LWtleS1ieXRlcw"),
        "the key is kept"
    );
}

#[test]
fn operations_are_told_forgotten_and_found_by_host_and_by_place() {
    let mut gcp = gcp();
    let started = gcp.post(
        &format!("{AUTHORIZATIONS}?dnsAuthorizationId=a"),
        json!({"domain": "a.com"}),
    );
    let path = started.operation();
    let running = gcp.get(&path).body;
    assert_eq!(running["metadata"]["verb"], "create");
    assert_eq!(
        running["metadata"]["target"],
        format!("{}/a", &AUTHORIZATIONS[4..])
    );
    assert!(running.get("done").is_none());
    assert_eq!(
        gcp.post(&format!("{path}:cancel"), json!({})).body,
        json!({})
    );
    assert_eq!(gcp.delete(&path).rpc(), "ABORTED", "it runs");
    gcp.wait(10);
    assert_eq!(gcp.get(&path).body["done"], true);
    let listed = gcp.get(&format!("{GLOBAL}/operations")).body;
    assert_eq!(listed["operations"].as_array().unwrap().len(), 1);
    assert_eq!(gcp.delete(&path).body, json!({}));
    assert_eq!(gcp.get(&path).status, 404);

    let host = [("host", "certificatemanager.googleapis.com")];
    let all = gcp.send_raw(
        "GET",
        "/v1/projects/p1/locations?pageSize=100",
        Bytes::new(),
        &host,
    );
    let all = all.unwrap().body;
    let global = |place: &Value| place["locationId"] == "global";
    assert!(
        all["locations"].as_array().unwrap().iter().any(global),
        "{all}"
    );
    assert_eq!(gcp.get(GLOBAL).body["locationId"], "global");
}

#[test]
fn records_that_are_published_outlive_a_restart() {
    let (gcp, (name, data)) = served();
    let later = Emulator::new(evenkeel::emulator::Options {
        scenario: Scenario::Empty,
        seed: 9,
        timing: Timing::instant(),
    });
    later.restore(&gcp.emulator.snapshot()).unwrap();
    let restored = Gcp {
        now: gcp.now,
        ..Gcp::around(later)
    };
    let shown = restored.get("/_emulator/dns").body;
    assert_eq!(
        shown,
        json!({name.trim_end_matches('.'): data.trim_end_matches('.')})
    );
    assert_eq!(restored.managed("cert")["state"], "ACTIVE");
}

#[test]
fn projects_that_share_a_domain_need_a_record_each() {
    let mut gcp = gcp();
    let record = |gcp: &mut Gcp, project: &str, kind: &str| {
        let place = format!("/v1/projects/{project}/locations/global/dnsAuthorizations");
        let body = json!({"domain": "example.com", "type": kind});
        let target = format!("{place}?dnsAuthorizationId={}", kind.to_lowercase());
        gcp.settled("POST", &target, body)["dnsResourceRecord"].clone()
    };
    let fixed = [
        record(&mut gcp, "p1", "FIXED_RECORD"),
        record(&mut gcp, "p2", "FIXED_RECORD"),
    ];
    assert_eq!(fixed[0]["name"], fixed[1]["name"]);
    assert_ne!(
        fixed[0]["data"], fixed[1]["data"],
        "so only one of them can be published"
    );
    let own = [
        record(&mut gcp, "p1", "PER_PROJECT_RECORD"),
        record(&mut gcp, "p2", "PER_PROJECT_RECORD"),
    ];
    assert_ne!(own[0]["name"], own[1]["name"]);
}
