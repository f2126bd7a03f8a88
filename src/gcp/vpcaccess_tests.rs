//! Connectors over a scripted network.

use super::super::testing::{Answer, Script, client, ok, permit, refuse, reply};
use super::*;
use crate::api::{Key, Kind};
use crate::core::record::{Intent, Sealed};
use serde_json::json;

const SCOPE: &str = "/v1/projects/p/locations/l";

fn service(script: &Arc<Script>) -> VpcAccess {
    VpcAccess::new(Arc::new(client(script)))
}

fn item(name: &str) -> Value {
    json!({"name": format!("projects/p/locations/l/connectors/{name}"), "state": "READY"})
}

fn intent(verb: Verb, mask: &[&str]) -> Intent {
    Intent {
        id: "i".into(),
        key: Key {
            kind: Kind::VpcAccessConnector,
            project: "p".into(),
            location: "l".into(),
            name: "c".into(),
        },
        verb,
        object: None,
        mask: mask.iter().map(ToString::to_string).collect(),
        body: json!({"maxInstances": 7}),
        sealed: Sealed::default(),
        prepared_at: "2026-11-23T10:00:00Z".parse().unwrap(),
        request: None,
    }
}

fn operation() -> Value {
    json!({"name": "projects/p/locations/l/operations/o", "metadata": {
        "target": "projects/p/locations/l/connectors/c"}})
}

async fn list(answers: Vec<Answer>) -> (Result<Listing, Fault>, Vec<String>) {
    let script = Script::new(answers);
    let listing = service(&script).list("p", "l").await;
    (listing, script.lines())
}

#[tokio::test(start_paused = true)]
async fn lists_all_pages() {
    let (listing, lines) = list(vec![
        ok(&json!({"connectors": [item("a")], "nextPageToken": "t&1"})),
        ok(&json!({"nextPageToken": "t2"})),
        ok(&json!({"connectors": [item("b")], "nextPageToken": ""})),
    ])
    .await;
    let listing = listing.unwrap();
    assert_eq!(listing.items, [item("a"), item("b")]);
    assert!(!listing.unreachable);
    assert_eq!(
        lines,
        [
            format!("GET {SCOPE}/connectors?pageSize=100"),
            format!("GET {SCOPE}/connectors?pageSize=100&pageToken=t%261"),
            format!("GET {SCOPE}/connectors?pageSize=100&pageToken=t2"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_listing_never_looks_whole() {
    let page = |token: &str| ok(&json!({"connectors": [item("a")], "nextPageToken": token}));
    let kinds = [
        (vec![page("t"), page("t")], FaultKind::Unclear),
        (
            vec![page("t"), refuse(403, "PERMISSION_DENIED")],
            FaultKind::Denied,
        ),
        (
            vec![page("t"), refuse(404, "NOT_FOUND")],
            FaultKind::NotFound,
        ),
        (vec![ok(&json!({"connectors": {}}))], FaultKind::Unclear),
        (
            vec![ok(&json!({"connectors": [{"state": "READY"}]}))],
            FaultKind::Unclear,
        ),
        (
            (0..super::super::pages::PAGE_LIMIT)
                .map(|i| page(&i.to_string()))
                .collect(),
            FaultKind::Unclear,
        ),
    ];
    for (answers, kind) in kinds {
        assert_eq!(list(answers).await.0.unwrap_err().kind, kind);
    }
    let part = ok(&json!({"connectors": [], "unreachable": ["projects/p/locations/l"]}));
    assert!(list(vec![part]).await.0.unwrap().unreachable);
    let whole = ok(&json!({"unreachable": []}));
    assert!(!list(vec![whole]).await.0.unwrap().unreachable);
}

async fn get(answers: Vec<Answer>) -> (Result<Option<Value>, Fault>, Vec<String>) {
    let script = Script::new(answers);
    let found = service(&script).get("p", "l", "c").await;
    (found, script.lines())
}

#[tokio::test(start_paused = true)]
async fn absent_only_when_the_scope_answers() {
    let (found, lines) = get(vec![ok(&item("c"))]).await;
    assert_eq!(found, Ok(Some(item("c"))));
    assert_eq!(lines, [format!("GET {SCOPE}/connectors/c")]);

    let (found, lines) = get(vec![refuse(404, "NOT_FOUND"), ok(&json!({}))]).await;
    assert_eq!(found, Ok(None));
    assert_eq!(lines[1], format!("GET {SCOPE}/connectors?pageSize=1"));

    let html = || reply(404, "<html>Error 404</html>");
    let missing = || refuse(404, "NOT_FOUND");
    for (answers, kind) in [
        (vec![missing(), missing()], FaultKind::NotFound),
        (vec![html(), html()], FaultKind::NotFound),
        (
            vec![missing(), refuse(403, "PERMISSION_DENIED")],
            FaultKind::Denied,
        ),
        (vec![refuse(403, "PERMISSION_DENIED")], FaultKind::Denied),
        (vec![ok(&item("other"))], FaultKind::Unclear),
        (vec![ok(&json!({}))], FaultKind::Unclear),
    ] {
        assert_eq!(get(answers).await.0.unwrap_err().kind, kind);
    }
}

#[tokio::test(start_paused = true)]
async fn writes_are_spelled_as_the_api_wants_them() {
    let cases = [
        (
            intent(Verb::Create, &[]),
            format!("POST {SCOPE}/connectors?connectorId=c"),
            true,
        ),
        (
            intent(
                Verb::Patch,
                &["minInstances", "maxInstances", "minInstances"],
            ),
            format!("PATCH {SCOPE}/connectors/c?updateMask=maxInstances%2CminInstances"),
            true,
        ),
        (
            intent(Verb::Delete, &[]),
            format!("DELETE {SCOPE}/connectors/c"),
            false,
        ),
    ];
    for (intent, line, has_body) in cases {
        let script = Script::new(vec![ok(&operation())]);
        let durable = Durable::attest(&intent);
        let answer = service(&script).write(&permit(), durable).await.unwrap();
        assert_eq!(
            answer.target.unwrap(),
            service(&script).target("p", "l", "c")
        );
        assert_eq!(script.lines(), [line]);
        let body = script.requests()[0].body().clone();
        assert_eq!(body == r#"{"maxInstances":7}"#, has_body);
        assert_eq!(body.is_empty(), !has_body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_cannot_be_meant_is_not_sent() {
    let mut elsewhere = intent(Verb::Delete, &[]);
    elsewhere.key.name = "..".into();
    for intent in [
        intent(Verb::Patch, &[]),
        intent(Verb::Patch, &["a,b"]),
        intent(Verb::Patch, &[""]),
        elsewhere,
    ] {
        let script = Script::new(vec![]);
        let durable = Durable::attest(&intent);
        let fault = service(&script)
            .write(&permit(), durable)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Invalid);
        assert!(script.lines().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_with_an_odd_answer_is_unclear() {
    let script = Script::new(vec![ok(&json!({"x": 1}))]);
    let intent = intent(Verb::Create, &[]);
    let fault = service(&script)
        .write(&permit(), Durable::attest(&intent))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unclear);
}

#[tokio::test(start_paused = true)]
async fn operations() {
    let name = "projects/p/locations/l/operations/o";
    let script = Script::new(vec![
        ok(&operation()),
        ok(&json!({"operations": [operation()], "nextPageToken": "t"})),
        ok(&json!({"operations": [operation()]})),
        refuse(404, "NOT_FOUND"),
    ]);
    let service = service(&script);
    assert_eq!(service.operation(name).await.unwrap().name, name);
    assert_eq!(service.operations("p", "l").await.unwrap().len(), 2);
    let gone = service.operation(name).await.unwrap_err();
    assert_eq!(gone.kind, FaultKind::NotFound);
    assert_eq!(script.lines()[0], format!("GET /v1/{name}"));
    assert!(service.operation("projects/../x").await.is_err());
}

#[test]
fn names() {
    let script = Script::new(vec![]);
    let service = service(&script);
    assert_eq!(service.name_of(&item("c")).as_deref(), Some("c"));
    for odd in [
        json!({}),
        json!({"name": "c"}),
        json!({"name": "p/connectors/"}),
        json!(1),
    ] {
        assert_eq!(service.name_of(&odd), None);
    }
}
