//! Slack, incoming webhooks
//! (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).

use crate::api::AlertSeverity;
use crate::core::alert::{Digest, Event, Exchange, Message, Notice, words};
use serde_json::{Value, json};

/// Slack's limit for the text of a section is 3000 characters.
const SECTION_LIMIT: usize = 2900;
/// Slack's limit for a field of a section is 2000 characters.
const FIELD_LIMIT: usize = 1900;
/// What a status update shows of a message, in characters.
const LINE_LIMIT: usize = 160;

pub(super) fn body(exchange: &Exchange) -> Option<Value> {
    let (text, blocks) = match &exchange.message {
        Message::Notices(notices) => message(&exchange.alert, notices.first()?),
        Message::Digest(digest) => update(&exchange.alert, digest),
    };
    let mut body = json!({"text": escape(&text, SECTION_LIMIT), "blocks": blocks});
    if let Some(channel) = &exchange.provider.channel {
        body["channel"] = channel.clone().into();
    }
    Some(body)
}

fn message(alert: &str, notice: &Notice) -> (String, Vec<Value>) {
    let episode = &notice.episode;
    let trouble = &episode.trouble;
    let (title, what) = (words::title(notice), words::body(notice));
    let icon = icon(notice.event, trouble.topic.severity);
    let head = format!("{icon} *{}*\n", escape(&title, FIELD_LIMIT));
    let mut blocks = vec![section(&head, &what)];
    let mut fields = vec![
        ("Component", trouble.component.clone()),
        ("Since", format!("{:.0}", trouble.since)),
    ];
    fields.extend(trouble.escalation.clone().map(|text| ("Escalation", text)));
    let field =
        |(name, text): &(&str, String)| mrkdwn(format!("*{name}*\n{}", escape(text, FIELD_LIMIT)));
    let fields: Vec<_> = fields.iter().map(field).collect();
    blocks.push(json!({"type": "section", "fields": fields}));
    if let Some(remediation) = &trouble.remediation
        && notice.event != Event::Resolved
    {
        blocks.push(section("*What to do*\n", remediation));
    }
    let mut foot = format!(
        "Alert {} · episode {}",
        escape(alert, FIELD_LIMIT),
        episode.id
    );
    if let Some(link) = &trouble.link {
        foot = format!("{foot} · <{}|more>", escape(link, FIELD_LIMIT));
    }
    blocks.push(json!({"type": "context", "elements": [mrkdwn(foot)]}));
    (format!("{title}: {what}"), blocks)
}

fn update(alert: &str, digest: &Digest) -> (String, Vec<Value>) {
    let title = words::digest_title(digest);
    let lines: Vec<_> = digest
        .lines
        .iter()
        .map(|line| {
            let message: String = line.message.chars().take(LINE_LIMIT).collect();
            let severity = line.severity.as_str();
            format!("• {severity}: {} {}: {message}", line.object, line.reason)
        })
        .collect();
    let mut text = lines.join("\n");
    let more = digest.firing() - digest.lines.len();
    if more > 0 {
        text = format!("{text}\nand {more} more");
    }
    let head = format!(":clipboard: *{title}*\n");
    let foot = format!(
        "Alert {} · {} resolved since the last update",
        escape(alert, FIELD_LIMIT),
        digest.resolved
    );
    let blocks = vec![
        section(&head, &text),
        json!({"type": "context", "elements": [mrkdwn(foot)]}),
    ];
    (title, blocks)
}

fn icon(event: Event, severity: AlertSeverity) -> &'static str {
    match (event, severity) {
        (Event::Resolved, _) => ":white_check_mark:",
        (Event::Test, _) | (_, AlertSeverity::Info) => ":information_source:",
        (_, AlertSeverity::Warning) => ":warning:",
        (_, AlertSeverity::Critical) => ":rotating_light:",
    }
}

fn section(head: &str, text: &str) -> Value {
    let room = SECTION_LIMIT.saturating_sub(head.chars().count());
    let text = format!("{head}{}", escape(text, room));
    json!({"type": "section", "text": mrkdwn(text)})
}

fn mrkdwn(text: String) -> Value {
    json!({"type": "mrkdwn", "text": text})
}

/// Slack's three control characters written out, cut at `limit` characters: a reason or message
/// must not call people by `<!channel>`.
fn escape(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for letter in text.chars() {
        let mut buffer = [0; 4];
        let written = match letter {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            other => other.encode_utf8(&mut buffer),
        };
        length += written.chars().count();
        if length > limit {
            out.push('…');
            break;
        }
        out.push_str(written);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_by_a_message_and_nothing_is_too_long() {
        assert_eq!(
            escape("<!channel> a & b", 100),
            "&lt;!channel&gt; a &amp; b"
        );
        let cut = escape(&"<".repeat(5000), SECTION_LIMIT);
        assert!(cut.chars().count() <= SECTION_LIMIT + 1 && cut.ends_with("&lt;…"));
    }
}
