//! The objects of one namespace as last seen, and the one way to write to them.
//!
//! Invariant: a status is written with the resourceVersion that was seen, and only over a memory
//! that is ours. Whoever finds another's memory there has lost, and writes no more.

use super::calls::{ShelfError, is, said, within};
use super::memo::{Memo, MemoError};
use super::status::{Parts, Trouble, compose};
use super::words::{FINALIZER, JOURNAL, MANAGER, ObjectId, is_kept, resource, wants_delete};
use crate::gcp::clock::Clock;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How often a write is tried anew after somebody else changed the object.
const TRIES: usize = 5;

/// What is remembered of an object, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Save {
    /// The readable status.
    pub report: Value,
    pub journal: String,
    /// Digest of the spec that the report is about.
    pub spec: String,
    pub handled: BTreeMap<String, String>,
}

#[derive(Default)]
struct Entry {
    object: Option<Arc<DynamicObject>>,
    kept: Option<Save>,
    /// The memory that the cluster holds, as far as this process knows.
    ours: Option<String>,
    /// One that was sent, and whether it landed is not known.
    pending: Option<String>,
    /// Digest and generation of the specs that were declared last, the newest at the end.
    generations: Vec<(String, i64)>,
    trouble: Option<Trouble>,
    /// The spec that is in force in place of the present one.
    in_force: Option<String>,
    /// Nothing is left to do for an object that leaves.
    done: bool,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The objects of a namespace.
pub struct Shelf {
    namespace: String,
    client: Client,
    clock: Arc<dyn Clock>,
    entries: Mutex<BTreeMap<ObjectId, Entry>>,
    lost: AtomicBool,
    news: Arc<Notify>,
}

impl Shelf {
    /// An empty shelf. `news` is told when somebody should look at it.
    #[must_use]
    pub fn new(namespace: &str, client: Client, clock: Arc<dyn Clock>, news: Arc<Notify>) -> Self {
        Shelf {
            namespace: namespace.to_owned(),
            client,
            clock,
            entries: Mutex::default(),
            lost: AtomicBool::new(false),
            news,
        }
    }

    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<ObjectId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, id: &ObjectId, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.entries().get_mut(id).map(work)
    }

    /// Takes in what a watch or a reply says of an object. What is older than the known is left out.
    pub fn see(&self, id: &ObjectId, mut object: DynamicObject) {
        object.metadata.managed_fields = None;
        let mut entries = self.entries();
        let entry = entries.entry(id.clone()).or_default();
        let is_older = entry.object.as_deref().is_some_and(|known| {
            known.metadata.uid == object.metadata.uid && version(known) > version(&object)
        });
        if !is_older {
            entry.object = Some(Arc::new(object));
        }
    }

    /// The object is no longer there.
    pub fn drop_object(&self, id: &ObjectId) {
        self.entries().remove(id);
    }

    /// Keeps exactly these objects of a kind: what a list found.
    pub fn retain(&self, keep: impl Fn(&ObjectId) -> bool) {
        self.entries().retain(|id, _| keep(id));
    }

    /// Every object, in order.
    #[must_use]
    pub fn objects(&self) -> Vec<(ObjectId, Arc<DynamicObject>)> {
        let entries = self.entries();
        let seen = entries.iter();
        seen.filter_map(|(id, entry)| Some((id.clone(), Arc::clone(entry.object.as_ref()?))))
            .collect()
    }

    /// One object.
    #[must_use]
    pub fn object(&self, id: &ObjectId) -> Option<Arc<DynamicObject>> {
        self.with(id, |entry| entry.object.clone()).flatten()
    }

    /// What the cluster remembers of an object. From now on that memory is ours to write over.
    #[must_use]
    pub fn recall<R: DeserializeOwned>(&self, id: &ObjectId) -> Option<Result<Memo<R>, MemoError>> {
        let text = self.object(id).and_then(|object| journal_of(&object))?;
        let memo = Memo::unpack(&text);
        if memo.is_ok() {
            self.with(id, |entry| entry.ours = Some(text));
        }
        Some(memo)
    }

    /// What was recalled, so that it can be written again with another frame.
    pub fn keep(&self, id: &ObjectId, save: Save) {
        self.with(id, |entry| entry.kept = Some(save));
    }

    /// The requests that were obeyed.
    #[must_use]
    pub fn handled(&self, id: &ObjectId) -> BTreeMap<String, String> {
        let handled = self.with(id, |entry| {
            entry.kept.as_ref().map(|kept| kept.handled.clone())
        });
        handled.flatten().unwrap_or_default()
    }

    /// Which generation of the object has the spec of this digest.
    pub fn declare(&self, id: &ObjectId, spec: &str, generation: i64) {
        self.with(id, |entry| {
            entry.generations.retain(|(known, _)| known != spec);
            entry.generations.push((spec.to_owned(), generation));
            let excess = entry.generations.len().saturating_sub(4);
            entry.generations.drain(..excess);
        });
    }

    /// Nothing is left to do for this object: should it leave, nothing keeps it.
    pub fn finish(&self, id: &ObjectId) {
        if self.with(id, |entry| entry.done = true).is_some() {
            self.news.notify_one();
        }
    }

    /// Whether an object that leaves has to stay a while.
    #[must_use]
    pub fn is_done(&self, id: &ObjectId) -> bool {
        self.with(id, |entry| entry.done || entry.kept.is_none())
            .unwrap_or(true)
    }

    /// An object is declared again.
    pub fn resume(&self, id: &ObjectId) {
        self.with(id, |entry| entry.done = false);
    }

    /// Another operator writes here too.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Forgets what is ours, to read it anew.
    pub fn start_over(&self) {
        for entry in self.entries().values_mut() {
            entry.kept = None;
            entry.ours = None;
            entry.pending = None;
            entry.done = false;
        }
        self.lost.store(false, Ordering::Relaxed);
    }

    /// For events and for what belongs to an object.
    #[must_use]
    pub fn reference(&self, id: &ObjectId) -> Option<ObjectReference> {
        let object = self.object(id)?;
        Some(object.object_ref(&resource(id.kind)))
    }

    /// The owner that keeps what belongs to an object from outliving it.
    #[must_use]
    pub fn owner(&self, id: &ObjectId) -> Option<OwnerReference> {
        let object = self.object(id)?;
        object.controller_owner_ref(&resource(id.kind))
    }

    /// Writes what is remembered of an object; durable when this returns.
    ///
    /// # Errors
    /// Nothing was written, or it is not known whether it was.
    pub async fn save(&self, id: &ObjectId, save: Save) -> Result<(), ShelfError> {
        self.written(id, Some(save)).await
    }

    /// Says why the present spec is not in force, and which is, or that it is. Nothing is written where nothing
    /// changed.
    ///
    /// # Errors
    /// As [`Shelf::save`]; the next write of any kind says it too.
    pub async fn tell(
        &self,
        id: &ObjectId,
        trouble: Option<Trouble>,
        in_force: Option<String>,
    ) -> Result<(), ShelfError> {
        self.with(id, |entry| {
            entry.trouble = trouble;
            entry.in_force = in_force;
        });
        self.written(id, None).await
    }

    async fn written(&self, id: &ObjectId, save: Option<Save>) -> Result<(), ShelfError> {
        let turn = self.with(id, |entry| Arc::clone(&entry.turn));
        let turn = turn.ok_or(ShelfError::Gone)?;
        let _turn = turn.lock().await;
        for _ in 0..TRIES {
            let Some(next) = self.draft(id, save.as_ref())? else {
                break;
            };
            match self.put(id, &next).await {
                Ok(object) => {
                    self.see(id, object);
                    break;
                }
                Err(error) if is(&error, 409) => self.read_again(id).await?,
                Err(error) if is(&error, 404) => {
                    self.drop_object(id);
                    return Err(ShelfError::Gone);
                }
                Err(error) => return Err(said(&error)),
            }
        }
        self.settle(id, save)
    }

    /// The object with its next status; `None` where it has that already.
    fn draft(
        &self,
        id: &ObjectId,
        save: Option<&Save>,
    ) -> Result<Option<DynamicObject>, ShelfError> {
        let mut entries = self.entries();
        let entry = entries.get_mut(id).ok_or(ShelfError::Gone)?;
        let object = entry.object.clone().ok_or(ShelfError::Gone)?;
        let there = journal_of(&object);
        let is_ours = there.is_none() || there == entry.ours || there == entry.pending;
        let base = save.or(entry.kept.as_ref());
        // Whoever remembers nothing leaves what others remember where it is.
        if !is_ours && base.is_some() {
            self.lost.store(true, Ordering::Relaxed);
            self.news.notify_one();
            return Err(ShelfError::Lost);
        }
        if base.is_none() && entry.trouble.is_none() {
            return Ok(None);
        }
        let before = &object.data["status"];
        let generation = base.and_then(|base| {
            let mut known = entry.generations.iter().rev();
            let known = known.find(|(spec, _)| *spec == base.spec).map(|(_, g)| *g);
            known.or_else(|| before["observedGeneration"].as_i64())
        });
        let handled = base.map(|base| base.handled.clone()).unwrap_or_default();
        let status = compose(&Parts {
            report: base.map(|base| &base.report),
            generation,
            journal: base.map(|base| base.journal.as_str()).or(there.as_deref()),
            handled: &handled,
            trouble: entry.trouble.as_ref(),
            in_force: entry.in_force.as_deref(),
            before,
            now: self.clock.now(),
        });
        if status == *before {
            return Ok(None);
        }
        if let Some(save) = save {
            entry.pending = Some(save.journal.clone());
        }
        let mut next = DynamicObject::clone(&object);
        next.types = Some(kube::core::TypeMeta {
            api_version: resource(id.kind).api_version,
            kind: id.kind.as_str().to_owned(),
        });
        next.data["status"] = status;
        Ok(Some(next))
    }

    /// What was written is what is remembered.
    fn settle(&self, id: &ObjectId, save: Option<Save>) -> Result<(), ShelfError> {
        let mut entries = self.entries();
        let entry = entries.get_mut(id).ok_or(ShelfError::Gone)?;
        let Some(save) = save else { return Ok(()) };
        let there = entry.object.as_deref().and_then(journal_of);
        if there.as_ref() != Some(&save.journal) {
            let why = "others keep changing the object; it is tried again".to_owned();
            return Err(ShelfError::Refused(why));
        }
        entry.ours = Some(save.journal.clone());
        entry.pending = None;
        entry.kept = Some(save);
        Ok(())
    }

    fn api(&self, id: &ObjectId) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(id.kind))
    }

    async fn put(&self, id: &ObjectId, next: &DynamicObject) -> Result<DynamicObject, kube::Error> {
        let params = PostParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PostParams::default()
        };
        within(self.api(id).replace_status(&id.name, &params, next)).await
    }

    async fn read_again(&self, id: &ObjectId) -> Result<(), ShelfError> {
        match within(self.api(id).get_opt(&id.name)).await {
            Ok(Some(object)) => {
                self.see(id, object);
                Ok(())
            }
            Ok(None) => {
                self.drop_object(id);
                Err(ShelfError::Gone)
            }
            Err(error) => Err(said(&error)),
        }
    }

    /// Takes our finalizer off an object that leaves, unless something began for it meanwhile.
    ///
    /// # Errors
    /// It is as it was.
    pub async fn let_go(&self, id: &ObjectId) -> Result<(), ShelfError> {
        let turn = self.with(id, |entry| Arc::clone(&entry.turn));
        let turn = turn.ok_or(ShelfError::Gone)?;
        let _turn = turn.lock().await;
        let object = self.object(id).ok_or(ShelfError::Gone)?;
        if self.is_done(id) || !wants_delete(&object) {
            return self.hold(id, false).await;
        }
        Ok(())
    }

    /// Puts our finalizer on an object, or takes it off.
    ///
    /// # Errors
    /// It is as it was.
    pub async fn hold(&self, id: &ObjectId, wanted: bool) -> Result<(), ShelfError> {
        for _ in 0..TRIES {
            let object = self.object(id).ok_or(ShelfError::Gone)?;
            if is_kept(&object) == wanted {
                return Ok(());
            }
            let others = object.metadata.finalizers.clone().unwrap_or_default();
            let mut finalizers = others;
            finalizers.retain(|name| name != FINALIZER);
            if wanted {
                finalizers.push(FINALIZER.to_owned());
            }
            let patch = json!({"metadata": {
                "resourceVersion": object.metadata.resource_version,
                "finalizers": finalizers,
            }});
            let params = PatchParams {
                field_manager: Some(MANAGER.to_owned()),
                ..PatchParams::default()
            };
            let api = self.api(id);
            match within(api.patch(&id.name, &params, &Patch::Merge(patch))).await {
                Ok(object) => {
                    self.see(id, object);
                    return Ok(());
                }
                Err(error) if is(&error, 409) => self.read_again(id).await?,
                Err(error) if is(&error, 404) => return Err(ShelfError::Gone),
                Err(error) => return Err(said(&error)),
            }
        }
        Err(ShelfError::Refused(
            "others keep changing the object".to_owned(),
        ))
    }
}

/// The memory that an object holds.
#[must_use]
pub fn journal_of(object: &DynamicObject) -> Option<String> {
    let text = object.data.get("status")?.get(JOURNAL)?;
    text.as_str().map(str::to_owned)
}

/// Versions grow; one that is no number is taken for new.
fn version(object: &DynamicObject) -> u64 {
    let version = object.metadata.resource_version.as_deref();
    version
        .and_then(|text| text.parse().ok())
        .unwrap_or(u64::MAX)
}
