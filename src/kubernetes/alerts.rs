//! What alerts were told, in the status of the Alert objects.
//!
//! Invariant: telling people waits for nothing here. What could not be written is written later; a
//! process that ends before that tells again.

use super::calls::ShelfError;
use super::memo::Memo;
use super::shelf::{Save, Shelf};
use super::words::ObjectId;
use crate::api::DocumentKind;
use crate::core::alert::{Change, Entry, Store, StoreError};
use crate::engine::Board;
use crate::source::Set;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// When to try again to write.
const AGAIN: Duration = Duration::from_secs(5);

/// Tells people of a namespace.
pub trait Teller: Send + Sync {
    /// The objects as they are declared now.
    fn declare(&self, set: &Set);
}

/// Makes the teller of a namespace, which goes on from what was told; `None`: nobody is told.
pub type Tellers =
    Arc<dyn Fn(&str, Arc<dyn Store>, Board) -> Option<Box<dyn Teller>> + Send + Sync>;

#[derive(Default)]
struct Known {
    entries: BTreeMap<String, Entry>,
    /// Names of Alerts whose status is behind.
    behind: BTreeSet<String>,
}

/// What the alerts of a namespace were told.
pub struct Told {
    shelf: Arc<Shelf>,
    known: Mutex<Known>,
    wake: Notify,
}

impl Told {
    /// Goes on from the status of the Alerts.
    #[must_use]
    pub fn new(shelf: Arc<Shelf>) -> Self {
        let mut known = Known::default();
        for (id, _) in shelf.objects() {
            if id.kind != DocumentKind::Alert {
                continue;
            }
            if let Some(Ok(memo)) = shelf.recall::<Vec<Entry>>(&id) {
                let entries = memo.record.into_iter();
                known
                    .entries
                    .extend(entries.map(|entry| (entry.id().to_owned(), entry)));
            }
        }
        Told {
            shelf,
            known: Mutex::new(known),
            wake: Notify::new(),
        }
    }

    /// Writes what changed, until it is dropped.
    pub async fn write(self: Arc<Self>) {
        loop {
            self.wake.notified().await;
            while !self.write_once().await {
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    /// False where something is left.
    async fn write_once(&self) -> bool {
        let behind = std::mem::take(&mut self.known().behind);
        let mut done = true;
        for alert in behind {
            if let Err(error) = self.save(&alert).await {
                tracing::warn!(alert, %error, "a restart may tell again what was told");
                self.known().behind.insert(alert);
                done = false;
            }
        }
        done
    }

    async fn save(&self, alert: &str) -> Result<(), ShelfError> {
        let record = self.known().of(alert);
        let memo = Memo {
            record,
            handled: BTreeMap::new(),
        };
        let save = Save {
            report: serde_json::json!({}),
            journal: memo.pack()?,
            spec: String::new(),
            handled: BTreeMap::new(),
        };
        let id = ObjectId::new(DocumentKind::Alert, alert);
        match self.shelf.save(&id, save).await {
            // With the Alert goes what it was told.
            Err(ShelfError::Gone) => Ok(()),
            result => result,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The Alert that an entry belongs to.
    fn alert(&self, entry: &Entry) -> Option<String> {
        match entry {
            Entry::Route(route) => Some(route.alert.clone()),
            Entry::Episode(episode) => match self.entries.get(&episode.route)? {
                Entry::Route(route) => Some(route.alert.clone()),
                Entry::Episode(_) => None,
            },
        }
    }

    fn of(&self, alert: &str) -> Vec<Entry> {
        let own = |entry: &&Entry| self.alert(entry).as_deref() == Some(alert);
        self.entries.values().filter(own).cloned().collect()
    }
}

impl Store for Told {
    fn recall(&self) -> Result<Vec<Entry>, StoreError> {
        Ok(self.known().entries.values().cloned().collect())
    }

    fn remember(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut known = self.known();
        // Routes first: episodes belong to an Alert by theirs.
        let is_route = |change: &&Change| !matches!(change.entry, Some(Entry::Episode(_)));
        let (routes, episodes): (Vec<_>, Vec<_>) = changes.iter().partition(is_route);
        for change in routes.into_iter().chain(episodes) {
            let before = known
                .entries
                .get(&change.id)
                .and_then(|entry| known.alert(entry));
            match &change.entry {
                Some(entry) => drop(known.entries.insert(change.id.clone(), entry.clone())),
                None => drop(known.entries.remove(&change.id)),
            }
            let after = change.entry.as_ref().and_then(|entry| known.alert(entry));
            known.behind.extend(before.into_iter().chain(after));
        }
        drop(known);
        self.wake.notify_one();
        Ok(())
    }
}
