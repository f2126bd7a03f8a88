//! Google's own client on Cloud Run and Cloud SQL. It makes a regional host of its own for Cloud Run, so it goes
//! through the emulator as through a proxy.
//!
//! Needs gcloud on the PATH; without it the test says so and passes.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use evenkeel::emulator::{Emulator, Options, Scenario, Timing, server};
use serde_json::Value;
use tokio::net::TcpListener;

const REGION: &str = "--region=us-central1";

fn gcloud(address: SocketAddr, config: &Path, arguments: &[&str]) -> Value {
    let port = address.port();
    let output = Command::new("gcloud")
        .args(arguments)
        .args(["--quiet", "--format=json"])
        .env("CLOUDSDK_CONFIG", config)
        .env("CLOUDSDK_CORE_PROJECT", "netra-staging")
        .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
        .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "1")
        .env("CLOUDSDK_CORE_DISABLE_FILE_LOGGING", "1")
        .env("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "1")
        .env("CLOUDSDK_AUTH_ACCESS_TOKEN", "not-a-real-token")
        .env(
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_SQL",
            format!("http://{address}/"),
        )
        .env(
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN",
            format!("http://run.emulator.invalid:{port}/"),
        )
        .env("CLOUDSDK_PROXY_TYPE", "http")
        .env("CLOUDSDK_PROXY_ADDRESS", "127.0.0.1")
        .env("CLOUDSDK_PROXY_PORT", port.to_string())
        .output()
        .expect("gcloud runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gcloud_reads_and_changes_services_and_instances() {
    if Command::new("gcloud").arg("--version").output().is_err() {
        println!("skipped: there is no gcloud on the PATH");
        return;
    }
    let config = tempfile::tempdir().expect("a folder");
    let options = Options {
        scenario: Scenario::NetraStaging,
        seed: 1,
        timing: Timing::instant(),
    };
    let emulator = Arc::new(Emulator::new(options));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = server::serve(Arc::clone(&emulator), listener, std::future::pending());
    tokio::spawn(served);
    tokio::task::spawn_blocking(move || {
        let gcloud = |arguments: &[&str]| gcloud(address, config.path(), arguments);
        let listed = gcloud(&["run", "services", "list"]);
        assert_eq!(listed.as_array().map(Vec::len), Some(12));
        let backend = ["netra-backend", REGION];
        let described = gcloud(&[&["run", "services", "describe"], &backend[..]].concat());
        let before = described["status"]["latestReadyRevisionName"].clone();
        gcloud(
            &[
                &[
                    "run",
                    "services",
                    "update",
                    "--update-env-vars=LOG_LEVEL=debug",
                ],
                &backend[..],
            ]
            .concat(),
        );
        let described = gcloud(&[&["run", "services", "describe"], &backend[..]].concat());
        assert_ne!(described["status"]["latestReadyRevisionName"], before);
        let to = format!(
            "--to-revisions={}=100",
            before.as_str().expect("a revision")
        );
        gcloud(&[&["run", "services", "update-traffic", &to], &backend[..]].concat());

        let db = gcloud(&["sql", "instances", "describe", "netra-db"]);
        assert_eq!(db["settings"]["tier"], "db-custom-2-7680");
        gcloud(&[
            "sql",
            "instances",
            "patch",
            "netra-db",
            "--tier=db-custom-4-15360",
        ]);
        let db = gcloud(&["sql", "instances", "list"]);
        assert_eq!(db[0]["settings"]["tier"], "db-custom-4-15360");
    })
    .await
    .expect("gcloud behaves");
    let path = "/v2/projects/netra-staging/locations/us-central1/services/netra-backend";
    let backend = emulator.truth(path).expect("it is there");
    let env = &backend["template"]["containers"][0]["env"];
    let level = env
        .as_array()
        .into_iter()
        .flatten()
        .find(|variable| variable["name"] == "LOG_LEVEL");
    assert_eq!(level.expect("it is set")["value"], "debug");
    assert_eq!(
        backend["trafficStatuses"][0]["type"],
        "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    );
}
