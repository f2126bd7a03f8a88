//! One namespace: its shelf, its journal, its engine, and what is declared to it.

use super::alerts::{Teller, Told};
use super::calls::ShelfError;
use super::events::Herald;
use super::fleet::Outfit;
use super::journal::ClusterJournal;
use super::manifests::{Judgement, Manifests};
use super::shelf::Shelf;
use super::status::Trouble;
use super::words::{ObjectId, RECONCILE, annotation, is_kept, is_leaving, wants_delete};
use crate::api::{Key, Reason};
use crate::engine::{Board, Command, Declaration, Engine, Ports, Removals};
use kube::Client;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Commands that may wait; the engine takes them at once.
const COMMANDS: usize = 16;
/// How long running calls may take to come to a safe point.
const PATIENCE: Duration = Duration::from_mins(1);

/// Objects of a namespace that another one manages, and why.
pub(super) type Contested = BTreeMap<ObjectId, (Reason, String)>;

/// What was declared last.
#[derive(PartialEq)]
struct Declared {
    revision: String,
    removals: Removals,
    contested: Contested,
    leaving: Vec<ObjectId>,
}

struct Running {
    board: Board,
    commands: mpsc::Sender<Command>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    teller: Option<Box<dyn Teller>>,
    /// Writes what was told.
    scribe: JoinHandle<()>,
}

/// A namespace at work.
pub(super) struct Crew {
    pub shelf: Arc<Shelf>,
    manifests: Manifests,
    judged: Option<Judgement>,
    contested: Contested,
    declared: Option<Declared>,
    /// The newest request to look at everything.
    asked: Option<String>,
    running: Option<Running>,
}

impl Crew {
    pub fn new(
        namespace: &str,
        client: &Client,
        outfit: &Outfit,
        _: &Herald,
        news: &Arc<Notify>,
    ) -> Self {
        let clock = Arc::clone(&outfit.clock);
        let shelf = Shelf::new(namespace, client.clone(), clock, Arc::clone(news));
        Crew {
            shelf: Arc::new(shelf),
            manifests: Manifests::default(),
            judged: None,
            contested: Contested::new(),
            declared: None,
            asked: None,
            running: None,
        }
    }

    pub fn board(&self) -> Option<Board> {
        self.running.as_ref().map(|running| running.board.clone())
    }

    pub fn revision(&self) -> &str {
        self.judged
            .as_ref()
            .map_or("", |judged| &judged.set.revision)
    }

    /// Objects whose present spec is not in force.
    pub fn refused(&self) -> Vec<(ObjectId, String)> {
        let bad = self.judged.iter().flat_map(|judged| &judged.troubles);
        let bad = bad.map(|(id, trouble)| (id.clone(), trouble.message.clone()));
        let contested = self.contested.iter();
        bad.chain(contested.map(|(id, (_, why))| (id.clone(), why.clone())))
            .collect()
    }

    /// Another operator wrote here: what is remembered is read anew, by a new engine.
    pub async fn restart_if_lost(&mut self, outfit: &Outfit, herald: &Herald) {
        if !self.shelf.is_lost() {
            return;
        }
        let namespace = self.shelf.namespace();
        tracing::warn!(
            namespace,
            "another operator writes here; reading everything anew"
        );
        if let Some(running) = self.running.take() {
            end(running).await;
        }
        self.shelf.start_over();
        self.declared = None;
        self.start(outfit, herald);
    }

    /// Reads the objects as they are now.
    pub fn judge(&mut self) {
        self.judged = Some(self.manifests.judge(&self.shelf.objects()));
    }

    /// What this namespace declares in GCP, since when.
    pub fn claims(&self) -> Vec<(&Key, &ObjectId, String)> {
        let Some(judged) = &self.judged else {
            return Vec::new();
        };
        let named: BTreeMap<(crate::api::Kind, &str), &ObjectId> = judged
            .generations
            .iter()
            .filter_map(|(id, _, _)| Some(((id.managed()?, id.name.as_str()), id)))
            .collect();
        let claims = judged.set.declared.iter().filter_map(|declared| {
            let id = *named.get(&(declared.key.kind, declared.name.as_str()))?;
            let object = self.shelf.object(id)?;
            let since = object.metadata.creation_timestamp.as_ref();
            let since = since.map_or_else(String::new, |since| since.0.to_string());
            Some((&declared.key, id, since))
        });
        claims.collect()
    }

    /// True where it is another than before.
    pub fn contest(&mut self, contested: Contested) -> bool {
        let changed = self.contested != contested;
        self.contested = contested;
        changed
    }

    /// Finalizers, statuses, and the declaration. False where something is left to do.
    pub async fn carry_out(&mut self, outfit: &Outfit, herald: &Herald) -> bool {
        if self.running.is_none() {
            self.start(outfit, herald);
        }
        let held = self.hold().await;
        if held {
            self.declare().await;
        }
        let told = self.tell().await;
        let let_go = self.let_go().await;
        self.resync().await;
        held && told && let_go && self.running.is_some()
    }

    fn start(&mut self, outfit: &Outfit, herald: &Herald) {
        let namespace = self.shelf.namespace();
        let clock = Arc::clone(&outfit.clock);
        let journal = ClusterJournal::new(Arc::clone(&self.shelf), herald.clone(), clock)
            .led_by(outfit.leadership.clone());
        let ports = Ports {
            services: (outfit.services)(namespace),
            journal: Arc::new(journal),
            prober: (outfit.prober)(namespace),
            clock: Arc::clone(&outfit.clock),
            entropy: Arc::clone(&outfit.entropy),
        };
        match Engine::new(ports, outfit.settings.clone()) {
            Ok(engine) => {
                let (commands, inbox) = mpsc::channel(COMMANDS);
                let stop = CancellationToken::new();
                let told = Arc::new(Told::new(Arc::clone(&self.shelf)));
                let store = Arc::clone(&told);
                self.running = Some(Running {
                    teller: (outfit.tellers)(namespace, store, engine.board()),
                    scribe: tokio::spawn(told.write()),
                    board: engine.board(),
                    commands,
                    stop: stop.clone(),
                    task: tokio::spawn(engine.run(inbox, stop)),
                });
            }
            Err(error) => tracing::error!(namespace, %error, "cannot be taken up"),
        }
    }

    /// Finalizers where a delete has to come first, before anything is made.
    async fn hold(&self) -> bool {
        let mut done = true;
        for (id, object) in self.shelf.objects() {
            if id.managed().is_none() || is_leaving(&object) {
                continue;
            }
            let wanted = wants_delete(&object);
            if is_kept(&object) != wanted {
                done &= self.settled(&id, self.shelf.hold(&id, wanted).await);
            }
            self.shelf.resume(&id);
        }
        done
    }

    async fn declare(&mut self) {
        let (Some(judged), Some(running)) = (&self.judged, &self.running) else {
            return;
        };
        for (id, spec, generation) in &judged.generations {
            if !judged.troubles.contains_key(id) {
                self.shelf.declare(id, spec, *generation);
            }
        }
        let leaving = self.shelf.objects().into_iter();
        let leaving = leaving
            .filter(|(_, object)| is_leaving(object))
            .map(|(id, _)| id);
        let declared = Declared {
            revision: judged.set.revision.clone(),
            removals: self.removals(judged),
            contested: self.contested.clone(),
            leaving: leaving.collect(),
        };
        if self.declared.as_ref() == Some(&declared) {
            return;
        }
        let mut resources = judged.set.declared.clone();
        resources.retain(|one| {
            !self
                .contested
                .contains_key(&ObjectId::new(one.key.kind, &one.name))
        });
        let set = Declaration {
            resources,
            checks: judged.set.checks.clone(),
            phases: judged.set.phases.clone(),
        };
        if let Some(teller) = &running.teller {
            teller.declare(&judged.set);
        }
        // An engine that is gone is noticed by its task.
        let _ = running
            .commands
            .send(Command::Removals(declared.removals.clone()))
            .await;
        let _ = running.commands.send(Command::Declare(Box::new(set))).await;
        self.declared = Some(declared);
    }

    /// What is not declared for another reason than that it was removed must not be deleted.
    fn removals(&self, judged: &Judgement) -> Removals {
        let absent = judged.absent.iter().chain(self.contested.keys()).next();
        match absent {
            Some(id) => Removals::Frozen(format!("{id} is not in force, see its status")),
            None => Removals::Meant,
        }
    }

    /// Says in each status what is wrong with its spec, or no longer.
    async fn tell(&self) -> bool {
        let Some(judged) = &self.judged else {
            return true;
        };
        let mut done = true;
        for (id, object) in self.shelf.objects() {
            if is_leaving(&object) {
                continue;
            }
            let generation = object.metadata.generation.unwrap_or_default();
            let contested = self.contested.get(&id);
            let contested =
                contested.map(|(reason, why)| Trouble::new(*reason, why.clone(), generation));
            let trouble = judged.troubles.get(&id).cloned().or(contested);
            let in_force = judged.in_force.get(&id).cloned();
            done &= self.settled(&id, self.shelf.tell(&id, trouble, in_force).await);
        }
        done
    }

    /// Objects that leave may go once nothing is left to do for them, or once people say that the
    /// resource stays.
    async fn let_go(&self) -> bool {
        let mut done = true;
        for (id, object) in self.shelf.objects() {
            let may_go = self.shelf.is_done(&id) || !wants_delete(&object);
            if is_leaving(&object) && is_kept(&object) && may_go {
                done &= self.settled(&id, self.shelf.let_go(&id).await);
            }
        }
        done
    }

    /// Looks at everything, where people ask for it.
    async fn resync(&mut self) {
        let objects = self.shelf.objects();
        let asked = objects
            .iter()
            .filter_map(|(_, object)| annotation(object, RECONCILE));
        let newest = asked.max().map(str::to_owned);
        if newest > self.asked
            && let Some(running) = &self.running
        {
            let _ = running.commands.send(Command::Resync).await;
        }
        self.asked = newest.max(self.asked.take());
    }

    /// True where nothing is left to do, and says what is.
    fn settled(&self, id: &ObjectId, result: Result<(), ShelfError>) -> bool {
        match result {
            Ok(()) | Err(ShelfError::Gone) => true,
            Err(error) => {
                let namespace = self.shelf.namespace();
                tracing::warn!(namespace, object = %id, %error, "not written");
                false
            }
        }
    }

    /// Lets the running calls come to their next safe point.
    pub async fn stop(self) {
        if let Some(running) = self.running {
            end(running).await;
        }
    }
}

async fn end(mut running: Running) {
    running.stop.cancel();
    // One that takes longer is dropped: what it knows is in the journal.
    let _ = tokio::time::timeout(PATIENCE, &mut running.task).await;
}

impl Drop for Running {
    /// An engine does not outlive whoever started it.
    fn drop(&mut self) {
        self.task.abort();
        self.scribe.abort();
    }
}
