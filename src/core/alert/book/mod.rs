//! The book of episodes: what each Alert was told, and is still to be told.
//!
//! What is seen goes in by [`Book::declare`] and [`Book::see`], calls come out by [`Book::due`],
//! what came of them goes back in by [`Book::settle`]. [`Book::changes`] must be saved before a
//! call is made.

mod due;
mod settle;

pub use settle::{Health, Link};

use super::episode::Because;
use super::route::{Ledger, Route, RouteEntry};
use super::store::{Change, Entry};
use super::trouble::{Object, Sight, Topic, Trouble};
use crate::api::{AlertSpec, Document};
use crate::core::decide::later;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Every route, with its episodes, and the objects they are about.
#[derive(Debug, Default)]
pub struct Book {
    routes: BTreeMap<String, Route>,
    /// The declared objects.
    objects: BTreeMap<Object, Seen>,
    /// When a trouble will have lasted long enough.
    ripening: BTreeSet<(Timestamp, Object)>,
    ledger: Ledger,
}

/// What is known of a declared object.
#[derive(Debug, Default)]
struct Seen {
    /// `None`: nobody has judged it yet.
    sight: Option<Sight>,
    /// When each of its troubles was first seen.
    first: BTreeMap<Topic, Timestamp>,
}

impl Seen {
    fn take(&mut self, sight: Sight, now: Timestamp) {
        let topics = sight.troubles.iter().map(|trouble| &trouble.topic);
        let first = topics.map(|topic| (topic.clone(), *self.first.get(topic).unwrap_or(&now)));
        self.first = first.collect();
        self.sight = Some(sight);
    }

    /// When people are told of a trouble.
    fn ripens(&self, trouble: &Trouble, now: Timestamp) -> Timestamp {
        later(self.since(trouble, now), trouble.grace)
    }

    /// A trouble that must last counts from when it was seen: the condition behind it may have
    /// been as it is for longer, for another reason.
    fn since(&self, trouble: &Trouble, now: Timestamp) -> Timestamp {
        if trouble.grace.is_zero() {
            return trouble.since;
        }
        let first = self.first.get(&trouble.topic);
        first.map_or(now, |first| trouble.since.max(*first))
    }
}

impl Book {
    /// A book that goes on from what was saved.
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut book = Book::default();
        let mut episodes = Vec::new();
        for entry in entries {
            match entry {
                Entry::Route(entry) => {
                    book.routes.insert(entry.id.clone(), Route::new(entry));
                }
                Entry::Episode(episode) => episodes.push(episode),
            }
        }
        // Of one topic, one by one in their order; the open one is the last.
        episodes.sort_by_key(|episode| (episode.opened_at, !episode.fired, episode.lasts()));
        for episode in episodes {
            let Some(route) = book.routes.get_mut(&episode.route) else {
                // Nobody to tell: routes are saved before their episodes.
                book.ledger.drop(&episode.id);
                continue;
            };
            let queues = route.queues.entry(episode.object.clone()).or_default();
            let queue = queues.entry(episode.trouble.topic.clone()).or_default();
            queue.push_back(episode);
        }
        book
    }

    /// The manifests as they are now: every Alert, and every object that may have troubles. What
    /// is not among them ends.
    pub fn declare(
        &mut self,
        alerts: &[Document<AlertSpec>],
        objects: BTreeSet<Object>,
        now: Timestamp,
    ) {
        self.declare_routes(alerts, now);
        let gone: Vec<_> = self
            .objects_told_of()
            .difference(&objects)
            .cloned()
            .collect();
        for object in gone {
            for route in self.routes.values_mut() {
                let because = |_: &Topic| Some(Because::Removed);
                route.end(&object, now, &mut self.ledger, because);
            }
        }
        self.objects.retain(|object, _| objects.contains(object));
        for object in objects {
            self.objects.entry(object.clone()).or_default();
            self.weigh(&object, now);
        }
    }

    fn declare_routes(&mut self, alerts: &[Document<AlertSpec>], now: Timestamp) {
        let mut declared = BTreeMap::new();
        for alert in alerts {
            let id = RouteEntry::id_of(&alert.name, &alert.spec.provider);
            declared.insert(id, alert);
        }
        for (id, alert) in &declared {
            let route = self.routes.entry(id.clone()).or_insert_with(|| {
                let entry = RouteEntry::new(&alert.name, &alert.spec.provider, now);
                self.ledger.put(Entry::Route(entry.clone()));
                Route::new(entry)
            });
            if route.entry.left_at.take().is_some() {
                self.ledger.put(Entry::Route(route.entry.clone()));
            }
            route.spec = Some(alert.spec.clone());
        }
        for (id, route) in &mut self.routes {
            if !declared.contains_key(id) && route.entry.left_at.is_none() {
                route.spec = None;
                route.entry.left_at = Some(now);
                self.ledger.put(Entry::Route(route.entry.clone()));
                route.end_all(now, &Because::Unwatched, &mut self.ledger);
            }
        }
    }

    fn objects_told_of(&self) -> BTreeSet<Object> {
        let told = self.routes.values().flat_map(|route| route.queues.keys());
        told.chain(self.objects.keys()).cloned().collect()
    }

    /// What is wrong with an object now. Nothing comes of an object that is not declared.
    pub fn see(&mut self, object: &Object, sight: Sight, now: Timestamp) {
        let Some(seen) = self.objects.get_mut(object) else {
            return;
        };
        seen.take(sight, now);
        self.weigh(object, now);
    }

    fn weigh(&mut self, object: &Object, now: Timestamp) {
        let Some(seen) = self.objects.get(object) else {
            return;
        };
        let ripe = |trouble: &Trouble| {
            let is_ripe = seen.ripens(trouble, now) <= now;
            is_ripe.then(|| seen.since(trouble, now))
        };
        let sight = seen.sight.as_ref();
        for route in self.routes.values_mut() {
            route.weigh(object, sight, ripe, now, &mut self.ledger);
        }
        let troubles = sight.into_iter().flat_map(|sight| &sight.troubles);
        let times = troubles.map(|trouble| seen.ripens(trouble, now));
        if let Some(at) = times.filter(|at| *at > now).min() {
            self.ripening.insert((at, object.clone()));
        }
    }

    /// Weighs again what has lasted long enough by now.
    fn ripen(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.ripening.first()
            && *at <= now
            && let Some((_, object)) = self.ripening.pop_first()
        {
            self.weigh(&object, now);
        }
    }

    /// What changed since the last time, to be saved before any call is made.
    pub fn changes(&mut self) -> Vec<Change> {
        self.ledger.take()
    }

    /// Changes that could not be saved, for the next time.
    pub fn put_back(&mut self, changes: Vec<Change>) {
        self.ledger.put_back(changes);
    }
}
