//! PagerDuty, Events API v2
//! (<https://github.com/PagerDuty/api-schema/blob/main/reference/events-v2/openapiv3.json>).

use super::secret::Secret;
use crate::core::alert::{Event, Exchange, Message, Notice, words};
use serde_json::{Value, json};

/// Where accounts of the United States region post; those of Europe give `url`.
pub(super) const ADDRESS: &str = "https://events.pagerduty.com/v2/enqueue";
/// Longest summary, in characters.
const SUMMARY_LIMIT: usize = 1024;

pub(super) fn body(exchange: &Exchange, routing_key: &Secret) -> Option<Value> {
    let Message::Notices(notices) = &exchange.message else {
        return None;
    };
    let notice = notices.first()?;
    let resolve = notice.event == Event::Resolved;
    let mut event = json!({
        "routing_key": routing_key.expose(),
        "event_action": if resolve { "resolve" } else { "trigger" },
        "dedup_key": notice.episode.id,
    });
    if !resolve {
        event["client"] = "evenkeel".into();
        event["payload"] = payload(exchange, notice);
        if let Some(link) = &notice.episode.trouble.link {
            event["links"] = json!([{"href": link, "text": notice.episode.object.to_string()}]);
        }
    }
    Some(event)
}

fn payload(exchange: &Exchange, notice: &Notice) -> Value {
    let episode = &notice.episode;
    let trouble = &episode.trouble;
    let summary = format!("{}: {}", words::title(notice), words::body(notice));
    json!({
        "summary": summary.chars().take(SUMMARY_LIMIT).collect::<String>(),
        "source": episode.object.to_string(),
        "severity": trouble.topic.severity,
        "timestamp": trouble.since,
        "component": trouble.component,
        "group": exchange.alert,
        "class": trouble.topic.reason,
        "custom_details": {
            "message": words::body(notice),
            "remediation": trouble.remediation,
            "escalation": trouble.escalation,
            "digest": trouble.topic.digest,
        },
    })
}
