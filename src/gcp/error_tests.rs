//! The error table, case by case.

use super::*;
use serde_json::json;

/// 40 seconds into a minute.
fn moment() -> Moment {
    Moment {
        now: "2026-11-23T10:00:40Z".parse().unwrap(),
        jitter: Duration::from_millis(700),
    }
}

fn judge(status: u16, body: &str, headers: &[(&str, &str)]) -> Refusal {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = ::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.insert(name, value.parse().unwrap());
    }
    let status = StatusCode::from_u16(status).unwrap();
    from_reply(status, &map, body.as_bytes(), moment())
}

fn new(status: &str, message: &str) -> String {
    json!({"error": {"code": 0, "status": status, "message": message}}).to_string()
}

fn old(reason: &str, message: &str) -> String {
    json!({"error": {"code": 0, "message": message, "errors": [{"reason": reason, "domain": "global"}]}})
        .to_string()
}

fn detail(status: &str, reason: &str) -> String {
    json!({"error": {"status": status, "message": "m", "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]}})
    .to_string()
}

const HTML: &str = "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>";
const THROTTLED: FaultKind = FaultKind::Throttled { after: None };

#[test]
fn kinds() {
    use FaultKind as K;
    let cases: &[(u16, String, K)] = &[
        (429, String::new(), THROTTLED),
        (429, new("RESOURCE_EXHAUSTED", "slow"), THROTTLED),
        (403, new("PERMISSION_DENIED", "no"), K::Denied),
        (
            403,
            detail("PERMISSION_DENIED", "SERVICE_DISABLED"),
            K::Denied,
        ),
        (403, old("forbidden", "no"), K::Denied),
        (
            403,
            old("quotaExceeded", "Quota 'NETWORKS' exceeded. Limit: 5"),
            K::Denied,
        ),
        (403, HTML.into(), K::Denied),
        (401, new("UNAUTHENTICATED", "who"), K::Denied),
        (
            404,
            new("NOT_FOUND", "The connector is not found."),
            K::NotFound,
        ),
        (404, old("notFound", "no"), K::NotFound),
        (404, HTML.into(), K::NotFound),
        (409, new("ALREADY_EXISTS", "x"), K::AlreadyExists),
        (409, old("alreadyExists", "x"), K::AlreadyExists),
        (409, new("ABORTED", "etag"), K::Conflict),
        (409, old("operationInProgress", "x"), K::Busy),
        (
            409,
            new("FAILED_PRECONDITION", "another operation is running"),
            K::Busy,
        ),
        (409, String::new(), K::Conflict),
        (
            412,
            old("conditionNotMet", "Invalid fingerprint."),
            K::Conflict,
        ),
        (400, new("INVALID_ARGUMENT", "max"), K::Invalid),
        (
            400,
            new("INVALID_ARGUMENT", "name `not ready` is bad"),
            K::Invalid,
        ),
        (400, old("invalid", "max"), K::Invalid),
        (400, old("resourceNotReady", "x"), K::Busy),
        (
            400,
            detail("FAILED_PRECONDITION", "RESOURCE_NOT_READY"),
            K::Busy,
        ),
        (400, old("resourceInUseByAnotherResource", "x"), K::InUse),
        (400, old("conditionNotMet", "x"), K::Conflict),
        (400, String::new(), K::Invalid),
        (408, String::new(), K::Unclear),
        (413, String::new(), K::Invalid),
        (499, new("CANCELLED", "x"), K::Unclear),
        (500, new("INTERNAL", "x"), K::Unclear),
        (502, HTML.into(), K::Unclear),
        (503, new("UNAVAILABLE", "x"), K::Unclear),
        (504, String::new(), K::Unclear),
        (302, String::new(), K::Unclear),
    ];
    for (status, body, want) in cases {
        let refusal = judge(*status, body, &[]);
        assert_eq!(refusal.fault.kind, *want, "{status} {body}");
        assert_eq!(refusal.fault.http, *status);
        assert!(!refusal.fault.message.is_empty(), "{status} {body}");
        assert_eq!(refusal.wait, None, "{status} {body}");
    }
}

#[test]
fn what_not_ready_sounds_like() {
    let cases = [
        ("Connector is not READY", FaultKind::Busy),
        (
            "It cannot be updated while it is in state UPDATING.",
            FaultKind::Busy,
        ),
        ("The connector is being deleted", FaultKind::Busy),
        ("state: CREATING", FaultKind::Busy),
        ("in state ERROR", FaultKind::Invalid),
        ("creating a connector needs a subnet", FaultKind::Invalid),
        ("it cannot be updated", FaultKind::Invalid),
        ("shrinking", FaultKind::Invalid),
    ];
    for (message, want) in cases {
        let got = judge(400, &new("FAILED_PRECONDITION", message), &[])
            .fault
            .kind;
        assert_eq!(got, want, "{message}");
    }
}

type Headers = &'static [(&'static str, &'static str)];

#[test]
fn waits() {
    let per_minute = "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service 'x'";
    let minute = Some(Duration::from_millis(20_700));
    let cases: &[(u16, String, Headers, Option<Duration>)] = &[
        (403, old("rateLimitExceeded", "x"), &[], minute),
        (
            403,
            detail("PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"),
            &[],
            minute,
        ),
        (403, new("PERMISSION_DENIED", per_minute), &[], minute),
        (429, new("RESOURCE_EXHAUSTED", per_minute), &[], minute),
        (
            429,
            String::new(),
            &[("retry-after", "7")],
            Some(Duration::from_secs(7)),
        ),
        (
            429,
            new("RESOURCE_EXHAUSTED", per_minute),
            &[("retry-after", "7")],
            Some(Duration::from_secs(7)),
        ),
        (
            429,
            String::new(),
            &[("retry-after", "Mon, 23 Nov 2026 10:01:10 GMT")],
            Some(Duration::from_secs(30)),
        ),
        (
            429,
            String::new(),
            &[("retry-after", "Mon, 23 Nov 2020 10:01:10 GMT")],
            Some(Duration::ZERO),
        ),
        (429, String::new(), &[("retry-after", "soon")], None),
        (
            429,
            String::new(),
            &[("retry-after", "99999999999")],
            Some(Duration::from_hours(1)),
        ),
    ];
    for (status, body, headers, want) in cases {
        let refusal = judge(*status, body, headers);
        assert_eq!(
            refusal.fault.kind,
            FaultKind::Throttled { after: *want },
            "{body} {headers:?}"
        );
        assert_eq!(refusal.wait, *want);
    }
}

#[test]
fn concurrent_operations_wait_at_least_a_minute() {
    let body = json!({"error": {"code": 403, "message": "m",
        "errors": [{"reason": "rateLimitExceeded"}],
        "details": [{"reason": "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"}]}})
    .to_string();
    let wait = |headers: &[(&str, &str)]| judge(403, &body, headers).wait;
    assert_eq!(wait(&[]), Some(Duration::from_millis(60_700)));
    assert_eq!(
        wait(&[("retry-after", "5")]),
        Some(Duration::from_millis(60_700))
    );
    assert_eq!(
        wait(&[("retry-after", "90")]),
        Some(Duration::from_secs(90))
    );
}

#[test]
fn retry_info_and_unavailable_with_a_wait() {
    let body = json!({"error": {"status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12s"}]}});
    assert_eq!(
        judge(429, &body.to_string(), &[]).wait,
        Some(Duration::from_secs(12))
    );
    let busy = judge(503, "", &[("retry-after", "3")]);
    assert_eq!(busy.fault.kind, FaultKind::Unclear);
    assert_eq!(busy.wait, Some(Duration::from_secs(3)));
}

#[test]
fn the_minute_is_never_over_yet() {
    let until = |text: &str| until_next_minute(text.parse().unwrap());
    assert_eq!(until("2026-11-23T10:00:00Z"), Duration::from_mins(1));
    assert_eq!(until("2026-11-23T10:00:59.999Z"), Duration::from_millis(1));
}

#[test]
fn no_reply() {
    let kind = |error| from_transport(&error).fault.kind;
    assert_eq!(kind(TransportError::NotSent("x".into())), THROTTLED);
    assert_eq!(kind(TransportError::Lost("x".into())), FaultKind::Unclear);
    let large = from_transport(&TransportError::TooLarge { limit: 5 });
    assert_eq!((large.fault.kind, large.again), (FaultKind::Unclear, false));
}

#[test]
fn operations() {
    use FaultKind as K;
    let cases: &[(i64, &str, K, &str)] = &[
        (2, "x", K::Unclear, "UNKNOWN"),
        (
            3,
            "Operation failed: A Connector must specify",
            K::Invalid,
            "INVALID_ARGUMENT",
        ),
        (4, "x", K::Unclear, "DEADLINE_EXCEEDED"),
        (5, "x", K::NotFound, "NOT_FOUND"),
        (6, "x", K::AlreadyExists, "ALREADY_EXISTS"),
        (
            7,
            "needs Serverless VPC Access Service Agent role",
            K::Denied,
            "PERMISSION_DENIED",
        ),
        (8, "x", THROTTLED, "RESOURCE_EXHAUSTED"),
        (9, "connector is not READY", K::Busy, "FAILED_PRECONDITION"),
        (9, "x", K::Invalid, "FAILED_PRECONDITION"),
        (10, "x", K::Conflict, "ABORTED"),
        (12, "x", K::Invalid, "UNIMPLEMENTED"),
        (13, "failed to get healthy", K::Unclear, "INTERNAL"),
        (14, "x", K::Unclear, "UNAVAILABLE"),
        (16, "x", K::Denied, "UNAUTHENTICATED"),
        (99, "x", K::Unclear, "UNKNOWN"),
    ];
    for (code, message, kind, word) in cases {
        let fault = from_operation(&json!({"code": code, "message": message}));
        let got = (
            fault.kind,
            fault.code.as_str(),
            fault.message.as_str(),
            fault.http,
        );
        assert_eq!(got, (*kind, *word, *message, 0));
    }
    assert_eq!(from_operation(&json!({})).code, "UNKNOWN");
}

#[test]
fn messages_are_safe_and_bounded() {
    let long = format!("{} Bearer canary-canary-canary", "ä".repeat(900));
    let fault = judge(400, &new("INVALID_ARGUMENT", &long), &[]).fault;
    assert!(fault.message.len() <= MESSAGE_LIMIT);
    assert!(fault.message.ends_with('…'));
    let fault = judge(400, &new("INVALID_ARGUMENT", "Bearer canary-canary"), &[]).fault;
    assert_eq!(fault.message, "Bearer [redacted]");
    let echoed = judge(502, "<pre>Authorization: Bearer canary</pre>", &[]).fault;
    assert!(!echoed.message.contains("canary"), "{}", echoed.message);
}

#[test]
fn an_api_that_is_off_is_told_from_a_missing_permission() {
    let judge = |status, body: &str| judge(status, body, &[]).fault;
    let off = "X API has not been used in project 1 before or it is disabled.";
    let named = json!({"error": {"status": "PERMISSION_DENIED", "message": off, "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]}});
    let older = json!({"error": {"message": off, "errors": [{"reason": "accessNotConfigured"}]}});
    for body in [&named, &older] {
        let fault = judge(403, &body.to_string());
        assert!(fault.is_api_disabled(), "{fault}");
        assert!(!judge(500, &body.to_string()).is_api_disabled());
    }
    let mut lost = named;
    lost["error"]["message"] =
        json!("The x.googleapis.com API requires a quota project, which is not set by default.");
    for body in [
        lost.to_string(),
        old("forbidden", "no"),
        new("PERMISSION_DENIED", "no"),
    ] {
        assert!(!judge(403, &body).is_api_disabled(), "{body}");
    }
}
