//! The rules of the Compute Engine kinds, without a GCP: comparing, encoding, and what is refused.

mod common;

use common::{declared_as, key_of};
use evenkeel::api::{Declared, Finding, Kind, Reference};
use evenkeel::core::fields::{self, Fields};
use evenkeel::core::observed::Present;
use evenkeel::core::plan;
use evenkeel::core::record::Verb;
use evenkeel::core::rules::Change;
use evenkeel::kinds::{self, SetNames};
use evenkeel::source::{self, Check};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const HOSTS: [&str; 4] = [
    "https://www.googleapis.com/compute/v1/",
    "https://compute.googleapis.com/compute/beta/",
    "http://127.0.0.1:1/compute/v1/",
    "",
];

fn no_names() -> SetNames {
    SetNames::of(&[])
}

fn manifest(kind: Kind, resource: Value) -> Declared {
    declared_as(key_of(kind, "global", "it"), resource)
}

fn wanted(kind: Kind, resource: &Value) -> Fields {
    kinds::of(kind).declared(&manifest(kind, resource.clone()), &no_names())
}

fn live(kind: Kind, raw: &Value) -> Present {
    kinds::of(kind).live(raw.clone())
}

/// RFC 7396, as Google applies a patch.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}

/// What the operator would send to bring `raw` to `resource`.
fn patch(kind: Kind, resource: &Value, raw: &Value) -> Value {
    let present = live(kind, raw);
    let changes = fields::diff(&wanted(kind, resource), &present.fields);
    let fields = changes.into_iter().map(|d| (d.field, d.to)).collect();
    let rules = kinds::of(kind).rules();
    let change = Change {
        verb: Verb::Patch,
        declared: None,
        fields: &fields,
        live: Some(&present),
    };
    (rules.encode)(&change).body
}

fn create(kind: Kind, resource: &Value) -> Value {
    let change = Change {
        verb: Verb::Create,
        declared: None,
        fields: &wanted(kind, resource),
        live: None,
    };
    (kinds::of(kind).rules().encode)(&change).body
}

fn findings(kind: Kind, resource: Value) -> Vec<String> {
    let found = kinds::of(kind).check(&manifest(kind, resource));
    found.into_iter().map(|f| f.path).collect()
}

// Generated resources.

const BLOCKS: [(&str, &str); 7] = [
    ("TCP", "tcpHealthCheck"),
    ("SSL", "sslHealthCheck"),
    ("HTTP", "httpHealthCheck"),
    ("HTTPS", "httpsHealthCheck"),
    ("HTTP2", "http2HealthCheck"),
    ("GRPC", "grpcHealthCheck"),
    ("GRPC_WITH_TLS", "grpcTlsHealthCheck"),
];

fn some(object: Vec<(&str, Option<Value>)>) -> Value {
    let given = object.into_iter();
    let given = given.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}

prop_compose! {
    fn block(index: usize)(
        port in prop::option::of(1..=65535),
        text in prop::option::of("[a-z]{0,5}"),
        path in prop::option::of("/[a-z]{0,5}"),
        proxy in prop::option::of(prop::sample::select(vec!["NONE", "PROXY_V1"])),
    ) -> Value {
        let text = text.map(Value::from);
        let (port, proxy) = (port.map(Value::from), proxy.map(Value::from));
        match index {
            0 | 1 => some(vec![("port", port), ("proxyHeader", proxy), ("request", text)]),
            2..=4 => some(vec![("port", port), ("proxyHeader", proxy), ("host", text),
                ("requestPath", path.map(Value::from))]),
            _ => some(vec![("port", Some(port.unwrap_or(json!(50051)))), ("grpcServiceName", text)]),
        }
    }
}

fn health_check() -> impl Strategy<Value = Value> {
    (0..BLOCKS.len()).prop_flat_map(|index| {
        (
            block(index),
            prop::option::of(1..=300),
            prop::option::of(1..=10),
            prop::option::of("[a-z]{0,8}"),
            prop::option::of(any::<bool>()),
        )
            .prop_map(move |(block, seconds, threshold, text, log)| {
                let (name, of_type) = (BLOCKS[index].1, BLOCKS[index].0);
                some(vec![
                    ("type", Some(of_type.into())),
                    (name, Some(block)),
                    ("checkIntervalSec", seconds.map(Value::from)),
                    ("unhealthyThreshold", threshold.map(Value::from)),
                    ("description", text.map(Value::from)),
                    ("logConfig", log.map(|enable| json!({"enable": enable}))),
                ])
            })
    })
}

fn group() -> impl Strategy<Value = String> {
    let of_instances = (0..3).prop_map(|n| format!("projects/p/zones/z/instanceGroups/g{n}"));
    let of_endpoints =
        (0..3).prop_map(|n| format!("projects/p/zones/z/networkEndpointGroups/n{n}"));
    prop_oneof![of_instances, of_endpoints]
}

prop_compose! {
    fn backend()(
        group in group(),
        host in prop::sample::select(HOSTS.to_vec()),
        scaler in prop::option::of(0..=10),
        rate in prop::option::of(0..1000),
    ) -> Value {
        some(vec![
            ("group", Some(format!("{host}{group}").into())),
            ("capacityScaler", scaler.map(|tenths| (f64::from(tenths) / 10.0).into())),
            ("maxRate", rate.map(Value::from)),
        ])
    }
}

fn backends() -> impl Strategy<Value = Value> {
    prop::collection::vec(backend(), 0..4).prop_map(|mut backends| {
        let short = |backend: &Value| {
            let group = backend["group"].as_str().unwrap();
            group[group.find("projects/").unwrap()..].to_owned()
        };
        let mut seen = std::collections::BTreeSet::new();
        backends.retain(|backend| seen.insert(short(backend)));
        Value::from(backends)
    })
}

prop_compose! {
    fn backend_service()(
        backends in backends(),
        seconds in prop::option::of(1..1000),
        draining in prop::option::of(0..=3600),
        check in prop::option::of((prop::sample::select(HOSTS.to_vec()), "[a-z]{1,3}")),
        log in prop::option::of((any::<bool>(), prop::option::of(0..=10))),
        interval in prop::option::of(0..100),
        headers in prop::option::of(prop::collection::vec("X-[a-z]{1,3}: v", 0..3)),
    ) -> Value {
        let link = |(host, name)| json!([format!("{host}projects/p/global/healthChecks/{name}")]);
        let logging = |(enable, rate): (bool, Option<i32>)| {
            let rate = rate.filter(|_| enable).map(|r| (f64::from(r) / 10.0).into());
            some(vec![("enable", Some(enable.into())), ("sampleRate", rate)])
        };
        let outlier = |seconds: i32| json!({"interval": {"seconds": seconds.to_string()}});
        some(vec![
            ("backends", Some(backends)),
            ("timeoutSec", seconds.map(Value::from)),
            ("connectionDraining", draining.map(|s| json!({"drainingTimeoutSec": s}))),
            ("healthChecks", check.map(link)),
            ("logConfig", log.map(logging)),
            ("outlierDetection", interval.map(outlier)),
            ("customRequestHeaders", headers.map(Value::from)),
        ])
    }
}

/// Any part of a resource is what a manifest may declare: whole fields of it, left out at will.
fn part(whole: &Value, keep: &[bool]) -> Value {
    let fields = whole.as_object().unwrap().iter().zip(keep);
    let kept = fields.filter(|(_, keep)| **keep);
    Value::Object(
        kept.map(|((name, value), _)| (name.clone(), value.clone()))
            .collect(),
    )
}

fn keep() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(any::<bool>(), 12)
}

/// What is declared as it is live is no difference; what differs is gone after one patch, and a
/// second patch has nothing to say.
fn converges(kind: Kind, declared: &Value, raw: &Value) {
    let mut after = raw.clone();
    merge(&mut after, &patch(kind, declared, raw));
    let left = fields::diff(&wanted(kind, declared), &live(kind, &after).fields);
    assert!(left.is_empty(), "{left:#?}\n{after:#}");
}

proptest! {
    #[test]
    fn what_is_live_is_no_difference(check in health_check(), service in backend_service(), keep in keep()) {
        for (kind, raw) in [(Kind::HealthCheck, check), (Kind::BackendService, service)] {
            let declared = part(&raw, &keep);
            let changes = fields::diff(&wanted(kind, &declared), &live(kind, &raw).fields);
            prop_assert!(changes.is_empty(), "{changes:#?}");
        }
    }

    #[test]
    fn a_health_check_reaches_what_is_declared(raw in health_check(), other in health_check(), keep in keep()) {
        // The protocol stays: another one is another health check.
        let (_, block) = BLOCKS.iter().find(|(name, _)| raw["type"] == *name).unwrap();
        let mut declared = part(&other, &keep);
        if declared.get(block).is_none() {
            for (_, block) in BLOCKS {
                declared.as_object_mut().unwrap().remove(block);
            }
        }
        declared.as_object_mut().unwrap().remove("type");
        converges(Kind::HealthCheck, &declared, &raw);
    }

    #[test]
    fn a_backend_service_reaches_what_is_declared(raw in backend_service(), other in backend_service(), keep in keep()) {
        let declared = part(&other, &keep);
        converges(Kind::BackendService, &declared, &raw);
        let mut after = raw.clone();
        merge(&mut after, &patch(Kind::BackendService, &declared, &raw));
        let groups = |value: &Value| live(Kind::BackendService, value).fields;
        let lost = groups(&raw).into_iter().find(|(path, _)| {
            path.contains("].group") && !groups(&after).contains_key(path)
        });
        prop_assert_eq!(lost, None, "backends of others survive");
    }
}

#[test]
fn unset_zero_and_empty_stay_apart() {
    let raw = json!({"type": "HTTP", "httpHealthCheck": {"port": 80}, "description": "old"});
    let changed = |resource: Value| patch(Kind::HealthCheck, &resource, &raw);
    assert_eq!(changed(json!({})), json!({}));
    assert_eq!(
        changed(json!({"description": ""})),
        json!({"description": ""})
    );
    assert_eq!(changed(json!({"logConfig": {"enable": false}})), json!({}));
    assert_eq!(changed(json!({"httpHealthCheck": {}})), json!({}));
    let raw = json!({"connectionDraining": {"drainingTimeoutSec": 300}, "fingerprint": "abc="});
    let draining = |seconds: i32| json!({"connectionDraining": {"drainingTimeoutSec": seconds}});
    let changed = |resource: Value| patch(Kind::BackendService, &resource, &raw);
    let mut zero = draining(0);
    zero["fingerprint"] = "abc=".into();
    assert_eq!(changed(draining(0)), zero);
    let absent = fields::diff(
        &wanted(Kind::BackendService, &draining(0)),
        &live(Kind::BackendService, &json!({})).fields,
    );
    assert!(absent.is_empty(), "no draining is a draining of 0 s");
}

#[test]
fn a_create_has_its_block_and_whole_links() {
    assert_eq!(
        create(Kind::HealthCheck, &json!({"httpHealthCheck": {}})),
        json!({"type": "HTTP", "httpHealthCheck": {}})
    );
    let body = create(
        Kind::BackendService,
        &json!({"healthChecks": ["projects/p/global/healthChecks/h"],
            "backends": [{"group": "projects/p/zones/z/instanceGroups/g", "capacityScaler": 1.0}],
            "outlierDetection": {"interval": {"seconds": 10}}}),
    );
    let base = HOSTS[0];
    assert_eq!(
        body,
        json!({"healthChecks": [format!("{base}projects/p/global/healthChecks/h")],
            "backends": [{"group": format!("{base}projects/p/zones/z/instanceGroups/g"), "capacityScaler": 1}],
            "outlierDetection": {"interval": {"seconds": "10"}}})
    );
}

#[test]
fn the_serving_port_takes_the_fixed_one_away() {
    let raw = json!({"type": "HTTP", "httpHealthCheck": {"port": 80}});
    let declared = json!({"httpHealthCheck": {"portSpecification": "USE_SERVING_PORT"}});
    assert_eq!(
        patch(Kind::HealthCheck, &declared, &raw),
        json!({"httpHealthCheck": {"portSpecification": "USE_SERVING_PORT", "port": null}})
    );
}

#[test]
fn a_health_check_beside_a_live_serverless_group_is_refused_at_plan() {
    let group = "projects/p/regions/r/networkEndpointGroups/run";
    let raw = json!({"backends": [{"group": format!("{}{group}", HOSTS[0])}]});
    let live = live(Kind::BackendService, &raw).fields;
    let rules = kinds::of(Kind::BackendService).rules();
    let blocked = |resource: Value| {
        let declared = wanted(Kind::BackendService, &resource);
        let made = plan::plan(rules, "content", &declared, Some(&live), None);
        let texts: Vec<String> = made.blocked().map(|(_, why)| why.to_owned()).collect();
        texts
    };
    let texts = blocked(json!({"healthChecks": ["projects/p/global/healthChecks/h"]}));
    assert_eq!(texts.len(), 1);
    assert!(texts[0].contains(group) && texts[0].contains("outlierDetection"));
    assert!(blocked(json!({"healthChecks": [], "timeoutSec": 5})).is_empty());
    let notes = kinds::of(Kind::BackendService).notes(
        Some(&live),
        &wanted(Kind::BackendService, &json!({"timeoutSec": 5})),
    );
    assert!(notes[0].contains("no effect"));
}

#[test]
fn notes_say_how_fast_a_health_check_is() {
    let raw = json!({"type": "TCP", "tcpHealthCheck": {"port": 80}});
    let live = live(Kind::HealthCheck, &raw).fields;
    let declared = wanted(
        Kind::HealthCheck,
        &json!({"unhealthyThreshold": 3, "checkIntervalSec": 10}),
    );
    let notes = kinds::of(Kind::HealthCheck).notes(Some(&live), &declared);
    assert_eq!(
        notes,
        [
            "a failed backend is out after: 10 s -> 30 s (unhealthyThreshold 3 x checkIntervalSec 10)",
            "a recovered backend is back after: 10 s -> 20 s (healthyThreshold 2 x checkIntervalSec 10)",
        ]
    );
}

#[test]
fn what_google_refuses_is_found_before() {
    let hc = |resource: Value| findings(Kind::HealthCheck, resource);
    let at = |path: &str| vec![format!("spec.resource.{path}")];
    assert!(hc(json!({"httpHealthCheck": {"port": 8080}})).is_empty());
    assert_eq!(hc(json!({"timeoutSec": 6})), at("timeoutSec"));
    assert_eq!(
        hc(json!({"checkIntervalSec": 4, "unhealthyThreshold": 5})),
        at("checkIntervalSec")
    );
    assert_eq!(
        hc(json!({"type": "TCP", "httpHealthCheck": {}})),
        at("type")
    );
    assert_eq!(
        hc(json!({"tcpHealthCheck": {}, "httpHealthCheck": {}})),
        at("httpHealthCheck")
    );
    assert_eq!(
        hc(json!({"tcpHealthCheck": {"portSpecification": "USE_SERVING_PORT", "port": 1}})),
        at("tcpHealthCheck.port")
    );
    assert_eq!(
        hc(json!({"tcpHealthCheck": {"request": "é"}})),
        at("tcpHealthCheck.request")
    );
    assert_eq!(
        hc(json!({"httpHealthCheck": {"requestPath": "healthz"}})),
        at("httpHealthCheck.requestPath")
    );
    assert_eq!(
        hc(json!({"sourceRegions": ["a", "b"], "checkIntervalSec": 30})),
        at("sourceRegions")
    );
    assert_eq!(
        hc(json!({"checkIntervalSec": 5, "unhealthyThreshold": 2})),
        at("unhealthyThreshold"),
        "hasty"
    );
    let bes = |resource: Value| findings(Kind::BackendService, resource);
    assert!(bes(json!({"timeoutSec": 30})).is_empty());
    assert_eq!(bes(json!({"healthChecks": ["web"]})), at("healthChecks[0]"));
    assert_eq!(
        bes(json!({"healthChecks": [], "healthChecksRef": []})),
        at("healthChecks")
    );
    let neg = "projects/p/regions/r/networkEndpointGroups/n";
    assert_eq!(
        bes(json!({"healthChecksRef": [{"name": "h"}], "backends": [{"group": neg}]})),
        at("healthChecksRef")
    );
    assert_eq!(
        bes(json!({"backends": [{"group": neg}, {"group": format!("{}{neg}", HOSTS[1])}]})),
        at("backends[1].group")
    );
    assert_eq!(
        bes(
            json!({"backends": [{"group": "projects/p/zones/z/instanceGroups/g", "capacityScaler": 0.05}]})
        ),
        at("backends[0].capacityScaler")
    );
    assert_eq!(
        bes(json!({"logConfig": {"enable": false, "sampleRate": 1}})),
        at("logConfig.sampleRate")
    );
    assert_eq!(
        bes(json!({"outlierDetection": {}, "loadBalancingScheme": "EXTERNAL"})),
        at("outlierDetection")
    );
}

// References.

struct KindRules;

impl Check for KindRules {
    fn check(&self, declared: &Declared) -> Vec<Finding> {
        kinds::of(declared.key.kind).check(declared)
    }

    fn references(&self, declared: &Declared) -> Vec<Reference> {
        kinds::of(declared.key.kind).references(declared)
    }
}

#[test]
fn a_reference_becomes_the_link_of_the_resource_as_gcp_has_it_now() {
    let key = key_of(Kind::HealthCheck, "us-central1", "web-in-gcp");
    let check = Declared {
        name: "web".into(),
        ..declared_as(key.clone(), json!({"tcpHealthCheck": {"port": 80}}))
    };
    let mut names = SetNames::of(&[check]);
    let base = "projects/netra-staging/regions/us-central1/healthChecks";
    let by_name = json!({"healthChecksRef": [{"name": "web"}]});
    let by_link = json!({"healthChecks": [format!("{}{base}/web-in-gcp", HOSTS[0])]});
    let kind = kinds::of(Kind::BackendService);
    let fields = |resource: &Value, names: &SetNames| {
        let manifest = manifest(Kind::BackendService, resource.clone());
        (
            kind.declared(&manifest, names).get("healthChecks").cloned(),
            kind.needs(&manifest, names),
        )
    };
    for written in [&by_name, &by_link] {
        let (links, needs) = fields(written, &names);
        assert_eq!(links, Some(json!([format!("{base}/web-in-gcp")])));
        assert_eq!(needs, std::slice::from_ref(&key));
    }
    names.rename(&key, "another");
    for written in [&by_name, &by_link] {
        let (links, needs) = fields(written, &names);
        assert_eq!(links, Some(json!([format!("{base}/another")])));
        assert_eq!(needs, std::slice::from_ref(&key));
    }
    let (links, needs) = fields(&by_name, &no_names());
    assert_eq!((links, needs), (None, vec![]), "unknown is not written");
    let (links, needs) = fields(&by_link, &no_names());
    assert_eq!(links, Some(json!([format!("{base}/web-in-gcp")])));
    assert!(needs.is_empty(), "somebody else's");
}

#[test]
fn a_reference_that_points_nowhere_does_not_load() {
    let text = "apiVersion: evenkeel.dev/v1alpha1
kind: HealthCheck
metadata: {name: web-health}
spec: {project: netra-staging, location: global, resource: {httpHealthCheck: {port: 80}}}
---
apiVersion: evenkeel.dev/v1alpha1
kind: BackendService
metadata: {name: web}
spec:
  project: netra-staging
  location: global
  resource:
    healthChecksRef:
      - name: web-heath
";
    let load = |text: &str| source::load_bytes("a.yaml", text.as_bytes().to_vec(), &KindRules);
    let errors = load(text).unwrap_err();
    assert_eq!(errors.problems.len(), 1, "{}", errors.render(false));
    let problem = &errors.problems[0];
    assert_eq!(
        problem.message,
        "no HealthCheck named `web-heath` in this set"
    );
    assert_eq!(problem.help, "did you mean `web-health`?");
    assert_eq!((problem.line, problem.column), (14, 15));
    assert_eq!(
        load(&text.replace("heath", "health"))
            .unwrap()
            .declared
            .len(),
        2
    );
}

#[test]
fn a_circle_of_references_does_not_load() {
    struct Circle;
    impl Check for Circle {
        fn check(&self, _: &Declared) -> Vec<Finding> {
            Vec::new()
        }
        fn references(&self, declared: &Declared) -> Vec<Reference> {
            let other = if declared.name == "aa" { "bb" } else { "aa" };
            vec![Reference {
                path: "spec.project".to_owned(),
                kind: Kind::HealthCheck,
                name: other.to_owned(),
            }]
        }
    }
    let one = |name: &str| {
        format!(
            "apiVersion: evenkeel.dev/v1alpha1\nkind: HealthCheck\nmetadata: {{name: {name}}}\n\
             spec: {{project: netra-staging, location: global, resource: {{}}}}\n---\n"
        )
    };
    let text = format!("{}{}", one("aa"), one("bb"));
    let errors = source::load_bytes("a.yaml", text.into_bytes(), &Circle).unwrap_err();
    assert_eq!(
        errors.problems[0].message,
        "references go in a circle: HealthCheck/aa -> HealthCheck/bb -> HealthCheck/aa"
    );
}

#[test]
fn the_loader_holds_what_the_schema_says() {
    let text = |resource: &str| {
        format!(
            "apiVersion: evenkeel.dev/v1alpha1\nkind: BackendService\nmetadata: {{name: b}}\n\
             spec: {{project: netra-staging, location: global, resource: {resource}}}\n"
        )
    };
    let said = |resource: &str| {
        let loaded = source::load_bytes("a.yaml", text(resource).into_bytes(), &KindRules);
        loaded.unwrap_err().problems[0].message.clone()
    };
    assert_eq!(
        said("{logConfig: {enable: true, sampleRate: 1.5}}"),
        "sampleRate is 1.5, and must be at most 1"
    );
    assert_eq!(
        said("{affinityCookieTtlSec: 1209601}"),
        "affinityCookieTtlSec is 1209601, and must be at most 1209600"
    );
    assert_eq!(
        said("{backends: [{}]}"),
        "spec.resource.backends[0] has no `group`"
    );
    let long = "x".repeat(64);
    assert_eq!(
        said(&format!("{{portName: {long}}}")),
        "portName has 64 characters"
    );
    assert_eq!(said("{healthChecks: null}"), "healthChecks has no value");
}

#[test]
fn the_examples_load_without_a_word() {
    let input = source::Input::Path("manifests/examples".into());
    let set = source::load(&[input], &KindRules).unwrap_or_else(|e| panic!("{}", e.render(false)));
    assert!(set.warnings.is_empty(), "{:#?}", set.warnings);
    assert!(set.declared.len() >= 3);
}
