//! Google's own client against the emulator: what gcloud sends is taken, and what it gets it understands.
//!
//! Needs gcloud on the PATH; without it the test says so and passes.

use std::collections::BTreeMap;
use std::process::{Command, Output};
use std::sync::Arc;

use evenkeel::emulator::{
    Action, Emulator, ErrorFault, FaultRule, Options, Scenario, Timing, server,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// gcloud, pointed at an emulator of its own.
struct Gcloud {
    emulator: Arc<Emulator>,
    endpoint: String,
    port: u16,
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
        let address = listener.local_addr().expect("an address");
        tokio::spawn(server::serve(
            Arc::clone(&emulator),
            listener,
            std::future::pending(),
        ));
        let config = tempfile::tempdir().expect("a folder");
        Some(Self {
            emulator,
            endpoint: format!("http://{address}/"),
            port: address.port(),
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
            .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_SQL", &self.endpoint)
            .env(
                "CLOUDSDK_API_ENDPOINT_OVERRIDES_CERTIFICATEMANAGER",
                &self.endpoint,
            )
            // For Cloud Run it makes a regional host of its own, so it goes through the emulator as through a proxy.
            .env(
                "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN",
                format!("http://run.emulator.invalid:{}/", self.port),
            )
            .env("CLOUDSDK_PROXY_TYPE", "http")
            .env("CLOUDSDK_PROXY_ADDRESS", "127.0.0.1")
            .env("CLOUDSDK_PROXY_PORT", self.port.to_string())
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

macro_rules! tests {
    ($($name:ident: $commands:ident,)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            with_gcloud($commands).await;
        })*
    };
}

tests! {
    gcloud_describes_lists_updates_creates_and_deletes: connectors,
    gcloud_reads_and_changes_health_checks_and_backend_services: health,
    gcloud_rotates_a_certificate: certificates,
    gcloud_meets_what_is_refused_and_what_fails: refusals,
    gcloud_moves_the_traffic_of_a_service: services,
    gcloud_changes_a_database: instances,
    gcloud_serves_a_wildcard_and_takes_it_down: wildcard,
}

fn connector_command(verb: &str, rest: &str) -> String {
    format!("compute networks vpc-access connectors {verb} {rest} --region=us-central1")
}

fn connectors(gcloud: &Gcloud) {
    let here = connector_command;
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
    let beta = gcloud.json(&format!("beta {}", here("describe", "second")));
    assert!(beta["createTime"].is_string(), "{beta}");
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

fn refusals(gcloud: &Gcloud) {
    let here = connector_command;
    let network = "--network=default --range=10.9.0.0/28";
    for (command, words) in [
        // gcloud asks whatever it is told to ask.
        (
            here(
                "create",
                &format!("x {network} --max-instances=50 --machine-type=e2-micro"),
            ),
            "INVALID_ARGUMENT",
        ),
        (
            here(
                "create",
                &format!("big {network} --max-instances=5 --machine-type=e2-standard-8"),
            ),
            "INVALID_ARGUMENT",
        ),
        (
            here("update", "staging-connector --min-instances=3"),
            "INVALID_ARGUMENT",
        ),
        (here("describe", "none"), "The connector is not found."),
        (
            "compute ssl-certificates create wild --global --domains=*.example.com".to_owned(),
            "Wildcard domains not supported",
        ),
        ("sql instances describe none".to_owned(), "does not exist"),
    ] {
        let refused = gcloud.refused(&command);
        assert!(refused.contains(words), "{command}: {refused}");
    }
    // The range is taken: that shows only when the operation ends.
    let taken = "--network=default --range=10.8.0.0/28 --max-instances=4";
    let failed = gcloud.refused(&here("create", &format!("taken {taken}")));
    assert!(
        failed.contains("conflicts with an existing subnetwork"),
        "{failed}"
    );
    let left = gcloud.json(&here("describe", "taken"));
    assert_eq!(left["state"], "ERROR");

    let busy = FaultRule::new(Action::Error(ErrorFault {
        status: 503,
        ..ErrorFault::default()
    }));
    gcloud.emulator.set_faults(vec![busy.times(1)]);
    gcloud.json(&here("describe", "staging-connector"));
    let fired = gcloud.emulator.faults_fired();
    assert_eq!(fired.values().sum::<u64>(), 1, "it tried again: {fired:?}");
    let throttled = FaultRule::new(Action::Error(ErrorFault {
        status: 429,
        retry_after: Some(1),
        ..ErrorFault::default()
    }));
    gcloud.emulator.set_faults(vec![throttled.times(1)]);
    let refused = gcloud.refused(&here("describe", "staging-connector"));
    assert!(refused.contains("RESOURCE_EXHAUSTED"), "{refused}");
}

fn health(gcloud: &Gcloud) {
    let listed = gcloud.json("compute health-checks list");
    assert_eq!(column(&listed, "name"), ["staging-hc"]);
    let none = gcloud.json("compute health-checks list --global --filter=name:nothing*");
    assert_eq!(none, serde_json::json!([]));
    let update = "compute health-checks update http staging-hc --global";
    gcloud.json(&format!("{update} --timeout=4s --check-interval=10s"));
    let described = gcloud.json("compute health-checks describe staging-hc --global");
    assert_eq!(
        (
            &described["timeoutSec"],
            &described["checkIntervalSec"],
            &described["unhealthyThreshold"]
        ),
        (&4.into(), &10.into(), &1.into())
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
    let everywhere = "compute ssl-certificates list --filter=name:staging*";
    let table = gcloud.run(&format!(
        "{everywhere} --format=table(name,managed.status,expireTime)"
    ));
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    let mut rows = table
        .lines()
        .map(|row| row.split_whitespace().take(2).collect::<Vec<_>>());
    assert_eq!(rows.next(), Some(vec!["NAME", "MANAGED_STATUS"]), "{table}");
    assert_eq!(rows.next(), Some(vec!["staging-cert", "ACTIVE"]), "{table}");
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

fn services(gcloud: &Gcloud) {
    let here = |verb: &str, rest: &str| format!("run services {verb} {rest} --region=us-central1");
    for list in [
        "run services list",
        "run services list --region=us-central1",
    ] {
        let listed = gcloud.json(list);
        assert_eq!(listed.as_array().map(Vec::len), Some(12), "{list}");
    }
    let latest = |gcloud: &Gcloud| {
        let described = gcloud.json(&here("describe", "netra-backend"));
        let latest = &described["status"]["latestReadyRevisionName"];
        latest.as_str().expect("a revision").to_owned()
    };
    let before = latest(gcloud);
    gcloud.json(&here(
        "update",
        "netra-backend --update-env-vars=LOG_LEVEL=debug",
    ));
    assert_ne!(latest(gcloud), before);
    let back = format!("netra-backend --to-revisions={before}=100");
    gcloud.json(&here("update-traffic", &back));

    let path = "/v2/projects/netra-staging/locations/us-central1/services/netra-backend";
    let backend = gcloud.emulator.truth(path).expect("it is there");
    let env = backend["template"]["containers"][0]["env"].as_array();
    let mut env = env.expect("variables").iter();
    let level = env.find(|variable| variable["name"] == "LOG_LEVEL");
    assert_eq!(level.expect("it is set")["value"], "debug");
    assert_eq!(
        backend["trafficStatuses"][0]["type"],
        "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    );
}

fn instances(gcloud: &Gcloud) {
    let db = gcloud.json("sql instances describe netra-db");
    assert_eq!(db["settings"]["tier"], "db-custom-2-7680");
    gcloud.json("sql instances patch netra-db --tier=db-custom-4-15360");
    let listed = gcloud.json("sql instances list");
    assert_eq!(listed[0]["settings"]["tier"], "db-custom-4-15360");
}

/// From a DNS authorization to a served wildcard and back.
fn wildcard(gcloud: &Gcloud) {
    let json = |command: &str| gcloud.json(&format!("certificate-manager {command}"));
    json("dns-authorizations create auth --domain=example.com");
    let made = json("dns-authorizations describe auth");
    let record = &made["dnsResourceRecord"];
    let text = |field: &str| record[field].as_str().expect("a text").to_owned();
    let published = BTreeMap::from([(text("name"), text("data"))]);
    gcloud.emulator.set_dns(published);
    json("certificates create cert --domains=*.example.com,example.com --dns-authorizations=auth");
    let certificate = json("certificates describe cert --location=global");
    assert_eq!(certificate["managed"]["state"], "ACTIVE", "{certificate}");
    json("maps create front");
    json("maps entries create wild --map=front --hostname=*.example.com --certificates=cert");
    let entries = json("maps entries list --map=front");
    assert_eq!(entries[0]["state"], "ACTIVE", "{entries}");
    let listed = json("certificates list --location=global");
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    let refused = gcloud.refused("certificate-manager certificates delete cert");
    assert!(refused.contains("is referenced by"), "{refused}");
    for command in [
        "maps entries delete wild --map=front",
        "maps delete front",
        "certificates delete cert",
        "dns-authorizations delete auth",
    ] {
        let done = gcloud.run(&format!("certificate-manager {command}"));
        assert!(done.status.success(), "{command}");
    }
    assert_eq!(json("certificates list"), serde_json::json!([]));
}
