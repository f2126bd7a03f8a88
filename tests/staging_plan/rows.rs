//! Each row alone: green in the world after the plan, red when what it is about breaks.

use super::scene::Scene;
use crate::common::run;
use evenkeel::core::check::Verdict;
use serde_json::{Value, json};

/// The check of a row is green, and red once the world is broken like this.
fn row(check: &str, broken: &Value) {
    run(|| async {
        let scene = Scene::settled().await;
        let good = scene.read(check).await;
        assert_eq!(good.verdict, Verdict::Passing, "{check}: {good:#?}");
        scene.traffic(broken).await;
        let bad = scene.read(check).await;
        assert_eq!(bad.verdict, Verdict::Failing, "{check}: {bad:#?}");
    });
}

/// The same for something that was changed in GCP.
fn changed(check: &str, path: &str, fields: Value) {
    run(|| async {
        let scene = Scene::settled().await;
        let good = scene.read(check).await;
        assert_eq!(good.verdict, Verdict::Passing, "{check}: {good:#?}");
        scene.world.foreign(path, fields);
        tokio::time::sleep(std::time::Duration::from_mins(5)).await;
        let bad = scene.read(check).await;
        assert_eq!(bad.verdict, Verdict::Failing, "{check}: {bad:#?}");
    });
}

/// Worse, and not bad yet: the check still passes, and warns.
fn warned(check: &str, worse: &Value) {
    run(|| async {
        let scene = Scene::settled().await;
        assert!(!scene.read(check).await.warning, "{check}");
        scene.traffic(worse).await;
        let near = scene.read(check).await;
        assert_eq!(near.verdict, Verdict::Passing, "{check}: {near:#?}");
        assert!(near.warning, "{check}: {near:#?}");
    });
}

fn fault(fault: &str, measure: &str, amount: f64) -> Value {
    json!({"faults": [{"fault": fault, measure: amount}]})
}

#[test]
fn twenty_connections_stand_at_once() {
    row("connector-load", &fault("connect_lost", "ratio", 0.2));
}

#[test]
fn a_connection_takes_less_than_5_s() {
    row("connector-load", &fault("connect_slow", "seconds", 6.0));
}

#[test]
fn no_capacity_warnings_in_logs() {
    row("connector-warnings", &fault("connector_cpu", "ratio", 0.9));
}

#[test]
fn throughput_is_below_80_percent() {
    row("connector-throughput", &json!({"demand": 20}));
}

#[test]
fn cpu_is_below_80_percent() {
    row("connector-cpu", &fault("connector_cpu", "ratio", 0.9));
}

#[test]
fn all_database_connections_come_in_within_the_limit() {
    row(
        "database-pool",
        &json!({"faults": [{"fault": "db_connections", "count": 130}]}),
    );
}

#[test]
fn the_database_phase_of_a_start_takes_less_than_40_s() {
    row("startup-database", &fault("startup_slow", "seconds", 45.0));
}

#[test]
fn the_pool_is_stable_with_50_sessions() {
    row("database-pool", &json!({"faults": [{"fault": "db_down"}]}));
}

#[test]
fn health_checks_answer_within_15_s() {
    row("health", &fault("app_slow", "seconds", 17.0));
}

#[test]
fn tls_takes_less_than_10_s_under_load() {
    row("tls-load", &fault("tls_slow", "seconds", 12.0));
}

#[test]
fn no_handshake_fails() {
    row("tls-load", &fault("tls_fails", "ratio", 0.3));
}

#[test]
fn a_certificate_has_days_left() {
    changed(
        "tls-certificate",
        "projects/netra-staging/global/sslCertificates/staging-cert",
        json!({"expireTime": "2026-01-01T00:00:00.000-08:00"}),
    );
}

#[test]
fn names_are_resolved_within_2_s() {
    row("dns", &fault("dns_slow", "seconds", 3.0));
}

#[test]
fn nobody_gets_a_503() {
    row("no-503", &fault("unavailable", "ratio", 0.2));
}

#[test]
fn no_503_is_logged() {
    row("no-503-logged", &fault("unavailable", "ratio", 0.2));
}

#[test]
fn all_health_endpoints_answer_200() {
    for check in ["health", "health-basic", "health-ready"] {
        row(check, &fault("app_errors", "ratio", 1.0));
    }
}

#[test]
fn machines_behind_the_load_balancer_are_well() {
    changed(
        "machines",
        "projects/netra-staging/global/healthChecks/staging-hc",
        json!({"httpHealthCheck": {"requestPath": "/nowhere"}}),
    );
}

#[test]
fn a_session_comes_about_within_300_s() {
    row("database-connect", &fault("connect_lost", "ratio", 1.0));
}

#[test]
fn at_most_one_of_ten_health_checks_fails() {
    row("health-failures", &fault("app_errors", "ratio", 0.3));
}

#[test]
fn three_instances_are_there() {
    row(
        "instances",
        &json!({"faults": [{"fault": "instances_lost", "count": 1}]}),
    );
}

#[test]
fn a_session_comes_about_within_10_s() {
    row("database-pool", &fault("connect_slow", "seconds", 12.0));
}

#[test]
fn a_query_takes_less_than_30_s() {
    row("database-pool", &fault("db_slow", "seconds", 33.0));
}

#[test]
fn the_golden_path_takes_less_than_30_s() {
    row("golden-path", &fault("app_slow", "seconds", 31.0));
}

#[test]
fn warnings_come_before_failures() {
    warned("connector-load", &fault("connect_slow", "seconds", 4.0));
    warned("connector-cpu", &fault("connector_cpu", "ratio", 0.75));
    warned("tls-load", &fault("tls_slow", "seconds", 6.5));
    warned("dns", &fault("dns_slow", "seconds", 1.4));
    warned("health", &fault("app_slow", "seconds", 8.0));
    warned("golden-path", &fault("app_slow", "seconds", 20.0));
}
