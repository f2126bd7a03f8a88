//! What goes to a receiver in one call, and what came of it.

use super::episode::Episode;
use super::route::{RouteEntry, short};
use super::trouble::{Object, Topic, Trouble};
use crate::api::alert::Provider;
use crate::api::{AlertSeverity, AlertSpec, Document, DocumentKind};
use jiff::Timestamp;
use serde_json::json;
use std::time::Duration;

/// One call to a receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// For [`super::Book::settle`].
    pub route: String,
    /// `metadata.name` of the Alert.
    pub alert: String,
    pub provider: Provider,
    pub message: Message,
    /// When the call was decided on.
    pub at: Timestamp,
}

impl Exchange {
    /// A message that says that nothing is wrong.
    #[must_use]
    pub fn test(alert: &Document<AlertSpec>, now: Timestamp) -> Self {
        let (name, provider) = (&alert.name, &alert.spec.provider);
        let route = RouteEntry::id_of(name, provider);
        let topic = Topic {
            reason: "Test".to_owned(),
            digest: String::new(),
            severity: AlertSeverity::Info,
        };
        let trouble = Trouble {
            topic,
            component: "evenkeel".to_owned(),
            message: format!("a test message through Alert {name}; nothing is wrong"),
            remediation: None,
            escalation: None,
            link: None,
            since: now,
            grace: Duration::ZERO,
        };
        let id = short(&json!({"test": route, "at": now.to_string()}));
        let object = Object::new(DocumentKind::Alert, name);
        let episode = Episode::new(id, route.clone(), object, trouble, now);
        Exchange {
            route,
            alert: name.clone(),
            provider: provider.clone(),
            message: Message::Notices(vec![Notice::of(&episode, Event::Test)]),
            at: now,
        }
    }
}

/// What a call says.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// One; for an Alertmanager several.
    Notices(Vec<Notice>),
    Digest(Digest),
}

/// One message about one episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The same for every attempt at this message, and for no other message.
    pub id: String,
    pub event: Event,
    pub episode: Episode,
}

impl Notice {
    #[must_use]
    pub fn of(episode: &Episode, event: Event) -> Self {
        let id = match event {
            Event::Repeat => format!("{}-repeat-{}", episode.id, episode.repeats + 1),
            Event::Firing | Event::Resolved | Event::Test => {
                format!("{}-{}", episode.id, event.as_str())
            }
        };
        Notice {
            id,
            event,
            episode: episode.clone(),
        }
    }
}

/// What a message says of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// It began.
    Firing,
    /// It is over.
    Resolved,
    /// It goes on.
    Repeat,
    /// Nothing is wrong: `evenkeel alert test`.
    Test,
}

impl Event {
    /// The word in payloads.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Firing => "firing",
            Event::Resolved => "resolved",
            Event::Repeat => "repeat",
            Event::Test => "test",
        }
    }
}

/// A status update.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// The same for every attempt.
    pub id: String,
    pub critical: usize,
    pub warning: usize,
    pub info: usize,
    /// Episodes that ended since the last update.
    pub resolved: u32,
    /// The worst and oldest, at most [`super::DIGEST_LIMIT`].
    pub lines: Vec<DigestLine>,
}

impl Digest {
    /// Troubles that go on.
    #[must_use]
    pub fn firing(&self) -> usize {
        self.critical + self.warning + self.info
    }
}

/// One trouble that goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct DigestLine {
    pub object: Object,
    pub reason: String,
    pub severity: AlertSeverity,
    pub message: String,
    pub since: Timestamp,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// The receiver has it: a 2xx.
    Accepted,
    /// The receiver works and does not take this message.
    Refused(String),
    /// The receiver was not reached or takes nothing now. It may have the message.
    Failed {
        why: String,
        /// Not again before that much time has passed.
        asked: Option<Duration>,
    },
}
