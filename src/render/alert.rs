//! What a receiver answered to a test message.

use super::style::{GOOD, NAME, paint};
use crate::api::alert::Provider;
use std::fmt::Write as _;

/// The service and where its address or key stands: `slack (environment variable SLACK_WEBHOOK)`.
#[must_use]
pub fn receiver(provider: &Provider) -> String {
    let place = match (&provider.url, &provider.secret_ref) {
        (Some(url), _) => url.clone(),
        (None, Some(reference)) => reference.to_string(),
        (None, None) => return provider.kind.as_str().to_owned(),
    };
    format!("{} ({place})", provider.kind.as_str())
}

/// The receiver took it.
#[must_use]
pub fn sent(alert: &str, provider: &Provider, status: u16, reply: &str) -> String {
    let mut text = format!(
        "{} a test message of Alert {} to {}\n",
        paint(GOOD, "sent"),
        paint(NAME, alert),
        receiver(provider)
    );
    let reply = if reply.is_empty() {
        "with nothing more"
    } else {
        reply
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "it answered {status}: {reply}");
    text
}
