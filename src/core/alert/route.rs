//! One way for messages to go: an Alert with one provider. Another provider is another route, so
//! that whoever was told of a beginning is told of the end.

use super::episode::{Because, Ended, Episode};
use super::exchange::Event;
use super::store::{Change, Entry};
use super::trouble::{Object, Sight, Topic, Trouble};
use super::{EPISODES_LIMIT, REFRESH};
use crate::api::AlertSeverity;
use crate::api::alert::{AlertSpec, Provider, ProviderKind};
use crate::core::digest::{self, to_value};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What is remembered of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteEntry {
    pub id: String,
    /// `metadata.name` of the Alert.
    pub alert: String,
    /// References to secrets, and no secret.
    pub provider: Provider,
    /// When the last status update was due.
    pub digest_at: Timestamp,
    /// Episodes that ended since then.
    pub resolved: u32,
    /// Since when no manifest declares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// Since when calls get through; `None` before the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached_at: Option<Timestamp>,
    /// Since when none gets through, and why the last one did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<(Timestamp, String)>,
}

impl RouteEntry {
    pub(super) fn new(alert: &str, provider: &Provider, now: Timestamp) -> Self {
        RouteEntry {
            id: RouteEntry::id_of(alert, provider),
            alert: alert.to_owned(),
            provider: provider.clone(),
            digest_at: now,
            resolved: 0,
            left_at: None,
            reached_at: None,
            failing: None,
        }
    }

    pub(super) fn id_of(alert: &str, provider: &Provider) -> String {
        short(&json!({"alert": alert, "provider": to_value(provider)}))
    }
}

/// 16 hex digits of a digest.
pub(super) fn short(value: &serde_json::Value) -> String {
    let digest = digest::of(value);
    let hex = digest.trim_start_matches("sha256:");
    hex.chars().take(16).collect()
}

/// What is in a call that is under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Told {
        object: Object,
        topic: Topic,
        event: Event,
    },
    Digest,
}

/// Entries that changed and were not handed out to be saved yet.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<String, Option<Entry>>);

impl Ledger {
    pub fn put(&mut self, entry: Entry) {
        self.0.insert(entry.id().to_owned(), Some(entry));
    }

    pub fn drop(&mut self, id: &str) {
        self.0.insert(id.to_owned(), None);
    }

    pub fn take(&mut self) -> Vec<Change> {
        let changes = std::mem::take(&mut self.0).into_iter();
        changes.map(|(id, entry)| Change { id, entry }).collect()
    }

    /// Changes that could not be saved; what has changed since then is newer.
    pub fn put_back(&mut self, changes: Vec<Change>) {
        for change in changes {
            self.0.entry(change.id).or_insert(change.entry);
        }
    }
}

/// Oldest first. Only the front one is told of, and it leaves when its end was told, so no later
/// one was ever heard of.
pub(super) type Queue = VecDeque<Episode>;

/// A route and what goes over it.
#[derive(Debug)]
pub(super) struct Route {
    pub entry: RouteEntry,
    /// `None`: no manifest declares it, or none was read yet.
    pub spec: Option<AlertSpec>,
    pub queues: BTreeMap<Object, BTreeMap<Topic, Queue>>,
    /// The call that is under way: one at a time keeps the order, and is all that a receiver which
    /// does not answer ever costs.
    pub busy: Option<Vec<Item>>,
    /// Episodes that this process opened, to tell those of one instant apart.
    opened: u64,
    /// Calls in a row that did not get through.
    pub failures: u32,
    pub not_before: Option<Timestamp>,
    /// The receiver refused the last status update.
    pub digest_not_before: Option<Timestamp>,
}

impl Route {
    pub fn new(entry: RouteEntry) -> Self {
        Route {
            entry,
            spec: None,
            queues: BTreeMap::new(),
            busy: None,
            opened: 0,
            failures: 0,
            not_before: None,
            digest_not_before: None,
        }
    }

    /// Time between two repeats.
    pub fn repeat(&self) -> Option<Duration> {
        match self.entry.provider.kind {
            ProviderKind::Alertmanager => Some(REFRESH),
            _ => self.spec.as_ref().map(|spec| spec.repeat.0),
        }
    }

    pub fn episodes(&self) -> impl Iterator<Item = &Episode> {
        self.queues.values().flat_map(BTreeMap::values).flatten()
    }

    pub fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// Episodes begin and end by what is seen of an object. `sight`: `None` where nothing was seen
    /// yet; `ripe`: whether a trouble has lasted long enough.
    pub fn weigh(
        &mut self,
        object: &Object,
        sight: Option<&Sight>,
        ripe: impl Fn(&Trouble) -> Option<Timestamp>,
        now: Timestamp,
        ledger: &mut Ledger,
    ) {
        let watch = |spec: &&AlertSpec| {
            let mut targets = spec.select.iter();
            targets.any(|target| target.matches(&object.kind, &object.name))
        };
        let Some(spec) = self.spec.as_ref().filter(watch) else {
            self.end(object, now, ledger, |_| Some(Because::Unwatched));
            return;
        };
        let Some(sight) = sight else { return };
        let least = spec.min_severity;
        let news = self.news(object, sight);
        self.end(object, now, ledger, |topic| why(topic, sight, least, news));
        for trouble in &sight.troubles {
            if trouble.topic.severity < least {
                continue;
            }
            if let Some(lasting) = self.lasting(object, &trouble.topic) {
                lasting.follow(trouble);
            } else if let Some(since) = ripe(trouble) {
                let trouble = Trouble {
                    since,
                    ..trouble.clone()
                };
                self.open(object, trouble, now, ledger);
            }
        }
    }

    /// The worst trouble of an object that was not there before.
    fn news<'a>(&self, object: &Object, sight: &'a Sight) -> Option<&'a Topic> {
        let queues = self.queues.get(object);
        let lasts = |topic: &Topic| {
            let last = queues.and_then(|queues| queues.get(topic)?.back());
            last.is_some_and(Episode::lasts)
        };
        let topics = sight.troubles.iter().map(|seen| &seen.topic);
        let fresh = topics.filter(|topic| !lasts(topic));
        fresh.max_by_key(|topic| topic.severity)
    }

    fn lasting(&mut self, object: &Object, topic: &Topic) -> Option<&mut Episode> {
        let last = self.queues.get_mut(object)?.get_mut(topic)?.back_mut()?;
        last.lasts().then_some(last)
    }

    /// Ends what `why` has a reason for.
    pub fn end(
        &mut self,
        object: &Object,
        now: Timestamp,
        ledger: &mut Ledger,
        why: impl Fn(&Topic) -> Option<Because>,
    ) {
        let queues = self.queues.get_mut(object).into_iter().flatten();
        for (topic, queue) in queues {
            let Some(last) = queue.back_mut().filter(|last| last.lasts()) else {
                continue;
            };
            if let Some(because) = why(topic) {
                last.ended = Some(Ended { at: now, because });
                ledger.put(Entry::Episode(last.clone()));
            }
        }
    }

    /// As [`Route::end`], for every object.
    pub fn end_all(&mut self, now: Timestamp, because: &Because, ledger: &mut Ledger) {
        let objects: Vec<_> = self.queues.keys().cloned().collect();
        for object in objects {
            self.end(&object, now, ledger, |_| Some(because.clone()));
        }
    }

    fn open(&mut self, object: &Object, trouble: Trouble, now: Timestamp, ledger: &mut Ledger) {
        let route = self.entry.id.clone();
        let topic = trouble.topic.clone();
        let queues = self.queues.entry(object.clone()).or_default();
        let queue = queues.entry(topic).or_default();
        if queue.len() >= EPISODES_LIMIT
            && let Some(last) = queue.back_mut()
        {
            last.ended = None;
            last.flaps += 1;
            last.follow(&trouble);
            ledger.put(Entry::Episode(last.clone()));
            return;
        }
        self.opened += 1;
        let id = short(&json!({
            "route": route, "object": to_value(object), "topic": to_value(&trouble.topic),
            "at": now.to_string(), "count": self.opened,
        }));
        let episode = Episode::new(id, route, object.clone(), trouble, now);
        ledger.put(Entry::Episode(episode.clone()));
        queue.push_back(episode);
    }

    /// The episode that is told of.
    pub fn front(&mut self, object: &Object, topic: &Topic) -> Option<&mut Episode> {
        self.queues.get_mut(object)?.get_mut(topic)?.front_mut()
    }

    /// The front episode was told to its end.
    pub fn pop(&mut self, object: &Object, topic: &Topic, ledger: &mut Ledger) {
        let Some(queues) = self.queues.get_mut(object) else {
            return;
        };
        if let Some(queue) = queues.get_mut(topic) {
            if let Some(episode) = queue.pop_front() {
                ledger.drop(&episode.id);
            }
            if queue.is_empty() {
                queues.remove(topic);
            }
        }
        if queues.is_empty() {
            self.queues.remove(object);
        }
    }
}

/// Why an episode of this topic ends, if it does.
fn why(
    topic: &Topic,
    sight: &Sight,
    least: AlertSeverity,
    news: Option<&Topic>,
) -> Option<Because> {
    if sight.troubles.iter().any(|seen| seen.topic == *topic) {
        return (topic.severity < least).then_some(Because::Unwatched);
    }
    let became = |news: &Topic| Because::Became(news.reason.clone());
    sight.complete.then(|| news.map_or(Because::Over, became))
}
