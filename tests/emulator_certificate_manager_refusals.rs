//! What Certificate Manager refuses, and in which words.

mod wire;

use evenkeel::emulator::{Action, FaultRule, Scenario};
use serde_json::{Value, json};
use wire::client::Gcp;
use wire::manager::{
    ATTEMPTED, AUTHORIZATIONS, CERTIFICATES, ENTRIES, MAPS, assert_refused, certificate, name_of,
    served, violation,
};

#[test]
fn what_google_refuses_of_a_certificate() {
    let mut gcp = Gcp::new(Scenario::Empty);
    gcp.authorize("auth", "example.com");
    let many: Vec<String> = (0..101).map(|n| format!("d{n}.example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let create =
        |id: &str, body: Value| gcp.post(&format!("{CERTIFICATES}?certificateId={id}"), body);
    for (body, words) in [
        (
            certificate(&["*.example.com"], &[]),
            "requires a DNS authorization",
        ),
        (
            certificate(&["*.other.com"], &["auth"]),
            "no DNS authorization covers",
        ),
        (
            certificate(&["a.example.com"], &["auth"]),
            "no DNS authorization covers",
        ),
        (
            certificate(&["a.*.example.com"], &["auth"]),
            "invalid domain",
        ),
        (
            certificate(&["example.com", "example.com"], &["auth"]),
            "duplicate domain",
        ),
        (certificate(&many, &["auth"]), "at most 100 domains"),
        (certificate(&[], &["auth"]), "at least one domain"),
        (json!({}), "exactly one of"),
        (
            json!({"managed": {"domains": ["a.com"], "dnsAuthorizations": ["auth"]}}),
            "invalid name",
        ),
        (
            json!({"managed": {"domains": ["a.com"]}, "labels": {"Upper": "x"}}),
            "invalid label key",
        ),
    ] {
        assert_refused(&create("c", body), "INVALID_ARGUMENT", words);
    }
    assert_refused(
        &create("c", certificate(&["a.com"], &["none"])),
        "NOT_FOUND",
        "dnsAuthorizations/none' was not found",
    );
    assert_refused(
        &create("1c", certificate(&["a.com"], &[])),
        "INVALID_ARGUMENT",
        "invalid resource id",
    );
    let regional = "/v1/projects/p1/locations/us-central1";
    let body = json!({"managed": {"domains": ["a.com"]}});
    let reply = gcp.post(&format!("{regional}/certificates?certificateId=c"), body);
    assert_refused(&reply, "INVALID_ARGUMENT", "load balancer authorization");
    let reply = gcp.post(
        &format!("{regional}/certificateMaps?certificateMapId=m"),
        json!({}),
    );
    assert_refused(&reply, "INVALID_ARGUMENT", "location global only");
    let reply = gcp.get("/v1/projects/p1/locations/mars/certificates");
    assert_eq!((reply.status, reply.rpc()), (403, "PERMISSION_DENIED"));
}

#[test]
fn what_google_refuses_of_an_entry() {
    let (gcp, _) = served();
    let create =
        |id: &str, body: Value| gcp.post(&format!("{ENTRIES}?certificateMapEntryId={id}"), body);
    let cert = name_of("cert");
    let five = vec![cert.clone(); 5];
    for (body, words) in [
        (
            json!({"certificates": [cert]}),
            "exactly one of hostname and matcher",
        ),
        (
            json!({"hostname": "a.com", "matcher": "PRIMARY", "certificates": [cert]}),
            "exactly one of hostname and matcher",
        ),
        (
            json!({"hostname": "a_b.com", "certificates": [cert]}),
            "invalid hostname",
        ),
        (json!({"hostname": "a.com"}), "at least one certificate"),
        (
            json!({"hostname": "a.com", "certificates": five}),
            "at most 4 certificates",
        ),
        (
            json!({"hostname": "a.com", "certificates": ["projects/p2/locations/global/certificates/c"]}),
            "invalid certificate name \"projects/p2/locations/global/certificates/c\"",
        ),
    ] {
        assert_refused(&create("e", body), "INVALID_ARGUMENT", words);
    }
    let twin = json!({"hostname": "*.EXAMPLE.com", "certificates": [cert]});
    assert_refused(
        &create("e", twin),
        "ALREADY_EXISTS",
        "certificateMapEntries/wild",
    );
    let none = json!({"hostname": "a.com", "certificates": [name_of("none")]});
    assert_refused(&create("e", none), "NOT_FOUND", "certificates/none");
    let nowhere = format!("{MAPS}/none/certificateMapEntries");
    let body = json!({"hostname": "a.com", "certificates": [cert]});
    let reply = gcp.post(&format!("{nowhere}?certificateMapEntryId=e"), body);
    assert_refused(&reply, "NOT_FOUND", "certificateMaps/none");
    assert_eq!(gcp.get(&nowhere).status, 404);
}

#[test]
fn what_is_used_is_not_deleted() {
    let (mut gcp, _) = served();
    let (auth, cert) = (
        format!("{AUTHORIZATIONS}/auth"),
        format!("{CERTIFICATES}/cert"),
    );
    let refused = gcp.delete(&cert);
    assert_refused(
        &refused,
        "FAILED_PRECONDITION",
        "can't delete certificate that is referenced by a CertificateMapEntry or other resources",
    );
    assert_eq!(violation(&refused).0, "RESOURCE_STILL_IN_USE");
    let subject = &refused.body["error"]["details"][0]["violations"][0]["subject"];
    assert!(
        !subject.as_str().unwrap().contains("/p1/"),
        "by the project's number: {subject}"
    );
    assert_refused(
        &gcp.delete(&auth),
        "FAILED_PRECONDITION",
        "referenced by a Certificate",
    );

    let late = FaultRule::new(Action::LateRefusal).on("DELETE", "/certificates/");
    gcp.emulator.set_faults(vec![late]);
    let over = gcp.over("DELETE", &cert, Value::Null);
    assert_eq!(over["error"]["code"], 9, "{over}");
    gcp.emulator.set_faults(Vec::new());

    gcp.settled("DELETE", &format!("{ENTRIES}/wild"), Value::Null);
    gcp.settled("DELETE", &cert, Value::Null);
    gcp.settled("DELETE", &auth, Value::Null);
    for gone in [&cert, &auth] {
        let reply = gcp.get(gone);
        assert_refused(
            &reply,
            "NOT_FOUND",
            &format!("Resource '{}' was not found", &gone[4..]),
        );
    }
    gcp.settled("DELETE", &format!("{MAPS}/front"), Value::Null);
}

#[test]
fn a_patch_needs_a_mask_and_changes_what_may_change() {
    let (mut gcp, _) = served();
    gcp.certify("next", &["*.example.com"], &["auth"]);
    gcp.wait(ATTEMPTED);
    let entry = format!("{ENTRIES}/wild");
    let body = json!({"certificates": [name_of("next")], "hostname": "other.com"});
    assert_refused(
        &gcp.patch(&entry, body.clone()),
        "INVALID_ARGUMENT",
        "must not be empty",
    );
    for (target, mask, words) in [
        (&entry, "hostname", "is immutable"),
        (&entry, "certificates,matcher", "is immutable"),
        (&entry, "nothing", "invalid field path"),
        (
            &format!("{CERTIFICATES}/cert"),
            "managed.domains",
            "is immutable",
        ),
        (&format!("{CERTIFICATES}/cert"), "scope", "is immutable"),
        (&format!("{AUTHORIZATIONS}/auth"), "domain", "is immutable"),
        (&format!("{AUTHORIZATIONS}/auth"), "type", "is immutable"),
    ] {
        let reply = gcp.patch(&format!("{target}?updateMask={mask}"), json!({}));
        assert_refused(&reply, "INVALID_ARGUMENT", words);
    }
    gcp.settled("PATCH", &format!("{entry}?updateMask=certificates"), body);
    let now = gcp.get(&entry).body;
    assert_eq!(now["hostname"], "*.example.com", "not in the mask");
    let served = now["certificates"][0].as_str().unwrap();
    assert!(served.ends_with("/certificates/next"), "{served}");

    let labels = json!({"labels": {"team": "edge"}, "description": "d"});
    let auth = format!("{AUTHORIZATIONS}/auth");
    let before = gcp.get(&auth).body;
    gcp.settled(
        "PATCH",
        &format!("{auth}?updateMask=labels,description"),
        labels,
    );
    let after = gcp.get(&auth).body;
    assert_eq!(after["labels"], json!({"team": "edge"}));
    assert_eq!(before["dnsResourceRecord"], after["dnsResourceRecord"]);
    gcp.settled("PATCH", &format!("{auth}?updateMask=*"), json!({}));
    assert!(
        gcp.get(&auth).body.get("labels").is_none(),
        "what the body leaves out is cleared"
    );
}

#[test]
fn one_operation_at_a_time_on_one_resource() {
    let (mut gcp, _) = served();
    let entry = format!("{ENTRIES}/wild");
    let patch = || {
        gcp.patch(
            &format!("{entry}?updateMask=description"),
            json!({"description": "d"}),
        )
    };
    assert_eq!(patch().status, 200);
    let second = patch();
    assert_eq!((second.status, second.rpc()), (409, "ABORTED"));
    assert_eq!(second.message(), "unable to queue the operation");
    gcp.wait(10);
    let twice = format!("{CERTIFICATES}?certificateId=twice");
    let body = certificate(&["example.com"], &["auth"]);
    assert_eq!(gcp.post(&twice, body.clone()).status, 200);
    assert_eq!(gcp.post(&twice, body.clone()).rpc(), "ABORTED");
    gcp.wait(10);
    assert_refused(
        &gcp.post(&twice, body),
        "ALREADY_EXISTS",
        "certificates/twice",
    );
}
