//! A kind in every location: what is asked, where things are, and what could not be reached.

use super::super::compute::Compute;
use super::super::run::Run;
use super::super::sqladmin::SqlAdmin;
use super::super::ssl_certificates::SslCertificates;
use super::super::testing::{Answer, Script, client, ok, refuse};
use super::super::vpcaccess::VpcAccess;
use super::*;
use serde_json::json;
use std::sync::Arc;

type Make = fn(Arc<super::super::client::Client>) -> Box<dyn Service>;

async fn survey(answers: Vec<Answer>, make: Make) -> (Result<Survey, Fault>, Vec<String>) {
    let script = Script::new(answers);
    let service = make(Arc::new(client(&script)));
    let result = service.survey("p").await;
    (result, script.lines())
}

/// Where each resource is, by its name.
fn places(survey: &Survey) -> Vec<(&str, &str)> {
    let found = survey.found.iter();
    found
        .map(|(place, item)| (place.as_str(), item["name"].as_str().unwrap()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn compute_answers_for_all_places_at_once() {
    let make: Make = |client| Box::new(Compute::health_checks(client));
    let first = json!({"nextPageToken": "t", "items": {
        "global": {"healthChecks": [{"name": "a"}]},
        "regions/r": {"warning": {"code": "NO_RESULTS_ON_PAGE"}}}});
    let second = json!({"items": {"regions/r": {"healthChecks": [{"name": "b"}]}}});
    let (found, lines) = survey(vec![ok(&first), ok(&second)], make).await;
    let found = found.unwrap();
    assert_eq!(places(&found), [("global", "a"), ("r", "b")]);
    assert!(found.unreachable.is_empty());
    let path = "GET /compute/v1/projects/p/aggregated/healthChecks";
    let query = "?maxResults=500&returnPartialSuccess=true";
    assert_eq!(
        lines,
        [
            format!("{path}{query}"),
            format!("{path}{query}&pageToken=t")
        ]
    );

    let named = json!({"items": {"regions/s": {"warning": {"code": "UNREACHABLE"}}},
                       "unreachables": ["projects/p/regions/s"]});
    let (found, _) = survey(vec![ok(&named)], make).await;
    assert_eq!(found.unwrap().unreachable, ["regions/s"]);
    let unnamed = json!({"warning": {"code": "PARTIAL_SUCCESS"}});
    let (found, _) = survey(vec![ok(&unnamed)], make).await;
    assert_eq!(found.unwrap().unreachable, ["a part of it"]);
    let elsewhere = json!({"items": {"zones/z": {"healthChecks": [{"name": "a"}]}}});
    assert!(survey(vec![ok(&elsewhere)], make).await.0.is_err());
}

#[tokio::test(start_paused = true)]
async fn certificates_meet_the_proxies_of_their_own_place() {
    fn base(name: &str) -> &str {
        name.split('-').next().unwrap_or_default()
    }
    let make: Make = |client| Box::new(SslCertificates::new(client, base));
    let certificates = json!({"items": {
        "global": {"sslCertificates": [{"name": "a-1"}, {"name": "a-2"}, {"name": "b"}]},
        "regions/r": {"sslCertificates": [{"name": "a-3"}]}}});
    let proxies = json!({"items": {"global": {"targetHttpsProxies": [{"name": "x"}]}},
                         "unreachables": ["projects/p/regions/r"]});
    let (found, _) = survey(vec![ok(&certificates), ok(&proxies)], make).await;
    let found = found.unwrap();
    assert_eq!(
        places(&found),
        [("global", "a"), ("global", "b"), ("r", "a")]
    );
    assert_eq!(
        found.found[0].1["certificates"].as_array().unwrap().len(),
        2
    );
    assert_eq!(found.found[0].1["proxies"], json!([{"name": "x"}]));
    assert_eq!(found.found[2].1["proxies"], json!([]));
    assert_eq!(found.unreachable, ["projects/p/regions/r"]);
}

#[tokio::test(start_paused = true)]
async fn connectors_are_asked_for_region_by_region() {
    let make: Make = |client| Box::new(VpcAccess::new(client));
    let locations = json!({"locations": [{"locationId": "r"}, {"locationId": "s"}]});
    let name = "projects/p/locations/s/connectors/c";
    let answers = vec![
        ok(&locations),
        ok(&json!({})),
        ok(&json!({"connectors": [{"name": name}]})),
    ];
    let (found, lines) = survey(answers, make).await;
    assert_eq!(places(&found.unwrap()), [("s", name)]);
    let all = "GET /v1/projects/p/locations";
    assert_eq!(lines[0], format!("{all}?pageSize=100"));
    assert_eq!(lines[2], format!("{all}/s/connectors?pageSize=100"));

    let answers = vec![ok(&locations), refuse(403, "PERMISSION_DENIED")];
    let fault = survey(answers, make).await.0.unwrap_err();
    assert!(fault.message.starts_with("in r: "), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn services_are_found_by_v1_and_read_by_v2() {
    let make: Make = |client| Box::new(Run::new(client));
    let at =
        |region: &str| json!({"metadata": {"labels": {"cloud.googleapis.com/location": region}}});
    let name = "projects/p/locations/r/services/a";
    let answers = vec![
        ok(&json!({"items": [at("r"), at("r")], "metadata": {"continue": "t"}})),
        ok(&json!({"items": [at("s")], "unreachable": ["u"]})),
        ok(&json!({"services": [{"name": name}]})),
        ok(&json!({"unreachable": ["projects/p/locations/s"]})),
    ];
    let (found, lines) = survey(answers, make).await;
    let found = found.unwrap();
    assert_eq!(places(&found), [("r", name)]);
    assert_eq!(found.unreachable, ["u", "a part of s"]);
    let everywhere = "GET /v1/projects/p/locations/-/services";
    assert_eq!(
        lines[..2],
        [everywhere.to_owned(), format!("{everywhere}?continue=t")]
    );
    assert_eq!(
        lines[2],
        "GET /v2/projects/p/locations/r/services?pageSize=100"
    );

    let nowhere = json!({"items": [{"metadata": {}}]});
    assert!(survey(vec![ok(&nowhere)], make).await.0.is_err());
    let again = json!({"metadata": {"continue": "t"}});
    assert!(survey(vec![ok(&again), ok(&again)], make).await.0.is_err());
}

#[tokio::test(start_paused = true)]
async fn instances_say_where_they_are() {
    let make: Make = |client| Box::new(SqlAdmin::new(client));
    let items = json!([{"name": "a", "region": "r"}, {"name": "b", "region": "s"}]);
    let (found, _) = survey(vec![ok(&json!({"items": items}))], make).await;
    assert_eq!(places(&found.unwrap()), [("r", "a"), ("s", "b")]);
    let script = Script::new(vec![ok(&json!({"items": items}))]);
    let service = SqlAdmin::new(Arc::new(client(&script)));
    assert_eq!(
        places(&service.survey_in("p", "s").await.unwrap()),
        [("s", "b")]
    );
    let partial = json!({"items": items, "warnings": [{"code": "REGION_UNREACHABLE"}]});
    let (found, _) = survey(vec![ok(&partial)], make).await;
    assert_eq!(found.unwrap().unreachable, ["a part of the project"]);
    let lost = json!({"items": [{"name": "a"}]});
    assert!(survey(vec![ok(&lost)], make).await.0.is_err());
}
