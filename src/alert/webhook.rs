//! Our own JSON, for whatever takes it. The form is in `docs/alerts.md`.

use crate::api::API_VERSION;
use crate::core::alert::{Digest, Event, Exchange, Message, Notice, words};
use serde_json::{Value, json};

/// The body, and the id that stays the same in every attempt at it.
pub(super) fn body(exchange: &Exchange) -> Option<(String, Value)> {
    match &exchange.message {
        Message::Notices(notices) => {
            let notice = notices.first()?;
            Some((notice.id.clone(), message(&exchange.alert, notice)))
        }
        Message::Digest(digest) => Some((digest.id.clone(), update(exchange, digest))),
    }
}

fn message(alert: &str, notice: &Notice) -> Value {
    let episode = &notice.episode;
    let trouble = &episode.trouble;
    let mut body = json!({
        "apiVersion": API_VERSION,
        "kind": "AlertMessage",
        "id": notice.id,
        "event": notice.event.as_str(),
        "alert": alert,
        "episode": episode.id,
        "object": episode.object,
        "severity": trouble.topic.severity,
        "reason": trouble.topic.reason,
        "component": trouble.component,
        "title": words::title(notice),
        "message": words::body(notice),
        "since": trouble.since,
        "times": episode.flaps + 1,
    });
    let ended = episode.ended.as_ref();
    let ended = ended.filter(|_| notice.event == Event::Resolved);
    let optional = [
        ("remediation", trouble.remediation.clone()),
        ("escalation", trouble.escalation.clone()),
        ("link", trouble.link.clone()),
        ("endedAt", ended.map(|ended| ended.at.to_string())),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    if !trouble.topic.digest.is_empty() {
        body["digest"] = trouble.topic.digest.clone().into();
    }
    body
}

fn update(exchange: &Exchange, digest: &Digest) -> Value {
    let troubles: Vec<_> = digest
        .lines
        .iter()
        .map(|line| {
            json!({
                "object": line.object, "severity": line.severity, "reason": line.reason,
                "message": line.message, "since": line.since,
            })
        })
        .collect();
    json!({
        "apiVersion": API_VERSION,
        "kind": "AlertDigest",
        "id": digest.id,
        "event": "digest",
        "alert": exchange.alert,
        "at": exchange.at,
        "title": words::digest_title(digest),
        "firing": digest.firing(),
        "critical": digest.critical,
        "warning": digest.warning,
        "info": digest.info,
        "resolved": digest.resolved,
        "troubles": troubles,
    })
}
