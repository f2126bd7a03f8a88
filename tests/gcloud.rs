//! Google's own client against the emulator: what gcloud sends is taken, and what it gets it understands.
//!
//! Needs gcloud on the PATH; without it the test says so and passes.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use evenkeel::emulator::{Emulator, Options, Scenario, Timing, server};
use serde_json::Value;
use tokio::net::TcpListener;

const CONNECTORS: [&str; 4] = ["compute", "networks", "vpc-access", "connectors"];

struct Gcloud<'a> {
    endpoint: String,
    config: &'a Path,
}

impl Gcloud<'_> {
    fn run(&self, verb: &str, arguments: &[&str]) -> Output {
        Command::new("gcloud")
            .args(CONNECTORS)
            .arg(verb)
            .args(arguments)
            .args(["--region=us-central1", "--quiet"])
            .env("CLOUDSDK_CONFIG", self.config)
            .env("CLOUDSDK_CORE_PROJECT", "netra-staging")
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "1")
            .env("CLOUDSDK_CORE_DISABLE_FILE_LOGGING", "1")
            .env("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "1")
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN", "not-a-real-token")
            .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_VPCACCESS", &self.endpoint)
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .expect("gcloud runs")
    }

    fn json(&self, verb: &str, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--format=json"]].concat();
        let output = self.run(verb, &arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).expect("gcloud prints JSON")
    }

    fn refused(&self, verb: &str, arguments: &[&str]) -> String {
        let output = self.run(verb, arguments);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gcloud_describes_lists_updates_creates_and_deletes() {
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
    let endpoint = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(server::serve(
        Arc::clone(&emulator),
        listener,
        std::future::pending(),
    ));

    let config_path = config.path().to_owned();
    tokio::task::spawn_blocking(move || {
        let gcloud = Gcloud {
            endpoint,
            config: &config_path,
        };
        let described = gcloud.json("describe", &["staging-connector"]);
        assert_eq!(
            (&described["state"], &described["maxInstances"]),
            (&"READY".into(), &3.into())
        );

        let grow = [
            "staging-connector",
            "--min-instances=3",
            "--max-instances=5",
            "--machine-type=e2-standard-4",
        ];
        gcloud.json("update", &grow);
        let refused = gcloud.refused(
            "update",
            &[
                "staging-connector",
                "--min-instances=2",
                "--max-instances=5",
            ],
        );
        assert!(
            refused.contains("INVALID_ARGUMENT") && refused.contains("Decreasing"),
            "{refused}"
        );

        let new = [
            "second",
            "--network=default",
            "--range=10.9.0.0/28",
            "--min-instances=2",
            "--max-instances=4",
        ];
        gcloud.run("create", &new);
        let listed = gcloud.json("list", &[]);
        let sizes: Vec<&Value> = listed
            .as_array()
            .expect("a list")
            .iter()
            .map(|item| &item["maxInstances"])
            .collect();
        assert_eq!(sizes, [4, 5]);
        assert!(gcloud.run("delete", &["second"]).status.success());
    })
    .await
    .expect("gcloud behaves");

    let sent = emulator.requests();
    let update = sent
        .iter()
        .find(|entry| entry.method == "PATCH")
        .expect("an update was sent");
    assert_eq!(
        update.update_mask.as_deref(),
        Some("machineType,maxInstances,minInstances")
    );
    assert_eq!(
        emulator.connector("netra-staging", "us-central1", "second"),
        None
    );
    assert!(
        sent.iter()
            .all(|entry| !entry.query.contains("not-a-real-token"))
    );
}
