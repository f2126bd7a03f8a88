//! Cloud Logging: entries follow from the load, from operations and from other writers; searches are filtered,
//! ordered, paged, bounded, and few.

mod wire;

use std::collections::BTreeSet;
use std::time::Duration;

use evenkeel::emulator::{Quota, Scenario};
use serde_json::{Value, json};
use wire::Surface;
use wire::client::{Gcp, Reply, STAGING};
use wire::plan;

const LIST: &str = "/v2/entries:list";
const CAPACITY: &str =
    "resource.type=\"vpc_access_connector\" severity>=WARNING textPayload:\"near its capacity\"";

fn staging() -> Gcp {
    let gcp = Gcp::new(Scenario::NetraStaging);
    // Only `sixty_searches_a_minute` is about the quota.
    gcp.emulator.set_quota(Quota {
        reads_per_minute: 0,
        writes_per_minute: 0,
    });
    gcp
}

fn ask(gcp: &Gcp, filter: &str, more: &Value) -> Reply {
    let mut body = json!({"resourceNames": ["projects/netra-staging"], "filter": filter, "orderBy": "timestamp desc"});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    gcp.post(LIST, body)
}

/// The entries of the last `minutes` minutes.
fn last(gcp: &Gcp, minutes: u64, filter: &str) -> Vec<Value> {
    let from = gcp.now - Duration::from_secs(minutes * 60);
    let filter = format!("timestamp>=\"{from}\" {filter}");
    let reply = ask(gcp, &filter, &json!({"pageSize": 1000}));
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body["entries"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn texts(entries: &[Value]) -> BTreeSet<String> {
    let text = |entry: &Value| entry["textPayload"].as_str().map(str::to_owned);
    entries.iter().filter_map(text).collect()
}

#[test]
fn the_incident_is_in_the_logs_and_leaves_them() {
    let mut gcp = staging();
    let searches = [
        ("capacity", CAPACITY),
        (
            "503 at Cloud Run",
            "resource.type=\"cloud_run_revision\" httpRequest.status=503",
        ),
        (
            "503 at the load balancer",
            "resource.type=\"http_load_balancer\" httpRequest.status=503",
        ),
        (
            "slow starts",
            "textPayload:\"startup phase database timed out\"",
        ),
        (
            "lost connections",
            "severity>=ERROR textPayload:\"timeout expired\"",
        ),
        (
            "no slot",
            "textPayload:\"remaining connection slots are reserved\" resource.type=\"cloudsql_database\"",
        ),
        ("pool", "textPayload=~\"QueuePool limit .* timed out\""),
    ];
    for (what, filter) in searches {
        assert!(!last(&gcp, 5, filter).is_empty(), "{what}");
    }
    plan::all(&mut gcp);
    gcp.wait(600);
    for (what, filter) in searches {
        assert_eq!(last(&gcp, 5, filter), [json!(null); 0], "{what}");
    }
    let done = last(
        &gcp,
        10,
        "textPayload=~\"startup phase database completed in [0-9.]+s\" resource.labels.service_name=\"netra-auth\"",
    );
    let text = done[0]["textPayload"].as_str().unwrap();
    let seconds: f64 = text
        .rsplit(' ')
        .next()
        .unwrap()
        .trim_end_matches('s')
        .parse()
        .unwrap();
    assert!(seconds < 40.0, "{text}");
    assert!(!last(&gcp, 5, "httpRequest.status=200").is_empty());
}

#[test]
fn shares_of_statuses_are_those_of_the_load() {
    let gcp = staging();
    let requests = last(
        &gcp,
        30,
        "log_id(\"run.googleapis.com/requests\") resource.labels.service_name=\"netra-backend\"",
    );
    let bad = requests
        .iter()
        .filter(|entry| entry["httpRequest"]["status"] == 503)
        .count();
    let ratio =
        f64::from(u32::try_from(bad).unwrap()) / f64::from(u32::try_from(requests.len()).unwrap());
    let wanted = plan::number(&plan::load(&gcp), "/services/netra-backend/0/unavailable");
    assert!((ratio - wanted).abs() < 0.05, "{ratio} {wanted}");
    plan::faults(&gcp, &json!([]));
    let errors = json!([{"fault": "app_errors", "ratio": 0.5, "service": "netra-mailer"}]);
    plan::faults(&gcp, &errors);
    let mut gcp = gcp;
    gcp.wait(300);
    let broken = last(&gcp, 4, "httpRequest.status=500");
    let services: BTreeSet<&str> = broken
        .iter()
        .map(|e| e["resource"]["labels"]["service_name"].as_str().unwrap())
        .collect();
    assert_eq!(services.into_iter().collect::<Vec<_>>(), ["netra-mailer"]);
    assert!(
        texts(&last(&gcp, 4, "severity=ERROR"))
            .contains("Unhandled exception while handling GET /api/items")
    );
}

#[test]
fn entries_come_late_and_in_the_order_asked_for() {
    let mut gcp = staging();
    gcp.wait(3);
    let (from, to) = (gcp.now - Duration::from_mins(2), gcp.now);
    let read = |gcp: &Gcp, order: &str| {
        let filter = format!("timestamp>=\"{from}\" timestamp<=\"{to}\"");
        let reply = ask(gcp, &filter, &json!({"orderBy": order, "pageSize": 1000}));
        reply.body["entries"].as_array().unwrap().clone()
    };
    let newest = read(&gcp, "timestamp desc");
    let at = |entry: &Value| {
        let text = entry["timestamp"].as_str().unwrap();
        text.parse::<jiff::Timestamp>().unwrap()
    };
    let age = gcp.now.duration_since(at(&newest[0])).as_secs();
    assert!((10..30).contains(&age), "{age}");
    assert!(newest.windows(2).all(|pair| at(&pair[0]) >= at(&pair[1])));
    let mut oldest = read(&gcp, "timestamp asc");
    oldest.reverse();
    assert_eq!(oldest, newest);
    let ids = newest
        .iter()
        .map(|entry| entry["insertId"].as_str().unwrap());
    assert_eq!(
        ids.collect::<BTreeSet<_>>().len(),
        newest.len(),
        "each has its own"
    );
    gcp.wait(600);
    let again = read(&gcp, "timestamp desc");
    assert!(again.len() > newest.len(), "some had not come in yet");
    assert!(again.ends_with(&newest), "what was read stays as it was");
}

#[test]
fn pages_go_on_where_the_last_one_ended() {
    let gcp = staging();
    let whole = last(&gcp, 3, "severity>=ERROR");
    let from = gcp.now - Duration::from_mins(3);
    let filter = format!("timestamp>=\"{from}\" severity>=ERROR");
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let reply = ask(&gcp, &filter, &json!({"pageSize": 7, "pageToken": token}));
        let page = reply.body["entries"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        assert!(page.len() <= 7);
        found.extend(page);
        match reply.body["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(found, whole);
    assert!(whole.len() > 20);
    let other = ask(&gcp, "severity>=INFO", &json!({"pageToken": token}));
    assert_eq!(other.status, 400, "a token is good for its own search only");
    assert_eq!(
        ask(&gcp, &filter, &json!({})).body["entries"]
            .as_array()
            .unwrap()
            .len(),
        50.min(whole.len())
    );
}

#[test]
fn a_search_for_a_needle_gives_up_and_goes_on() {
    let mut gcp = staging();
    gcp.emulator
        .foreign_patch(gcp.now, STAGING, &json!({"maxInstances": 4}))
        .unwrap();
    gcp.wait(3 * 3_600);
    let filter = "protoPayload.serviceName=\"vpcaccess.googleapis.com\"";
    let (mut rounds, mut token, mut found) = (0, String::new(), Vec::new());
    while rounds < 40 {
        let reply = ask(&gcp, filter, &json!({"pageToken": token}));
        found.extend(
            reply.body["entries"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
        );
        rounds += 1;
        match reply.body["nextPageToken"].as_str() {
            Some(next) if found.is_empty() => token = next.to_owned(),
            _ => break,
        }
    }
    assert_eq!(found.len(), 1);
    assert!(rounds > 1, "empty pages came first");
    assert_eq!(
        found[0]["protoPayload"]["authenticationInfo"]["principalEmail"],
        "somebody-else@example.com"
    );
}

#[test]
fn changes_are_audited_at_their_start_and_their_end() {
    let mut gcp = staging();
    plan::connector(&mut gcp, "e2-micro", 3, 5);
    let filter = "log_id(\"cloudaudit.googleapis.com/activity\") protoPayload.methodName:\"UpdateConnector\"";
    let found = last(&gcp, 10, filter);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (
            &found[1]["operation"]["first"],
            &found[0]["operation"]["last"]
        ),
        (&json!(true), &json!(true))
    );
    assert_eq!(found[0]["operation"]["id"], found[1]["operation"]["id"]);
    assert_eq!(
        found[0]["protoPayload"]["serviceName"],
        "vpcaccess.googleapis.com"
    );
    assert!(
        found[0]["protoPayload"]["resourceName"]
            .as_str()
            .unwrap()
            .ends_with("staging-connector")
    );
}

#[test]
fn lines_can_be_put_in() {
    let mut gcp = staging();
    plan::all(&mut gcp);
    let lines = json!({"logs": [
        {"text": "Connector staging-connector is near its capacity (made up)", "severity": "WARNING", "perMinute": 6},
        {"text": "token cache miss", "severity": "CRITICAL", "perMinute": 1, "service": "netra-auth"},
    ]});
    assert_eq!(gcp.call("PUT", "/_emulator/traffic", lines).status, 200);
    gcp.wait(630);
    assert_eq!(
        last(&gcp, 10, CAPACITY).len(),
        59,
        "six a minute, the last of them not in yet"
    );
    let critical = last(&gcp, 10, "severity>=CRITICAL");
    assert!((9..=10).contains(&critical.len()), "{}", critical.len());
    assert!(
        critical
            .iter()
            .all(|entry| entry["resource"]["labels"]["service_name"] == "netra-auth")
    );
}

#[test]
fn sixty_searches_a_minute() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    for _ in 0..60 {
        assert_eq!(
            ask(
                &gcp,
                "resource.type=\"vpc_access_connector\" severity>=ALERT",
                &json!({})
            )
            .status,
            200
        );
    }
    let refused = ask(
        &gcp,
        "resource.type=\"vpc_access_connector\" severity>=ALERT",
        &json!({}),
    );
    assert_eq!((refused.status, refused.rpc()), (429, "RESOURCE_EXHAUSTED"));
    assert!(
        refused
            .message()
            .contains("'Read requests per minute' of service 'logging.googleapis.com'")
    );
    assert_eq!(gcp.get(STAGING).status, 200, "other APIs have their own");
    gcp.wait(60);
    assert_eq!(
        ask(
            &gcp,
            "resource.type=\"vpc_access_connector\" severity>=ALERT",
            &json!({})
        )
        .status,
        200
    );
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let gcp = staging();
    for (body, words) in [
        (
            json!({"filter": "colour=\"red\""}),
            "Unparseable filter: Field not found: 'colour'",
        ),
        (
            json!({"filter": "severity>=WARNING AND"}),
            "Unparseable filter: syntax error at line 1, column 22",
        ),
        (json!({"orderBy": "severity"}), "orderBy"),
        (json!({"pageSize": -1}), "page_size"),
        (json!({"pageToken": "nonsense"}), "page token"),
        (json!({"resourceNames": []}), "resourceNames"),
        (json!({"resourceNames": ["folders/1"]}), "folders/1"),
    ] {
        let mut whole = json!({"resourceNames": ["projects/netra-staging"]});
        whole
            .as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        let refused = gcp.post(LIST, whole);
        assert_eq!(
            (refused.status, refused.rpc()),
            (400, "INVALID_ARGUMENT"),
            "{body}: {}",
            refused.text
        );
        assert!(
            refused.message().contains(words),
            "{body}: {}",
            refused.message()
        );
    }
    let other = gcp.post(LIST, json!({"resourceNames": ["projects/other"]}));
    assert_eq!(other.status, 403);
    let unknown = gcp.post(
        LIST,
        json!({"resourceNames": ["projects/netra-staging"], "limit": 3}),
    );
    assert!(
        unknown.message().contains("Unknown name \"limit\""),
        "{}",
        unknown.message()
    );
    let surface = Surface::logging();
    assert_eq!(
        surface.method_id("POST", LIST),
        Some("logging.entries.list")
    );
}

#[test]
fn a_search_reads_and_writes_nothing() {
    let gcp = staging();
    last(&gcp, 5, "");
    assert!(gcp.emulator.requests().iter().all(|entry| !entry.landed));
}
