//! Health checks and backend services.

use super::{Create, some, texts};
use evenkeel::api::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

const PROJECT: &str = "compute/v1/projects/netra-staging";
const PROTOCOLS: [(&str, &str); 7] = [
    ("TCP", "tcpHealthCheck"),
    ("SSL", "sslHealthCheck"),
    ("HTTP", "httpHealthCheck"),
    ("HTTPS", "httpsHealthCheck"),
    ("HTTP2", "http2HealthCheck"),
    ("GRPC", "grpcHealthCheck"),
    ("GRPC_WITH_TLS", "grpcTlsHealthCheck"),
];
const SERVERLESS: &str =
    "projects/netra-staging/regions/us-central1/networkEndpointGroups/staging-neg";
const INSTANCES: &str = "projects/netra-staging/zones/us-central1-a/instanceGroups/staging-group";

fn place() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["global", "us-central1", "europe-west1"])
}

fn collection(location: &str, name: &str) -> String {
    match location {
        "global" => format!("{PROJECT}/global/{name}"),
        region => format!("{PROJECT}/regions/{region}/{name}"),
    }
}

fn create(kind: Kind, location: &str, name: String, mut body: Value) -> Create {
    let plural = match kind {
        Kind::HealthCheck => "healthChecks",
        _ => "backendServices",
    };
    body["name"] = json!(name);
    Create {
        kind,
        location: location.to_owned(),
        path: collection(location, plural),
        name,
        body,
    }
}

fn block(index: usize) -> impl Strategy<Value = Value> {
    let port = proptest::option::of(1..=65535_i64);
    let proxy = proptest::option::of(proptest::sample::select(vec!["NONE", "PROXY_V1"]));
    let path = proptest::option::of("/[!-~]{0,12}");
    (
        port,
        any::<bool>(),
        proxy,
        path,
        texts::ascii(),
        texts::ascii(),
    )
        .prop_map(move |(port, serving, proxy, path, one, other)| {
            let grpc = index >= 5;
            let port = port.or(grpc.then_some(50051)).filter(|_| !serving);
            let mut fields = vec![
                ("port", port.map(Value::from)),
                (
                    "portSpecification",
                    serving.then(|| json!("USE_SERVING_PORT")),
                ),
            ];
            let text = |text: String| (!text.is_empty()).then(|| Value::from(text));
            if grpc {
                fields.push(("grpcServiceName", text(one)));
            } else {
                fields.push(("proxyHeader", proxy.map(Value::from)));
                fields.push(("response", text(one)));
                match index {
                    0 | 1 => fields.push(("request", text(other))),
                    _ => {
                        fields.push(("host", text(other)));
                        fields.push(("requestPath", path.map(Value::from)));
                    }
                }
            }
            some(fields)
        })
}

pub fn health_check() -> impl Strategy<Value = Create> {
    (0..PROTOCOLS.len()).prop_flat_map(|index| {
        let number = |most: i64| proptest::option::of(1..=most);
        let beat = proptest::option::of((1..=300_i64, 0..=100_i64));
        let regions = index == 0 || index == 2;
        (
            texts::name(),
            place(),
            block(index),
            beat,
            (number(10), number(10)),
            proptest::option::of(texts::text()),
            proptest::option::of(any::<bool>()),
            proptest::bool::weighted(if regions { 0.2 } else { 0.0 }),
        )
            .prop_map(
                move |(name, place, mut block, beat, counts, text, log, regions)| {
                    let (kind, member) = PROTOCOLS[index];
                    let beat =
                        beat.map(|(interval, share)| (interval, (interval * share / 100).max(1)));
                    if regions {
                        let fields = block.as_object_mut().unwrap();
                        fields
                            .retain(|name, _| !["request", "proxyHeader"].contains(&name.as_str()));
                    }
                    let interval = if regions { Some(60) } else { beat.map(|p| p.0) };
                    let body = some(vec![
                        ("type", Some(json!(kind))),
                        (member, Some(block)),
                        ("checkIntervalSec", interval.map(Value::from)),
                        ("timeoutSec", beat.map(|p| json!(p.1.min(60)))),
                        ("healthyThreshold", counts.0.map(Value::from)),
                        ("unhealthyThreshold", counts.1.map(Value::from)),
                        ("description", text.map(Value::from)),
                        ("logConfig", log.map(|enable| json!({"enable": enable}))),
                        (
                            "sourceRegions",
                            regions.then(|| json!(["us-east1", "europe-west1", "asia-east1"])),
                        ),
                    ]);
                    let place = if regions { "global" } else { place };
                    create(Kind::HealthCheck, place, name, body)
                },
            )
    })
}

fn word(words: &[&'static str]) -> impl Strategy<Value = Option<Value>> + use<> {
    let words: Vec<&str> = words.to_vec();
    proptest::option::of(proptest::sample::select(words).prop_map(Value::from))
}

fn number(most: i64) -> impl Strategy<Value = Option<Value>> {
    proptest::option::of((0..=most).prop_map(Value::from))
}

fn share() -> impl Strategy<Value = Option<Value>> {
    proptest::option::of((1..=10_i32).prop_map(|tenths| json!(f64::from(tenths) / 10.0)))
}

fn backends() -> impl Strategy<Value = Option<Value>> {
    let serverless = Just(json!([{"group": SERVERLESS}]));
    let instances = (
        share(),
        share(),
        number(900),
        proptest::option::of(texts::text()),
    )
        .prop_map(|(scaler, used, rate, text)| {
            json!([some(vec![
                (
                    "group",
                    Some(json!(format!(
                        "https://www.googleapis.com/compute/v1/{INSTANCES}"
                    )))
                ),
                ("balancingMode", Some(json!("UTILIZATION"))),
                ("capacityScaler", scaler),
                ("maxUtilization", used),
                ("maxRate", rate),
                ("description", text.map(Value::from)),
            ])])
        });
    proptest::option::of(prop_oneof![serverless, instances])
}

fn seconds() -> impl Strategy<Value = Value> {
    (0..1000_i64, number(999_999_999))
        .prop_map(|(s, n)| some(vec![("seconds", Some(json!(s.to_string()))), ("nanos", n)]))
}

fn outliers() -> impl Strategy<Value = Value> {
    (
        number(9),
        number(100),
        number(100),
        proptest::option::of(seconds()),
        seconds(),
    )
        .prop_map(|(errors, share, most, interval, ejection)| {
            some(vec![
                ("consecutiveErrors", errors),
                ("enforcingConsecutiveErrors", share),
                ("maxEjectionPercent", most),
                ("interval", interval),
                ("baseEjectionTime", Some(ejection)),
            ])
        })
}

fn logging() -> impl Strategy<Value = Value> {
    (any::<bool>(), share(), 0..4).prop_map(|(enable, share, mode)| {
        let optional = match mode {
            1 => some(vec![("optionalMode", Some(json!("EXCLUDE_ALL_OPTIONAL")))]),
            2 => some(vec![("optionalMode", Some(json!("INCLUDE_ALL_OPTIONAL")))]),
            3 => {
                json!({"optionalMode": "CUSTOM", "optionalFields": ["tls.protocol", "tls.cipher"]})
            }
            _ => json!({}),
        };
        let mut log = json!({"enable": enable});
        let fields = log.as_object_mut().unwrap();
        if enable {
            fields.extend(optional.as_object().unwrap().clone());
            fields.extend(share.map(|share| ("sampleRate".to_owned(), share)));
        }
        log
    })
}

fn headers() -> impl Strategy<Value = Value> {
    let plain = "X-[A-Za-z]{1,5}: [!-~]{1,10}";
    let secret = Just("X-Origin-Token: CANARY-secret-header".to_owned());
    let one = prop_oneof![6 => plain, 1 => secret];
    proptest::collection::vec(one, 1..3).prop_map(Value::from)
}

/// `checks`: health checks that are there, by their links.
pub fn backend_service(checks: Vec<&'static str>) -> impl Strategy<Value = Create> {
    let scheme = proptest::sample::select(vec![
        "EXTERNAL",
        "EXTERNAL_MANAGED",
        "INTERNAL_MANAGED",
        "INTERNAL_SELF_MANAGED",
    ]);
    let first = (
        texts::name(),
        scheme,
        backends(),
        word(&["HTTP", "HTTPS", "HTTP2"]),
        number(3600),
        word(&["NONE", "CLIENT_IP", "GENERATED_COOKIE"]),
        number(1_209_600),
        word(&["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"]),
    );
    let second = (
        proptest::option::of(texts::text()),
        proptest::option::of(any::<bool>()),
        word(&["AUTOMATIC", "DISABLED"]),
        proptest::option::of(headers()),
        proptest::option::of(logging()),
        proptest::option::of(outliers()),
        (1..3600_i64, any::<bool>()),
        proptest::sample::select(checks),
    );
    (first, second).prop_map(|(first, second)| {
        let (name, scheme, backends, protocol, draining, affinity, ttl, policy) = first;
        let (text, cdn, compression, headers, log, outliers, (timeout, regional), check) = second;
        let serverless = backends
            .as_ref()
            .is_some_and(|b| b[0]["group"] == SERVERLESS);
        let instances = backends.is_some() && !serverless;
        let place = if regional && scheme != "INTERNAL_SELF_MANAGED" {
            "us-central1"
        } else {
            "global"
        };
        let managed = scheme != "EXTERNAL";
        let body = some(vec![
            ("loadBalancingScheme", Some(json!(scheme))),
            ("backends", backends),
            ("protocol", protocol),
            (
                "connectionDraining",
                draining.map(|s| json!({"drainingTimeoutSec": s})),
            ),
            ("sessionAffinity", affinity),
            ("affinityCookieTtlSec", ttl),
            ("localityLbPolicy", policy),
            ("description", text.map(Value::from)),
            (
                "enableCDN",
                cdn.filter(|_| place == "global").map(Value::from),
            ),
            ("compressionMode", compression),
            ("customRequestHeaders", headers),
            ("logConfig", log),
            ("outlierDetection", outliers.filter(|_| managed)),
            ("timeoutSec", (!serverless).then(|| json!(timeout))),
            ("healthChecks", instances.then(|| json!([check]))),
        ]);
        create(Kind::BackendService, place, name, body)
    })
}
