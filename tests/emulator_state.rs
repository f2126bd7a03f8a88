//! The emulator as a whole: its controls, one run per seed, snapshots, and a file that outlives the process.

mod wire;

use std::time::Duration;

use evenkeel::emulator::{Emulator, FaultRule, Options, Scenario, StoreError, Timing};
use serde_json::{Value, json};
use wire::client::{Gcp, SIZE, STAGING, size};

const NAME: &str = "projects/netra-staging/locations/us-central1/connectors/staging-connector";

fn staging() -> Gcp {
    Gcp::new(Scenario::NetraStaging)
}

fn grow(gcp: &Gcp) -> Option<wire::client::Reply> {
    gcp.send("PATCH", &format!("{STAGING}?{SIZE}"), size(3, 5))
}

#[test]
fn the_controls_speak_json_over_http_too() {
    let gcp = staging();
    let rules = json!([{"name": "busy", "match": {"method": "GET", "pathPrefix": "/v1/", "pathContains": "connectors", "after": 1},
        "action": {"error": {"status": 503, "shape": "google", "message": "m", "reason": "R", "retryAfter": 3}}, "times": 1, "probability": 1.0},
        {"action": "reset-after", "match": {"method": "PUT"}}]);
    let set = gcp.call("PUT", "/_emulator/faults", rules);
    assert_eq!(set.status, 200, "{}", set.text);
    assert_eq!(
        [
            gcp.get(STAGING).status,
            gcp.get(STAGING).status,
            gcp.get(STAGING).status
        ],
        [200, 503, 200]
    );
    let shown = gcp.get("/_emulator/faults").body;
    assert_eq!(shown["fired"], json!({"busy": 1}));
    let again = gcp.call("PUT", "/_emulator/faults", json!({"rules": shown["rules"]}));
    assert_eq!(
        again.body["rules"], shown["rules"],
        "what is shown can be put back"
    );
    assert_eq!(
        gcp.call("DELETE", "/_emulator/faults", Value::Null).body["rules"],
        json!([])
    );

    let log = gcp.get("/_emulator/requests").body;
    assert_eq!(
        (log["requests"].as_array().unwrap().len(), &log["last"]),
        (3, &json!(3))
    );
    assert_eq!(
        (&log["requests"][1]["status"], &log["requests"][1]["faults"]),
        (&json!(503), &json!(["busy"]))
    );
    assert_eq!(
        gcp.get("/_emulator/requests?after=2").body["requests"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(gcp.get("/_emulator/requests?after=x").status, 400);
    gcp.delete("/_emulator/requests");
    assert_eq!(
        gcp.get("/_emulator/requests").body,
        json!({"requests": [], "last": 3})
    );

    let foreign = gcp.post(
        "/_emulator/foreign",
        json!({"name": NAME, "fields": {"maxInstances": 9}}),
    );
    assert_eq!(foreign.body["maxInstances"], 9);
    assert_eq!(
        gcp.post("/_emulator/foreign", json!({"name": "x", "fields": {}}))
            .status,
        404
    );
    assert_eq!(
        gcp.post(
            "/_emulator/foreign",
            json!({"name": NAME, "fields": {"x": 1}})
        )
        .status,
        400
    );
    assert_eq!(
        gcp.post("/_emulator/foreign", json!({"name": NAME})).status,
        400
    );
    assert_eq!(
        gcp.post("/_emulator/foreign", json!({"name": NAME, "delete": true}))
            .status,
        200
    );
    assert_eq!(gcp.get("/_emulator/health").body["status"], "ok");
    assert_eq!(gcp.get("/_emulator/nothing").status, 404);
}

#[test]
fn a_bad_fault_rule_is_refused_by_the_name_of_its_field() {
    let gcp = staging();
    let cases = [
        (json!(3), "rules: expected a list"),
        (json!([3]), "rules[0]: expected an object"),
        (json!([{}]), "rules[0].action: is missing"),
        (
            json!([{"action": "sleep"}]),
            "rules[0].action.sleep: expected one of",
        ),
        (
            json!([{"action": {"delay": {}}}]),
            "rules[0].action.delay.ms: is missing",
        ),
        (
            json!([{"action": {"delay": {"ms": "1"}}}]),
            "rules[0].action.delay.ms: expected a whole number",
        ),
        (
            json!([{"action": {"delay": {"ms": 1, "s": 1}}}]),
            "rules[0].action.delay.s: unknown field",
        ),
        (
            json!([{"action": {"error": {"status": 200}}}]),
            "rules[0].action.error.status: expected an HTTP code",
        ),
        (
            json!([{"action": {"error": {"status": 500, "shape": "s3"}}}]),
            "rules[0].action.error.shape: expected google or compute",
        ),
        (
            json!([{"action": {"fail-operation": {"code": 99}}}]),
            "rules[0].action.fail-operation.code: expected",
        ),
        (
            json!([{"action": {"fail-operation": {"leaves": "BROKEN"}}}]),
            "rules[0].action.fail-operation.leaves: expected",
        ),
        (
            json!([{"action": {"reset-after": {"x": 1}}}]),
            "rules[0].action.reset-after.x: takes no fields",
        ),
        (
            json!([{"action": "reset-after"}, {"action": "reset-after", "when": 1}]),
            "rules[1].when: unknown field",
        ),
        (
            json!([{"action": "reset-after", "match": {"path": "x"}}]),
            "rules[0].match.path: unknown field",
        ),
        (
            json!([{"action": "reset-after", "probability": 2}]),
            "rules[0].probability: expected a number from 0 to 1",
        ),
        (
            json!([{"action": "reset-after", "times": -1}]),
            "rules[0].times: expected a whole number",
        ),
    ];
    for (rules, words) in cases {
        let refused = gcp.call("PUT", "/_emulator/faults", rules);
        let error = refused.body["error"].as_str().unwrap();
        assert!(refused.status == 400 && error.starts_with(words), "{error}");
    }
}

/// A walk with every kind of fault; its whole outcome as text.
fn run(gcp: &mut Gcp, steps: u64) -> String {
    let mut outcome = String::new();
    for step in 0..steps {
        let reply = match step % 4 {
            0 => grow(gcp),
            1 => gcp.send("GET", STAGING.rsplit_once('/').unwrap().0, Value::Null),
            2 => gcp.send(
                "PATCH",
                &format!("{STAGING}?updateMask=machineType"),
                json!({"machineType": "f1-micro"}),
            ),
            _ => gcp.send("GET", STAGING, Value::Null),
        };
        outcome += &reply.map_or("reset".to_owned(), |reply| {
            format!("{:?}{}", reply.delay, reply.text)
        });
        gcp.wait(17);
    }
    outcome
}

fn seeded(seed: u64) -> Gcp {
    let gcp = Gcp::timed(Scenario::NetraStaging, seed, Timing::realistic());
    gcp.emulator.set_faults(FaultRule::from_seed(seed));
    gcp
}

#[test]
fn one_seed_is_one_run() {
    let first = run(&mut seeded(7), 200);
    assert_eq!(first, run(&mut seeded(7), 200));
    assert_ne!(first, run(&mut seeded(8), 200));
}

#[test]
fn a_restored_world_goes_on_as_if_nothing_had_happened() {
    let mut whole = seeded(11);
    run(&mut whole, 60);
    let snapshot = whole.emulator.snapshot();
    let mut resumed = Gcp::around(Emulator::new(Options::default()));
    resumed.emulator.restore(&snapshot).unwrap();
    resumed.now = whole.now;
    assert_eq!(run(&mut whole, 60), run(&mut resumed, 60));
    assert_eq!(whole.emulator.requests(), resumed.emulator.requests());
    assert_eq!(whole.emulator.snapshot(), resumed.emulator.snapshot());
}

#[test]
fn what_is_not_a_snapshot_is_refused_and_changes_nothing() {
    let gcp = staging();
    for bad in [
        json!({}),
        json!({"version": 99}),
        json!({"version": 1, "clock": "never"}),
        json!({"version": 2, "clock": "never"}),
        json!([]),
    ] {
        assert!(gcp.emulator.restore(&bad).is_err(), "{bad}");
    }
    assert_eq!(gcp.get(STAGING).status, 200);
}

#[test]
fn an_emulator_with_a_file_outlives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gcp.json");
    let options = || Options {
        scenario: Scenario::NetraStaging,
        seed: 3,
        timing: Timing::fixed(Duration::from_mins(1), Duration::ZERO),
    };
    let first = Gcp::around(Emulator::open(options(), &path).unwrap());
    let operation = grow(&first).unwrap().operation();
    drop(first); // as a kill would: no farewell

    let fresh = Options {
        scenario: Scenario::Empty,
        ..Options::default()
    };
    let mut second = Gcp::around(Emulator::open(fresh, &path).unwrap());
    assert_eq!(second.emulator.requests().len(), 1);
    assert_eq!(second.get(STAGING).body["state"], "UPDATING");
    second.wait(60);
    assert_eq!(second.get(&operation).body["done"], true);
    assert_eq!(second.get(STAGING).body["maxInstances"], 5);

    std::fs::write(&path, "{").unwrap();
    let broken = Emulator::open(options(), &path).unwrap_err();
    assert!(matches!(broken, StoreError::Json { .. }) && broken.to_string().contains("gcp.json"));
    std::fs::write(&path, "{}").unwrap();
    let foreign = Emulator::open(options(), &path).unwrap_err();
    assert!(foreign.to_string().contains("not a snapshot"), "{foreign}");
}

#[test]
fn a_change_that_cannot_be_saved_is_not_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sub").join("gcp.json");
    let options = Options {
        scenario: Scenario::NetraStaging,
        ..Options::default()
    };
    let gcp = Gcp::around(Emulator::open(options, &path).unwrap());
    assert_eq!(gcp.get(STAGING).status, 200);
    let refused = grow(&gcp).unwrap();
    assert_eq!((refused.status, refused.rpc()), (500, "INTERNAL"));
}

#[test]
fn scenarios_have_names() {
    for scenario in Scenario::ALL {
        assert_eq!(Scenario::by_name(scenario.name()), Ok(scenario));
    }
    let unknown = Scenario::by_name("prod").unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no scenario \"prod\"; known are empty, netra-staging, many"
    );
}

#[test]
fn time_never_runs_backwards() {
    let mut gcp = staging();
    let operation = grow(&gcp).unwrap().operation();
    gcp.wait(60);
    assert_eq!(gcp.get(&operation).body["done"], true);
    gcp.now -= Duration::from_hours(1);
    assert_eq!(gcp.get(&operation).body["done"], true);
    assert_eq!(gcp.get(STAGING).body["maxInstances"], 5);
}

#[test]
fn the_truth_and_another_writer_are_reached_by_path() {
    let gcp = staging();
    let patched = gcp
        .emulator
        .foreign_patch(gcp.now, STAGING, &json!({"maxInstances": 7}));
    assert_eq!(patched, Ok(()));
    let truth = gcp.emulator.truth(STAGING).unwrap();
    assert_eq!(truth["maxInstances"], 7);
    assert_eq!(gcp.emulator.truth(NAME), Some(truth.clone()));
    assert_eq!(gcp.emulator.truth("/v1/projects"), None);
    let world = gcp.get("/_emulator/world").body;
    let by_full_name = format!("//vpcaccess.googleapis.com/{NAME}");
    assert_eq!(world["resources"][by_full_name], truth);
    assert_eq!(
        gcp.emulator.requests()[0].path,
        STAGING,
        "told as a request would be"
    );
}

#[test]
fn a_snapshot_keeps_the_end_of_the_log_only() {
    let gcp = staging();
    for _ in 0..1_000 {
        gcp.get(STAGING);
    }
    assert_eq!(gcp.emulator.requests().len(), 1_000);
    let resumed = Gcp::around(Emulator::new(Options::default()));
    resumed.emulator.restore(&gcp.emulator.snapshot()).unwrap();
    let kept = resumed.emulator.requests();
    assert_eq!((kept.len(), kept[299].seq), (300, 1_000));
    resumed.get(STAGING);
    assert_eq!(resumed.emulator.requests()[300].seq, 1_001);
}

#[test]
fn domains_are_set_by_name() {
    let gcp = staging();
    let domains = json!({"a.example.com": "not-visible", "b.example.com": "caa-forbidden"});
    assert_eq!(
        gcp.call("PUT", "/_emulator/domains", domains.clone()).body,
        domains
    );
    assert_eq!(gcp.get("/_emulator/domains").body, domains);
    let refused = gcp.call("PUT", "/_emulator/domains", json!({"a": "gone"}));
    assert_eq!(refused.status, 400);
    assert!(
        refused.body["error"]
            .as_str()
            .unwrap()
            .contains("not-visible")
    );
}
