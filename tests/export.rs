//! Export: whatever GCP holds comes out as manifests that load, change nothing, and hold what was
//! asked for.

#[allow(dead_code, reason = "a part of it is used here")]
mod common;
mod generate;

use common::run;
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
use generate::gcp::Gcp;
use generate::run::CANARY;
use generate::{Create, compute, connectors, run as services, sql};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
            idle || unused || path.ends_with(".kind") || path.ends_with(".retentionUnit")
        }
        Kind::RunService => path.starts_with("labels[goog-"),
        Kind::VpcAccessConnector | Kind::SslCertificate => false,
    }
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
