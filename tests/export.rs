//! Export: whatever GCP holds comes out as manifests that load, change nothing, and hold what was
//! asked for.

mod common;
mod generate;

use common::{World, run};
use evenkeel::api::{Declared, Finding, Key, Kind, Reference};
use evenkeel::cli::export::{Exported, Found, build};
use evenkeel::cli::plan::judge::judge;
use evenkeel::core::fields::{self, Fields};
use evenkeel::core::items;
use evenkeel::core::observed::Live;
use evenkeel::kinds::{self, SetNames};
use evenkeel::render::manifest;
use evenkeel::render::plan_data::Verdict;
use evenkeel::source::{self, Check, Set};
use generate::certificates::{Certificate, KEY, PEM, certificate};
use generate::gcp::Gcp;
use generate::managed::{Managed, managed, publish};
use generate::run::CANARY;
use generate::{Create, compute, connectors, run as services, sql};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

struct Rules;

impl Check for Rules {
    fn check(&self, declared: &Declared) -> Vec<Finding> {
        kinds::of(declared.key.kind).check(declared)
    }

    fn references(&self, declared: &Declared) -> Vec<Reference> {
        kinds::of(declared.key.kind).references(declared)
    }
}

fn yaml(exported: &Exported) -> String {
    let texts = exported.manifests.iter();
    let texts: Vec<String> = texts
        .map(|one| manifest::yaml(&one.declared, &one.remarks).unwrap())
        .collect();
    manifest::yaml_stream(&texts)
}

fn json_text(exported: &Exported) -> String {
    let texts = exported.manifests.iter();
    let texts: Vec<String> = texts
        .map(|one| manifest::json(&one.declared).unwrap())
        .collect();
    manifest::json_list(&texts)
}

fn load(text: &str) -> Set {
    source::load_bytes("export", text.as_bytes().to_vec(), &Rules)
        .unwrap_or_else(|errors| panic!("{}\n{text}", errors.render(false)))
}

/// What `plan` says to each manifest of a text: nothing to do, and nothing in the way.
fn changes_nothing(text: &str, found: &[Found]) -> Set {
    let live: BTreeMap<&Key, &Value> = found.iter().map(|one| (&one.key, &one.raw)).collect();
    let set = load(text);
    let names = SetNames::of(&set.declared);
    for declared in &set.declared {
        assert!(declared.policy.adopt);
        let kind = kinds::of(declared.key.kind);
        let present = kind.live(live[&declared.key].clone());
        let wanted = kind.declared(declared, &names);
        let changes = fields::diff(&wanted, &present.fields);
        assert!(changes.is_empty(), "{changes:#?}\n{text}");
        let live = Live::Present(Box::new(present));
        let plan = judge(declared, &names, &live, None, Timestamp::UNIX_EPOCH);
        assert_eq!(plan.verdict, Verdict::Unchanged, "{plan:#?}");
    }
    set
}

/// What was asked for is in the manifest, unless it says nothing or is not for manifests.
fn holds(create: &Create, exported: &Exported) {
    let is_it = |key: &Key| {
        (key.kind, &key.location, &key.name) == (create.kind, &create.location, &create.name)
    };
    let one = exported
        .manifests
        .iter()
        .find(|one| is_it(&one.declared.key));
    let one = one.unwrap_or_else(|| panic!("{create:?} has no manifest: {:?}", exported.skipped));
    let set: Vec<Declared> = exported
        .manifests
        .iter()
        .map(|m| m.declared.clone())
        .collect();
    let kind = kinds::of(create.kind);
    let asked = Declared {
        resource: create.resource(),
        ..one.declared.clone()
    };
    let names = SetNames::of(&set);
    let asked = kind.declared(&asked, &names);
    let got = kind.declared(&one.declared, &names);
    let left: Vec<&str> = exported
        .left_out
        .iter()
        .filter(|(key, _)| is_it(key))
        .map(|(_, left)| left.path.as_str())
        .collect();
    for (path, value) in &asked {
        let lost = got.get(path) != Some(value);
        let said = left.iter().any(|left| path.starts_with(left));
        assert!(
            !lost || said || may_lack(create.kind, path, value, &asked),
            "{path}: {value} is not in {got:#?}\n{:#}",
            create.body
        );
    }
}

/// What a manifest leaves out without a word: what is off, what has no effect, what is Google's.
fn may_lack(kind: Kind, path: &str, value: &Value, asked: &Fields) -> bool {
    let off = [
        json!(false),
        json!(0),
        json!(""),
        json!("NONE"),
        json!("DISABLED"),
        json!([]),
    ];
    let is = |field: &str, value: Value| asked.get(field) == Some(&value);
    let generic = items::generic(path);
    match kind {
        // Its name stands elsewhere, and is no field.
        _ if path == "name" => true,
        Kind::HealthCheck => off.contains(value) || path == "type",
        Kind::BackendService => {
            off.contains(value)
                || (generic == "backends[].capacityScaler" && *value == 1)
                || (generic == "logConfig.optionalMode" && value == "EXCLUDE_ALL_OPTIONAL")
        }
        Kind::SqlInstance => {
            let backups = "settings.backupConfiguration";
            let idle = path != "settings.storageAutoResize"
                && path != "settings.ipConfiguration.ipv4Enabled"
                && *value == json!(false);
            let unused =
                path.starts_with(backups) && !is(&format!("{backups}.enabled"), json!(true));
            // Google's own marks on a list.
            idle || unused || is_mark(path)
        }
        Kind::RunService => path.starts_with("labels[goog-"),
        Kind::VpcAccessConnector | Kind::SslCertificate | Kind::ManagedCertificate => false,
    }
}

fn is_mark(path: &str) -> bool {
    let name = path.rsplit('.').next();
    matches!(name, Some("kind" | "retentionUnit"))
}

/// Makes these resources, exports everything, and holds it against all of the above.
fn exports(creates: Vec<Create>) {
    let mut creates = creates;
    creates.sort_by(|a, b| a.name.cmp(&b.name));
    creates.dedup_by(|a, b| a.name == b.name);
    run(|| async {
        let gcp = Gcp::new();
        for one in &creates {
            gcp.create(one).await;
        }
        gcp.pass(3600).await;
        let found = gcp.survey().await;
        let exported = build(found.clone());
        assert_eq!(exported.skipped, []);
        // Every one of these is something that a manifest may say, but for what is not its own.
        for (key, left) in &exported.left_out {
            let known = [
                "keeps the image",
                "each build writes",
                "looks like a secret",
            ];
            let known = known.iter().any(|words| left.why.contains(words));
            assert!(known, "{key}: {left:?}");
        }
        let text = yaml(&exported);
        assert!(!text.contains(CANARY), "{text}");
        let set = changes_nothing(&text, &found);
        assert_eq!(set.declared.len(), found.len());
        changes_nothing(&json_text(&exported), &found);
        for one in &creates {
            holds(one, &exported);
        }
        let mut turned = found;
        turned.reverse();
        assert_eq!(
            yaml(&build(turned)),
            text,
            "the order of the reply does not matter"
        );
    });
}

fn several(one: impl Strategy<Value = Create>) -> impl Strategy<Value = Vec<Create>> {
    proptest::collection::vec(one, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn connectors_come_back(creates in several(connectors::connector())) {
        // Two in one range would fail to be made.
        let mut ranges = std::collections::BTreeSet::new();
        let fresh = |one: &Create| {
            let range = &one.body["ipCidrRange"];
            range.is_null() || ranges.insert(range.to_string())
        };
        exports(creates.into_iter().filter(fresh).collect());
    }

    #[test]
    fn health_checks_come_back(creates in several(compute::health_check())) {
        exports(creates);
    }

    #[test]
    fn backend_services_come_back(creates in several(compute::backend_service(vec![
        "projects/netra-staging/global/healthChecks/staging-hc",
        "https://www.googleapis.com/compute/v1/projects/netra-staging/global/healthChecks/staging-hc",
    ]))) {
        exports(creates);
    }

    #[test]
    fn services_come_back(creates in several(services::service())) {
        exports(creates);
    }

    #[test]
    fn instances_come_back(creates in several(sql::instance())) {
        exports(creates);
    }
}

/// Every certificate that serves comes back, and no key does; one that is not issued yet, and two
/// that look like one family, would be changed by being adopted, so they do not.
fn certificates_of(mut certificates: Vec<Certificate>) {
    certificates.sort_by(|a, b| a.name.cmp(&b.name));
    certificates
        .dedup_by(|a, b| kinds::certificate_base(&a.name) == kinds::certificate_base(&b.name));
    run(|| async {
        let gcp = Gcp::new();
        for one in &certificates {
            one.create(&gcp).await;
        }
        gcp.pass(24 * 3600).await;
        let found = gcp.survey().await;
        let exported = build(found.clone());
        let text = yaml(&exported);
        assert!(
            !text.contains("PRIVATE KEY") && !text.contains("Q0FOQVJZ"),
            "{text}"
        );
        changes_nothing(&text, &found);
        changes_nothing(&json_text(&exported), &found);
        for one in &certificates {
            let base = kinds::certificate_base(&one.name);
            let is_it = |key: &Key| key.name == base && key.location == one.location;
            let made = exported.manifests.iter().find(|m| is_it(&m.declared.key));
            let skipped = exported.skipped.iter().find(|(key, _)| is_it(key));
            assert_eq!(made.is_some(), one.is_issued(), "{one:?} {skipped:?}");
            assert_eq!(skipped.is_none(), one.is_issued());
            let Some(made) = made else { continue };
            let resource = &made.declared.resource;
            if let Some(domains) = &one.domains {
                let mut domains = domains.clone();
                domains.sort();
                domains.dedup();
                assert_eq!(resource["managed"]["domains"], json!(domains));
            } else {
                assert_eq!(resource["selfManaged"]["certificate"], PEM);
                let place = &resource["selfManaged"]["privateKeyRef"]["secretManager"];
                let place = place.as_str().unwrap();
                assert!(made.remarks.iter().any(|text| text.contains(place)));
            }
            let proxies = resource.get("attachTo").and_then(Value::as_array);
            assert_eq!(proxies.map_or(0, Vec::len), one.proxies);
        }
    });
}

/// The same in Certificate Manager, with every entry that serves them; those that are not proved by the DNS
/// stay where they are.
fn managed_certificates_of(mut all: Vec<Managed>) {
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all.dedup_by(|a, b| kinds::certificate_base(&a.name) == kinds::certificate_base(&b.name));
    run(|| async {
        let gcp = Gcp::new();
        for one in &all {
            one.create(&gcp).await;
        }
        publish(&gcp, &all);
        gcp.pass(24 * 3600).await;
        let found = gcp.survey().await;
        let exported = build(found.clone());
        let text = yaml(&exported);
        assert!(!text.contains("PRIVATE KEY"), "{text}");
        changes_nothing(&text, &found);
        changes_nothing(&json_text(&exported), &found);
        for one in &all {
            let base = kinds::certificate_base(&one.name);
            let is_it = |key: &Key| {
                key.kind == Kind::ManagedCertificate
                    && key.name == base
                    && key.location == one.location
            };
            let made = exported.manifests.iter().find(|m| is_it(&m.declared.key));
            let skipped = exported.skipped.iter().find(|(key, _)| is_it(key));
            assert_eq!(made.is_some(), one.is_kept(), "{one:?} {skipped:?}");
            assert_eq!(skipped.is_none(), one.is_kept());
            let Some(made) = made else { continue };
            let resource = &made.declared.resource;
            let mut domains = one.domains.clone();
            domains.sort();
            assert_eq!(resource["managed"]["domains"], json!(domains));
            let places = resource.get("attachTo").and_then(Value::as_array);
            let hosts = places
                .into_iter()
                .flatten()
                .map(|place| place["hostname"].as_str());
            let hosts: BTreeSet<Option<&str>> = hosts.collect();
            assert_eq!(hosts, one.entries.iter().map(Option::as_deref).collect());
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn certificates_come_back(all in proptest::collection::vec(certificate(), 1..4)) {
        certificates_of(all);
    }

    #[test]
    fn managed_certificates_come_back(all in proptest::collection::vec(managed(), 1..4)) {
        managed_certificates_of(all);
    }
}

fn key(kind: Kind, location: &str, name: &str) -> Key {
    Key {
        kind,
        project: "netra-staging".into(),
        location: location.into(),
        name: name.into(),
    }
}

fn found(kind: Kind, location: &str, raw: Value) -> Found {
    let name = raw["name"].as_str().unwrap().rsplit('/').next().unwrap();
    let key = key(kind, location, name);
    Found { key, raw }
}

/// What is left out of the one resource, with the reason.
fn left_out(exported: &Exported) -> Vec<(&str, &str)> {
    let all = exported.left_out.iter();
    all.map(|(_, left)| (left.path.as_str(), &*left.why))
        .collect()
}

#[test]
fn two_of_one_family_are_left_alone() {
    let own = |name: &str, pem: &str| json!({"name": name, "certificate": pem});
    let family = json!({"name": "c", "certificates": [own("c", "x"), own("c-deadbeef", "y")],
                        "proxies": []});
    let exported = build(vec![found(Kind::SslCertificate, "global", family)]);
    assert!(exported.manifests.is_empty());
    let (_, why) = &exported.skipped[0];
    assert!(
        why.contains("would not stay as it is") && why.contains("delete c"),
        "{why}"
    );
}

#[test]
fn words_that_evenkeel_does_not_know_are_left_out_and_said() {
    let raw = json!({
        "name": "bs", "loadBalancingScheme": "EXTERNAL_MANAGED", "protocol": "HTTP3",
        "sessionAffinity": "MOON_PHASE", "timeoutSec": 30,
        "backends": [{"group": "projects/p/zones/z/instanceGroups/g", "balancingMode": "IN_FLIGHT"},
                     {"group": "projects/p/zones/z/instanceGroups/h", "balancingMode": "RATE"}],
    });
    let all = vec![found(Kind::BackendService, "global", raw)];
    let exported = build(all.clone());
    let paths: Vec<&str> = left_out(&exported).iter().map(|(path, _)| *path).collect();
    // An entry that only says which one it is says nothing.
    assert_eq!(
        paths,
        ["backends[0].balancingMode", "protocol", "sessionAffinity"]
    );
    changes_nothing(&yaml(&exported), &all);
    let resource = &exported.manifests[0].declared.resource;
    assert_eq!(resource["backends"].as_array().unwrap().len(), 1);
    assert_eq!(resource["timeoutSec"], 30);
}

#[test]
fn what_google_sets_and_refuses_to_be_told_is_left_out() {
    // Google's default probe, and one that only Google may have.
    let service = |probe: Value| {
        json!({"name": "projects/netra-staging/locations/us-central1/services/api",
               "generation": "1", "observedGeneration": "1",
               "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
               "template": {"timeout": "300s", "containers": [{
                   "image": "i", "ports": [{"containerPort": 8080}], "startupProbe": probe}]}})
    };
    let default = json!({"timeoutSeconds": 240, "periodSeconds": 240, "failureThreshold": 1,
                         "tcpSocket": {"port": 8080}});
    let all = vec![found(Kind::RunService, "us-central1", service(default))];
    let exported = build(all.clone());
    let text = yaml(&exported);
    assert!(!text.contains("startupProbe"), "{text}");
    changes_nothing(&text, &all);
    let equal = json!({"timeoutSeconds": 10, "periodSeconds": 10, "failureThreshold": 3,
                       "tcpSocket": {"port": 8080}});
    let all = vec![found(Kind::RunService, "us-central1", service(equal))];
    let exported = build(all.clone());
    let probe = "template.containers[0].startupProbe.timeoutSeconds";
    assert!(left_out(&exported).iter().any(|(path, _)| *path == probe));
    changes_nothing(&yaml(&exported), &all);
}

#[test]
fn traffic_that_is_held_back_is_said() {
    let raw = json!({"name": "projects/netra-staging/locations/us-central1/services/api",
        "generation": "1", "observedGeneration": "1",
        "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
        "traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "api-1", "percent": 100}],
        "template": {"timeout": "300s"}});
    let all = vec![found(Kind::RunService, "us-central1", raw)];
    let exported = build(all.clone());
    let (path, why) = left_out(&exported)[0];
    assert_eq!(path, "traffic");
    assert!(why.starts_with("100 % api-1 stays"), "{why}");
    changes_nothing(&yaml(&exported), &all);
}

#[test]
fn what_goes_or_is_kept_by_others_has_no_manifest_and_what_changes_says_so() {
    let connector = |name: &str, state: &str| {
        json!({"name": format!("projects/netra-staging/locations/us-central1/connectors/{name}"),
               "network": "default", "ipCidrRange": "10.8.0.0/28", "machineType": "e2-micro",
               "minInstances": 2, "maxInstances": 3, "state": state})
    };
    let mut all = vec![
        found(
            Kind::VpcAccessConnector,
            "us-central1",
            connector("a", "DELETING"),
        ),
        found(
            Kind::VpcAccessConnector,
            "us-central1",
            connector("b", "UPDATING"),
        ),
    ];
    let mut function = json!({"name": "projects/netra-staging/locations/us-central1/services/f"});
    function["labels"] = json!({"goog-managed-by": "cloudfunctions"});
    all.push(found(Kind::RunService, "us-central1", function));
    let exported = build(all);
    assert_eq!(exported.skipped[0].1, "GCP is deleting it");
    assert!(
        exported.skipped[1]
            .1
            .starts_with("cloudfunctions (goog-managed-by) keeps it")
    );
    let text = yaml(&exported);
    assert!(text.starts_with("# GCP reported UPDATING"), "{text}");
}

#[test]
fn references_are_to_what_has_a_manifest_only() {
    run(|| async {
        let gcp = Gcp::new();
        let all = gcp.survey().await;
        let only = |kinds: &[Kind]| -> Vec<Found> {
            let wanted = |one: &&Found| kinds.contains(&one.key.kind);
            all.iter().filter(wanted).cloned().collect()
        };
        let both = yaml(&build(only(&[Kind::BackendService, Kind::HealthCheck])));
        assert!(
            both.contains("healthChecksRef:\n    - name: staging-hc\n"),
            "{both}"
        );
        let alone = only(&[Kind::BackendService, Kind::RunService]);
        let text = yaml(&build(alone.clone()));
        assert!(!text.contains("connectorRef") && !text.contains("healthChecksRef"));
        assert!(text.contains("- projects/netra-staging/global/healthChecks/staging-hc\n"));
        let connector =
            "connector: projects/netra-staging/locations/us-central1/connectors/staging-connector";
        assert!(text.contains(connector), "{text}");
        changes_nothing(&text, &alone);
    });
}

/// Names that two places share are told apart, and references follow.
#[test]
fn one_name_in_two_places_becomes_two_names() {
    run(|| async {
        let gcp = Gcp::new();
        let check = json!({"name": "staging-hc", "type": "TCP", "tcpHealthCheck": {"port": 1}});
        let path = "compute/v1/projects/netra-staging/regions/us-central1/healthChecks";
        gcp.call("POST", path, &check).await;
        let all = gcp.survey().await;
        let text = yaml(&build(all.clone()));
        let set = changes_nothing(&text, &all);
        let checks = set
            .declared
            .iter()
            .filter(|one| one.key.kind == Kind::HealthCheck);
        let names: Vec<_> = checks
            .map(|one| (one.name.as_str(), one.key.name.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("staging-hc-global", "staging-hc"),
                ("staging-hc-us-central1", "staging-hc")
            ]
        );
        assert!(text.contains("healthChecksRef:\n    - name: staging-hc-global\n"));
    });
}

/// Everything of the staging project is taken over, and nothing is written.
#[test]
fn adopting_an_export_writes_nothing() {
    run(|| async {
        let world = World::new();
        let gcp = Gcp::around(Arc::clone(&world.emulator), Arc::clone(&world.clock));
        let found = gcp.survey().await;
        let exported = build(found.clone());
        assert_eq!((exported.manifests.len(), exported.skipped.len()), (18, 0));
        let set = changes_nothing(&yaml(&exported), &found);
        let operator = world.operator();
        operator.declare(set.declared.clone()).await;
        operator.settle(Duration::from_mins(10)).await;
        for declared in &set.declared {
            assert!(
                operator.status_of(&declared.key).is_ready(),
                "{}",
                declared.key
            );
        }
        operator.stop().await;
        assert!(world.writes().is_empty(), "{:#?}", world.writes());
    });
}

/// What somebody made in Certificate Manager by hand, and a second certificate by other means.
async fn managed_by_hand(world: &World) {
    let place = &common::manager::PLACE[3..];
    let wild = ["*.netra.example.com", "netra.example.com"];
    world.by_hand("wild", &wild, wild[1]).await;
    let primary = json!({
        "matcher": "PRIMARY", "certificates": [format!("{place}/certificates/wild")],
    });
    let entries = "certificateMaps/front/certificateMapEntries?certificateMapEntryId=rest";
    world.manage("POST", entries, primary).await;
    let balanced = json!({"managed": {"domains": ["api.example.com"]}});
    let own = json!({"selfManaged": {"pemCertificate": PEM, "pemPrivateKey": KEY}});
    let waiting = json!({"managed": {
        "domains": ["*.shop.example.com"],
        "dnsAuthorizations": [format!("{place}/dnsAuthorizations/shop")],
    }});
    let shop = json!({"domain": "shop.example.com", "type": "PER_PROJECT_RECORD"});
    world
        .manage("POST", "dnsAuthorizations?dnsAuthorizationId=shop", shop)
        .await;
    for (name, body) in [("balanced", balanced), ("own", own), ("waiting", waiting)] {
        let path = format!("certificates?certificateId={name}");
        world.manage("POST", &path, body).await;
    }
}

#[test]
fn a_certificate_with_dns_authorization_is_adopted_and_others_say_why_not() {
    run(|| async {
        let world = World::new();
        managed_by_hand(&world).await;
        let made = world.changes(0).len();
        let gcp = Gcp::around(Arc::clone(&world.emulator), Arc::clone(&world.clock));
        let region = common::manager::PLACE.replace("global", "us-central1");
        let own = json!({"selfManaged": {"pemCertificate": PEM, "pemPrivateKey": KEY}});
        gcp.call(
            "POST",
            &format!("{region}/certificates?certificateId=wild"),
            &own,
        )
        .await;
        let mut found = gcp.survey().await;
        found.retain(|one| one.key.kind == Kind::ManagedCertificate);
        let exported = build(found.clone());
        let why: Vec<String> = exported
            .skipped
            .iter()
            .map(|(key, why)| format!("{}/{}: {why}", key.location, key.name))
            .collect();
        let last = why.last().unwrap();
        assert!(
            last.starts_with("us-central1/wild: wild: its owner"),
            "{why:?}"
        );
        assert_eq!(
            why[..2],
            [
                "global/balanced: balanced: its domains are not proved by DNS authorizations",
                "global/own: own: its owner brought it and renews it"
            ]
        );
        assert!(why[2].contains("it would not stay as it is"), "{why:?}");
        let set = changes_nothing(&yaml(&exported), &found);
        changes_nothing(&json_text(&exported), &found);
        let [wild] = &set.declared[..] else {
            panic!("{:?}", set.declared)
        };
        assert_eq!(
            Value::Object(wild.resource.clone()),
            json!({
                "managed": {"domains": ["*.netra.example.com", "netra.example.com"]},
                "attachTo": [
                    {"map": "front", "hostname": "*.netra.example.com"},
                    {"map": "front", "matcher": "PRIMARY"},
                ],
            })
        );
        let operator = world.operator();
        operator.declare(set.declared.clone()).await;
        operator.ready(&wild.key, Duration::from_hours(1)).await;
        operator.stop().await;
        assert_eq!(world.changes(made), Vec::<String>::new());
    });
}
