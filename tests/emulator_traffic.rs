//! The traffic model: the incident violates every criterion of the plan, the plan mends each, and each can be
//! broken alone.

mod wire;

use std::time::Duration;

use evenkeel::emulator::{Emulator, Options, Scenario, Timing};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use wire::client::Gcp;
use wire::compute::CHECK;
use wire::plan::{self, connector_load, load, number};

const BACKEND: &str = "/services/netra-backend/0";

fn staging() -> Gcp {
    Gcp::new(Scenario::NetraStaging)
}

/// Every criterion of the plan that a load can violate, by its row.
fn violated(load: &Value) -> Vec<&'static str> {
    let connector = |name: &str| number(load, &format!("/connectors/staging-connector/{name}"));
    let backend = |name: &str| number(load, &format!("{BACKEND}/{name}"));
    let database = |name: &str| number(load, &format!("/databases/netra-db/{name}"));
    let edge = |name: &str| number(load, &format!("/edge/{name}"));
    let machines = load["backends"]["staging-vm-backend"].as_object().unwrap();
    let rows = [
        ("connect < 5 s", connector("connectSeconds") >= 5.0),
        ("no connection lost", connector("connectionsLost") > 0.0),
        ("throughput < 80 %", connector("utilisation") >= 0.8),
        ("connector cpu < 80 %", connector("cpu") >= 0.8),
        (
            "connections within the limit",
            database("connectionsWanted") > database("connectionsLimit"),
        ),
        ("database cpu < 80 %", database("cpu") >= 0.8),
        ("query < 30 s", database("querySeconds") >= 30.0),
        ("database phase < 40 s", backend("startupSeconds") >= 40.0),
        ("health within 15 s", backend("healthSeconds") >= 15.0),
        ("no 503", backend("unavailable") > 0.0),
        ("no 500", backend("errors") > 0.0),
        ("3 instances", backend("available") < 3.0),
        ("golden path < 30 s", backend("goldenPathSeconds") >= 30.0),
        ("tls < 5 s", edge("handshakeSeconds") >= 5.0),
        ("no tls failure", edge("handshakesThatFail") > 0.0),
        ("dns < 2 s", edge("dnsSeconds") >= 2.0),
        ("no dns failure", edge("dnsThatFails") > 0.0),
        (
            "machines well",
            machines.values().any(|well| *well == false),
        ),
    ];
    let broken = rows.into_iter().filter(|(_, broken)| *broken);
    broken.map(|(row, _)| row).collect()
}

#[test]
fn the_incident_violates_what_the_plan_is_about() {
    let expected = [
        "connect < 5 s",
        "no connection lost",
        "throughput < 80 %",
        "connector cpu < 80 %",
        "connections within the limit",
        "database cpu < 80 %",
        "database phase < 40 s",
        "health within 15 s",
        "no 503",
        "3 instances",
        "golden path < 30 s",
        "tls < 5 s",
        "machines well",
    ];
    for seed in 0..20 {
        let gcp = Gcp::timed(Scenario::NetraStaging, seed, Timing::realistic());
        assert_eq!(violated(&load(&gcp)), expected, "seed {seed}");
    }
}

#[test]
fn the_whole_plan_mends_all_of_it_phase_by_phase() {
    let mut gcp = staging();
    plan::connector(&mut gcp, "e2-standard-4", 5, 10);
    assert_eq!(
        violated(&load(&gcp)),
        [
            "connections within the limit",
            "database cpu < 80 %",
            "no 503",
            "3 instances",
            "machines well"
        ]
    );
    plan::database(&mut gcp);
    assert_eq!(violated(&load(&gcp)), ["machines well"]);
    plan::edge(&mut gcp);
    assert_eq!(violated(&load(&gcp)), [""; 0]);
    for _ in 0..120 {
        gcp.wait(60);
        assert_eq!(violated(&load(&gcp)), [""; 0], "it stays green");
    }
}

#[test]
fn each_criterion_can_be_broken_alone() {
    let mut gcp = staging();
    plan::all(&mut gcp);
    for (fault, rows) in [
        (
            json!({"fault": "connect_lost", "ratio": 0.2}),
            vec!["no connection lost", "no 503"],
        ),
        (
            json!({"fault": "connector_cpu", "ratio": 0.9}),
            vec!["connector cpu < 80 %"],
        ),
        (
            json!({"fault": "db_connections", "count": 300}),
            vec!["connections within the limit", "no 503"],
        ),
        (
            json!({"fault": "startup_slow", "seconds": 45}),
            vec!["database phase < 40 s"],
        ),
        (
            json!({"fault": "app_slow", "seconds": 15}),
            vec!["health within 15 s"],
        ),
        (
            json!({"fault": "app_slow", "seconds": 29}),
            vec!["health within 15 s", "golden path < 30 s"],
        ),
        (
            json!({"fault": "unavailable", "ratio": 0.05}),
            vec!["no 503"],
        ),
        (
            json!({"fault": "app_errors", "ratio": 0.05}),
            vec!["no 500"],
        ),
        (
            json!({"fault": "instances_lost", "count": 1}),
            vec!["3 instances"],
        ),
        (
            json!({"fault": "tls_slow", "seconds": 6}),
            vec!["tls < 5 s"],
        ),
        (
            json!({"fault": "tls_fails", "ratio": 0.1}),
            vec!["no tls failure"],
        ),
        (
            json!({"fault": "dns_slow", "seconds": 3}),
            vec!["dns < 2 s"],
        ),
        (
            json!({"fault": "dns_fails", "ratio": 0.1}),
            vec!["no dns failure"],
        ),
    ] {
        plan::faults(&gcp, &json!([fault]));
        assert_eq!(violated(&load(&gcp)), rows, "{fault}");
    }
    plan::faults(&gcp, &json!([{"fault": "connect_slow", "seconds": 6}]));
    assert!(violated(&load(&gcp)).contains(&"connect < 5 s"));
    plan::faults(&gcp, &json!([{"fault": "db_slow", "seconds": 30}]));
    assert!(violated(&load(&gcp)).contains(&"query < 30 s"));
    plan::faults(&gcp, &json!([{"fault": "db_down"}]));
    assert!(violated(&load(&gcp)).contains(&"no 503"));
    plan::faults(
        &gcp,
        &json!([{"fault": "app_errors", "ratio": 1, "service": "netra-auth"}]),
    );
    assert_eq!(violated(&load(&gcp)), [""; 0], "another service's fault");
    gcp.delete("/_emulator/traffic");
    assert_eq!(violated(&load(&gcp)), [""; 0]);
    assert_eq!(
        gcp.call("PUT", "/_emulator/traffic", json!({"demands": 2}))
            .status,
        400
    );
}

#[test]
fn throughput_alone_saturates_a_large_connector() {
    let mut gcp = staging();
    plan::all(&mut gcp);
    let demand = |times: f64| gcp.call("PUT", "/_emulator/traffic", json!({"demand": times}));
    demand(32.0);
    gcp.wait(600);
    let busy = load(&gcp);
    assert!(number(&busy, "/connectors/staging-connector/utilisation") >= 0.8);
    assert!(number(&busy, "/connectors/staging-connector/cpu") < 0.8);
    let gone = gcp.delete("/_emulator/traffic");
    assert_eq!(gone.status, 200);
    gcp.wait(600);
    let instances = connector_load(&gcp, "instances");
    assert!(
        (instances - 10.0).abs() < 1e-9,
        "it does not scale back: {instances}"
    );
}

#[test]
fn a_connector_adds_instances_one_by_one_up_to_its_maximum() {
    let mut gcp = staging();
    let seen = |gcp: &Gcp| connector_load(gcp, "instances");
    assert!((seen(&gcp) - 3.0).abs() < 1e-9);
    let mask = "updateMask=minInstances,maxInstances";
    let path = format!("{}?{mask}", wire::client::STAGING);
    gcp.patch(&path, json!({"minInstances": 2, "maxInstances": 10}));
    gcp.wait(60);
    let mut counts = Vec::new();
    let mut connects = Vec::new();
    for _ in 0..12 {
        counts.push(seen(&gcp));
        connects.push(connector_load(&gcp, "connectSeconds"));
        // Operations take a minute here, an instance half of that.
        gcp.wait(30);
    }
    let expected = [3.0, 4.0, 5.0, 6.0, 7.0, 7.0];
    assert_eq!(counts[..6], expected, "to 60 % of use, and no further");
    assert!(connects[4] < 0.2 && connects[0] > 6.0, "{connects:?}");
}

#[test]
fn smaller_repairs_help_with_what_they_are_about() {
    let mut gcp = staging();
    let before = load(&gcp);
    for name in plan::services(&gcp) {
        plan::deploy(&gcp, &name, |template| {
            plan::set_env(template, "CLOUD_SQL_CONNECTIONS_TIMEOUT", "600");
            plan::set_env(template, "DB_CONNECTION_TIMEOUT", "600");
            template["scaling"]["minInstanceCount"] = json!(3);
        });
    }
    plan::settle(&mut gcp);
    let patient = load(&gcp);
    let backend = |load: &Value, name: &str| number(load, &format!("{BACKEND}/{name}"));
    assert!(backend(&patient, "unavailable") < backend(&before, "unavailable"));
    assert!((backend(&patient, "available") - 3.0).abs() < 1e-9);
    assert!(
        backend(&patient, "startupSeconds") > 40.0,
        "it waits as long as before"
    );
    plan::sql(&mut gcp, "db-custom-2-7680", "400");
    let roomy = load(&gcp);
    assert!(backend(&roomy, "unavailable") < backend(&patient, "unavailable"));
}

#[test]
fn services_moved_to_another_connector_relieve_the_first() {
    let mut gcp = staging();
    let parent = "/v1/projects/netra-staging/locations/us-central1/connectors";
    let second = json!({"network": "default", "ipCidrRange": "10.9.0.0/28", "minInstances": 2, "maxInstances": 3});
    gcp.post(&format!("{parent}?connectorId=second"), second);
    plan::settle(&mut gcp);
    let name = "projects/netra-staging/locations/us-central1/connectors/second";
    for service in plan::services(&gcp).iter().take(5) {
        plan::deploy(&gcp, service, |template| {
            template["vpcAccess"]["connector"] = json!(name);
        });
    }
    plan::settle(&mut gcp);
    let moved = load(&gcp);
    let connect = |name: &str| number(&moved, &format!("/connectors/{name}/connectSeconds"));
    assert!(
        connect("staging-connector") < 5.0 && connect("second") < 5.0,
        "{moved:#}"
    );
    // A connector that is taken away from under its services carries nothing.
    gcp.delete(&format!("{parent}/second"));
    plan::settle(&mut gcp);
    let gone = load(&gcp);
    assert!(
        number(&gone, "/services/netra-agents/0/unavailable") > 0.8,
        "{gone:#}"
    );
}

#[test]
fn a_restart_of_the_database_is_felt_and_passes() {
    let mut gcp = staging();
    plan::connector(&mut gcp, "e2-standard-4", 5, 10);
    gcp.patch(
        plan::DATABASE,
        json!({"settings": {"tier": "db-custom-4-15360"}}),
    );
    gcp.wait(10);
    let restarting = load(&gcp);
    assert_eq!(restarting["databases"]["netra-db"]["works"], false);
    assert!(number(&restarting, &format!("{BACKEND}/unavailable")) > 0.8);
    gcp.wait(60);
    assert_eq!(load(&gcp)["databases"]["netra-db"]["works"], true);
}

#[test]
fn a_container_that_cannot_start_in_time_fails_its_rollout() {
    let rollout = |probe: Value, prepare: &dyn Fn(&mut Gcp)| {
        let mut gcp = staging();
        prepare(&mut gcp);
        let name = &plan::services(&gcp)[3];
        plan::deploy(&gcp, name, |template| {
            template["containers"][0]["startupProbe"] = probe.clone();
            plan::set_env(template, "LOG_LEVEL", "debug");
        });
        plan::settle(&mut gcp);
        let condition = gcp.get(&format!("/v2/{name}")).body["terminalCondition"].take();
        let message = condition["message"].as_str().unwrap_or_default().to_owned();
        (condition["state"] == "CONDITION_SUCCEEDED", message)
    };
    let http = |threshold: i32| json!({"periodSeconds": 10, "failureThreshold": threshold, "httpGet": {"path": "/health/basic"}});
    let nothing: &dyn Fn(&mut Gcp) = &|_| {};
    let (up, message) = rollout(http(3), nothing);
    assert!(
        !up && message.contains("failed the configured startup probe checks"),
        "{message}"
    );
    assert!(rollout(http(10), nothing).0, "100 s are enough for 60");
    let grown: &dyn Fn(&mut Gcp) = &|gcp| plan::connector(gcp, "e2-standard-4", 2, 3);
    assert!(
        rollout(http(3), grown).0,
        "with a larger connector 30 s are enough"
    );
    let down: &dyn Fn(&mut Gcp) = &|gcp| plan::faults(gcp, &json!([{"fault": "db_down"}]));
    let (up, message) = rollout(
        json!({"tcpSocket": {}, "periodSeconds": 240, "failureThreshold": 1, "timeoutSeconds": 240}),
        down,
    );
    assert!(!up && message.contains("PORT=8080"), "{message}");
}

#[test]
fn machines_are_as_well_as_their_check_finds_them() {
    let mut gcp = staging();
    assert_eq!(plan::health(&gcp), ["HEALTHY", "UNHEALTHY"]);
    plan::edge(&mut gcp);
    assert_eq!(plan::health(&gcp), ["HEALTHY", "HEALTHY"]);
    let wrong = json!({"httpHealthCheck": {"port": 9000}});
    gcp.done("PATCH", CHECK, wrong);
    // Three checks ten seconds apart.
    gcp.wait(20);
    assert_eq!(plan::health(&gcp), ["HEALTHY", "HEALTHY"]);
    gcp.wait(15);
    assert_eq!(plan::health(&gcp), ["UNHEALTHY", "UNHEALTHY"]);
    gcp.done(
        "PATCH",
        CHECK,
        json!({"httpHealthCheck": {"port": 8000, "requestPath": "/"}}),
    );
    gcp.wait(10);
    assert_eq!(plan::health(&gcp), ["UNHEALTHY", "UNHEALTHY"]);
    gcp.wait(15);
    assert_eq!(plan::health(&gcp), ["HEALTHY", "HEALTHY"]);
}

#[test]
fn a_snapshot_carries_the_load_on() {
    let mut gcp = staging();
    plan::connector(&mut gcp, "e2-micro", 2, 10);
    plan::faults(&gcp, &json!([{"fault": "tls_slow", "seconds": 3}]));
    gcp.wait(45);
    let before = load(&gcp);
    let resumed = Emulator::new(Options::default());
    resumed.restore(&gcp.emulator.snapshot()).unwrap();
    gcp.emulator = resumed;
    assert_eq!(load(&gcp), before);
    gcp.wait(600);
    assert!((connector_load(&gcp, "instances") - 7.0).abs() < 1e-9);
}

/// The same seed, times and requests give the same load; nothing else counts.
#[test]
fn the_load_is_a_function_of_state_time_and_seed() {
    let run = |seed: u64, looks: usize| {
        let timing = Timing::fixed(Duration::from_mins(1), Duration::ZERO);
        let mut gcp = Gcp::timed(Scenario::NetraStaging, seed, timing);
        plan::connector(&mut gcp, "e2-micro", 3, 6);
        for _ in 0..looks {
            load(&gcp);
            plan::health(&gcp);
        }
        gcp.wait(77);
        load(&gcp)
    };
    assert_eq!(run(4, 0), run(4, 9));
    assert_ne!(run(4, 0), run(5, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is enlarged, nothing gets worse.
    #[test]
    fn capacity_never_hurts(
        seed in 0_u64..100,
        demand in 0.1_f64..40.0,
        machine in 0_usize..3,
        min in 2..8_i32,
        tier in 0_usize..3,
        connections in 100..400_u32,
    ) {
        let machines = ["f1-micro", "e2-micro", "e2-standard-4"];
        let tiers = ["db-custom-2-7680", "db-custom-4-15360", "db-custom-8-30720"];
        let settled = |machine: usize, min: i32, tier: usize, connections: u32| {
            let mut gcp = Gcp::timed(Scenario::NetraStaging, seed, Timing::instant());
            gcp.call("PUT", "/_emulator/traffic", json!({"demand": demand}));
            plan::connector(&mut gcp, machines[machine], min, min + 2);
            plan::sql(&mut gcp, tiers[tier], &connections.to_string());
            load(&gcp)
        };
        let small = settled(machine, min, tier, connections);
        for (what, large) in [
            ("instances", settled(machine, min + 1, tier, connections)),
            ("machine", settled((machine + 1).min(2), min, tier, connections)),
            ("tier", settled(machine, min, (tier + 1).min(2), connections)),
            ("connections", settled(machine, min, tier, connections + 50)),
        ] {
            for path in [
                "/connectors/staging-connector/connectSeconds",
                "/connectors/staging-connector/connectionsLost",
                "/connectors/staging-connector/cpu",
                "/connectors/staging-connector/utilisation",
                "/databases/netra-db/cpu",
                "/databases/netra-db/querySeconds",
                "/services/netra-backend/0/unavailable",
                "/services/netra-backend/0/startupSeconds",
                "/services/netra-backend/0/goldenPathSeconds",
                "/edge/handshakeSeconds",
            ] {
                prop_assert!(number(&large, path) <= number(&small, path) + 1e-9, "{what} {path}");
            }
        }
    }
}
