//! Compute's lists: pages, order, filters, all places at once, and places that do not answer.

mod wire;

use std::collections::BTreeSet;

use bytes::Bytes;
use evenkeel::emulator::{Action, FaultRule, Scenario};
use serde_json::{Value, json};
use wire::client::Gcp;
use wire::compute::{GLOBAL, PROJECT, REGIONAL, http_check, link};

const MANY: &str = "/compute/v1/projects/netra-many";

fn names(items: &Value) -> Vec<&str> {
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

/// Every page of a list, in order.
fn pages(gcp: &Gcp, target: &str) -> Vec<Value> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    let join = if target.contains('?') { '&' } else { '?' };
    loop {
        let page = gcp.get(&format!("{target}{join}pageToken={token}"));
        assert_eq!(page.status, 200, "{}", page.text);
        let next = page.body["nextPageToken"].as_str().map(str::to_owned);
        pages.push(page.body);
        match next {
            Some(next) => token = next,
            None => return pages,
        }
    }
}

fn filtered(gcp: &Gcp, collection: &str, filter: &str) -> Vec<String> {
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let list = gcp.get(&format!("{GLOBAL}/{collection}?filter={filter}"));
    assert_eq!(list.status, 200, "{}", list.text);
    names(&list.body["items"])
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn thousands_come_in_pages_of_five_hundred() {
    let gcp = Gcp::new(Scenario::Many);
    for (collection, global) in [
        ("healthChecks", 1_000),
        ("backendServices", 1_000),
        ("sslCertificates", 2_000),
    ] {
        let pages = pages(&gcp, &format!("{MANY}/global/{collection}"));
        let found: Vec<&str> = pages
            .iter()
            .flat_map(|page| names(&page["items"]))
            .collect();
        let unique: BTreeSet<&&str> = found.iter().collect();
        assert_eq!(
            (found.len(), unique.len(), pages.len()),
            (global, global, global / 500)
        );
        assert!(found.is_sorted());
    }
    let small = pages(
        &gcp,
        &format!("{MANY}/regions/us-central1/healthChecks?maxResults=300"),
    );
    let sizes: Vec<usize> = small
        .iter()
        .map(|page| names(&page["items"]).len())
        .collect();
    assert_eq!(sizes, [300, 200]);
}

#[test]
fn everything_in_all_places_adds_up_to_the_same() {
    let gcp = Gcp::new(Scenario::Many);
    let pages = pages(
        &gcp,
        &format!("{MANY}/aggregated/healthChecks?maxResults=400"),
    );
    assert_eq!(pages.len(), 5);
    let mut total = 0;
    for page in &pages {
        assert_eq!(page["kind"], "compute#healthChecksAggregatedList");
        for (scope, entry) in page["items"].as_object().unwrap() {
            let found = names(&entry["healthChecks"]).len();
            total += found;
            let code = &entry["warning"]["code"];
            assert_eq!(found == 0, code == "NO_RESULTS_ON_PAGE", "{scope}");
        }
    }
    assert_eq!(total, 2_000);
}

#[test]
fn scopes_without_results_say_so() {
    let gcp = Gcp::new(Scenario::NetraStaging);
    let some = gcp
        .get(&format!("{PROJECT}/aggregated/sslCertificates"))
        .body;
    assert_eq!(
        names(&some["items"]["global"]["sslCertificates"]),
        ["staging-cert"]
    );
    let warning = &some["items"]["regions/us-west1"]["warning"];
    assert_eq!(
        *warning,
        json!({"code": "NO_RESULTS_ON_PAGE", "data": [{"key": "scope", "value": "regions/us-west1"}],
               "message": "There are no results for scope 'regions/us-west1' on this page."})
    );
    assert!(some["items"].get("zones/us-west1-a").is_none());
    let all = gcp.get(&format!(
        "{PROJECT}/aggregated/sslCertificates?includeAllScopes=true&maxResults=500&returnPartialSuccess=true"
    ));
    assert!(all.body["items"].get("zones/us-west1-a").is_some());
    assert_eq!(
        all.body["selfLink"],
        link(&format!("{PROJECT}/aggregated/sslCertificates"))
    );
    assert!(all.body.get("unreachables").is_none());
}

#[test]
fn a_place_that_does_not_answer_is_unknown_and_not_empty() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    gcp.done(
        "POST",
        &format!("{REGIONAL}/healthChecks"),
        http_check("near"),
    );
    gcp.emulator
        .set_faults(vec![FaultRule::new(Action::UnreachableList)]);
    let target = format!("{PROJECT}/aggregated/healthChecks");
    let failed = gcp.get(&target);
    assert_eq!((failed.status, failed.reason()), (503, "backendError"));
    let partial = gcp.get(&format!("{target}?returnPartialSuccess=true")).body;
    assert_eq!(
        partial["unreachables"],
        json!(["projects/netra-staging/regions/us-central1"])
    );
    assert_eq!(partial["warning"]["code"], "PARTIAL_SUCCESS");
    let missing = &partial["items"]["regions/us-central1"];
    assert_eq!(missing["warning"]["code"], "UNREACHABLE");
    assert!(missing.get("healthChecks").is_none());
    assert_eq!(
        names(&partial["items"]["global"]["healthChecks"]),
        ["staging-hc"]
    );

    // A dated version has no such parameter: its lists are always as much as could be reached.
    let dated = [("x-goog-api-version", "2026-09-01")];
    let dated = gcp.send_raw("GET", &target, Bytes::new(), &dated).unwrap();
    assert_eq!(dated.body["warning"]["code"], "PARTIAL_SUCCESS");

    let list = format!("{REGIONAL}/healthChecks");
    assert_eq!(gcp.get(&list).status, 503);
    let partial = gcp.get(&format!("{list}?returnPartialSuccess=true")).body;
    assert_eq!(partial["warning"]["code"], "UNREACHABLE");
    assert!(partial.get("items").is_none());
    assert_eq!(
        gcp.get(&format!("{list}/near")).status,
        200,
        "it is still there to get"
    );
}

#[test]
fn filters_in_both_languages() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    for (name, interval) in [("netra-a", 5), ("my-netra", 10), ("other", 20)] {
        let mut body = http_check(name);
        body["checkIntervalSec"] = json!(interval);
        body["description"] = json!(format!("every {interval} s"));
        gcp.done("POST", &format!("{GLOBAL}/healthChecks"), body);
    }
    let cases: [(&str, &[&str]); 16] = [
        (r#"name eq ".*\bnetra.*""#, &["my-netra", "netra-a"]),
        ("name ne netra-a", &["my-netra", "other", "staging-hc"]),
        ("name eq (netra-a|other)", &["netra-a", "other"]),
        ("name = other", &["other"]),
        ("name=\"netra-a\"", &["netra-a"]),
        ("name = netra*", &["netra-a"]),
        ("name != other", &["my-netra", "netra-a", "staging-hc"]),
        ("name:NETRA", &["my-netra", "netra-a"]),
        ("description:*", &["my-netra", "netra-a", "other"]),
        ("checkIntervalSec > 5", &["my-netra", "other"]),
        (
            "checkIntervalSec >= 5 AND checkIntervalSec<20",
            &["my-netra", "netra-a", "staging-hc"],
        ),
        ("(name = other) (checkIntervalSec = 20)", &["other"]),
        ("name = other OR name = netra-a", &["netra-a", "other"]),
        ("NOT (name = other OR name:netra)", &["staging-hc"]),
        ("httpHealthCheck.requestPath = \"/health\"", &["staging-hc"]),
        ("nothing = here", &[]),
    ];
    for (filter, expected) in cases {
        assert_eq!(filtered(&gcp, "healthChecks", filter), expected, "{filter}");
    }
    for bad in [
        "name",
        "name =",
        "name eq (",
        "= x",
        "name eq a AND name eq b",
        "(name = x",
        "name ~ x",
        "a[0]=x",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(bad.as_bytes()).collect();
        let refused = gcp.get(&format!("{GLOBAL}/healthChecks?filter={encoded}"));
        assert_eq!(refused.status, 400, "{bad}");
        let words =
            format!("Invalid value for field 'filter': '{bad}'. Invalid list filter expression.");
        assert_eq!(refused.message(), words);
    }
}

#[test]
fn lists_come_by_name_or_newest_first() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    for name in ["b", "a", "c"] {
        gcp.done("POST", &format!("{GLOBAL}/healthChecks"), http_check(name));
    }
    let list = format!("{GLOBAL}/healthChecks");
    assert_eq!(
        names(&gcp.get(&list).body["items"]),
        ["a", "b", "c", "staging-hc"]
    );
    let newest = pages(
        &gcp,
        &format!("{list}?orderBy=creationTimestamp%20desc&maxResults=1"),
    );
    let newest: Vec<&str> = newest
        .iter()
        .flat_map(|page| names(&page["items"]))
        .collect();
    assert_eq!(newest, ["c", "a", "b", "staging-hc"]);
    for query in [
        "orderBy=checkIntervalSec",
        "maxResults=501",
        "maxResults=-1",
        "pageToken=x",
    ] {
        assert_eq!(gcp.get(&format!("{list}?{query}")).status, 400, "{query}");
    }
    let token = gcp.get(&format!("{list}?maxResults=1")).body["nextPageToken"].clone();
    let elsewhere = format!(
        "{GLOBAL}/backendServices?pageToken={}",
        token.as_str().unwrap()
    );
    assert_eq!(
        gcp.get(&elsewhere).status,
        400,
        "a token is good for its own list only"
    );
}

#[test]
fn operations_are_listed_too() {
    let mut gcp = Gcp::new(Scenario::NetraStaging);
    gcp.done("POST", &format!("{GLOBAL}/healthChecks"), http_check("a"));
    gcp.post(&format!("{GLOBAL}/healthChecks"), http_check("b"));
    let list = |query: &str| {
        let list = gcp.get(&format!("{GLOBAL}/operations?{query}"));
        list.body["items"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(
        (
            list(""),
            list("filter=status%3DDONE"),
            list("filter=status!%3DDONE")
        ),
        (2, 1, 1)
    );
    assert_eq!(
        gcp.get(&format!("{REGIONAL}/operations")).body.get("items"),
        None
    );
}

#[test]
fn partial_responses_reach_into_lists() {
    let gcp = Gcp::new(Scenario::NetraStaging);
    let list = gcp.get(&format!(
        "{GLOBAL}/healthChecks?fields=items(name,type),nextPageToken"
    ));
    assert_eq!(
        list.body,
        json!({"items": [{"name": "staging-hc", "type": "HTTP"}]})
    );
    let all = gcp.get(&format!(
        "{PROJECT}/aggregated/healthChecks?fields=items/*/healthChecks/name"
    ));
    assert_eq!(
        all.body["items"]["global"],
        json!({"healthChecks": [{"name": "staging-hc"}]})
    );
    let refused = gcp.get(&format!("{GLOBAL}/healthChecks?fields=items(size)"));
    assert_eq!(refused.status, 400);
}
