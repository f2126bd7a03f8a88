//! Alertmanager, API v2: `POST /api/v2/alerts`
//! (<https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>).
//!
//! It tells alerts apart by their labels alone, and takes one that is not posted again by `endsAt`
//! for over. So labels hold what makes a topic and nothing that changes while it lasts; what
//! changes stands in annotations.

use crate::core::alert::{BELIEVED, Event, Exchange, Message, Notice, words};
use serde_json::{Value, json};
use url::Url;

const PATH: &str = "/api/v2/alerts";

/// The address to post to, from that of the Alertmanager.
pub(super) fn address(mut base: Url) -> Url {
    let path = base.path().trim_end_matches('/').to_owned();
    if !path.ends_with(PATH) {
        base.set_path(&format!("{path}{PATH}"));
    }
    base
}

pub(super) fn body(exchange: &Exchange) -> Option<Value> {
    let Message::Notices(notices) = &exchange.message else {
        return None;
    };
    let alerts = notices.iter().map(|notice| alert(exchange, notice));
    Some(alerts.collect())
}

fn alert(exchange: &Exchange, notice: &Notice) -> Value {
    let episode = &notice.episode;
    let trouble = &episode.trouble;
    let mut labels = json!({
        "alertname": trouble.topic.reason,
        "job": "evenkeel",
        "alert": exchange.alert,
        "kind": episode.object.kind,
        "name": episode.object.name,
        "component": trouble.component,
        "severity": trouble.topic.severity,
    });
    if !trouble.topic.digest.is_empty() {
        labels["digest"] = trouble.topic.digest.clone().into();
    }
    let mut annotations = json!({
        "summary": words::title(notice),
        "description": words::body(notice),
    });
    let optional = [
        ("remediation", &trouble.remediation),
        ("escalation", &trouble.escalation),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            annotations[name] = value.clone().into();
        }
    }
    let ended = episode.ended.as_ref();
    let ends_at = match ended.filter(|_| notice.event == Event::Resolved) {
        // It must not end before it starts.
        Some(ended) => ended.at.max(trouble.since),
        None => exchange.at.checked_add(BELIEVED).unwrap_or(exchange.at),
    };
    let mut alert = json!({
        "labels": labels,
        "annotations": annotations,
        "startsAt": trouble.since,
        "endsAt": ends_at,
    });
    // A link that is none would make it refuse the whole alert.
    let link = trouble.link.as_ref();
    if let Some(link) = link.filter(|link| Url::parse(link).is_ok()) {
        alert["generatorURL"] = link.clone().into();
    }
    alert
}
