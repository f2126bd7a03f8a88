#![allow(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]

use super::*;
use crate::api::envelope::{Deletion, Drift, Policy, RolloutSpec, StepSpec};
use crate::api::{Key, Origin};
use crate::core::fields;
use crate::core::observed::Lifecycle;
use crate::core::record::Verb;
use crate::core::rules::{Change, Encoded};
use crate::kinds::SetNames;
use proptest::prelude::*;
use serde_json::json;

fn declared(resource: Value) -> Declared {
    let Value::Object(resource) = resource else {
        panic!("an object")
    };
    Declared {
        key: Key {
            kind: Kind::RunService,
            project: "netra-staging".into(),
            location: "us-central1".into(),
            name: "netra-backend".into(),
        },
        name: "netra-backend".into(),
        labels: std::collections::BTreeMap::new(),
        resource,
        policy: Policy {
            rollout: None,
            drift: Drift::Enforce,
            deletion: Deletion::Orphan,
            adopt: true,
            suspend: false,
        },
        origin: Origin::default(),
    }
}

fn fields_of(declared: &Declared) -> Fields {
    RunService.declared(declared, &SetNames::of(&[]))
}

/// As Google answers: with defaults, output-only fields and things nobody declared.
fn service() -> Value {
    json!({
        "name": "projects/netra-staging/locations/us-central1/services/netra-backend",
        "uid": "u", "etag": "\"e1\"", "generation": "4", "observedGeneration": "4",
        "labels": {"team": "core"},
        "ingress": "INGRESS_TRAFFIC_ALL",
        "template": {
            "revision": "netra-backend-00004-abc",
            "timeout": "300s",
            "maxInstanceRequestConcurrency": 80,
            "scaling": {"maxInstanceCount": 100},
            "vpcAccess": {"connector": "staging-connector", "egress": "PRIVATE_RANGES_ONLY"},
            "containers": [{
                "name": "netra-backend-1",
                "image": "us-docker.pkg.dev/p/r/backend:7",
                "buildInfo": {"functionTarget": "x"},
                "env": [
                    {"name": "LOG_LEVEL", "value": "info"},
                    {"name": "EMPTY"},
                    {"name": "DB_PASSWORD", "value": "hunter2"},
                ],
                "resources": {"limits": {"cpu": "1000m", "memory": "512Mi"}},
                "ports": [{"name": "http1", "containerPort": 8000}],
                "startupProbe": {"periodSeconds": 24, "timeoutSeconds": 5, "failureThreshold": 10,
                                 "tcpSocket": {"port": 8000}},
            }],
        },
        "traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
        "latestReadyRevision":
            "projects/netra-staging/locations/us-central1/services/netra-backend/revisions/netra-backend-00004-abc",
        "terminalCondition": {"type": "Ready", "state": "CONDITION_SUCCEEDED"},
        "trafficStatuses": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100,
                             "revision": "netra-backend-00004-abc"}],
    })
}

fn encoded(declared: &Declared, raw: &Value) -> Encoded {
    let live = RunService.live(raw.clone());
    let wanted = fields_of(declared);
    let changes: Fields = fields::diff(&wanted, &live.fields)
        .into_iter()
        .map(|change| (change.field, change.to))
        .collect();
    encode::encode(&Change {
        verb: Verb::Patch,
        fields: &changes,
        live: Some(&live),
        declared: Some(declared),
    })
}

/// What Google would have after the call: it replaces what the mask names.
fn applied(raw: &Value, call: &Encoded) -> Value {
    let mut after = raw.clone();
    for part in &call.mask {
        after[part] = call.body[part].clone();
    }
    after
}

fn template(extra: Value) -> Value {
    json!({"template": extra})
}

#[test]
fn other_spellings_and_zeros_are_no_difference() {
    let same = declared(template(json!({
        "timeout": "300.0s",
        "scaling": {"minInstanceCount": 0},
        "vpcAccess": {"connector":
            "projects/netra-staging/locations/us-central1/connectors/staging-connector"},
        "containers": [{
            "env": [{"name": "EMPTY", "value": ""}, {"name": "DB_PASSWORD", "value": "hunter2"}],
            "resources": {"limits": {"cpu": "1", "memory": "524288Ki"}, "cpuIdle": false},
            "ports": [{"containerPort": 8000}],
            "startupProbe": {"initialDelaySeconds": 0},
        }],
    })));
    let live = RunService.live(service());
    assert_eq!(live.lifecycle, Lifecycle::Ready);
    assert_eq!(fields::diff(&fields_of(&same), &live.fields), []);
}

#[test]
fn a_patch_changes_what_is_declared_and_nothing_else() {
    let wanted = declared(template(json!({
        "timeout": "600s",
        "containers": [{"env": [
            {"name": "DB_CONNECTION_TIMEOUT", "value": "600"},
            {"name": "LOG_LEVEL", "valueSource": {"secretKeyRef": {"secret": "level", "version": "1"}}},
        ]}],
    })));
    let call = encoded(&wanted, &service());
    assert_eq!(call.mask, ["template"]);
    assert_eq!(call.body["etag"], "\"e1\"");
    let template = &call.body["template"];
    assert!(template.get("revision").is_none());
    assert_eq!(template["timeout"], "600s");
    let container = &template["containers"][0];
    assert!(container.get("buildInfo").is_none());
    assert_eq!(container["image"], "us-docker.pkg.dev/p/r/backend:7");
    assert_eq!(
        container["env"],
        json!([
            {"name": "LOG_LEVEL", "valueSource": {"secretKeyRef": {"secret": "level", "version": "1"}}},
            {"name": "EMPTY"},
            {"name": "DB_PASSWORD", "value": "hunter2"},
            {"name": "DB_CONNECTION_TIMEOUT", "value": "600"},
        ])
    );
    let after = RunService.live(applied(&service(), &call));
    assert_eq!(fields::diff(&fields_of(&wanted), &after.fields), []);
}

#[test]
fn of_two_forms_the_declared_one_stays() {
    let wanted = declared(template(json!({
        "vpcAccess": {"networkInterfaces": [{"network": "default", "subnetwork": "run"}]},
        "containers": [{"startupProbe": {"httpGet": {"path": "/health/basic", "port": 8000}}}],
    })));
    let call = encoded(&wanted, &service());
    let access = &call.body["template"]["vpcAccess"];
    assert!(access.get("connector").is_none());
    assert_eq!(access["egress"], "PRIVATE_RANGES_ONLY");
    let probe = &call.body["template"]["containers"][0]["startupProbe"];
    assert!(probe.get("tcpSocket").is_none());
    assert_eq!(probe["failureThreshold"], 10);
}

#[test]
fn a_secret_is_nowhere_but_in_the_call() {
    let wanted = declared(template(json!({"containers": [{"env": [
        {"name": "DB_PASSWORD", "value": "correct-horse"}]}]})));
    let fields = fields_of(&wanted);
    let live = RunService.live(service());
    assert!(!format!("{fields:?}").contains("correct-horse"));
    assert!(!format!("{:?}", live.fields).contains("hunter2"));
    let call = encoded(&wanted, &service());
    assert!(call.body.to_string().contains("correct-horse"));
    let stored = RunService.redact(call.body).to_string();
    assert!(!stored.contains("correct-horse"), "{stored}");
    assert!(!RunService.redact(service()).to_string().contains("hunter2"));
    let path = "template.containers[].env[DB_PASSWORD].valueDigest";
    assert_eq!(RULES.mutability(path), Mutability::WriteOnly);
}

#[test]
fn a_reference_becomes_the_name_in_gcp() {
    let mut connector = declared(json!({}));
    connector.key.kind = Kind::VpcAccessConnector;
    connector.key.name = "staging-connector".into();
    connector.name = "the-connector".into();
    let service = declared(template(
        json!({"vpcAccess": {"connectorRef": {"name": "the-connector"}}}),
    ));
    let names = SetNames::of(&[connector]);
    let fields = RunService.declared(&service, &names);
    assert_eq!(
        fields[CONNECTOR],
        "projects/netra-staging/locations/us-central1/connectors/staging-connector"
    );
    assert_eq!(RunService.references(&service)[0].name, "the-connector");
}

#[test]
fn what_a_service_says_about_itself() {
    let state = |change: fn(&mut Value)| {
        let mut raw = service();
        change(&mut raw);
        let live = RunService.live(raw);
        (live.lifecycle, live.state)
    };
    assert_eq!(
        state(|raw| raw["reconciling"] = json!(true)).0,
        Lifecycle::Busy
    );
    assert_eq!(
        state(|raw| raw["generation"] = json!("5")).0,
        Lifecycle::Busy
    );
    assert_eq!(
        state(|raw| raw["terminalCondition"] = json!(null)).0,
        Lifecycle::Busy
    );
    let moving = state(|raw| raw["traffic"][0] = json!({"revision": "x", "percent": 100}));
    assert_eq!(moving.0, Lifecycle::Busy, "traffic is not yet as wanted");
    let (lifecycle, text) = state(|raw| {
        raw["terminalCondition"] = json!({"state": "CONDITION_FAILED", "message": "no start"});
    });
    assert_eq!(lifecycle, Lifecycle::Unhealthy);
    assert_eq!(text, "CONDITION_FAILED: no start");
}

#[test]
fn traffic_is_managed_where_it_moves_in_steps() {
    let mut wanted = declared(template(json!({"timeout": "60s"})));
    assert!(!fields_of(&wanted).contains_key("traffic"));
    wanted.policy.rollout = Some(RolloutSpec {
        steps: vec![StepSpec {
            set: None,
            traffic: Some(10),
            pause: None,
        }],
        ..RolloutSpec::default()
    });
    let fields = fields_of(&wanted);
    assert_eq!(fields["traffic"], "100 % latest");
    let create = encode::encode(&Change {
        verb: Verb::Create,
        fields: &fields,
        live: None,
        declared: Some(&wanted),
    });
    assert!(create.mask.is_empty());
    assert_eq!(create.body["traffic"][0]["percent"], 100);
}

fn messages(resource: Value) -> Vec<String> {
    let findings = RunService.check(&declared(resource));
    findings
        .into_iter()
        .map(|f| format!("{}: {}; {}", f.path, f.message, f.help))
        .collect()
}

#[test]
fn limits_come_with_a_way_out() {
    let one = |resource: Value| {
        let found = messages(resource);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    let probe = |probe: Value| template(json!({"containers": [{"startupProbe": probe}]}));
    let slow = one(probe(json!({"periodSeconds": 60, "failureThreshold": 10})));
    assert!(
        slow.contains("600 s to start") && slow.contains("35 s"),
        "{slow}"
    );
    let text = one(probe(json!({"periodSeconds": 5, "timeoutSeconds": 5})));
    assert!(text.contains("not below periodSeconds"), "{text}");
    assert!(one(template(json!({"timeout": "3601s"}))).contains("3600s"));
    assert!(one(template(json!({"maxInstanceRequestConcurrency": 2000}))).contains("2000"));
    let both = json!({"connector": "c", "networkInterfaces": [{}]});
    assert!(one(template(json!({"vpcAccess": both}))).contains("connector"));
    assert!(one(template(json!({"vpcAccess": {"egress": "ALL"}}))).contains("ALL_TRAFFIC"));
    let env = |env: Value| template(json!({"containers": [{"env": env}]}));
    let secret = one(env(json!([{"name": "API_KEY", "value": "abcdef123"}])));
    assert!(secret.contains("secretKeyRef") && !secret.contains("abcdef123"));
    assert!(one(env(json!([{"name": "PORT", "value": "1"}]))).contains("PORT"));
    let long = "x".repeat(ENV_BYTES + 1);
    assert!(one(env(json!([{"name": "A", "value": long}]))).contains("32769"));
    let many: Vec<_> = (0..1001)
        .map(|n| json!({"name": format!("V{n}")}))
        .collect();
    assert!(one(env(json!(many))).contains("1001"));
    let good = probe(
        json!({"initialDelaySeconds": 30, "periodSeconds": 10, "timeoutSeconds": 5,
                            "failureThreshold": 10, "httpGet": {"path": "/health/basic"}}),
    );
    assert!(messages(good).is_empty());
}

const ENV_BYTES: usize = 32_768;

fn name() -> impl Strategy<Value = String> {
    "[A-Z][A-Z_]{0,6}"
}

prop_compose! {
    fn containers()(
        names in proptest::collection::btree_set("[a-z]{1,5}", 1..3),
        env in proptest::collection::btree_map(name(), "[ -~]{0,12}", 0..6),
        image in proptest::option::of("[a-z]{1,8}:[0-9]"),
        cpu in 1..8_u32,
        period in 1..240_i64,
    ) -> Value {
        let env: Vec<Value> = env.iter().map(|(n, v)| json!({"name": n, "value": v})).collect();
        let containers = names.iter().map(|name| json!({
            "name": name, "image": image, "env": env,
            "resources": {"limits": {"cpu": format!("{cpu}000m")}},
            "startupProbe": {"periodSeconds": period, "httpGet": {"path": "/"}},
        }));
        Value::Array(containers.collect())
    }
}

prop_compose! {
    fn resources()(
        containers in containers(),
        timeout in 1..3600_i64,
        labels in proptest::collection::btree_map("[a-z./-]{1,8}", "[a-z]{0,5}", 0..4),
        min in 0..5_i64,
    ) -> Value {
        json!({
            "labels": labels,
            "scaling": {"minInstanceCount": min},
            "template": {"containers": containers, "timeout": format!("{timeout}s")},
        })
    }
}

fn without_nulls(mut value: Value) -> Value {
    for container in value["template"]["containers"].as_array_mut().unwrap() {
        if container["image"].is_null() {
            container.as_object_mut().unwrap().remove("image");
        }
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn fields_of_a_live_service_are_no_difference_to_it(resource in resources()) {
        let resource = without_nulls(resource);
        let mut raw = service();
        for part in ["labels", "scaling", "template"] {
            raw[part] = resource[part].clone();
        }
        let wanted = fields_of(&declared(resource));
        let live = RunService.live(raw);
        prop_assert_eq!(fields::diff(&wanted, &live.fields), vec![]);
    }

    #[test]
    fn the_call_leads_from_live_to_declared(resource in resources(), other in resources()) {
        let wanted = declared(without_nulls(resource));
        let mut raw = service();
        for part in ["labels", "template"] {
            raw[part] = without_nulls(other.clone())[part].clone();
        }
        let call = encoded(&wanted, &raw);
        let after = RunService.live(applied(&raw, &call));
        prop_assert_eq!(fields::diff(&fields_of(&wanted), &after.fields), vec![]);
        // What was not declared is as before.
        let before = RunService.live(raw);
        for (field, value) in &before.fields {
            let unnamed = field.starts_with("template.containers[].");
            if !fields_of(&wanted).contains_key(field) && !unnamed && !field.contains(".env[") {
                prop_assert_eq!(Some(value), after.fields.get(field), "{}", field);
            }
        }
    }
}
