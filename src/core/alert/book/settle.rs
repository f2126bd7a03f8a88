//! What came of a call.

use super::Book;
use crate::api::alert::ProviderKind;
use crate::core::alert::exchange::{Event, Receipt};
use crate::core::alert::route::{Item, Ledger, Route};
use crate::core::alert::store::Entry;
use crate::core::alert::trouble::{Object, Topic};
use crate::core::backoff;
use crate::core::decide::later;
use jiff::Timestamp;
use std::time::Duration;

/// A message that was refused is tried again this much later: somebody must mend something first.
const AFTER_REFUSAL: Duration = Duration::from_mins(5);

/// How the way to a receiver changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// As before.
    Same,
    /// The first call that did not get through.
    Down,
    /// The first one again that did.
    Up,
}

/// How an Alert gets on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// `metadata.name`.
    pub alert: String,
    /// Troubles that go on.
    pub firing: usize,
    /// Beginnings and ends that the receiver does not have yet.
    pub untold: usize,
    /// Since when no call gets through, and why the last one did not.
    pub failing: Option<(Timestamp, String)>,
}

impl Book {
    /// Takes in what came of a call of [`Book::due`]. `jitter` is drawn from `0.0..1.0`.
    pub fn settle(&mut self, route: &str, receipt: &Receipt, jitter: f64, now: Timestamp) -> Link {
        let Some(route) = self.routes.get_mut(route) else {
            return Link::Same;
        };
        let Some(items) = route.busy.take() else {
            return Link::Same;
        };
        let was_down = route.entry.failing.is_some();
        match receipt {
            Receipt::Accepted => route.accepted(&items, now, &mut self.ledger),
            Receipt::Refused(_) => route.refused(&items, jitter, now, &mut self.ledger),
            Receipt::Failed { why, asked } => {
                route.failed(why, *asked, jitter, now, &mut self.ledger);
            }
        }
        match (was_down, route.entry.failing.is_some()) {
            (false, true) => Link::Down,
            (true, false) => Link::Up,
            _ => Link::Same,
        }
    }

    /// How each Alert gets on.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        let of = |route: &Route| Health {
            alert: route.entry.alert.clone(),
            firing: route.episodes().filter(|episode| episode.lasts()).count(),
            untold: route
                .episodes()
                .map(|episode| usize::from(!episode.fired) + usize::from(!episode.lasts()))
                .sum(),
            failing: route.entry.failing.clone(),
        };
        self.routes.values().map(of).collect()
    }
}

impl Route {
    fn reached(&mut self, now: Timestamp, ledger: &mut Ledger) {
        self.failures = 0;
        self.not_before = None;
        let was_down = self.entry.failing.take().is_some();
        // Written down where it is news, and not with every call.
        if was_down || self.entry.reached_at.is_none() {
            self.entry.reached_at = Some(now);
            ledger.put(Entry::Route(self.entry.clone()));
        }
    }

    fn accepted(&mut self, items: &[Item], now: Timestamp, ledger: &mut Ledger) {
        self.reached(now, ledger);
        for item in items {
            match item {
                Item::Told {
                    object,
                    topic,
                    event,
                } => self.told(object, topic, *event, now, ledger),
                Item::Digest => {
                    self.digest_not_before = None;
                    self.entry.digest_at = now;
                    self.entry.resolved = 0;
                    ledger.put(Entry::Route(self.entry.clone()));
                }
            }
        }
    }

    fn told(
        &mut self,
        object: &Object,
        topic: &Topic,
        event: Event,
        now: Timestamp,
        ledger: &mut Ledger,
    ) {
        let refreshes = self.entry.provider.kind == ProviderKind::Alertmanager;
        let Some(episode) = self.front(object, topic) else {
            return;
        };
        episode.told_at = Some(now);
        episode.refused = 0;
        episode.not_before = None;
        match event {
            Event::Firing => {
                episode.fired = true;
                ledger.put(Entry::Episode(episode.clone()));
            }
            Event::Repeat => {
                episode.repeats += 1;
                // An Alertmanager is told every minute: nothing is lost when that is forgotten.
                if !refreshes {
                    ledger.put(Entry::Episode(episode.clone()));
                }
            }
            Event::Resolved => {
                self.pop(object, topic, ledger);
                if self.spec.as_ref().is_some_and(|spec| spec.digest.is_some()) {
                    self.entry.resolved += 1;
                    ledger.put(Entry::Route(self.entry.clone()));
                }
            }
            Event::Test => {}
        }
    }

    fn refused(&mut self, items: &[Item], jitter: f64, now: Timestamp, ledger: &mut Ledger) {
        self.reached(now, ledger);
        let wait = AFTER_REFUSAL.mul_f64(1.0 + jitter.clamp(0.0, 1.0));
        // Which of several it was is not known: they go one by one, at once.
        let not_before = (items.len() == 1).then(|| later(now, wait));
        for item in items {
            match item {
                Item::Told { object, topic, .. } => {
                    if let Some(episode) = self.front(object, topic) {
                        episode.refused += 1;
                        episode.not_before = not_before;
                    }
                }
                Item::Digest => self.digest_not_before = not_before,
            }
        }
    }

    fn failed(
        &mut self,
        why: &str,
        asked: Option<Duration>,
        jitter: f64,
        now: Timestamp,
        ledger: &mut Ledger,
    ) {
        self.failures = self.failures.saturating_add(1);
        let known = self.entry.failing.take();
        let since = known.as_ref().map_or(now, |(since, _)| *since);
        let failing = Some((since, why.to_owned()));
        let news = failing != known;
        self.entry.failing = failing;
        if news {
            ledger.put(Entry::Route(self.entry.clone()));
        }
        let wait = backoff::delay(self.failures, jitter, asked);
        self.not_before = Some(later(now, wait));
    }
}
