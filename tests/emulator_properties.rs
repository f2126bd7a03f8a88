//! Whatever is asked, in whatever order: the emulator never panics, never leaves Google's limits, never shrinks a
//! connector and never lets a change in while another runs.

mod wire;

use bytes::Bytes;
use evenkeel::emulator::{Access, Emulator, FaultRule, Options, Scenario, Timing};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use wire::client::{Gcp, STAGING};
use wire::compute::{CHECK, GLOBAL, PROJECT, PROXY, SERVICE, link};

#[derive(Debug, Clone)]
enum Step {
    Patch {
        mask: Vec<&'static str>,
        min: i32,
        max: i32,
        machine: &'static str,
    },
    Delete,
    Create {
        min: i32,
        max: i32,
    },
    Read,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let machine = prop::sample::select(vec![
        "f1-micro",
        "e2-micro",
        "e2-standard-4",
        "e2-standard-8",
    ]);
    let paths = vec!["minInstances", "maxInstances", "machineType", "network"];
    let mask = prop::sample::subsequence(paths, 0..=3);
    prop_oneof![
        6 => (mask, 0..12, 0..12, machine)
            .prop_map(|(mask, min, max, machine)| Step::Patch { mask, min, max, machine }),
        1 => Just(Step::Delete),
        2 => (0..12, 0..12).prop_map(|(min, max)| Step::Create { min, max }),
        3 => Just(Step::Read),
        4 => (0_u64..300).prop_map(Step::Wait),
    ]
}

fn take(gcp: &mut Gcp, step: &Step) {
    let parent = STAGING.rsplit_once('/').unwrap().0;
    match step {
        Step::Patch {
            mask,
            min,
            max,
            machine,
        } => {
            let body = json!({"minInstances": min, "maxInstances": max, "machineType": machine});
            gcp.send(
                "PATCH",
                &format!("{STAGING}?updateMask={}", mask.join(",")),
                body,
            );
        }
        Step::Delete => {
            gcp.send("DELETE", STAGING, Value::Null);
        }
        Step::Create { min, max } => {
            let body = json!({"network": "default", "ipCidrRange": "10.8.0.0/28", "minInstances": min, "maxInstances": max});
            gcp.send(
                "POST",
                &format!("{parent}?connectorId=staging-connector"),
                body,
            );
        }
        Step::Read => {
            gcp.send("GET", STAGING, Value::Null);
            gcp.send("GET", parent, Value::Null);
        }
        Step::Wait(seconds) => gcp.wait(*seconds),
    }
}

fn truth(gcp: &Gcp) -> Option<(i64, i64)> {
    gcp.emulator.advance(gcp.now);
    let connector = gcp
        .emulator
        .connector("netra-staging", "us-central1", "staging-connector")?;
    let number = |name: &str| connector[name].as_i64().unwrap_or(0);
    Some((number("minInstances"), number("maxInstances")))
}

/// Bodies that reach behind the reader of messages.
fn json_body() -> impl Strategy<Value = Value> {
    let pem = "-----BEGIN CERTIFICATE-----\\n[A-Za-z0-9+/=]{0,80}\\n-----END CERTIFICATE-----\\n";
    (pem, "[a-z-]{0,9}", 0..400_i32).prop_map(|(pem, name, number)| {
        json!({"name": name, "certificate": pem, "privateKey": pem, "timeoutSec": number, "type": "HTTP",
               "httpHealthCheck": {"port": number}, "healthChecks": [name], "sslCertificates": [name]})
    })
}

#[derive(Debug, Clone)]
enum Balance {
    Check(i32, i32),
    Use(bool),
    Delete(&'static str),
    Make,
    Certificates(Vec<u8>),
    Wait(u64),
}

fn balance() -> impl Strategy<Value = Balance> {
    let target = prop::sample::select(vec![CHECK, SERVICE, PROXY, OTHER]);
    prop_oneof![
        (0..20, 0..20).prop_map(|(interval, timeout)| Balance::Check(interval, timeout)),
        any::<bool>().prop_map(Balance::Use),
        target.prop_map(Balance::Delete),
        Just(Balance::Make),
        prop::collection::vec(0..3_u8, 0..3).prop_map(Balance::Certificates),
        (0_u64..20).prop_map(Balance::Wait),
    ]
}

const OTHER: &str = "/compute/v1/projects/netra-staging/global/healthChecks/other";

fn change(gcp: &mut Gcp, step: &Balance) {
    let other = json!({"name": "other", "type": "TCP", "tcpHealthCheck": {}});
    match step {
        Balance::Check(interval, timeout) => {
            let body = json!({"checkIntervalSec": interval, "timeoutSec": timeout});
            gcp.send("PATCH", CHECK, body);
        }
        Balance::Use(first) => {
            let check = link(if *first { CHECK } else { OTHER });
            let truth = gcp.emulator.truth(SERVICE).unwrap_or_default();
            let body = json!({"healthChecks": [check], "fingerprint": truth["fingerprint"]});
            gcp.send("PATCH", SERVICE, body);
        }
        Balance::Delete(target) => {
            gcp.send("DELETE", target, Value::Null);
        }
        Balance::Make => {
            gcp.send("POST", &format!("{GLOBAL}/healthChecks"), other);
            let body = json!({"name": "c1", "managed": {"domains": ["a.example.com"]}});
            gcp.send("POST", &format!("{GLOBAL}/sslCertificates"), body);
        }
        Balance::Certificates(which) => {
            let names = ["staging-cert", "c1", "c2"];
            let links = which.iter().map(|index| names[usize::from(*index)]);
            let links: Vec<String> = links
                .map(|name| link(&format!("{GLOBAL}/sslCertificates/{name}")))
                .collect();
            let path =
                format!("{PROJECT}/targetHttpsProxies/staging-https-proxy/setSslCertificates");
            gcp.send("POST", &path, json!({"sslCertificates": links}));
        }
        Balance::Wait(seconds) => gcp.wait(*seconds),
    }
}

/// What a resource refers to is there, and every check keeps its rules.
fn is_whole(gcp: &Gcp) -> Result<(), String> {
    gcp.emulator.advance(gcp.now);
    let path = |link: &Value| wire::client::path_of(link);
    for (holder, field) in [(SERVICE, "healthChecks"), (PROXY, "sslCertificates")] {
        let Some(truth) = gcp.emulator.truth(holder) else {
            continue;
        };
        let list = truth[field].as_array().cloned().unwrap_or_default();
        for link in list {
            if gcp.emulator.truth(&path(&link)).is_none() {
                return Err(format!("{holder} refers to {link}, which is gone"));
            }
        }
    }
    if let Some(check) = gcp.emulator.truth(CHECK) {
        let number = |name: &str| check[name].as_i64().unwrap_or_default();
        let good = (1..=300).contains(&number("checkIntervalSec"))
            && (1..=number("checkIntervalSec")).contains(&number("timeoutSec"));
        if !good {
            return Err(check.to_string());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_connector_stays_within_the_limits_and_only_grows(seed: u64, faulty: bool, steps in prop::collection::vec(step(), 1..60)) {
        let mut gcp = Gcp::timed(Scenario::NetraStaging, seed, Timing::realistic());
        if faulty {
            gcp.emulator.set_faults(FaultRule::from_seed(seed));
        }
        let mut before = truth(&gcp);
        for step in &steps {
            take(&mut gcp, step);
            let after = truth(&gcp);
            if let (Some(before), Some(after)) = (before, after) {
                prop_assert!(after.0 >= before.0 && after.1 >= before.1, "{before:?} {after:?}");
            }
            if let Some((min, max)) = after {
                // A create without a maximum is accepted, and fails.
                prop_assert!((2..=9).contains(&min) && ((3..=10).contains(&max) && min < max || max == 0));
            }
            before = after;
        }
        for entry in gcp.emulator.requests().iter().filter(|entry| entry.landed) {
            let allowed: &[Option<&str>] = match entry.method.as_str() {
                "POST" => &[None],
                "PATCH" => &[Some("READY")],
                _ => &[Some("READY"), Some("ERROR")],
            };
            prop_assert!(allowed.contains(&entry.state.as_deref()), "{entry:?}");
        }
    }

    #[test]
    fn nothing_that_is_sent_makes_it_panic(
        verb in prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
        path in prop_oneof![
            Just(STAGING.to_owned()),
            Just(SERVICE.to_owned()),
            "/(v1|_emulator)/[a-z/]{0,20}",
            "/compute/v1/projects/netra-staging/(global|aggregated|regions/us-east1)/(healthChecks|sslCertificates|targetHttpsProxies)(/[a-z]{0,3})?",
            "(/[a-z0-9-]{0,9}){1,8}",
        ],
        query in "([a-zA-Z$.]{1,12}=[a-zA-Z0-9%(),/*]{0,12}&?){0,3}",
        fields in "[a-z(),/*]{0,16}",
        filter in "(name%20(eq|ne|%3D)%20)?[a-zA-Z0-9%.*+?()|\\[\\]^:<>=-]{0,24}",
        token in "[0-9a-f]{0,40}",
        body in prop_oneof![any::<Vec<u8>>(), json_body().prop_map(|body| body.to_string().into_bytes())],
    ) {
        let gcp = Gcp::new(Scenario::NetraStaging);
        gcp.emulator.set_access(Access::Anyone);
        let target = format!("{path}?{query}&fields={fields}&pageToken={token}&filter={filter}");
        if target.parse::<http::Uri>().is_ok() {
            gcp.send_raw(verb, &target, Bytes::from(body), &[]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_referred_to_stays_and_rules_hold(seed: u64, faulty: bool, steps in prop::collection::vec(balance(), 1..60)) {
        let mut gcp = Gcp::timed(Scenario::NetraStaging, seed, Timing::realistic());
        if faulty {
            gcp.emulator.set_faults(FaultRule::from_seed(seed));
        }
        for (index, step) in steps.iter().enumerate() {
            change(&mut gcp, step);
            if index == steps.len() / 2 {
                let resumed = Emulator::new(Options::default());
                resumed.restore(&gcp.emulator.snapshot()).unwrap();
                gcp.emulator = resumed;
            }
            prop_assert_eq!(is_whole(&gcp), Ok(()));
        }
    }
}
