//! What telling leaves in the log. Alone in its file: the log is one per process.

#[path = "alerts/receiver.rs"]
#[allow(dead_code, reason = "shared with tests/alerts.rs")]
mod receiver;
#[path = "alerts/support.rs"]
#[allow(dead_code, reason = "shared with tests/alerts.rs")]
mod support;

use evenkeel::alert::{Courier, Desk, LivePost, Ports, Secrets};
use evenkeel::api::SecretRef;
use evenkeel::api::alert::{Provider, ProviderKind};
use evenkeel::core::alert::Store;
use evenkeel::journal::SqliteJournal;
use receiver::Receiver;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{alert, check, failing, provider, sight};

/// Collects what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_the_log_nor_the_state_file_holds_a_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    // As with -vvv.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    // Each repeats the secret once, and then takes the message.
    let echoing = async |text| {
        let receiver = Receiver::start().await;
        receiver.answers(&[(503, Some("0"), text)]);
        receiver
    };
    let receivers = [
        echoing("there is no /services/canary-path here").await,
        echoing("canary-token is busy").await,
        echoing("canary-key is busy").await,
    ];
    let url = |n: usize| receivers[n].address.clone();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(SecretRef {
            file: Some(path.display().to_string()),
            ..SecretRef::default()
        })
    };
    let slack = Provider {
        url: None,
        secret_ref: write("slack", &format!("{}/services/canary-path", url(0))),
        ..provider(ProviderKind::Slack)
    };
    let hook = Provider {
        url: Some(url(1)),
        secret_ref: write("hook", "canary-token"),
        ..provider(ProviderKind::Webhook)
    };
    let pager = Provider {
        url: Some(url(2)),
        secret_ref: write("pager", "canary-key"),
        ..provider(ProviderKind::Pagerduty)
    };
    let state = folder.path().join("state.db");
    let store = Arc::new(SqliteJournal::open(&state, "live").unwrap());
    let desk = Desk::start(Ports {
        store: Arc::clone(&store) as Arc<dyn Store>,
        courier: Courier::new(Arc::new(LivePost::new().unwrap()), Secrets::default()),
        now: Arc::new(jiff::Timestamp::now),
        jitter: Arc::new(|| 0.0),
    })
    .unwrap();
    let alerts = vec![
        alert("slack", slack),
        alert("hook", hook),
        alert("pager", pager),
    ];
    desk.handle()
        .declare(alerts, BTreeSet::from([check("load")]));
    desk.handle().report(check("load"), sight(&[failing()]));
    for receiver in &receivers {
        receiver.wait(|got| got.len() == 2).await;
    }
    desk.close(Duration::from_secs(5)).await;

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("[secret]").count(), 3, "{log}");
    assert!(!log.contains("canary"), "{log}");
    drop(store);
    let bytes = std::fs::read(&state).unwrap();
    let kept = String::from_utf8_lossy(&bytes);
    assert!(
        kept.contains("ExpectationsMissed"),
        "the journal is read at all"
    );
    assert!(!kept.contains("canary"));
}
