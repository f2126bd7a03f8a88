//! Families of health checks over a scripted network.

use super::super::testing::{Answer, Script, client, ok, permit};
use super::*;
use crate::api::{Key, Kind};
use crate::core::error::FaultKind;
use crate::core::record::Intent;

const CHECKS: &str = "/compute/v1/projects/p/global/healthChecks";

/// `h-1` and `h-2` are of the family of `h`.
fn base_of(name: &str) -> &str {
    name.strip_suffix("-1")
        .or(name.strip_suffix("-2"))
        .unwrap_or(name)
}

fn checks(script: &Arc<Script>) -> HealthChecks {
    HealthChecks::new(Arc::new(client(script)), base_of)
}

fn link(rest: &str) -> String {
    format!("https://www.googleapis.com/compute/v1/projects/p/{rest}")
}

fn item(name: &str) -> Value {
    json!({"name": name, "selfLink": link(&format!("global/healthChecks/{name}"))})
}

fn service(name: &str, check: &str) -> Value {
    json!({"name": name, "selfLink": link(&format!("global/backendServices/{name}")),
        "fingerprint": "abc=", "timeoutSec": 30, "healthChecks": [link(check)]})
}

fn services(list: &[Value]) -> Answer {
    ok(&json!({"items": {"global": {"backendServices": list}}}))
}

#[tokio::test(start_paused = true)]
async fn a_family_of_one_is_googles_reply_and_costs_one_list() {
    let script = Script::new(vec![
        ok(&json!({"items": [item("h-1"), item("h-other")]})),
        ok(&json!({"items": [item("h-1"), item("a"), item("h-other")]})),
        ok(&json!({})),
    ]);
    let service = checks(&script);
    let found = service.get("p", "global", "h").await.unwrap();
    assert_eq!(found, Some(item("h-1")));
    let listing = service.list("p", "global").await.unwrap();
    let names: Vec<_> = listing
        .items
        .iter()
        .map(|i| service.name_of(i).unwrap())
        .collect();
    assert_eq!(names, ["a", "h", "h-other"]);
    assert_eq!(service.get("p", "global", "h").await, Ok(None));
    let filter = "filter=name+eq+%22h%28-%5B0-9a-f%5D%2B%29%3F%22";
    assert_eq!(
        script.lines(),
        [
            format!("GET {CHECKS}?maxResults=500&{filter}"),
            format!("GET {CHECKS}?maxResults=500"),
            format!("GET {CHECKS}?maxResults=500&{filter}"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_larger_family_comes_with_its_users_alone() {
    let elsewhere = service("elsewhere", "regions/r/healthChecks/h");
    let all = [
        service("one", "global/healthChecks/h"),
        service("two", "global/healthChecks/h-1"),
        service("other", "global/healthChecks/h-other"),
        elsewhere,
    ];
    let both = || ok(&json!({"items": [item("h"), item("h-1")]}));
    let script = Script::new(vec![both(), services(&all), both()]);
    let checks = checks(&script);
    let found = checks.get("p", "global", "h").await.unwrap().unwrap();
    assert_eq!(checks.name_of(&found).as_deref(), Some("h"));
    assert_eq!(found["healthChecks"], json!([item("h"), item("h-1")]));
    let users = found["backendServices"].as_array().unwrap();
    let names: Vec<_> = users.iter().map(|user| user["name"].clone()).collect();
    assert_eq!(names, ["one", "two"]);
    assert!(users[0].get("timeoutSec").is_none(), "only what is needed");
    let listing = checks.list("p", "global").await.unwrap();
    assert_eq!(listing.items.len(), 1);
    assert!(listing.items[0].get("backendServices").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_survey_tells_who_uses_a_family_of_one() {
    let users = [service("one", "global/healthChecks/h")];
    let script = Script::new(vec![ok(&json!({"items": [item("h")]})), services(&users)]);
    let found = checks(&script)
        .get_whole("p", "global", "h")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found["healthChecks"], json!([item("h")]));
    assert_eq!(found["backendServices"][0]["name"], "one");
}

#[tokio::test(start_paused = true)]
async fn a_part_is_no_answer() {
    let script = Script::new(vec![
        ok(&json!({"items": [], "warning": {"code": "UNREACHABLE"}})),
        ok(&json!({"items": [item("h"), item("h-1")]})),
        ok(&json!({"unreachables": ["regions/s"]})),
    ]);
    let service = checks(&script);
    for _ in 0..2 {
        let fault = service.get("p", "global", "h").await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unclear);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_go_to_the_object() {
    let operation = || {
        ok(
            &json!({"name": "o", "status": "RUNNING", "selfLink": link("global/operations/o"),
            "targetLink": link("global/healthChecks/h-1")}),
        )
    };
    let script = Script::new(vec![operation(), operation(), operation(), operation()]);
    let service = checks(&script);
    for (verb, object) in [
        (Verb::Create, "healthChecks/h-1"),
        (Verb::Patch, "healthChecks/h-1"),
        (Verb::Patch, "projects/p/regions/r/backendServices/b"),
        (Verb::Delete, "healthChecks/h"),
    ] {
        let intent = Intent {
            id: "i-1".into(),
            key: Key {
                kind: Kind::HealthCheck,
                project: "p".into(),
                location: "global".into(),
                name: "h".into(),
            },
            verb,
            object: Some(object.to_owned()),
            mask: Vec::new(),
            body: json!({"name": "h-1"}),
            sealed: crate::core::record::Sealed::default(),
            prepared_at: "2026-11-23T10:00:00Z".parse().unwrap(),
            request: None,
        };
        service
            .write(&permit(), Durable::attest(&intent))
            .await
            .unwrap();
    }
    let lines = script.lines();
    let starts = [
        format!("POST {CHECKS}?requestId="),
        format!("PATCH {CHECKS}/h-1?requestId="),
        "PATCH /compute/v1/projects/p/regions/r/backendServices/b?requestId=".to_owned(),
        format!("DELETE {CHECKS}/h?requestId="),
    ];
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(&start), "{line}");
    }
    assert_eq!(script.requests()[0].body(), r#"{"name":"h-1"}"#);
    assert!(script.requests()[3].body().is_empty());
}

#[tokio::test(start_paused = true)]
async fn users_of_a_health_check_are_found_everywhere_they_can_be() {
    let service = |place: &str, check: &str| {
        json!({"name": "b", "selfLink": link(&format!("{place}/backendServices/b")),
            "healthChecks": [format!("https://compute.googleapis.com/compute/beta/projects/p/{check}")]})
    };
    let all = json!({"items": {
        "global": {"backendServices": [service("global", "global/healthChecks/h")]},
        "regions/r": {"backendServices": [service("regions/r", "global/healthChecks/h"),
            service("regions/r", "global/healthChecks/hh")]},
        "regions/s": {"warning": {"code": "NO_RESULTS_ON_PAGE"}}}});
    let script = Script::new(vec![
        ok(&all),
        ok(&json!({"items": [service("regions/r", "regions/r/healthChecks/h")]})),
        ok(&json!({"unreachables": ["regions/s"]})),
    ]);
    let checks = checks(&script);
    assert_eq!(
        checks.users("p", "global", "h").await.unwrap(),
        [
            "projects/p/global/backendServices/b",
            "projects/p/regions/r/backendServices/b"
        ]
    );
    assert_eq!(
        checks.users("p", "r", "h").await.unwrap(),
        ["projects/p/regions/r/backendServices/b"]
    );
    assert!(checks.users("p", "global", "h").await.is_err());
    assert_eq!(
        script.lines()[0],
        "GET /compute/v1/projects/p/aggregated/backendServices?maxResults=500&returnPartialSuccess=true"
    );
}
