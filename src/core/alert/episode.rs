//! One trouble from its beginning to its end, as one Alert tells it.

use super::exchange::Event;
use super::trouble::{Object, Trouble};
use crate::core::decide::later;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One trouble of one object, for one Alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Episode {
    /// Unique for ever: receivers tell episodes apart by it.
    pub id: String,
    /// The [`super::RouteEntry`] it belongs to.
    pub route: String,
    pub object: Object,
    /// As last seen. Only message, remediation, escalation and link follow what goes on.
    pub trouble: Trouble,
    pub opened_at: Timestamp,
    /// The receiver accepted its beginning.
    #[serde(default)]
    pub fired: bool,
    /// When the receiver last heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// Repeats that the receiver accepted.
    #[serde(default)]
    pub repeats: u32,
    /// `None`: it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Episodes that count as part of this one, because nobody could be told of each.
    #[serde(default)]
    pub flaps: u32,
    /// Times that the receiver refused this very message.
    #[serde(skip)]
    pub refused: u32,
    /// Not told before that.
    #[serde(skip)]
    pub not_before: Option<Timestamp>,
}

/// The end of an episode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    pub at: Timestamp,
    pub because: Because,
}

/// Why an episode ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Because {
    /// It is over.
    Over,
    /// The object has another trouble now, of this reason.
    Became(String),
    /// No manifest declares the object any more.
    Removed,
    /// The Alert no longer watches it, or is gone itself.
    Unwatched,
}

impl Episode {
    pub(super) fn new(
        id: String,
        route: String,
        object: Object,
        trouble: Trouble,
        now: Timestamp,
    ) -> Self {
        Episode {
            id,
            route,
            object,
            trouble,
            opened_at: now,
            fired: false,
            told_at: None,
            repeats: 0,
            ended: None,
            flaps: 0,
            refused: 0,
            not_before: None,
        }
    }

    /// What is next to be told of it, and when. `repeat`: time between two repeats; `None`: none.
    #[must_use]
    pub fn turn(&self, repeat: Option<Duration>) -> Option<(Event, Timestamp)> {
        let (event, at) = match &self.ended {
            _ if !self.fired => (Event::Firing, self.opened_at),
            Some(ended) => (Event::Resolved, ended.at),
            None => {
                let told = self.told_at.unwrap_or(self.opened_at);
                (Event::Repeat, later(told, repeat?))
            }
        };
        Some((event, self.not_before.map_or(at, |wait| wait.max(at))))
    }

    pub(super) fn lasts(&self) -> bool {
        self.ended.is_none()
    }

    /// Takes over what may change while it lasts.
    pub(super) fn follow(&mut self, seen: &Trouble) {
        let trouble = &mut self.trouble;
        trouble.message.clone_from(&seen.message);
        trouble.remediation.clone_from(&seen.remediation);
        trouble.escalation.clone_from(&seen.escalation);
        trouble.link.clone_from(&seen.link);
    }
}
