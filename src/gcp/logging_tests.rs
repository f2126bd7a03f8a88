//! What a search sends, and what it keeps of a page.

use super::super::testing::{Script, client, ok, refuse};
use super::*;

fn search(filter: &str, texts: bool) -> Search<'_> {
    Search {
        project: "p-1234",
        filter,
        after: "2026-11-23T10:00:00Z".parse().unwrap(),
        until: "2026-11-23T10:05:00Z".parse().unwrap(),
        texts,
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_is_one_post_that_may_be_repeated() {
    let long = "ü".repeat(TEXT_LIMIT);
    let reply = json!({"entries": [
        {"textPayload": "took 7s"}, {"jsonPayload": {"took": 8}}, {}, {"textPayload": long},
    ]});
    let script = Script::new(vec![refuse(503, "UNAVAILABLE"), ok(&reply)]);
    let logging = Logging::new(Arc::new(client(&script)));
    let page = logging
        .page(&search("a -- why\nOR b", true), Some("t"))
        .await
        .unwrap();
    assert_eq!(page.entries[..3], ["took 7s", "{\"took\":8}", ""]);
    assert!(page.entries[3].len() <= TEXT_LIMIT);
    assert_eq!(page.next, None);
    assert_eq!(script.lines().len(), 2);
    let request = &script.requests()[1];
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let filter = "(\na -- why\nOR b\n)\ntimestamp>\"2026-11-23T10:00:00Z\"\ntimestamp<=\"2026-11-23T10:05:00Z\"";
    let wanted = json!({
        "resourceNames": ["projects/p-1234"], "filter": filter, "orderBy": "timestamp desc",
        "pageSize": 1000, "pageToken": "t",
    });
    assert_eq!(body, wanted);
}

#[tokio::test(start_paused = true)]
async fn an_empty_page_with_a_token_is_no_end() {
    let script = Script::new(vec![ok(&json!({"nextPageToken": "t"}))]);
    let logging = Logging::new(Arc::new(client(&script)));
    let page = logging.page(&search("", false), None).await.unwrap();
    assert_eq!((page.entries.len(), page.next.as_deref()), (0, Some("t")));
    let body: Value = serde_json::from_slice(script.requests()[0].body()).unwrap();
    assert!(body["filter"].as_str().unwrap().starts_with("timestamp>"));
    let line = "POST /v2/entries:list?fields=entries%2FinsertId%2CnextPageToken";
    assert_eq!(script.lines(), [line]);
}
