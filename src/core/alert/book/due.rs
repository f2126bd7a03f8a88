//! Which calls to make now, and when to look again.

use super::Book;
use crate::api::AlertSeverity;
use crate::api::alert::ProviderKind;
use crate::core::alert::episode::Episode;
use crate::core::alert::exchange::{Digest, DigestLine, Event, Exchange, Message, Notice};
use crate::core::alert::route::{Item, Route};
use crate::core::alert::{BATCH, DIGEST_LIMIT, PATIENCE};
use crate::core::decide::later;
use jiff::Timestamp;
use std::cmp::Reverse;

impl Book {
    /// The calls to make now: at most one for each route, none while one is under way there.
    pub fn due(&mut self, now: Timestamp) -> Vec<Exchange> {
        self.ripen(now);
        self.give_up(now);
        let routes = self.routes.values_mut();
        routes.filter_map(|route| route.due(now)).collect()
    }

    /// When [`Book::due`] will have something, as far as it is known now.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        let ripening = self.ripening.first().map(|(at, _)| *at);
        let routes = self.routes.values().filter_map(Route::next);
        routes.chain(ripening).min()
    }

    /// Lets go of what can no longer be told.
    fn give_up(&mut self, now: Timestamp) {
        let over = |since: Timestamp| later(since, PATIENCE) <= now;
        let ledger = &mut self.ledger;
        self.routes.retain(|id, route| {
            let Some(left) = route.entry.left_at.filter(|_| route.busy.is_none()) else {
                return true;
            };
            if !route.is_empty() && !over(left) {
                return true;
            }
            for episode in route.episodes() {
                ledger.drop(&episode.id);
            }
            ledger.drop(id);
            false
        });
        for route in self
            .routes
            .values_mut()
            .filter(|route| route.busy.is_none())
        {
            let hopeless = |episode: &Episode| {
                let ended = episode.ended.as_ref();
                episode.refused > 0 && ended.is_some_and(|ended| over(ended.at))
            };
            let fronts = route.fronts();
            let gone: Vec<_> = fronts
                .filter(|episode| hopeless(episode))
                .cloned()
                .collect();
            for episode in gone {
                route.pop(&episode.object, &episode.trouble.topic, ledger);
            }
        }
    }
}

impl Route {
    fn due(&mut self, now: Timestamp) -> Option<Exchange> {
        if self.busy.is_some() || self.not_before.is_some_and(|wait| wait > now) {
            return None;
        }
        let (items, message) = self.notices(now).or_else(|| self.digest(now))?;
        self.busy = Some(items);
        Some(Exchange {
            route: self.entry.id.clone(),
            alert: self.entry.alert.clone(),
            provider: self.entry.provider.clone(),
            message,
            at: now,
        })
    }

    fn next(&self) -> Option<Timestamp> {
        if self.busy.is_some() {
            return None;
        }
        let repeat = self.repeat();
        let turns = self.fronts().filter_map(|episode| episode.turn(repeat));
        let next = turns.map(|(_, at)| at).chain(self.digest_due()).min();
        // An Alert that is gone is forgotten once nothing is left to tell.
        let next = next.or(self.entry.left_at)?;
        Some(self.not_before.map_or(next, |wait| wait.max(next)))
    }

    /// The episodes that may be told of: of each topic the oldest.
    pub(super) fn fronts(&self) -> impl Iterator<Item = &Episode> {
        let queues = self.queues.values().flatten();
        queues.filter_map(|(_, queue)| queue.front())
    }

    /// What is due, beginnings and ends first, the worst first, as many as go in one call.
    fn notices(&self, now: Timestamp) -> Option<(Vec<Item>, Message)> {
        let repeat = self.repeat();
        let turn = |episode: &'_ Episode| {
            let (event, at) = episode.turn(repeat)?;
            (at <= now).then_some(event)
        };
        let mut due: Vec<_> = self
            .fronts()
            .filter_map(|episode| Some((turn(episode)?, episode)))
            .collect();
        due.sort_by_key(|(event, episode)| {
            let severity = Reverse(episode.trouble.topic.severity);
            (*event == Event::Repeat, severity, episode.opened_at)
        });
        // A message that was refused goes alone, so that it takes no others with it.
        if due.first()?.1.refused > 0 {
            due.truncate(1);
        } else {
            due.retain(|(_, episode)| episode.refused == 0);
            due.truncate(self.batch());
        }
        let item = |(event, episode): &(Event, &Episode)| Item::Told {
            object: episode.object.clone(),
            topic: episode.trouble.topic.clone(),
            event: *event,
        };
        let notice = |(event, episode): &(Event, &Episode)| Notice::of(episode, *event);
        let notices = due.iter().map(notice).collect();
        Some((due.iter().map(item).collect(), Message::Notices(notices)))
    }

    fn batch(&self) -> usize {
        match self.entry.provider.kind {
            ProviderKind::Alertmanager => BATCH,
            _ => 1,
        }
    }

    fn digest_due(&self) -> Option<Timestamp> {
        let every = self.spec.as_ref()?.digest?;
        let takes = self.entry.provider.kind.takes_digest();
        let due = later(self.entry.digest_at, every.0);
        takes.then(|| self.digest_not_before.map_or(due, |wait| wait.max(due)))
    }

    fn digest(&self, now: Timestamp) -> Option<(Vec<Item>, Message)> {
        self.digest_due().filter(|due| *due <= now)?;
        let mut open: Vec<_> = self.episodes().filter(|episode| episode.lasts()).collect();
        open.sort_by_key(|episode| {
            let trouble = &episode.trouble;
            (Reverse(trouble.topic.severity), trouble.since)
        });
        let count = |severity: AlertSeverity| {
            let of = |episode: &&&Episode| episode.trouble.topic.severity == severity;
            open.iter().filter(of).count()
        };
        let digest = Digest {
            id: format!(
                "{}-digest-{}",
                self.entry.id,
                self.entry.digest_at.as_second()
            ),
            critical: count(AlertSeverity::Critical),
            warning: count(AlertSeverity::Warning),
            info: count(AlertSeverity::Info),
            resolved: self.entry.resolved,
            lines: open.iter().take(DIGEST_LIMIT).map(|e| line(e)).collect(),
        };
        Some((vec![Item::Digest], Message::Digest(digest)))
    }
}

fn line(episode: &Episode) -> DigestLine {
    let trouble = &episode.trouble;
    DigestLine {
        object: episode.object.clone(),
        reason: trouble.topic.reason.clone(),
        severity: trouble.topic.severity,
        message: trouble.message.clone(),
        since: trouble.since,
    }
}
