//! Compute's certificates: how a managed one comes to be ACTIVE and stays so, what an own one tells, and what a
//! proxy takes.

mod wire;

use std::collections::BTreeMap;

use bytes::Bytes;
use evenkeel::emulator::{Domain, Scenario, Timing};
use serde_json::{Value, json};
use wire::client::Gcp;
use wire::compute::{CERTIFICATE, GLOBAL, PROJECT, PROXY, REGIONAL, link, managed};

const CERTIFICATES: &str = "/compute/v1/projects/netra-staging/global/sslCertificates";
const NEW: &str = "/compute/v1/projects/netra-staging/global/sslCertificates/new";

/// Attached after four seconds, and looked at after another quarter of an hour.
const PROVISIONED: u64 = 15 * 60;

fn gcp() -> Gcp {
    Gcp::new(Scenario::NetraStaging)
}

fn set_certificates(gcp: &mut Gcp, names: &[&str]) {
    let links: Vec<String> = names
        .iter()
        .map(|name| link(&format!("{CERTIFICATES}/{name}")))
        .collect();
    let path = format!("{PROJECT}/targetHttpsProxies/staging-https-proxy/setSslCertificates");
    gcp.done("POST", &path, json!({"sslCertificates": links}));
}

/// A new managed certificate next to the old one.
fn attached(domains: &[&str]) -> Gcp {
    let mut gcp = gcp();
    gcp.done("POST", CERTIFICATES, managed("new", domains));
    set_certificates(&mut gcp, &["staging-cert", "new"]);
    gcp
}

fn status(gcp: &Gcp) -> (String, Value) {
    let managed = gcp.get(NEW).body["managed"].clone();
    (
        managed["status"].as_str().unwrap().to_owned(),
        managed["domainStatus"].clone(),
    )
}

fn set_domains(gcp: &Gcp, domains: &Value) {
    let set = gcp.call("PUT", "/_emulator/domains", domains.clone());
    assert_eq!(set.status, 200, "{}", set.text);
}

#[test]
fn a_managed_certificate_is_issued_once_a_proxy_has_it() {
    let mut gcp = gcp();
    gcp.done(
        "POST",
        CERTIFICATES,
        managed("new", &["a.example.com", "b.example.com"]),
    );
    gcp.wait(24 * 3600);
    let waiting = gcp.get(NEW).body;
    assert_eq!(waiting["managed"]["status"], "PROVISIONING");
    assert!(waiting.get("expireTime").is_none());

    set_certificates(&mut gcp, &["staging-cert", "new"]);
    gcp.wait(PROVISIONED - 5);
    assert_eq!(status(&gcp).0, "PROVISIONING");
    gcp.wait(5);
    let (state, domains) = status(&gcp);
    assert_eq!(state, "ACTIVE");
    assert_eq!(
        domains,
        json!({"a.example.com": "ACTIVE", "b.example.com": "ACTIVE"})
    );
    let issued = gcp.get(NEW).body;
    assert_eq!(
        issued["subjectAlternativeNames"],
        json!(["a.example.com", "b.example.com"])
    );
    assert_eq!(issued["expireTime"], "2027-02-22T02:15:08.000-08:00");
    gcp.wait(70 * 24 * 3600);
    assert_eq!(
        gcp.get(NEW).body["expireTime"],
        "2027-04-23T02:15:08.000-08:00",
        "renewed a month before its end"
    );
}

#[test]
fn the_certificate_of_the_scenario_is_never_past_its_end() {
    let mut gcp = gcp();
    for _ in 0..20 {
        let end: jiff::Timestamp = gcp.get(CERTIFICATE).body["expireTime"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(end > gcp.now);
        gcp.wait(29 * 24 * 3600);
    }
}

#[test]
fn what_keeps_a_domain_from_being_proved_shows() {
    for (word, state, domain) in [
        ("not-visible", "PROVISIONING", "FAILED_NOT_VISIBLE"),
        ("caa-unreadable", "PROVISIONING", "FAILED_CAA_CHECKING"),
        (
            "caa-forbidden",
            "PROVISIONING_FAILED",
            "FAILED_CAA_FORBIDDEN",
        ),
        ("rate-limited", "PROVISIONING_FAILED", "FAILED_RATE_LIMITED"),
        (
            "fails-for-good",
            "PROVISIONING_FAILED_PERMANENTLY",
            "FAILED_NOT_VISIBLE",
        ),
    ] {
        let mut gcp = attached(&["a.example.com", "b.example.com"]);
        set_domains(&gcp, &json!({"b.example.com": word}));
        gcp.wait(PROVISIONED);
        let expected = json!({"a.example.com": "ACTIVE", "b.example.com": domain});
        assert_eq!(status(&gcp), (state.to_owned(), expected), "{word}");

        set_domains(&gcp, &json!({}));
        gcp.wait(PROVISIONED);
        let mended = if word == "fails-for-good" {
            state
        } else {
            "ACTIVE"
        };
        assert_eq!(status(&gcp).0, mended, "{word}");
    }
}

#[test]
fn an_attempt_that_failed_is_made_again_by_itself() {
    let mut gcp = attached(&["a.example.com"]);
    let hidden = BTreeMap::from([("a.example.com".to_owned(), Domain::NotVisible)]);
    gcp.emulator.set_domains(hidden);
    gcp.wait(10 * PROVISIONED);
    assert_eq!(status(&gcp).0, "PROVISIONING");
    gcp.emulator.set_domains(BTreeMap::new());
    gcp.wait(PROVISIONED);
    assert_eq!(status(&gcp).0, "ACTIVE");
}

#[test]
fn a_renewal_can_fail() {
    let gcp = gcp();
    let before = gcp.get(CERTIFICATE).body;
    set_domains(&gcp, &json!({"staging.netra.example.com": "fails-renewal"}));
    let after = gcp.get(CERTIFICATE).body;
    assert_eq!(after["managed"]["status"], "RENEWAL_FAILED");
    assert_eq!(after["expireTime"], before["expireTime"], "it still serves");
    set_domains(&gcp, &json!({}));
    assert_eq!(
        gcp.get(CERTIFICATE).body["managed"]["status"],
        "RENEWAL_FAILED"
    );
}

#[test]
fn quick_worlds_provision_at_once_and_never_loop() {
    let mut gcp = Gcp::timed(Scenario::NetraStaging, 1, Timing::instant());
    gcp.post(CERTIFICATES, managed("new", &["a.example.com"]));
    set_domains(&gcp, &json!({"a.example.com": "not-visible"}));
    set_certificates(&mut gcp, &["new"]);
    assert_eq!(status(&gcp).0, "PROVISIONING");
    set_domains(&gcp, &json!({}));
    assert_eq!(status(&gcp).0, "ACTIVE");
}

#[test]
fn deleting_what_is_being_provisioned_takes_long() {
    let mut gcp = gcp();
    gcp.done("POST", CERTIFICATES, managed("new", &["a.example.com"]));
    let deleting = gcp.delete(NEW).compute_operation();
    gcp.wait(PROVISIONED - 1);
    assert_eq!(gcp.get(&deleting).body["status"], "RUNNING");
    gcp.wait(1);
    assert_eq!(gcp.get(&deleting).body["status"], "DONE");
    assert_eq!(gcp.get(NEW).status, 404);
}

#[test]
fn managed_certificates_are_refused_in_googles_words() {
    let gcp = gcp();
    let many: Vec<String> = (0..101).map(|n| format!("d{n}.example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases: [(&[&str], &str); 5] = [
        (
            &["*.example.com"],
            "Invalid value for field 'resource.managed.domains[0]': '*.example.com'. Wildcard domains not supported.",
        ),
        (
            &["a.example.com", "None"],
            "Invalid value for field 'resource.managed.domains[1]': 'None'. Invalid domain name specified.",
        ),
        (&["-a.example.com"], "Invalid domain name specified."),
        (&many, "At most 100 domains"),
        (
            &[],
            "Required field 'resource.managed.domains' not specified",
        ),
    ];
    for (domains, words) in cases {
        let refused = gcp.post(CERTIFICATES, managed("new", domains));
        assert_eq!(refused.status, 400, "{words}");
        assert!(refused.message().contains(words), "{}", refused.message());
    }
    assert_eq!(
        gcp.post(CERTIFICATES, managed("new", &many[..100])).status,
        200
    );
    let regional = gcp.post(
        &format!("{REGIONAL}/sslCertificates"),
        managed("r", &["a.example.com"]),
    );
    assert!(regional.message().contains("only supported globally"));
}

/// A self-signed certificate for a.example.com and b.example.com that ends on 2036-11-20.
const PEM: &str = include_str!("wire/certificate.pem");
const KEY: &str =
    "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LXNlY3JldC1zZWNyZXQ=\n-----END PRIVATE KEY-----\n";

#[test]
fn an_own_certificate_tells_its_end_and_its_names_and_never_its_key() {
    let mut gcp = gcp();
    let nested = json!({"name": "new", "type": "SELF_MANAGED", "selfManaged": {"certificate": PEM, "privateKey": KEY}});
    let plain = json!({"name": "plain", "certificate": PEM, "privateKey": KEY});
    for body in [nested, plain] {
        let name = body["name"].as_str().unwrap().to_owned();
        gcp.done("POST", CERTIFICATES, body);
        let made = gcp.get(&format!("{CERTIFICATES}/{name}")).body;
        assert_eq!(made["type"], "SELF_MANAGED");
        assert_eq!(
            made["subjectAlternativeNames"],
            json!(["a.example.com", "b.example.com"])
        );
        assert!(
            made["expireTime"]
                .as_str()
                .unwrap()
                .starts_with("2036-11-2"),
            "{made}"
        );
        assert_eq!(
            (&made["certificate"], &made["selfManaged"]["certificate"]),
            (&json!(PEM), &json!(PEM))
        );
    }
    let broken = format!(
        "{{\"name\": \"x\", \"privateKey\": \"{}",
        "c2VjcmV0LXNlY3JldC1zZWNyZXQ"
    );
    gcp.send_raw("POST", CERTIFICATES, Bytes::from(broken), &[]);
    let everything = format!("{:?}{}", gcp.emulator.requests(), gcp.emulator.snapshot());
    assert!(!everything.contains("c2VjcmV0"), "the key is kept nowhere");
    assert_eq!(
        gcp.emulator.requests()[0].body.as_ref().unwrap()["selfManaged"]["privateKey"],
        "REDACTED"
    );
}

#[test]
fn own_certificates_that_cannot_be_read_are_refused() {
    let gcp = gcp();
    let chain = PEM.repeat(6);
    let cases = [
        (
            json!({"certificate": "x", "privateKey": KEY}),
            "sslCertificateCouldNotParseCert",
            "The SSL certificate could not be parsed.",
        ),
        (
            json!({"certificate": PEM.replace("MII", "AAA"), "privateKey": KEY}),
            "sslCertificateCouldNotParseCert",
            "could not be parsed",
        ),
        (
            json!({"certificate": PEM, "privateKey": "x"}),
            "sslCertificateCouldNotParseKey",
            "The SSL key could not be parsed.",
        ),
        (
            json!({"certificate": PEM}),
            "required",
            "resource.privateKey",
        ),
        (
            json!({"privateKey": KEY}),
            "required",
            "resource.certificate",
        ),
        (
            json!({"certificate": chain, "privateKey": KEY}),
            "invalid",
            "no greater than 5",
        ),
    ];
    for (mut body, reason, words) in cases {
        body["name"] = json!("new");
        let refused = gcp.post(CERTIFICATES, body);
        assert_eq!((refused.status, refused.reason()), (400, reason), "{words}");
        assert!(refused.message().contains(words), "{}", refused.message());
    }
}

#[test]
fn a_proxy_takes_one_to_fifteen_certificates_that_exist_in_its_scope() {
    let mut gcp = gcp();
    let set = format!("{PROJECT}/targetHttpsProxies/staging-https-proxy/setSslCertificates");
    let own = link(CERTIFICATE);
    let elsewhere = "//certificatemanager.googleapis.com/projects/netra-staging/locations/global/certificates/c";
    let none = link(&format!("{CERTIFICATES}/none"));
    let regional = link(&format!("{REGIONAL}/sslCertificates/r"));
    let cases = [
        (
            json!([]),
            400,
            "At least 1 SSL certificate must be specified for setting SSL certificates in TargetHttpsProxy.",
        ),
        (json!(vec![&own; 16]), 400, "At most 15"),
        (json!([none]), 404, "sslCertificates/none' was not found"),
        (json!([regional]), 400, "scope of the proxy"),
        (json!([own, elsewhere]), 400, "cannot be mixed"),
        (json!(["cert"]), 400, "The URL is malformed."),
    ];
    for (list, status, words) in cases {
        let refused = gcp.post(&set, json!({"sslCertificates": list}));
        assert_eq!(refused.status, status, "{words}");
        assert!(refused.message().contains(words), "{}", refused.message());
    }
    gcp.done("POST", &set, json!({"sslCertificates": [elsewhere]}));
    assert_eq!(
        gcp.get(PROXY).body["sslCertificates"],
        json!([elsewhere]),
        "no fingerprint is asked for"
    );

    let map = "//certificatemanager.googleapis.com/projects/netra-staging/locations/global/certificateMaps/m";
    let path = format!("{PROXY}/setCertificateMap");
    gcp.done("POST", &path, json!({"certificateMap": map}));
    assert_eq!(gcp.get(PROXY).body["certificateMap"], map);
    gcp.done("POST", &path, json!({"certificateMap": ""}));
    assert!(gcp.get(PROXY).body.get("certificateMap").is_none());
    assert_eq!(gcp.post(&path, json!({"certificateMap": "m"})).status, 400);
}

#[test]
fn proxies_are_made_where_their_certificates_are() {
    let mut gcp = gcp();
    let own = json!({"name": "r", "certificate": PEM, "privateKey": KEY});
    gcp.done("POST", &format!("{REGIONAL}/sslCertificates"), own);
    let proxies = format!("{REGIONAL}/targetHttpsProxies");
    let map = link(&format!("{REGIONAL}/urlMaps/m"));
    let regional = link(&format!("{REGIONAL}/sslCertificates/r"));
    let body = json!({"name": "p", "urlMap": map, "sslCertificates": [regional]});
    gcp.done("POST", &proxies, body.clone());
    let made = gcp.get(&format!("{proxies}/p")).body;
    assert_eq!(
        (&made["urlMap"], &made["region"]),
        (&json!(map), &json!(link(REGIONAL)))
    );
    assert!(made.get("quicOverride").is_none());
    gcp.done(
        "POST",
        &format!("{proxies}/p/setSslCertificates"),
        json!({"sslCertificates": [regional]}),
    );
    assert_eq!(
        gcp.delete(&format!("{REGIONAL}/sslCertificates/r")).status,
        400
    );
    let global = gcp.post(&format!("{GLOBAL}/targetHttpsProxies"), body);
    assert!(
        global.message().contains("scope of the proxy"),
        "{}",
        global.message()
    );
    let bare = gcp.post(
        &format!("{GLOBAL}/targetHttpsProxies"),
        json!({"name": "p"}),
    );
    assert_eq!(
        bare.message(),
        "Required field 'resource.urlMap' not specified"
    );
    gcp.done("DELETE", &format!("{proxies}/p"), Value::Null);
}
