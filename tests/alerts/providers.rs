//! What each receiver gets, to the letter, and what its answers mean.

use crate::receiver::{Got, Receiver};
use crate::support::{after, alert, check, failing, provider, sight, start};
use evenkeel::alert::{Courier, LivePost, Secrets, Undelivered};
use evenkeel::api::alert::{Provider, ProviderKind};
use evenkeel::api::{AlertSeverity, AlertSpec, Document, HumanDuration, SecretRef};
use evenkeel::core::alert::{Book, Exchange, Receipt, Sight};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// A folder with one secret in it.
struct Vault(TempDir);

impl Vault {
    fn holding(text: &str) -> Vault {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("secret"), text).unwrap();
        Vault(folder)
    }

    fn reference(&self) -> Option<SecretRef> {
        Some(SecretRef {
            file: Some(self.0.path().join("secret").display().to_string()),
            ..SecretRef::default()
        })
    }
}

fn courier() -> Courier {
    let post = LivePost::new().unwrap();
    Courier::new(Arc::new(post), Secrets::default())
}

/// A beginning, a repeat, an end and two status updates, each as it goes to this provider.
fn story(alert: &Document<AlertSpec>) -> Vec<Exchange> {
    let mut book = Book::new(Vec::new());
    let alerts = [alert.clone()];
    book.declare(&alerts, BTreeSet::from([check("load")]), start());
    let mut story = Vec::new();
    let mut tell = |book: &mut Book, at| {
        while let Some(exchange) = book.due(at).pop() {
            book.settle(&exchange.route, &Receipt::Accepted, 0.5, at);
            story.push(exchange);
        }
    };
    let mut trouble = failing();
    trouble.topic.digest = "sha256:9f".to_owned();
    trouble.link = Some("https://status.example/checks/load".to_owned());
    book.see(&check("load"), sight(&[trouble]), start());
    tell(&mut book, after(0));
    tell(&mut book, after(3600));
    tell(&mut book, after(7200));
    book.see(&check("load"), Sight::well(), after(7260));
    tell(&mut book, after(7260));
    tell(&mut book, after(14_460));
    story
}

async fn told(receiver: &Receiver, alert: &Document<AlertSpec>) -> Vec<Got> {
    for exchange in story(alert) {
        courier().send(&exchange).await.unwrap();
    }
    receiver.got()
}

fn bodies(got: &[Got]) -> Vec<Value> {
    got.iter().map(|got| got.body.clone()).collect()
}

#[tokio::test]
async fn a_webhook_gets_our_json_with_ids_that_last() {
    let receiver = Receiver::start().await;
    let vault = Vault::holding("very-secret-token\n");
    let mut alert = alert(
        "infra",
        Provider {
            url: Some(format!("{}/hook?team=infra", receiver.address)),
            secret_ref: vault.reference(),
            ..provider(ProviderKind::Webhook)
        },
    );
    alert.spec.digest = Some(HumanDuration(Duration::from_hours(2)));
    let got = told(&receiver, &alert).await;
    let bodies = bodies(&got);
    let episode = bodies[0]["episode"].as_str().unwrap();
    assert_eq!(episode.len(), 16);
    let message = |event: &str, id: &str, title: &str, message: &str| {
        json!({
            "apiVersion": "evenkeel.dev/v1alpha1", "kind": "AlertMessage",
            "id": format!("{episode}-{id}"), "event": event, "alert": "infra", "episode": episode,
            "object": {"kind": "Check", "name": "load"},
            "severity": "critical", "reason": "ExpectationsMissed", "digest": "sha256:9f",
            "component": "vpc_connector", "title": title, "message": message,
            "remediation": "Scale VPC connector instances", "escalation": "infrastructure_team",
            "link": "https://status.example/checks/load",
            "since": "2026-11-23T10:00:00Z", "times": 1,
        })
    };
    let what = "connect.max 7.2s, want < 5s";
    let title = "critical: Check/load ExpectationsMissed";
    assert_eq!(bodies[0], message("firing", "firing", title, what));
    let title = "still critical: Check/load ExpectationsMissed";
    assert_eq!(bodies[1], message("repeat", "repeat-1", title, what));
    assert_eq!(bodies[2], message("repeat", "repeat-2", title, what));
    let title = "resolved: Check/load ExpectationsMissed";
    let mut end = message("resolved", "resolved", title, "over after 2h1m");
    end["endedAt"] = "2026-11-23T12:01:00Z".into();
    assert_eq!(bodies[4], end);
    let update = |n: usize, at: &str, title: &str, firing: u32, resolved: u32, troubles: Value| {
        let id = bodies[n]["id"].as_str().unwrap();
        assert!(id.contains("-digest-"));
        let expected = json!({
            "apiVersion": "evenkeel.dev/v1alpha1", "kind": "AlertDigest", "id": id,
            "event": "digest", "alert": "infra", "at": at,
            "title": title, "firing": firing, "critical": firing, "warning": 0, "info": 0,
            "resolved": resolved, "troubles": troubles,
        });
        assert_eq!(bodies[n], expected);
    };
    let line = json!([{
        "object": {"kind": "Check", "name": "load"}, "severity": "critical",
        "reason": "ExpectationsMissed", "message": what, "since": "2026-11-23T10:00:00Z",
    }]);
    update(
        3,
        "2026-11-23T12:00:00Z",
        "1 firing: 1 critical",
        1,
        0,
        line,
    );
    update(5, "2026-11-23T14:01:00Z", "all quiet", 0, 1, json!([]));
    for got in &got {
        assert_eq!(got.path, "/hook?team=infra");
        assert_eq!(got.headers["content-type"], "application/json");
        assert_eq!(got.headers["idempotency-key"], got.body["id"]);
        assert_eq!(got.headers["authorization"], "Bearer very-secret-token");
    }
}

#[tokio::test]
async fn an_alertmanager_gets_the_same_labels_at_each_post_and_an_end() {
    let receiver = Receiver::start().await;
    let alert = alert(
        "infra",
        Provider {
            url: Some(format!("{}/prefix/", receiver.address)),
            ..provider(ProviderKind::Alertmanager)
        },
    );
    let got = told(&receiver, &alert).await;
    assert_eq!(got[0].path, "/prefix/api/v2/alerts");
    let posted = |summary: &str, description: &str, ends_at: &str| {
        json!([{
            "labels": {
                "alertname": "ExpectationsMissed", "job": "evenkeel", "alert": "infra",
                "kind": "Check", "name": "load", "component": "vpc_connector",
                "severity": "critical", "digest": "sha256:9f",
            },
            "annotations": {
                "summary": summary, "description": description,
                "remediation": "Scale VPC connector instances",
                "escalation": "infrastructure_team",
            },
            "startsAt": "2026-11-23T10:00:00Z",
            "endsAt": ends_at,
            "generatorURL": "https://status.example/checks/load",
        }])
    };
    let what = "connect.max 7.2s, want < 5s";
    let still = "still critical: Check/load ExpectationsMissed";
    let expected = [
        posted(
            "critical: Check/load ExpectationsMissed",
            what,
            "2026-11-23T10:05:00Z",
        ),
        posted(still, what, "2026-11-23T11:05:00Z"),
        posted(still, what, "2026-11-23T12:05:00Z"),
        posted(
            "resolved: Check/load ExpectationsMissed",
            "over after 2h1m",
            "2026-11-23T12:01:00Z",
        ),
    ];
    assert_eq!(bodies(&got), expected);
}

#[tokio::test]
async fn pagerduty_gets_a_trigger_and_a_resolve_with_one_key() {
    let receiver = Receiver::start().await;
    receiver.answers(&[(202, None, r#"{"status": "success"}"#)]);
    let vault = Vault::holding("e93facc04764012d7bfb002500d5d1a6");
    let alert = alert(
        "pager",
        Provider {
            url: Some(format!("{}/v2/enqueue", receiver.address)),
            secret_ref: vault.reference(),
            ..provider(ProviderKind::Pagerduty)
        },
    );
    let got = told(&receiver, &alert).await;
    let bodies = bodies(&got);
    assert_eq!(got[0].path, "/v2/enqueue");
    let key = bodies[0]["dedup_key"].as_str().unwrap();
    assert_eq!(
        bodies[0],
        json!({
            "routing_key": "e93facc04764012d7bfb002500d5d1a6",
            "event_action": "trigger", "dedup_key": key, "client": "evenkeel",
            "payload": {
                "summary": "critical: Check/load ExpectationsMissed: connect.max 7.2s, want < 5s",
                "source": "Check/load", "severity": "critical",
                "timestamp": "2026-11-23T10:00:00Z", "component": "vpc_connector",
                "group": "pager", "class": "ExpectationsMissed",
                "custom_details": {
                    "message": "connect.max 7.2s, want < 5s",
                    "remediation": "Scale VPC connector instances",
                    "escalation": "infrastructure_team", "digest": "sha256:9f",
                },
            },
            "links": [{"href": "https://status.example/checks/load", "text": "Check/load"}],
        })
    );
    assert_eq!(bodies[1]["dedup_key"], key);
    assert_eq!(
        bodies[3],
        json!({
            "routing_key": "e93facc04764012d7bfb002500d5d1a6",
            "event_action": "resolve", "dedup_key": key,
        })
    );
}

#[tokio::test]
async fn slack_gets_text_and_blocks_at_the_secret_address() {
    let receiver = Receiver::start().await;
    let vault = Vault::holding(&format!("{}/services/T0/B0/x1", receiver.address));
    let mut alert = alert(
        "infra",
        Provider {
            url: None,
            channel: Some("#infra".to_owned()),
            secret_ref: vault.reference(),
            ..provider(ProviderKind::Slack)
        },
    );
    alert.spec.digest = Some(HumanDuration(Duration::from_mins(90)));
    let got = told(&receiver, &alert).await;
    let bodies = bodies(&got);
    assert_eq!(got[0].path, "/services/T0/B0/x1");
    let mrkdwn = |text: &str| json!({"type": "mrkdwn", "text": text});
    let section = |text: &str| json!({"type": "section", "text": mrkdwn(text)});
    let fields = json!({"type": "section", "fields": [
        mrkdwn("*Component*\nvpc_connector"),
        mrkdwn("*Since*\n2026-11-23T10:00:00Z"),
        mrkdwn("*Escalation*\ninfrastructure_team"),
    ]});
    let foot = bodies[0]["blocks"][3]["elements"][0]["text"].clone();
    let foot = foot.as_str().unwrap();
    assert!(foot.starts_with("Alert infra · episode "));
    assert!(foot.ends_with(" · <https://status.example/checks/load|more>"));
    let foot = json!({"type": "context", "elements": [mrkdwn(foot)]});
    assert_eq!(
        bodies[0],
        json!({
            "channel": "#infra",
            "text": "critical: Check/load ExpectationsMissed: connect.max 7.2s, want &lt; 5s",
            "blocks": [
                section(
                    ":rotating_light: *critical: Check/load ExpectationsMissed*\n\
                     connect.max 7.2s, want &lt; 5s"
                ),
                fields,
                section("*What to do*\nScale VPC connector instances"),
                foot,
            ],
        })
    );
    let update = &bodies[3];
    assert_eq!(update["text"], "1 firing: 1 critical");
    assert_eq!(
        update["blocks"][0],
        section(
            ":clipboard: *1 firing: 1 critical*\n\
             • critical: Check/load ExpectationsMissed: connect.max 7.2s, want &lt; 5s"
        )
    );
    let resolved = &bodies[4]["blocks"];
    assert_eq!(
        resolved[0],
        section(":white_check_mark: *resolved: Check/load ExpectationsMissed*\nover after 2h1m")
    );
    assert_eq!(resolved.as_array().unwrap().len(), 3, "no remedy");
    assert_eq!(bodies[5]["text"], "all quiet");
}

/// An exchange for a webhook there.
fn firing(url: &str, vault: &Vault) -> Exchange {
    let provider = Provider {
        url: Some(url.to_owned()),
        secret_ref: vault.reference(),
        ..provider(ProviderKind::Webhook)
    };
    story(&alert("infra", provider)).remove(0)
}

#[tokio::test]
async fn what_a_receiver_says_is_shown_on_one_line_without_the_secret() {
    let receiver = Receiver::start().await;
    let vault = Vault::holding("very-secret-token");
    let echo = "no\n\n  such   token: very-secret-token\u{7}";
    receiver.answers(&[(401, None, echo), (429, Some("7"), ""), (302, None, "")]);
    let exchange = firing(&receiver.address, &vault);
    let unauthorized = courier().send(&exchange).await.unwrap_err();
    assert_eq!(
        unauthorized.to_string(),
        "it answered 401: no such token: [secret]"
    );
    let busy = courier().send(&exchange).await.unwrap_err();
    assert_eq!(busy.to_string(), "it answered 429");
    let Undelivered::Answered { retry_after, .. } = busy else {
        panic!("{busy:?}")
    };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
    let moved = courier().send(&exchange).await.unwrap_err();
    assert_eq!(moved.to_string(), "it answered 302");
    assert_eq!(receiver.got().len(), 3);
}

#[tokio::test]
async fn nothing_is_sent_where_the_secret_or_the_address_is_missing() {
    let vault = Vault::holding("not an address: very-secret");
    let mut exchange = firing("http://127.0.0.1:9/", &vault);
    exchange.provider.url = None;
    let error = courier().send(&exchange).await.unwrap_err().to_string();
    assert!(error.ends_with("holds no http or https address"), "{error}");
    assert!(!error.contains("very-secret"));
    exchange.provider.secret_ref = Some(SecretRef {
        env: Some("EVENKEEL_TEST_NOT_SET".to_owned()),
        ..SecretRef::default()
    });
    let error = courier().send(&exchange).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable EVENKEEL_TEST_NOT_SET cannot be read: it is not set"
    );
    let vault = Vault::holding("t");
    let closed = firing("http://127.0.0.1:9/", &vault);
    let error = courier().send(&closed).await.unwrap_err().to_string();
    assert!(error.starts_with("no connection: "), "{error}");
}

#[tokio::test]
async fn the_largest_message_fits_everywhere() {
    let receiver = Receiver::start().await;
    let vault = Vault::holding(&receiver.address);
    for kind in [
        ProviderKind::Slack,
        ProviderKind::Webhook,
        ProviderKind::Alertmanager,
        ProviderKind::Pagerduty,
    ] {
        let mut provider = Provider {
            secret_ref: vault.reference(),
            url: None,
            ..provider(kind)
        };
        if kind == ProviderKind::Pagerduty {
            provider.url = Some(receiver.address.clone());
        }
        let alert = alert("infra", provider);
        let mut book = Book::new(Vec::new());
        book.declare(&[alert], BTreeSet::from([check("load")]), start());
        let mut trouble = failing();
        trouble.message = "<".repeat(1024);
        trouble.remediation = Some("&".repeat(1024));
        trouble.topic.severity = AlertSeverity::Critical;
        book.see(&check("load"), sight(&[trouble]), start());
        let exchange = book.due(start()).remove(0);
        courier().send(&exchange).await.unwrap();
    }
    let got = bodies(&receiver.got());
    for block in got[0]["blocks"].as_array().unwrap() {
        let text = block["text"]["text"].as_str().unwrap_or_default();
        assert!(text.chars().count() <= 3000);
    }
    let summary = got[3]["payload"]["summary"].as_str().unwrap();
    assert_eq!(summary.chars().count(), 1024);
}
