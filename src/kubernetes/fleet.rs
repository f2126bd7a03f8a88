//! One engine for each namespace that holds objects: names, references, phases and checks are those
//! of the namespace, as a directory is one set. All share the client of GCP.
//!
//! Invariant: nothing is declared before every kind was listed once; what is wrong with one object
//! stops no other; two namespaces never manage the same resource.

use super::alerts::Tellers;
use super::crew::Crew;
use super::election::Leadership;
use super::events::Herald;
use super::watch::{Sight, sights};
use super::words::ObjectId;
use crate::api::{DocumentKind, Key, Reason};
use crate::engine::{Board, Prober, Services, Settings};
use crate::gcp::clock::Clock;
use crate::gcp::entropy::Entropy;
use futures::StreamExt;
use futures::stream::{BoxStream, select_all};
use kube::Client;
use kube::api::DynamicObject;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a change may wait for more that belongs to it, at most.
const LONGEST: Duration = Duration::from_secs(10);
/// When to look again at what could not be done.
const AGAIN: Duration = Duration::from_secs(5);

/// What is watched.
#[derive(Debug, Clone)]
pub struct Options {
    /// None: all of them.
    pub namespaces: Vec<String>,
    /// Labels that the objects have.
    pub selector: Option<String>,
    /// How long nothing may have changed before a set is taken for whole: `kubectl apply` sends
    /// one object after the other.
    pub quiet: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            namespaces: Vec::new(),
            selector: None,
            quiet: Duration::from_secs(1),
        }
    }
}

/// The services of each namespace, whose private keys are its own.
pub type ServicesOf = Arc<dyn Fn(&str) -> Services + Send + Sync>;

/// The prober of each namespace.
pub type Probers = Arc<dyn Fn(&str) -> Arc<dyn Prober> + Send + Sync>;

/// What every engine gets.
#[derive(Clone)]
pub struct Outfit {
    pub services: ServicesOf,
    /// The prober of a namespace, whose Secrets are its own.
    pub prober: Probers,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<Entropy>,
    pub settings: Settings,
    /// None: there is no other operator.
    pub leadership: Option<Leadership>,
    /// Who tells people.
    pub tellers: Tellers,
}

/// What others see of a fleet.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Every kind was listed, and every namespace was declared.
    pub started: bool,
    pub boards: BTreeMap<String, Board>,
    /// The revision that each namespace declares.
    pub revisions: BTreeMap<String, String>,
    /// Objects whose present spec is not in force, and why.
    pub refused: BTreeMap<(String, ObjectId), String>,
    /// What was said of watches that do not work, by kind.
    pub failing: BTreeMap<DocumentKind, String>,
}

/// A running fleet.
pub struct Fleet {
    shown: Arc<Mutex<Shown>>,
    changes: watch::Receiver<u64>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Fleet {
    /// Starts watching. Call inside the runtime.
    #[must_use]
    pub fn start(client: Client, outfit: Outfit, options: Options) -> Self {
        let shown = Arc::<Mutex<Shown>>::default();
        let (tell, changes) = watch::channel(0);
        let stop = CancellationToken::new();
        let work = Work {
            herald: Herald::start(client.clone()),
            client,
            outfit,
            options,
            crews: BTreeMap::new(),
            news: Arc::new(Notify::new()),
            listed: BTreeSet::new(),
            dirty: BTreeSet::new(),
            shown: Arc::clone(&shown),
            tell,
        };
        let task = tokio::spawn(work.run(stop.clone()));
        Fleet {
            shown,
            changes,
            stop,
            task,
        }
    }

    /// As it is now.
    #[must_use]
    pub fn shown(&self) -> Shown {
        copy(&self.shown)
    }

    /// As it is whenever it is asked, for those who outlive this borrow.
    pub fn view(&self) -> impl Fn() -> Shown + Send + Sync + use<> {
        let shown = Arc::clone(&self.shown);
        move || copy(&shown)
    }

    /// Whether the task has ended, for those who outlive this borrow.
    #[must_use]
    pub fn pulse(&self) -> AbortHandle {
        self.task.abort_handle()
    }

    /// Fires when what is shown changes; boards have their own.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// True when the task has ended.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.task.is_finished()
    }

    /// Lets running calls come to their next safe point, and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }

    /// Ends at once, as a kill does.
    pub fn kill(self) {
        self.task.abort();
    }
}

fn copy(shown: &Mutex<Shown>) -> Shown {
    shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

struct Work {
    client: Client,
    herald: Herald,
    outfit: Outfit,
    options: Options,
    crews: BTreeMap<String, Crew>,
    news: Arc<Notify>,
    /// Watches that have listed everything once.
    listed: BTreeSet<(DocumentKind, Option<String>)>,
    /// Namespaces to look at.
    dirty: BTreeSet<String>,
    shown: Arc<Mutex<Shown>>,
    tell: watch::Sender<u64>,
}

type Seen = (DocumentKind, Option<String>, Sight);

impl Work {
    async fn run(mut self, stop: CancellationToken) {
        let mut sights = self.watches();
        let expected = sights.len();
        let news = Arc::clone(&self.news);
        let (mut first, mut due): (Option<Instant>, Option<Instant>) = (None, None);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some((kind, scope, sight)) = sights.next() => {
                    if self.take(kind, scope, sight) {
                        let now = Instant::now();
                        let latest = *first.get_or_insert(now) + LONGEST;
                        due = Some((now + self.options.quiet).min(latest));
                    }
                }
                () = news.notified() => {
                    let all: Vec<_> = self.crews.keys().cloned().collect();
                    self.dirty.extend(all);
                    due = due.or(Some(Instant::now()));
                }
                () = until(due) => {
                    (first, due) = (None, None);
                    if self.listed.len() >= expected && !self.reconcile().await {
                        due = Some(Instant::now() + AGAIN);
                    }
                }
            }
        }
        futures::future::join_all(self.crews.into_values().map(Crew::stop)).await;
    }

    fn watches(&self) -> futures::stream::SelectAll<BoxStream<'static, Seen>> {
        let scopes: Vec<Option<String>> = match self.options.namespaces.as_slice() {
            [] => vec![None],
            some => some.iter().cloned().map(Some).collect(),
        };
        let mut all = Vec::new();
        for scope in scopes {
            for kind in DocumentKind::all() {
                let selector = self.options.selector.as_deref();
                let seen = sights(self.client.clone(), kind, scope.as_deref(), selector);
                let scope = scope.clone();
                all.push(seen.map(move |sight| (kind, scope.clone(), sight)).boxed());
            }
        }
        select_all(all)
    }

    /// Takes in what a watch saw. True where something may follow from it.
    fn take(&mut self, kind: DocumentKind, scope: Option<String>, sight: Sight) -> bool {
        if let Sight::Failed(why) = sight {
            let told = self.show(|shown| shown.failing.insert(kind, why.clone()));
            if told.as_ref() != Some(&why) {
                tracing::warn!(%kind, why, "cannot be watched; trying again");
            }
            return false;
        }
        if self.show(|shown| shown.failing.remove(&kind)).is_some() {
            tracing::info!(%kind, "watched again");
        }
        match sight {
            Sight::Listed(objects) => {
                self.relist(kind, scope.as_deref(), objects);
                self.listed.insert((kind, scope));
                true
            }
            Sight::Changed(object) => self.see(kind, *object),
            Sight::Gone(object) => {
                let (namespace, id) = named(kind, &object);
                if let Some(crew) = self.crews.get(&namespace) {
                    crew.shelf.drop_object(&id);
                }
                self.dirty.insert(namespace);
                true
            }
            Sight::Failed(_) => false,
        }
    }

    /// A list that is whole: what is not on it is gone.
    fn relist(&mut self, kind: DocumentKind, scope: Option<&str>, objects: Vec<DynamicObject>) {
        let there: BTreeSet<_> = objects.iter().map(|object| named(kind, object)).collect();
        for (namespace, crew) in &self.crews {
            if scope.is_none_or(|scope| scope == namespace) {
                let stays = |id: &ObjectId| {
                    id.kind != kind || there.contains(&(namespace.clone(), id.clone()))
                };
                crew.shelf.retain(stays);
                self.dirty.insert(namespace.clone());
            }
        }
        for object in objects {
            self.see(kind, object);
        }
    }

    /// True where more than the status changed.
    fn see(&mut self, kind: DocumentKind, object: DynamicObject) -> bool {
        let (namespace, id) = named(kind, &object);
        let crew = self.crews.entry(namespace.clone()).or_insert_with(|| {
            Crew::new(
                &namespace,
                &self.client,
                &self.outfit,
                &self.herald,
                &self.news,
            )
        });
        let before = crew.shelf.object(&id);
        crew.shelf.see(&id, object);
        let after = crew.shelf.object(&id);
        let stirred = match (before.as_deref(), after.as_deref()) {
            (Some(before), Some(after)) => face(before) != face(after),
            _ => true,
        };
        if stirred {
            self.dirty.insert(namespace);
        }
        stirred
    }

    /// Brings every namespace that changed to what its objects say. False where something is left.
    async fn reconcile(&mut self) -> bool {
        let dirty = std::mem::take(&mut self.dirty);
        for namespace in &dirty {
            if let Some(crew) = self.crews.get_mut(namespace) {
                crew.restart_if_lost(&self.outfit, &self.herald).await;
                crew.judge();
            }
        }
        let contested = self.contested();
        let mut left = BTreeSet::new();
        for (namespace, crew) in &mut self.crews {
            let troubles = contested.get(namespace).cloned().unwrap_or_default();
            let changed = crew.contest(troubles);
            if (changed || dirty.contains(namespace))
                && !crew.carry_out(&self.outfit, &self.herald).await
            {
                left.insert(namespace.clone());
            }
        }
        self.dismiss().await;
        self.publish();
        let whole = left.is_empty();
        self.dirty.extend(left);
        whole
    }

    /// Objects of other namespaces that declare what an older object declares already.
    fn contested(&self) -> BTreeMap<String, BTreeMap<ObjectId, (Reason, String)>> {
        let mut claims: BTreeMap<&Key, Vec<(String, &str, &ObjectId)>> = BTreeMap::new();
        for (namespace, crew) in &self.crews {
            for (key, id, since) in crew.claims() {
                claims.entry(key).or_default().push((since, namespace, id));
            }
        }
        let mut contested: BTreeMap<String, BTreeMap<ObjectId, (Reason, String)>> = BTreeMap::new();
        for (key, mut all) in claims {
            all.sort();
            let mut all = all.into_iter();
            let Some((_, owner, first)) = all.next() else {
                continue;
            };
            for (_, namespace, id) in all {
                let message = format!(
                    "{key} is declared by {owner}/{first} already, which is older: remove one of \
                     them, two would undo each other"
                );
                let of = contested.entry(namespace.to_owned()).or_default();
                of.insert(id.clone(), (Reason::AlreadyExists, message));
            }
        }
        contested
    }

    /// Namespaces without objects need nobody.
    async fn dismiss(&mut self) {
        let empty: Vec<String> = self
            .crews
            .iter()
            .filter(|(_, crew)| crew.shelf.objects().is_empty())
            .map(|(namespace, _)| namespace.clone())
            .collect();
        for namespace in empty {
            if let Some(crew) = self.crews.remove(&namespace) {
                crew.stop().await;
            }
        }
    }

    fn publish(&self) {
        self.show(|shown| {
            shown.started = true;
            shown.boards.clear();
            shown.revisions.clear();
            shown.refused.clear();
            for (namespace, crew) in &self.crews {
                if let Some(board) = crew.board() {
                    shown.boards.insert(namespace.clone(), board);
                }
                shown
                    .revisions
                    .insert(namespace.clone(), crew.revision().to_owned());
                for (id, why) in crew.refused() {
                    shown.refused.insert((namespace.clone(), id), why);
                }
            }
        });
    }

    fn show<T>(&self, change: impl FnOnce(&mut Shown) -> T) -> T {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut shown);
        self.tell.send_modify(|version| *version += 1);
        result
    }
}

fn named(kind: DocumentKind, object: &DynamicObject) -> (String, ObjectId) {
    let namespace = object.metadata.namespace.clone().unwrap_or_default();
    let name = object.metadata.name.as_deref().unwrap_or_default();
    (namespace, ObjectId::new(kind, name))
}

/// What people change about an object: all but its status, whose writes follow from others.
fn face(object: &DynamicObject) -> impl PartialEq + use<> {
    let meta = &object.metadata;
    (
        meta.uid.clone(),
        meta.generation,
        meta.labels.clone(),
        meta.annotations.clone(),
        meta.finalizers.clone(),
        meta.deletion_timestamp.is_some(),
        object.data["spec"].clone(),
    )
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
