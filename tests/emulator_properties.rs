//! Whatever is asked, in whatever order: the emulator never panics, never leaves Google's limits, never shrinks a
//! connector and never lets a change in while another runs.

mod wire;

use bytes::Bytes;
use evenkeel::emulator::{Access, FaultRule, Scenario, Timing};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use wire::client::{Gcp, STAGING};

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
        path in prop_oneof![Just(STAGING.to_owned()), "/(v1|_emulator)/[a-z/]{0,20}", "(/[a-z0-9-]{0,9}){1,8}"],
        query in "([a-zA-Z$.]{1,12}=[a-zA-Z0-9%(),/*]{0,12}&?){0,3}",
        fields in "[a-z(),/*]{0,16}",
        token in "[0-9a-f]{0,40}",
        body: Vec<u8>,
    ) {
        let gcp = Gcp::new(Scenario::NetraStaging);
        gcp.emulator.set_access(Access::Anyone);
        let target = format!("{path}?{query}&fields={fields}&pageToken={token}");
        if target.parse::<http::Uri>().is_ok() {
            gcp.send_raw(verb, &target, Bytes::from(body), &[]);
        }
    }
}
