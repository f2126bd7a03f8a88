//! Google's own client on Certificate Manager, from a DNS authorization to a served wildcard and back.
//!
//! Needs gcloud on the PATH; without it the test says so and passes.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use evenkeel::emulator::{Emulator, Options, Scenario, Timing, server};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

struct Gcloud {
    endpoint: String,
    config: TempDir,
}

impl Gcloud {
    fn run(&self, command: &str) -> Value {
        let output = Command::new("gcloud")
            .arg("certificate-manager")
            .args(command.split_whitespace())
            .args(["--quiet", "--format=json"])
            .env("CLOUDSDK_CONFIG", self.config.path())
            .env("CLOUDSDK_CORE_PROJECT", "netra-staging")
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "1")
            .env("CLOUDSDK_CORE_DISABLE_FILE_LOGGING", "1")
            .env("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "1")
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN", "not-a-real-token")
            .env(
                "CLOUDSDK_API_ENDPOINT_OVERRIDES_CERTIFICATEMANAGER",
                &self.endpoint,
            )
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .expect("gcloud runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gcloud_serves_a_wildcard_and_takes_it_down() {
    if Command::new("gcloud").arg("--version").output().is_err() {
        println!("skipped: there is no gcloud on the PATH");
        return;
    }
    let emulator = Arc::new(Emulator::new(Options {
        scenario: Scenario::NetraStaging,
        seed: 1,
        timing: Timing::instant(),
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let gcloud = Gcloud {
        endpoint: format!("http://{}/", listener.local_addr().expect("an address")),
        config: tempfile::tempdir().expect("a folder"),
    };
    let served = server::serve(Arc::clone(&emulator), listener, std::future::pending());
    tokio::spawn(served);

    gcloud.run("dns-authorizations create auth --domain=example.com");
    let made = gcloud.run("dns-authorizations describe auth");
    let record = &made["dnsResourceRecord"];
    let text = |field: &str| record[field].as_str().expect("a text").to_owned();
    emulator.set_dns(BTreeMap::from([(text("name"), text("data"))]));
    gcloud.run(
        "certificates create cert --domains=*.example.com,example.com --dns-authorizations=auth",
    );
    let certificate = gcloud.run("certificates describe cert");
    assert_eq!(certificate["managed"]["state"], "ACTIVE", "{certificate}");
    gcloud.run("maps create front");
    gcloud.run("maps entries create wild --map=front --hostname=*.example.com --certificates=cert");
    let entries = gcloud.run("maps entries list --map=front");
    assert_eq!(entries[0]["state"], "ACTIVE", "{entries}");
    let listed = gcloud.run("certificates list");
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    gcloud.run("maps entries delete wild --map=front");
    gcloud.run("maps delete front");
    gcloud.run("certificates delete cert");
    gcloud.run("dns-authorizations delete auth");
    assert_eq!(gcloud.run("certificates list"), json!([]));
}
