//! What people read, the same at every receiver.

use super::episode::{Because, Episode};
use super::exchange::{Digest, Event, Notice};
use crate::api::HumanDuration;
use crate::core::conditions::bounded;
use jiff::Timestamp;
use std::time::Duration;

/// One line: `critical: Check/connector-load ExpectationsMissed`.
#[must_use]
pub fn title(notice: &Notice) -> String {
    let episode = &notice.episode;
    let topic = &episode.trouble.topic;
    let what = format!("{} {}", episode.object, topic.reason);
    let severity = topic.severity.as_str();
    match notice.event {
        Event::Firing => format!("{severity}: {what}"),
        Event::Repeat => format!("still {severity}: {what}"),
        Event::Resolved => format!("resolved: {what}"),
        Event::Test => format!("test: {what}"),
    }
}

/// What is wrong, or how it ended.
#[must_use]
pub fn body(notice: &Notice) -> String {
    let episode = &notice.episode;
    let mut text = match (&notice.event, ending(episode)) {
        (Event::Resolved, Some(ending)) => ending,
        _ => episode.trouble.message.clone(),
    };
    if episode.flaps > 0 {
        let times = episode.flaps + 1;
        text = format!("came and went {times} times; {text}");
    }
    bounded(text)
}

/// Why and after how long an episode ended; `None` while it lasts.
#[must_use]
pub fn ending(episode: &Episode) -> Option<String> {
    let ended = episode.ended.as_ref()?;
    let object = &episode.object;
    let lasted = duration(episode.trouble.since, ended.at);
    Some(match &ended.because {
        Because::Over => format!("over after {lasted}"),
        Because::Became(reason) => format!("after {lasted} it became {reason}"),
        Because::Removed => {
            format!("closed after {lasted}: {object} is no longer in the manifests")
        }
        Because::Unwatched => {
            format!("closed after {lasted}: no longer watched by this Alert")
        }
    })
}

/// One line: `2 firing: 1 critical, 1 warning`.
#[must_use]
pub fn digest_title(digest: &Digest) -> String {
    let counts = [
        (digest.critical, "critical"),
        (digest.warning, "warning"),
        (digest.info, "info"),
    ];
    let counts: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match digest.firing() {
        0 => "all quiet".to_owned(),
        firing => format!("{firing} firing: {}", counts.join(", ")),
    }
}

/// Whole seconds below a minute, whole minutes from there on.
#[must_use]
pub fn duration(from: Timestamp, to: Timestamp) -> String {
    let seconds = u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0);
    let shown = if seconds < 60 {
        seconds
    } else {
        seconds / 60 * 60
    };
    HumanDuration(Duration::from_secs(shown)).to_string()
}
