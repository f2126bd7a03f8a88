//! The journal in the cluster: what is remembered of an object stands in its own status.
//!
//! Invariant: a call to GCP is made only after its intent is in the cluster, written over a memory
//! that is ours. An object that is gone takes its memory along; nothing is begun for it.

use super::calls::ShelfError;
use super::election::Leadership;
use super::events::Herald;
use super::memo::Memo;
use super::requests::{self, Wish};
use super::shelf::{Save, Shelf};
use super::words::{ObjectId, is_leaving};
use super::{requests::Request, revisions};
use crate::api::{DocumentKind, Event, Key, Kind, Subject};
use crate::core::check::CheckRecord;
use crate::core::digest::to_value;
use crate::core::error::Fault;
use crate::core::observed::Operation;
use crate::core::permit::{Durable, Tenure};
use crate::core::phase::PhaseRecord;
use crate::core::record::{Record, Revision};
use crate::core::token::{Ask, Token};
use crate::gcp::clock::Clock;
use crate::journal::{Journal, JournalError};
use async_trait::async_trait;
use jiff::Timestamp;
use kube::api::DynamicObject;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The journal of one namespace.
pub struct ClusterJournal {
    shelf: Arc<Shelf>,
    herald: Herald,
    clock: Arc<dyn Clock>,
    /// None: there is no other operator.
    leadership: Option<Leadership>,
    /// `metadata.name` of what is remembered.
    names: Mutex<HashMap<Key, String>>,
    /// Saved states that people want back, until they were obeyed; `None`: there is none.
    wanted: Mutex<HashMap<String, Option<Ask>>>,
}

impl ClusterJournal {
    /// The journal of the objects on this shelf.
    #[must_use]
    pub fn new(shelf: Arc<Shelf>, herald: Herald, clock: Arc<dyn Clock>) -> Self {
        ClusterJournal {
            shelf,
            herald,
            clock,
            leadership: None,
            names: Mutex::default(),
            wanted: Mutex::default(),
        }
    }

    /// Only as long as this process leads.
    #[must_use]
    pub fn led_by(mut self, leadership: Option<Leadership>) -> Self {
        self.leadership = leadership;
        self
    }

    /// Everything remembered of a kind of record.
    fn recall<R: Kept + DeserializeOwned>(&self) -> Vec<R> {
        let mut all = Vec::new();
        for (id, _) in self.shelf.objects() {
            if !R::stands_in(id.kind) {
                continue;
            }
            match self.shelf.recall::<R>(&id) {
                Some(Ok(memo)) if memo.record.id() == id => {
                    if let Ok(save) = save(&memo) {
                        self.shelf.keep(&id, save);
                    }
                    all.push(memo.record);
                }
                // None, or one that was copied from another object.
                None | Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let namespace = self.shelf.namespace();
                    tracing::error!(namespace, object = %id, %error, "left alone");
                }
            }
        }
        all
    }

    async fn write<R: Kept>(
        &self,
        record: &R,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), ShelfError> {
        let id = record.id();
        let mut all = self.shelf.handled(&id);
        all.extend(handled.iter().filter_map(|id| requests::read(id)));
        let memo = Memo {
            record: record.clone(),
            handled: all,
        };
        self.shelf.save(&id, save(&memo)?).await?;
        for event in events {
            if let Some(about) = self.shelf.reference(&id) {
                self.herald.tell(about, event);
            }
        }
        for id in handled {
            self.wanted().remove(id);
        }
        Ok(())
    }

    /// As [`ClusterJournal::write`]; nobody misses what was remembered of an object that is gone.
    async fn write_on<R: Kept>(
        &self,
        record: &R,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError> {
        match self.write(record, events, handled).await {
            Ok(()) | Err(ShelfError::Gone) => Ok(()),
            Err(error) => Err(self.failed(&record.id(), &error)),
        }
    }

    fn failed(&self, id: &ObjectId, error: &ShelfError) -> JournalError {
        JournalError::Cluster {
            object: format!("{}/{id}", self.shelf.namespace()),
            why: error.to_string(),
        }
    }

    fn names(&self) -> MutexGuard<'_, HashMap<Key, String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self) -> MutexGuard<'_, HashMap<String, Option<Ask>>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn know(&self, record: &Record) {
        self.names().insert(record.key.clone(), record.name.clone());
        if record.released {
            self.shelf.finish(&record.id());
        }
    }

    fn object_of(&self, key: &Key) -> ObjectId {
        let name = self.names().get(key).cloned();
        ObjectId::new(key.kind, &name.unwrap_or_else(|| key.name.clone()))
    }

    async fn ask(&self, id: &ObjectId, about: &Subject, request: &Request) -> Option<Ask> {
        let number = match &request.wish {
            Wish::Ask(ask) => return Some(ask.clone()),
            Wish::Back(number) => *number,
        };
        about.key()?;
        if let Some(known) = self.wanted().get(&request.id) {
            return known.clone();
        }
        let ask = match revisions::get(&self.shelf, id, number).await {
            Ok(Some(revision)) => Some(Ask::Undo {
                to: number,
                fields: revision.fields,
                why: None,
            }),
            Ok(None) => {
                tracing::warn!(object = %id, number, "there is no such saved state to go back to");
                None
            }
            // Asked again.
            Err(_) => return None,
        };
        self.wanted().insert(request.id.clone(), ask.clone());
        ask
    }
}

#[async_trait]
impl Journal for ClusterJournal {
    fn tenure(&self) -> Tenure {
        let Some(leadership) = &self.leadership else {
            return Tenure::Unlimited;
        };
        let left = leadership
            .holds_until()
            .map(|end| end.duration_since(Instant::now()));
        left.map_or(Tenure::Over, |left| {
            Tenure::Until(
                self.clock
                    .now()
                    .saturating_add(left)
                    .unwrap_or(Timestamp::MIN),
            )
        })
    }

    fn load(&self) -> Result<Vec<Record>, JournalError> {
        let records: Vec<Record> = self.recall();
        for record in &records {
            self.know(record);
        }
        Ok(records)
    }

    async fn commit(
        &self,
        record: &Record,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError> {
        self.write_on(record, events, handled).await?;
        self.know(record);
        Ok(())
    }

    async fn begin<'a>(
        &self,
        record: &'a Record,
        revision: Option<&Revision>,
        events: &[Event],
        handled: &[String],
    ) -> Result<Durable<'a>, JournalError> {
        let id = record.id();
        let Some(write) = &record.write else {
            let nothing = ShelfError::Refused("a call without an intent".to_owned());
            return Err(self.failed(&id, &nothing));
        };
        if let Some(revision) = revision {
            let saved = revisions::put(&self.shelf, &id, revision).await;
            saved.map_err(|error| self.failed(&id, &error))?;
        }
        let written = self.write(record, events, handled).await;
        written.map_err(|error| self.failed(&id, &error))?;
        self.know(record);
        Ok(Durable::attest(&write.intent))
    }

    async fn finish(
        &self,
        record: &Record,
        _: &str,
        _: &Result<Operation, Fault>,
        events: &[Event],
    ) -> Result<(), JournalError> {
        self.write_on(record, events, &[]).await
    }

    async fn forget(&self, key: &Key, events: &[Event]) -> Result<(), JournalError> {
        let id = self.object_of(key);
        for event in events {
            if let Some(about) = self.shelf.reference(&id) {
                self.herald.tell(about, event);
            }
        }
        self.names().remove(key);
        self.shelf.finish(&id);
        Ok(())
    }

    async fn revision(&self, key: &Key, number: i64) -> Result<Option<Revision>, JournalError> {
        let id = self.object_of(key);
        let found = revisions::get(&self.shelf, &id, number).await;
        found.map_err(|error| self.failed(&id, &error))
    }

    fn checks(&self) -> Result<Vec<CheckRecord>, JournalError> {
        Ok(self.recall())
    }

    async fn commit_check(
        &self,
        record: &CheckRecord,
        events: &[Event],
    ) -> Result<(), JournalError> {
        self.write_on(record, events, &[]).await
    }

    async fn forget_check(&self, _: &str) -> Result<(), JournalError> {
        // Its memory went with it.
        Ok(())
    }

    fn phases(&self) -> Result<Vec<PhaseRecord>, JournalError> {
        Ok(self.recall())
    }

    async fn commit_phase(
        &self,
        record: &PhaseRecord,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError> {
        self.write_on(record, events, handled).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, JournalError> {
        let mut tokens = Vec::new();
        for (id, object) in self.shelf.objects() {
            let Some(about) = subject(&id, &object) else {
                continue;
            };
            for request in requests::of(&id, &object, &self.shelf.handled(&id)) {
                if let Some(ask) = self.ask(&id, &about, &request).await {
                    tokens.push(Token {
                        id: request.id,
                        about: about.clone(),
                        at: self.clock.now(),
                        ask,
                    });
                }
            }
        }
        Ok(tokens)
    }
}

/// What a request on this object is about; `None` where it can ask for nothing.
fn subject(id: &ObjectId, object: &DynamicObject) -> Option<Subject> {
    if is_leaving(object) {
        return None;
    }
    match id.kind {
        DocumentKind::Managed(kind) => Some(Subject::Resource(key(kind, object)?)),
        DocumentKind::Phase => Some(Subject::Phase(id.name.clone())),
        DocumentKind::Check | DocumentKind::Alert => None,
    }
}

/// The resource that an object declares.
fn key(kind: Kind, object: &DynamicObject) -> Option<Key> {
    let spec = &object.data["spec"];
    let text = |field: &str| spec[field].as_str().map(str::to_owned);
    Some(Key {
        kind,
        project: text("project")?,
        location: text("location")?,
        name: text("resourceName").or_else(|| object.metadata.name.clone())?,
    })
}

fn save<R: Kept>(memo: &Memo<R>) -> Result<Save, ShelfError> {
    Ok(Save {
        report: memo.record.report(),
        journal: memo.pack()?,
        spec: memo.record.spec().to_owned(),
        handled: BTreeMap::clone(&memo.handled),
    })
}

/// What is remembered of an object.
trait Kept: Serialize + Clone + Send + Sync {
    fn stands_in(kind: DocumentKind) -> bool;
    fn id(&self) -> ObjectId;
    fn spec(&self) -> &str;
    fn report(&self) -> serde_json::Value;
}

impl Kept for Record {
    fn stands_in(kind: DocumentKind) -> bool {
        matches!(kind, DocumentKind::Managed(_))
    }

    fn id(&self) -> ObjectId {
        ObjectId::new(self.key.kind, &self.name)
    }

    fn spec(&self) -> &str {
        &self.spec_digest
    }

    fn report(&self) -> serde_json::Value {
        to_value(&self.status)
    }
}

impl Kept for CheckRecord {
    fn stands_in(kind: DocumentKind) -> bool {
        kind == DocumentKind::Check
    }

    fn id(&self) -> ObjectId {
        ObjectId::new(DocumentKind::Check, &self.name)
    }

    fn spec(&self) -> &str {
        &self.spec_digest
    }

    fn report(&self) -> serde_json::Value {
        to_value(&self.status)
    }
}

impl Kept for PhaseRecord {
    fn stands_in(kind: DocumentKind) -> bool {
        kind == DocumentKind::Phase
    }

    fn id(&self) -> ObjectId {
        ObjectId::new(DocumentKind::Phase, &self.name)
    }

    fn spec(&self) -> &str {
        &self.spec_digest
    }

    fn report(&self) -> serde_json::Value {
        to_value(&self.status)
    }
}
