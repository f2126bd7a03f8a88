//! Cloud Run services.

use super::{Create, some, texts};
use evenkeel::api::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

const CONNECTOR: &str = "projects/netra-staging/locations/us-central1/connectors/staging-connector";
/// Stands in every secret, and must stand in no manifest.
pub const CANARY: &str = "CANARY";

fn variable() -> impl Strategy<Value = (String, Value)> {
    let name = "[A-Za-z_][A-Za-z0-9_.-]{0,10}".prop_filter("not PORT", |name| name != "PORT");
    let plain = (name, texts::text()).prop_map(|(name, value)| {
        let body = json!({"name": name, "value": value});
        (name, body)
    });
    let secret = proptest::sample::select(vec!["DB_PASSWORD", "API_KEY", "STRIPE_TOKEN", "X_URL"])
        .prop_map(|name| {
            let value = format!("postgres://u:{CANARY}@h/db");
            (name.to_owned(), json!({"name": name, "value": value}))
        });
    let by_name = ("[A-Z]{1,6}_REF", "[a-z-]{1,9}").prop_map(|(name, secret)| {
        let source = json!({"secretKeyRef": {"secret": secret, "version": "latest"}});
        (name.clone(), json!({"name": name, "valueSource": source}))
    });
    let build = Just((
        "GIT_SHA".to_owned(),
        json!({"name": "GIT_SHA", "value": "x"}),
    ));
    prop_oneof![6 => plain, 1 => secret, 1 => by_name, 1 => build]
}

fn env() -> impl Strategy<Value = Value> {
    proptest::collection::vec(variable(), 0..5).prop_map(|all| {
        let mut seen = std::collections::BTreeSet::new();
        let unique = all
            .into_iter()
            .filter(|(name, _)| seen.insert(name.clone()));
        unique.map(|(_, body)| body).collect()
    })
}

fn probe() -> impl Strategy<Value = Option<Value>> {
    let port = proptest::option::of(1..=65535_i64);
    let path = proptest::option::of("/[!-~]{0,9}");
    let body = (
        0..3,
        port,
        path,
        texts::ascii(),
        (2..=60_i64, 1..=60_i64),
        1..=4_i64,
        0..=60_i64,
    );
    let probe = body.prop_map(
        move |(action, port, path, service, (period, timeout), failures, delay)| {
            let port = port.map(Value::from);
            let action = match action {
                0 => (
                    "httpGet",
                    some(vec![("port", port), ("path", path.map(Value::from))]),
                ),
                1 => ("tcpSocket", some(vec![("port", port)])),
                _ => (
                    "grpc",
                    some(vec![("port", port), ("service", Some(json!(service)))]),
                ),
            };
            let mut probe = json!({
                "periodSeconds": period,
                "timeoutSeconds": timeout.min(period - 1).max(1),
                "failureThreshold": failures,
                "initialDelaySeconds": delay,
            });
            probe[action.0] = action.1;
            probe
        },
    );
    proptest::option::of(probe)
}

fn resources() -> impl Strategy<Value = Option<Value>> {
    let cpu = proptest::sample::select(vec!["1000m", "1", "2", "500m"]);
    let memory = proptest::sample::select(vec!["512Mi", "1Gi", "1024Mi", "1.5Gi"]);
    let made = (cpu, memory, any::<bool>(), any::<bool>()).prop_map(|(cpu, memory, idle, boost)| {
        json!({"limits": {"cpu": cpu, "memory": memory}, "cpuIdle": idle, "startupCpuBoost": boost})
    });
    proptest::option::of(made)
}

fn container(serves: bool) -> impl Strategy<Value = Value> {
    let name = if serves { "api" } else { "sidecar" };
    let port = proptest::option::of((
        1..=65535_i64,
        proptest::sample::select(vec!["http1", "h2c"]),
    ));
    (any::<bool>(), env(), resources(), port, probe(), probe()).prop_map(
        move |(named, env, resources, port, startup, liveness)| {
            let port = port.map(|(number, name)| json!([{"containerPort": number, "name": name}]));
            some(vec![
                ("name", (named || !serves).then(|| json!(name))),
                ("image", Some(json!("us-docker.pkg.dev/p/r/i:1"))),
                ("env", Some(env)),
                ("resources", resources),
                ("ports", port.filter(|_| serves)),
                ("startupProbe", startup.filter(|_| serves)),
                ("livenessProbe", liveness.filter(|_| serves)),
            ])
        },
    )
}

fn vpc_access() -> impl Strategy<Value = Option<Value>> {
    let egress = proptest::sample::select(vec!["ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"]);
    let connector = egress
        .clone()
        .prop_map(|e| json!({"connector": CONNECTOR, "egress": e}));
    let direct = egress.prop_map(|e| {
        json!({"networkInterfaces": [{"network": "default", "subnetwork": "sub", "tags": ["b", "a"]}],
               "egress": e})
    });
    proptest::option::of(prop_oneof![connector, direct])
}

fn labels() -> impl Strategy<Value = Value> {
    let own = proptest::collection::btree_map("[a-z][a-z0-9_-]{0,8}", texts::label(), 0..3);
    (own, any::<bool>()).prop_map(|(own, built)| {
        let mut labels = json!(own);
        if built {
            labels["commit-sha"] = json!("4f1c9a7e2b6d8035c1e9f4a7b2d6c8e0135f7a9b");
            labels["goog-terraform-provisioned"] = json!("true");
        }
        labels
    })
}

pub fn service() -> impl Strategy<Value = Create> {
    let template = (
        container(true),
        proptest::option::of(container(false)),
        proptest::option::of(proptest::sample::select(vec![
            "1s", "600s", "300.500s", "3600s",
        ])),
        proptest::option::of(1..=1000_i64),
        proptest::option::of((0..10_i64, 10..100_i64)),
        vpc_access(),
    );
    let service = (
        texts::name(),
        proptest::option::of(texts::text()),
        labels(),
        proptest::collection::btree_map(
            "[a-z]{1,5}\\.example\\.com/[a-z]{1,5}",
            texts::text(),
            0..3,
        ),
        proptest::option::of(proptest::sample::select(vec![
            "INGRESS_TRAFFIC_ALL",
            "INGRESS_TRAFFIC_INTERNAL_ONLY",
            "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        ])),
        proptest::option::of(0..5_i64),
    );
    (service, template).prop_map(|((name, text, labels, notes, ingress, min), template)| {
        let (main, mut sidecar, timeout, concurrency, scaling, access) = template;
        // Several containers have names, and one of them a port.
        let mut main = main;
        if sidecar.is_some() {
            main["name"] = json!("api");
            if main.get("ports").is_none() {
                main["ports"] = json!([{"containerPort": 8080}]);
            }
        }
        let containers: Vec<Value> = std::iter::once(main).chain(sidecar.take()).collect();
        let template = some(vec![
            ("containers", Some(json!(containers))),
            ("timeout", timeout.map(Value::from)),
            (
                "maxInstanceRequestConcurrency",
                concurrency.map(Value::from),
            ),
            (
                "scaling",
                scaling.map(|(min, max)| json!({"minInstanceCount": min, "maxInstanceCount": max})),
            ),
            ("vpcAccess", access),
        ]);
        let body = some(vec![
            ("description", text.map(Value::from)),
            ("labels", Some(labels)),
            ("annotations", Some(json!(notes))),
            ("ingress", ingress.map(Value::from)),
            ("scaling", min.map(|min| json!({"minInstanceCount": min}))),
            ("template", Some(template)),
        ]);
        Create {
            kind: Kind::RunService,
            location: "us-central1".to_owned(),
            path: format!(
                "v2/projects/netra-staging/locations/us-central1/services?serviceId={name}"
            ),
            name,
            body,
        }
    })
}
