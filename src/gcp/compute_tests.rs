//! A collection of Compute Engine over a scripted network.

use super::super::testing::{Answer, Script, client, ok, permit, refuse};
use super::*;
use crate::api::{Key, Kind};
use serde_json::json;

const GLOBAL_CHECKS: &str = "/compute/v1/projects/p/global/healthChecks";

fn checks(script: &Arc<Script>) -> Compute {
    Compute::new(Arc::new(client(script)), HEALTH_CHECKS)
}

fn link(rest: &str) -> String {
    format!("https://www.googleapis.com/compute/v1/projects/p/{rest}")
}

fn item(name: &str) -> Value {
    json!({"name": name, "selfLink": link(&format!("global/healthChecks/{name}"))})
}

fn intent(verb: Verb, location: &str) -> Intent {
    Intent {
        id: "i-1".into(),
        key: Key {
            kind: Kind::HealthCheck,
            project: "p".into(),
            location: location.into(),
            name: "h".into(),
        },
        verb,
        object: None,
        mask: Vec::new(),
        body: json!({"timeoutSec": 7}),
        sealed: crate::core::record::Sealed::default(),
        prepared_at: "2026-11-23T10:00:00Z".parse().unwrap(),
        request: None,
    }
}

fn operation() -> Answer {
    ok(&json!({"name": "o", "status": "RUNNING",
        "selfLink": link("global/operations/o"), "targetLink": link("global/healthChecks/h")}))
}

#[tokio::test(start_paused = true)]
async fn lists_all_pages_of_500() {
    let script = Script::new(vec![
        ok(&json!({"items": [item("a")], "nextPageToken": "t"})),
        ok(&json!({"kind": "compute#healthCheckList"})),
        ok(&json!({"items": [item("b")], "warning": {"code": "UNREACHABLE"}})),
    ]);
    let service = checks(&script);
    let listing = service.list("p", "global").await.unwrap();
    assert_eq!(listing.items, [item("a")]);
    assert!(!listing.unreachable);
    assert!(service.list("p", "r").await.unwrap().unreachable);
    assert_eq!(
        script.lines(),
        [
            format!("GET {GLOBAL_CHECKS}?maxResults=500"),
            format!("GET {GLOBAL_CHECKS}?maxResults=500&pageToken=t"),
            "GET /compute/v1/projects/p/regions/r/healthChecks?maxResults=500".to_owned(),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn absent_only_where_the_scope_answers() {
    let script = Script::new(vec![
        ok(&item("h")),
        refuse(404, "notFound"),
        ok(&json!({})),
        refuse(404, "notFound"),
        refuse(404, "notFound"),
        ok(&item("other")),
    ]);
    let service = checks(&script);
    assert_eq!(service.get("p", "global", "h").await, Ok(Some(item("h"))));
    assert_eq!(service.get("p", "global", "h").await, Ok(None));
    let lost = service.get("p", "global", "h").await.unwrap_err();
    assert_eq!(lost.kind, FaultKind::NotFound);
    let other = service.get("p", "global", "h").await.unwrap_err();
    assert_eq!(other.kind, FaultKind::Unclear);
}

#[tokio::test(start_paused = true)]
async fn writes_carry_the_id_of_their_intent() {
    let script = Script::new(vec![operation(), operation(), operation()]);
    let service = checks(&script);
    for (verb, location) in [
        (Verb::Create, "global"),
        (Verb::Patch, "r"),
        (Verb::Delete, "r"),
    ] {
        let intent = intent(verb, location);
        let durable = Durable::attest(&intent);
        let taken = service.write(&permit(), durable).await.unwrap();
        assert_eq!(taken.name, "projects/p/global/operations/o");
        assert_eq!(taken.target, Some(service.target("p", "global", "h")));
    }
    let lines = script.lines();
    let (create, patch, delete) = (&lines[0], &lines[1], &lines[2]);
    assert!(create.starts_with(&format!("POST {GLOBAL_CHECKS}?requestId=")));
    assert!(patch.starts_with("PATCH /compute/v1/projects/p/regions/r/healthChecks/h?requestId="));
    assert!(
        delete.starts_with("DELETE /compute/v1/projects/p/regions/r/healthChecks/h?requestId=")
    );
    let bodies: Vec<_> = script.requests().iter().map(|r| r.body().clone()).collect();
    assert_eq!(bodies[0], r#"{"name":"h","timeoutSec":7}"#);
    assert_eq!(bodies[1], r#"{"timeoutSec":7}"#);
    assert!(bodies[2].is_empty());
}

#[test]
fn the_same_intent_has_the_same_id_and_a_later_one_another() {
    let first = intent(Verb::Patch, "global");
    let id = request_id(&first);
    assert_eq!(id, request_id(&first.clone()));
    let shape: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(shape, [8, 4, 4, 4, 12]);
    assert_eq!((&id[14..15], "89ab".contains(&id[19..20])), ("8", true));
    let later = Intent {
        prepared_at: "2026-11-23T10:00:01Z".parse().unwrap(),
        request: None,
        ..first.clone()
    };
    let next = Intent {
        id: "i-2".into(),
        ..first
    };
    assert!(request_id(&later) != id && request_id(&next) != id);
}

#[tokio::test(start_paused = true)]
async fn operations_are_polled_where_they_are_and_filtered_by_target() {
    let script = Script::new(vec![operation(), ok(&json!({"items": []}))]);
    let service = checks(&script);
    let name = "projects/p/regions/r/operations/o";
    service.operation(name).await.unwrap();
    let target = "projects/p/regions/r/healthChecks/h";
    service.operations_on("p", "global", target).await.unwrap();
    let lines = script.lines();
    assert_eq!(lines[0], format!("GET /compute/v1/{name}"));
    assert_eq!(
        lines[1],
        "GET /compute/v1/projects/p/regions/r/operations?maxResults=500&filter=\
         targetLink+eq+%22.*%2Fprojects%2Fp%2Fregions%2Fr%2FhealthChecks%2Fh%22"
    );
}
