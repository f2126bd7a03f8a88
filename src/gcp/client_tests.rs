//! One call, its repetition and its waits, against a scripted network on paused time.

use super::super::endpoint::{Base, Endpoints};
use super::super::testing::{
    Answer, FixedAuth, Script, client, client_with, loopback, ok, permit, refuse, refuse_for, reply,
};
use super::*;
use crate::api::{Key, Kind};
use crate::core::record::{Intent, Sealed, Verb};
use ::http::HeaderMap;
use serde_json::json;

const P: &str = "p";

fn intent() -> Intent {
    Intent {
        id: "i".into(),
        key: Key {
            kind: Kind::VpcAccessConnector,
            project: P.into(),
            location: "l".into(),
            name: "c".into(),
        },
        verb: Verb::Patch,
        object: None,
        mask: vec!["a".into()],
        body: json!({"a": 1}),
        sealed: Sealed::default(),
        prepared_at: "2026-11-23T10:00:00Z".parse().unwrap(),
        request: None,
    }
}

async fn read(client: &Client) -> Result<Value, Fault> {
    client.read(Api::VpcAccess, P, "v1/x", &[("a", "b")]).await
}

async fn write(client: &Client) -> Result<Value, Fault> {
    let (permit, intent, body) = (permit(), intent(), json!({"a": 1}));
    let durable = Durable::attest(&intent);
    let call = Call {
        api: Api::VpcAccess,
        project: P,
        method: Method::PATCH,
        path: "v1/x",
        query: &[],
        body: Some(&body),
    };
    client.write(Proof::new(&permit, &durable), &call).await
}

fn lost() -> Answer {
    Answer::Fail(TransportError::Lost("reset".into()))
}

fn not_sent() -> Answer {
    Answer::Fail(TransportError::NotSent("refused".into()))
}

#[tokio::test(start_paused = true)]
async fn a_read_repeats_what_is_transient() {
    let script = Script::new(vec![
        refuse(503, "UNAVAILABLE"),
        lost(),
        not_sent(),
        reply(200, "<html>"),
        ok(&json!({"x": 1})),
    ]);
    let client = client(&script);
    assert_eq!(read(&client).await, Ok(json!({"x": 1})));
    assert_eq!(script.lines(), vec!["GET /v1/x?a=b"; 5]);
    let counts: Vec<(u16, u64)> = client.counts().iter().map(|(k, n)| (k.code, *n)).collect();
    assert_eq!(counts, [(0, 2), (200, 2), (503, 1)]);
    let sent = &script.requests()[0];
    assert_eq!(sent.headers()[header::AUTHORIZATION], "Bearer canary-token");
    assert!(!sent.headers().contains_key(header::CONTENT_TYPE));
}

#[tokio::test(start_paused = true)]
async fn a_read_gives_up_after_five() {
    let script = Script::new((0..5).map(|_| refuse(503, "UNAVAILABLE")).collect());
    let fault = read(&client(&script)).await.unwrap_err();
    assert_eq!((fault.kind, fault.http), (FaultKind::Unclear, 503));
    let times = script.times();
    assert_eq!(times.len(), READ_ATTEMPTS);
    // Full jitter: each wait lies below the doubled backoff.
    let mut most = FIRST_BACKOFF;
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] <= most + Duration::from_millis(2));
        most *= 2;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_waits_the_same() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let script = Script::new((0..5).map(|_| lost()).collect());
        let began = Instant::now();
        let _ = read(&client(&script)).await;
        let times: Vec<Duration> = script.times().iter().map(|at| *at - began).collect();
        runs.push(times);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_is_not_repeated() {
    for (status, kind) in [
        (400, FaultKind::Invalid),
        (403, FaultKind::Denied),
        (404, FaultKind::NotFound),
        (412, FaultKind::Conflict),
    ] {
        let script = Script::new(vec![refuse(status, "X")]);
        assert_eq!(read(&client(&script)).await.unwrap_err().kind, kind);
    }
    let script = Script::new(vec![Answer::Fail(TransportError::TooLarge { limit: 1 })]);
    assert_eq!(
        read(&client(&script)).await.unwrap_err().code,
        "REPLY_TOO_LARGE"
    );
}

#[tokio::test(start_paused = true)]
async fn a_short_retry_after_is_slept_through() {
    let script = Script::new(vec![refuse_for(429, "7"), ok(&json!({}))]);
    assert_eq!(read(&client(&script)).await, Ok(json!({})));
    let times = script.times();
    assert!(times[1] - times[0] >= Duration::from_secs(7));
    assert!(times[1] - times[0] < Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn a_long_retry_after_comes_back_and_holds_the_bucket() {
    for status in [429, 503] {
        let script = Script::new(vec![refuse_for(status, "30")]);
        let client = client(&script);
        let after = Some(Duration::from_secs(30));
        let fault = read(&client).await.unwrap_err();
        assert_eq!(
            (fault.kind, fault.http),
            (FaultKind::Throttled { after }, status)
        );
        // Nothing is sent during the silence.
        let fault = read(&client).await.unwrap_err();
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (FaultKind::Throttled { after }, "RATE_BUDGET")
        );
        assert_eq!(script.lines().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_minute_quota_lasts_until_the_next_minute() {
    let message = "Quota exceeded for quota metric 'Read' and limit 'Read requests per minute'";
    let body = json!({"error": {"status": "PERMISSION_DENIED", "message": message}});
    let script = Script::new(vec![reply(403, body.to_string()), ok(&json!({}))]);
    let client = client(&script);
    let fault = read(&client).await.unwrap_err();
    let FaultKind::Throttled { after: Some(after) } = fault.kind else {
        panic!("{fault:?}")
    };
    let earliest = Duration::from_secs(20);
    assert!(
        after >= earliest && after <= earliest + CROWD_JITTER,
        "{after:?}"
    );
    tokio::time::sleep(after).await;
    assert!(read(&client).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hung_read_is_tried_again_within_a_minute() {
    let script = Script::new(vec![Answer::Hang, ok(&json!({"x": 1}))]);
    assert_eq!(read(&client(&script)).await, Ok(json!({"x": 1})));
    let script = Script::new(vec![Answer::Hang, Answer::Hang]);
    let began = Instant::now();
    let fault = read(&client(&script)).await.unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (FaultKind::Unclear, "NO_REPLY")
    );
    assert!(began.elapsed() <= READ_TOTAL + Duration::from_millis(5));
}

#[tokio::test(start_paused = true)]
async fn a_write_is_one_request_whatever_comes() {
    let cases = vec![
        (refuse(503, "UNAVAILABLE"), FaultKind::Unclear),
        (lost(), FaultKind::Unclear),
        (not_sent(), FaultKind::Throttled { after: None }),
        (
            refuse(429, "RESOURCE_EXHAUSTED"),
            FaultKind::Throttled { after: None },
        ),
        (refuse_for(503, "3"), FaultKind::Unclear),
        (
            Answer::Fail(TransportError::TooLarge { limit: 1 }),
            FaultKind::Unclear,
        ),
        (reply(200, ""), FaultKind::Unclear),
        (reply(200, "[]"), FaultKind::Unclear),
        (refuse(409, "ABORTED"), FaultKind::Conflict),
    ];
    for (answer, kind) in cases {
        let script = Script::new(vec![answer]);
        assert_eq!(write(&client(&script)).await.unwrap_err().kind, kind);
        assert_eq!(script.lines(), ["PATCH /v1/x"]);
    }
    let script = Script::new(vec![ok(&json!({"name": "o"}))]);
    assert_eq!(write(&client(&script)).await, Ok(json!({"name": "o"})));
    let sent = &script.requests()[0];
    assert_eq!(sent.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(sent.body(), r#"{"a":1}"#);
}

#[tokio::test(start_paused = true)]
async fn reads_and_writes_are_paced_by_the_default_budget() {
    let script = Script::new((0..8).map(|_| ok(&json!({}))).collect());
    let client = client_with(&script, Budgets::new(), loopback());
    for _ in 0..8 {
        read(&client).await.unwrap();
    }
    let times = script.times();
    assert!(times[4] - times[0] < Duration::from_millis(10));
    assert!(times[7] - times[4] >= Duration::from_millis(2990));
    assert_eq!(client.waits()[&(Api::VpcAccess, Lane::Read)].waited, 3);
}

#[tokio::test(start_paused = true)]
async fn google_is_never_called_without_credentials() {
    let bare = FixedAuth(Ok(HeaderMap::new()));
    let access = Access::authenticated(Endpoints::google(), Arc::new(bare));
    let script = Script::new(vec![]);
    let client = client_with(&script, Budgets::new(), access);
    assert_eq!(read(&client).await.unwrap_err().kind, FaultKind::Denied);
    assert_eq!(write(&client).await.unwrap_err().kind, FaultKind::Denied);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_sent_and_nobody_waits() {
    let base = Base::parse("http://127.0.0.1:1").unwrap();
    for kind in [FaultKind::Throttled { after: None }, FaultKind::Denied] {
        let auth = FixedAuth(Err(fault(kind, 0, "X", "x")));
        let access = Access::authenticated(Endpoints::all_at(base.clone()), Arc::new(auth));
        let client = client_with(&Script::new(vec![]), Budgets::new(), access);
        let began = Instant::now();
        assert_eq!(read(&client).await.unwrap_err().kind, kind);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_permit_ran_out_while_it_waited_is_not_sent() {
    use crate::core::permit::{Authority, Tenure};
    let script = Script::new(vec![ok(&json!({})), ok(&json!({}))]);
    let client = client(&script);
    let authority = Authority {
        tenure: Tenure::Until("2026-11-23T10:00:41Z".parse().unwrap()),
        apply: true,
        draining: false,
    };
    let (intent, body) = (intent(), json!({"a": 1}));
    let now = "2026-11-23T10:00:40Z".parse().unwrap();
    let permit = authority.permit(false, now).unwrap();
    let call = Call {
        api: Api::VpcAccess,
        project: P,
        method: Method::PATCH,
        path: "v1/x",
        query: &[],
        body: Some(&body),
    };
    let durable = Durable::attest(&intent);
    client
        .write(Proof::new(&permit, &durable), &call)
        .await
        .unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    let fault = client
        .write(Proof::new(&permit, &durable), &call)
        .await
        .unwrap_err();
    assert_eq!(fault.code, "NO_LEASE");
    assert_eq!(fault.kind, FaultKind::Throttled { after: None });
    assert_eq!(script.requests().len(), 1);
}
