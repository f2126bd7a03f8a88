//! Google's own client against the emulator: what gcloud sends is taken, and what it gets it understands.
//!
//! Needs gcloud on the PATH; without it the test says so and passes.

use std::process::{Command, Output};
use std::sync::Arc;

use evenkeel::emulator::{Emulator, Options, Scenario, Timing, server};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// gcloud, pointed at an emulator of its own.
struct Gcloud {
    emulator: Arc<Emulator>,
    endpoint: String,
    config: TempDir,
}

impl Gcloud {
    /// None where gcloud is not installed.
    async fn start() -> Option<Self> {
        if Command::new("gcloud").arg("--version").output().is_err() {
            println!("skipped: there is no gcloud on the PATH");
            return None;
        }
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
        let config = tempfile::tempdir().expect("a folder");
        Some(Self {
            emulator,
            endpoint,
            config,
        })
    }

    fn run(&self, command: &str) -> Output {
        Command::new("gcloud")
            .args(command.split_whitespace())
            .arg("--quiet")
            .env("CLOUDSDK_CONFIG", self.config.path())
            .env("CLOUDSDK_CORE_PROJECT", "netra-staging")
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "1")
            .env("CLOUDSDK_CORE_DISABLE_FILE_LOGGING", "1")
            .env("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "1")
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN", "not-a-real-token")
            .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_VPCACCESS", &self.endpoint)
            .env(
                "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE",
                format!("{}compute/v1/", self.endpoint),
            )
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .expect("gcloud runs")
    }

    fn json(&self, command: &str) -> Value {
        let output = self.run(&format!("{command} --format=json"));
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).expect("gcloud prints JSON")
    }

    fn refused(&self, command: &str) -> String {
        let output = self.run(command);
        assert!(!output.status.success(), "{command}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

fn column<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    let list = list.as_array().expect("a list");
    list.iter().map(|item| &item[field]).collect()
}

/// gcloud takes seconds a call: it must not hold up the server's thread.
async fn with_gcloud(test: fn(&Gcloud)) {
    if let Some(gcloud) = Gcloud::start().await {
        tokio::task::spawn_blocking(move || test(&gcloud))
            .await
            .expect("gcloud behaves");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gcloud_describes_lists_updates_creates_and_deletes() {
    with_gcloud(connectors).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gcloud_reads_and_changes_health_checks_and_backend_services() {
    with_gcloud(health).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gcloud_rotates_a_certificate() {
    with_gcloud(certificates).await;
}

fn connectors(gcloud: &Gcloud) {
    const CONNECTORS: &str = "compute networks vpc-access connectors";
    let here = |verb: &str, rest: &str| format!("{CONNECTORS} {verb} {rest} --region=us-central1");
    let described = gcloud.json(&here("describe", "staging-connector"));
    assert_eq!(
        (&described["state"], &described["maxInstances"]),
        (&"READY".into(), &3.into())
    );
    gcloud.json(&here(
        "update",
        "staging-connector --min-instances=3 --max-instances=5 --machine-type=e2-standard-4",
    ));
    let refused = gcloud.refused(&here(
        "update",
        "staging-connector --min-instances=2 --max-instances=5",
    ));
    assert!(
        refused.contains("INVALID_ARGUMENT") && refused.contains("Decreasing"),
        "{refused}"
    );
    gcloud.run(&here(
        "create",
        "second --network=default --range=10.9.0.0/28 --min-instances=2 --max-instances=4",
    ));
    let listed = gcloud.json(&here("list", ""));
    assert_eq!(column(&listed, "maxInstances"), [4, 5]);
    assert!(gcloud.run(&here("delete", "second")).status.success());

    let sent = gcloud.emulator.requests();
    let update = sent
        .iter()
        .find(|entry| entry.method == "PATCH")
        .expect("an update was sent");
    assert_eq!(
        update.update_mask.as_deref(),
        Some("machineType,maxInstances,minInstances")
    );
    assert_eq!(
        gcloud
            .emulator
            .connector("netra-staging", "us-central1", "second"),
        None
    );
    assert!(
        sent.iter()
            .all(|entry| !entry.query.contains("not-a-real-token"))
    );
}

fn health(gcloud: &Gcloud) {
    let listed = gcloud.json("compute health-checks list");
    assert_eq!(column(&listed, "name"), ["staging-hc"]);
    let none = gcloud.json("compute health-checks list --global --filter=name:nothing*");
    assert_eq!(none, serde_json::json!([]));
    gcloud.json("compute health-checks update http staging-hc --global --timeout=4s");
    let described = gcloud.json("compute health-checks describe staging-hc --global");
    assert_eq!(
        (&described["timeoutSec"], &described["unhealthyThreshold"]),
        (&4.into(), &1.into())
    );
    let refused =
        gcloud.refused("compute health-checks update http staging-hc --global --timeout=30s");
    assert!(
        refused.contains("TimeoutSec should be less than checkIntervalSec."),
        "{refused}"
    );
    let refused = gcloud.refused("compute health-checks delete staging-hc --global");
    assert!(refused.contains("is already being used by"), "{refused}");

    gcloud.json("compute backend-services update staging-vm-backend --global --timeout=60s");
    let described = gcloud.json("compute backend-services describe staging-vm-backend --global");
    assert_eq!(described["timeoutSec"], 60);
    let health = gcloud.json("compute backend-services get-health staging-vm-backend --global");
    assert_eq!(
        column(&health[0]["status"]["healthStatus"], "healthState"),
        ["HEALTHY", "UNHEALTHY"]
    );
}

fn certificates(gcloud: &Gcloud) {
    let create =
        "compute ssl-certificates create next --global --domains=a.example.com,b.example.com";
    assert_eq!(column(&gcloud.json(create), "type"), ["MANAGED"]);
    let listed =
        gcloud.json("compute ssl-certificates list --global --filter=name:(staging-cert,next)");
    assert_eq!(column(&listed, "name"), ["next", "staging-cert"]);
    gcloud.json(
        "compute target-https-proxies update staging-https-proxy --global \
         --ssl-certificates=next,staging-cert --global-ssl-certificates",
    );
    let proxy = gcloud.json("compute target-https-proxies describe staging-https-proxy --global");
    assert_eq!(proxy["sslCertificates"].as_array().map(Vec::len), Some(2));
    let refused = gcloud.refused("compute ssl-certificates delete next --global");
    assert!(refused.contains("is already being used by"), "{refused}");
    let issued = gcloud.json("compute ssl-certificates describe next --global");
    assert_eq!(issued["managed"]["status"], "ACTIVE");
}
