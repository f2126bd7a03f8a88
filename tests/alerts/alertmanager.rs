//! A real Alertmanager, and the plain webhook behind it, hear of each episode once.
//!
//! Needs `prometheus-alertmanager` or `alertmanager` on the PATH. Without it the test says so and
//! passes, unless `EVENKEEL_REQUIRE_ALERTMANAGER` is set.

use crate::receiver::{Got, PATIENCE, Receiver};
use crate::support::{alert, check, failing, provider, sight};
use evenkeel::alert::{Courier, Desk, LivePost, Ports, Secrets};
use evenkeel::api::alert::{Provider, ProviderKind};
use evenkeel::api::{AlertSpec, Document};
use evenkeel::core::alert::{Sight, Store, Trouble};
use evenkeel::journal::SqliteJournal;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const NAMES: [&str; 2] = ["prometheus-alertmanager", "alertmanager"];
/// Several times the Alertmanager's `group_interval`: what comes twice has come by then.
const QUIET: Duration = Duration::from_secs(2);

struct Alertmanager {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Alertmanager {
    /// None where it is not installed.
    async fn start(hook: &str) -> Option<Alertmanager> {
        let runs = |name: &&str| Command::new(name).arg("--version").output().is_ok();
        let Some(program) = NAMES.into_iter().find(runs) else {
            let required = std::env::var_os("EVENKEEL_REQUIRE_ALERTMANAGER").is_some();
            assert!(!required, "there is no Alertmanager on the PATH");
            println!("skipped: there is no Alertmanager on the PATH");
            return None;
        };
        let folder = TempDir::new().unwrap();
        let config = json!({
            "global": {"resolve_timeout": "10m"},
            "route": {
                "receiver": "hook", "group_by": ["..."], "group_wait": "100ms",
                "group_interval": "400ms", "repeat_interval": "4h",
            },
            "receivers": [{"name": "hook", "webhook_configs": [
                {"url": format!("{hook}/behind"), "send_resolved": true}
            ]}],
        });
        // JSON is YAML.
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, config.to_string()).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let process = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let this = Alertmanager {
            process,
            address: format!("http://{address}"),
            _folder: folder,
        };
        this.wait_until_ready().await;
        Some(this)
    }

    async fn wait_until_ready(&self) {
        let ready = async {
            while self.get("/-/ready").await.is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.expect("ready");
    }

    async fn get(&self, path: &str) -> Option<String> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let reply = client.get(format!("{}{path}", self.address)).send().await;
        let reply = reply.ok()?.error_for_status().ok()?;
        reply.text().await.ok()
    }

    /// The alerts that it holds for active.
    async fn active(&self) -> Vec<Value> {
        let text = self.get("/api/v2/alerts").await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// A clock that can be put forward. It starts in the past, so that the Alertmanager never sees a
/// time to come as the end of anything.
#[derive(Clone)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn now(&self) -> Timestamp {
        let ahead = Duration::from_secs(self.0.load(Ordering::SeqCst));
        Timestamp::now() - Duration::from_secs(120) + ahead
    }
}

fn desk(store: &Arc<SqliteJournal>, clock: &Clock, alerts: &[Document<AlertSpec>]) -> Desk {
    let clock = clock.clone();
    let desk = Desk::start(Ports {
        store: Arc::clone(store) as Arc<dyn Store>,
        courier: Courier::new(Arc::new(LivePost::new().unwrap()), Secrets::default()),
        now: Arc::new(move || clock.now()),
        jitter: Arc::new(|| 0.5),
    });
    let desk = desk.unwrap();
    let objects = BTreeSet::from([check("load")]);
    desk.handle().declare(alerts.to_vec(), objects);
    desk
}

fn at(path: &str, got: &[Got]) -> Vec<Value> {
    let here = got.iter().filter(|got| got.path == path);
    here.map(|got| got.body.clone()).collect()
}

/// The status of each notification of the Alertmanager, with the status of each alert in it.
fn notified(got: &[Got]) -> Vec<String> {
    let of = |body: &Value| {
        let alerts = body["alerts"].as_array().unwrap();
        let alerts: Vec<_> = alerts.iter().map(|a| a["status"].as_str()).collect();
        format!("{} {alerts:?}", body["status"].as_str().unwrap())
    };
    at("/behind", got).iter().map(of).collect()
}

fn events(got: &[Got]) -> Vec<String> {
    let of = |body: &Value| body["event"].as_str().unwrap().to_owned();
    at("/plain", got).iter().map(of).collect()
}

fn ill(clock: &Clock) -> Trouble {
    Trouble {
        since: clock.now(),
        ..failing()
    }
}

#[tokio::test]
async fn a_real_alertmanager_and_a_webhook_hear_of_an_episode_once() {
    let hook = Receiver::start().await;
    let Some(alertmanager) = Alertmanager::start(&hook.address).await else {
        return;
    };
    let to = |kind, url: String| Provider {
        url: Some(url),
        ..provider(kind)
    };
    let alerts = [
        alert(
            "am",
            to(ProviderKind::Alertmanager, alertmanager.address.clone()),
        ),
        alert(
            "plain",
            to(ProviderKind::Webhook, format!("{}/plain", hook.address)),
        ),
    ];
    let store = Arc::new(SqliteJournal::in_memory().unwrap());
    let clock = Clock(Arc::default());
    let trouble = ill(&clock);

    let first = desk(&store, &clock, &alerts);
    first
        .handle()
        .report(check("load"), sight(&[trouble.clone()]));
    hook.wait(|got| notified(got).len() == 1 && events(got).len() == 1)
        .await;
    let active = alertmanager.active().await;
    assert_eq!(active.len(), 1, "{active:?}");
    assert_eq!(active[0]["labels"]["alertname"], "ExpectationsMissed");
    assert_eq!(active[0]["labels"]["name"], "load");
    assert_eq!(active[0]["status"]["state"], "active");
    let ends = active[0]["endsAt"].clone();

    // It is told again that it goes on, and tells nobody.
    clock.0.fetch_add(61, Ordering::SeqCst);
    first
        .handle()
        .report(check("load"), sight(&[trouble.clone()]));
    let refreshed = async {
        while alertmanager.active().await[0]["endsAt"] == ends {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refreshed).await.unwrap();
    first.close(Duration::from_secs(5)).await;

    // So does another process.
    let second = desk(&store, &clock, &alerts);
    second.handle().report(check("load"), sight(&[trouble]));
    tokio::time::sleep(QUIET).await;
    assert_eq!(notified(&hook.got()), ["firing [Some(\"firing\")]"]);
    assert_eq!(events(&hook.got()), ["firing"]);

    second.handle().report(check("load"), Sight::well());
    hook.wait(|got| notified(got).len() == 2 && events(got).len() == 2)
        .await;
    assert!(alertmanager.active().await.is_empty());
    tokio::time::sleep(QUIET).await;
    let got = hook.got();
    assert_eq!(
        notified(&got),
        ["firing [Some(\"firing\")]", "resolved [Some(\"resolved\")]"]
    );
    assert_eq!(events(&got), ["firing", "resolved"]);

    // The same trouble again is another episode.
    second.handle().report(check("load"), sight(&[ill(&clock)]));
    let got = hook
        .wait(|got| notified(got).len() == 3 && events(got).len() == 3)
        .await;
    let episode = |n: usize| at("/plain", &got)[n]["episode"].clone();
    assert_eq!(episode(0), episode(1));
    assert_ne!(episode(1), episode(2));
    second.close(Duration::from_secs(5)).await;
}
