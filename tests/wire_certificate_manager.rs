//! Certificate Manager speaks exactly the API that Google describes.

mod wire;

use std::collections::BTreeSet;

use evenkeel::emulator::{LogStatus, Scenario};
use serde_json::{Value, json};
use wire::Surface;
use wire::client::Gcp;
use wire::manager::{AUTHORIZATIONS, CERTIFICATES, GLOBAL, MAPS, certificate, name_of};

/// The client checks each exchange; this walk sees to it that there is one of every kind.
#[test]
fn every_method_answers_within_the_surface() {
    let mut gcp = Gcp::new(Scenario::Empty);
    let entries = format!("{MAPS}/front/certificateMapEntries");
    let record = gcp.authorize("auth", "example.com");
    let labels = json!({"labels": {"team": "edge"}, "description": "d"});
    let create = |target: String, body: Value| gcp.post(&target, body);
    create(
        format!("{CERTIFICATES}?certificateId=cert"),
        certificate(&["*.example.com"], &["auth"]),
    );
    create(
        format!("{CERTIFICATES}?certificateId=edge"),
        json!({
            "managed": {"domains": ["shop.example.com"]}, "scope": "EDGE_CACHE", "labels": {"a": "b"},
        }),
    );
    create(format!("{CERTIFICATES}?certificateId=cert"), json!({}));
    create(format!("{MAPS}?certificateMapId=front"), labels.clone());
    gcp.wait(10);
    let entry = json!({"hostname": "*.example.com", "certificates": [name_of("cert")]});
    let started = gcp.post(&format!("{entries}?certificateMapEntryId=wild"), entry);
    let operation = started.operation();
    for round in 0..8 {
        gcp.get("/v1/projects/p1/locations?pageSize=3&filter=");
        gcp.get(GLOBAL);
        for (list, one) in [
            (CERTIFICATES, "cert"),
            (MAPS, "front"),
            (AUTHORIZATIONS, "auth"),
            (&entries, "wild"),
        ] {
            gcp.get(&format!("{list}?pageSize=1&orderBy=name&filter="));
            gcp.get(&format!("{list}/{one}?alt=json&prettyPrint=false"));
            gcp.get(&format!("{list}/none"));
            gcp.patch(
                &format!("{list}/{one}?updateMask=labels,description"),
                labels.clone(),
            );
            gcp.patch(&format!("{list}/{one}"), labels.clone());
            gcp.delete(&format!("{list}/none"));
        }
        gcp.get(&format!(
            "{CERTIFICATES}?fields=certificates(name,managed/state),nextPageToken"
        ));
        gcp.get(&format!("{GLOBAL}/operations?pageSize=2&filter=done=true"));
        gcp.get(&operation);
        gcp.post(&format!("{operation}:cancel"), json!({}));
        match round {
            1 => gcp.publish(&[(&record.0, "elsewhere.example.net")]),
            2 => gcp.publish(&[(&record.0, &record.1)]),
            5 => drop(gcp.delete(&format!("{CERTIFICATES}/cert"))),
            _ => {}
        }
        gcp.wait(1000);
    }
    assert_eq!(gcp.managed("cert")["state"], "ACTIVE");
    for gone in [
        format!("{entries}/wild"),
        format!("{MAPS}/front"),
        format!("{CERTIFICATES}/cert"),
        format!("{AUTHORIZATIONS}/auth"),
    ] {
        gcp.settled("DELETE", &gone, Value::Null);
    }
    gcp.delete(&operation);

    let surface = Surface::certificatemanager();
    let requests = gcp.emulator.requests();
    let landed = requests
        .iter()
        .filter(|entry| entry.status == LogStatus::Code(200));
    let met: BTreeSet<&str> = landed
        .filter_map(|entry| surface.method_id(&entry.method, &entry.path))
        .collect();
    let all: BTreeSet<&str> = surface.method_ids().into_iter().collect();
    assert_eq!(met, all, "every method of the API is met with success");
}
