//! The loop: declared state in, polls out, passes over whatever is due.
//!
//! One task drives everything: no task per resource, no waiting task per operation. What takes
//! long is state in the journal with a time to look again. At most one pass runs on a resource.

mod board;
mod checks;
mod load;
mod names;
mod pass;
mod phases;
mod poll;
mod ports;
mod queue;
mod resources;
mod turn;
mod vitals;

pub use board::{Board, CheckReport, PhaseReport, Report};
pub use checks::{Blindfold, Probe, Prober};
pub use ports::{Ports, Services, Settings};
pub use resources::resource_window;
pub use vitals::{SourceState, Vitals};

use crate::api::key::Scope;
use crate::api::{CheckSpec, ConditionType, Declared, Document, Key, PhaseSpec};
use crate::core::conditions::Situation;
use crate::core::observed::{Live, Observed};
use crate::core::record::Record;
use crate::core::token::Token;
use crate::journal::JournalError;
use crate::kinds::{self, SetNames};
use checks::{Checks, Probed};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use load::{Loads, Reading};
use pass::{Done, Job, Wanted};
use phases::Phases;
use poll::{Polls, Sweep};
use ports::Shared;
use queue::{Priority, Queue};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often the journal is asked for requests of people.
const TOKENS_EVERY: Duration = Duration::from_secs(1);

/// What the outside tells a running engine.
#[derive(Debug)]
pub enum Command {
    /// The whole declared set, in place of the one before.
    Declare(Box<Declaration>),
    /// The source cannot be read: the last set stays, and deletions are frozen.
    SourceFailed(String),
    /// What follows from resources that the sets after this no longer declare.
    Removals(Removals),
    /// Look at everything now.
    Resync,
}

/// Everything that a revision of the source declares.
#[derive(Debug, Clone, Default)]
pub struct Declaration {
    pub resources: Vec<Declared>,
    pub checks: Vec<Document<CheckSpec>>,
    pub phases: Vec<Document<PhaseSpec>>,
}

/// What follows from a resource that is no longer declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Removals {
    /// What its manifest said. A set without resources is more likely a mistake than a wish, and
    /// deletes nothing.
    #[default]
    Judged,
    /// What its manifest said, of the last one too: each was removed by itself.
    Meant,
    /// Nothing is deleted, for this reason.
    Frozen(String),
}

impl From<Vec<Declared>> for Declaration {
    fn from(resources: Vec<Declared>) -> Self {
        Declaration {
            resources,
            ..Declaration::default()
        }
    }
}

/// What the engine knows of one resource.
struct Memory {
    record: Record,
    dirty: bool,
    observed: Observed,
}

/// The operator's loop.
pub struct Engine {
    shared: Arc<Shared>,
    board: Board,
    wanted: BTreeMap<Key, Arc<Wanted>>,
    names: SetNames,
    memory: BTreeMap<Key, Memory>,
    queue: Queue,
    polls: Polls,
    flying: HashSet<Key>,
    passes: FuturesUnordered<BoxFuture<'static, Done>>,
    sweeps: FuturesUnordered<BoxFuture<'static, Sweep>>,
    probes: FuturesUnordered<BoxFuture<'static, Probed>>,
    checks: Checks,
    phases: Phases,
    readings: FuturesUnordered<BoxFuture<'static, Reading>>,
    loads: Loads,
    tokens: Vec<Token>,
    /// Deletes made for this revision of the source; each may be repeated until it took.
    deletes: BTreeSet<Key>,
    frozen: Option<String>,
    removals: Removals,
    journal_error: Option<String>,
}

impl Engine {
    /// An engine that goes on from its journal.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn new(ports: Ports, settings: Settings) -> Result<Self, JournalError> {
        let records = ports.journal.load()?;
        let phases = ports.journal.phases()?;
        let checks = Checks::new(ports.journal.checks()?);
        let shared = Arc::new(Shared {
            ports,
            settings,
            draining: AtomicBool::new(false),
        });
        let now = shared.now();
        let memory = records
            .into_iter()
            .map(|record| {
                let record = crate::core::decide::resumed(record, now);
                let observed = Observed {
                    at: now,
                    fresh: false,
                    live: Live::Unknown(None),
                };
                (
                    record.key.clone(),
                    Memory {
                        record,
                        dirty: false,
                        observed,
                    },
                )
            })
            .collect();
        Ok(Engine {
            deletes: BTreeSet::new(),
            shared,
            board: Board::default(),
            wanted: BTreeMap::new(),
            names: SetNames::default(),
            memory,
            queue: Queue::default(),
            polls: Polls::default(),
            flying: HashSet::new(),
            passes: FuturesUnordered::new(),
            sweeps: FuturesUnordered::new(),
            probes: FuturesUnordered::new(),
            checks,
            phases: Phases::new(phases, now),
            readings: FuturesUnordered::new(),
            loads: Loads::default(),
            tokens: Vec::new(),
            frozen: Some("the source was not read yet".to_owned()),
            removals: Removals::default(),
            journal_error: None,
        })
    }

    /// What the engine shows to others.
    #[must_use]
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Runs until `stop`, then lets running passes come to their next safe point.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>, stop: CancellationToken) {
        let mut tokens = tokio::time::interval(TOKENS_EVERY);
        tokens.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut open = true;
        loop {
            self.start_due().await;
            self.board.vitals().turned(self.shared.now());
            let pause = self.pause();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                command = commands.recv(), if open => match command {
                    Some(command) => self.obey(command).await,
                    None => open = false,
                },
                Some(done) = self.passes.next(), if !self.passes.is_empty() => self.finish(done).await,
                Some(sweep) = self.sweeps.next(), if !self.sweeps.is_empty() => self.swept(sweep),
                Some(reading) = self.readings.next(), if !self.readings.is_empty() => self.loaded(reading),
                Some(probed) = self.probes.next(), if !self.probes.is_empty() => self.probed(&probed).await,
                _ = tokens.tick() => self.read_tokens().await,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.shared.draining.store(true, Ordering::Relaxed);
        while let Some(done) = self.passes.next().await {
            self.finish(done).await;
        }
    }

    /// How long until something is due.
    fn pause(&self) -> Duration {
        let far = Duration::from_hours(1);
        let full = self.passes.len() >= self.shared.settings.concurrency;
        let work = if full { None } else { self.queue.next_due() };
        let probe = self.checks.next_due(self.shared.settings.probes);
        let next = [
            work,
            probe,
            self.polls.next_due(),
            self.phases.next_due(),
            self.loads.next_due(),
        ];
        let next = next.into_iter().flatten().min();
        next.map_or(far, |at| {
            let wait = at.duration_since(self.shared.now());
            Duration::try_from(wait).unwrap_or_default().min(far)
        })
    }

    async fn start_due(&mut self) {
        let now = self.shared.now();
        for scope in self.polls.start_due(now) {
            let shared = Arc::clone(&self.shared);
            self.sweeps
                .push(Box::pin(async move { poll::sweep(&shared, scope).await }));
        }
        self.start_probes(now);
        self.start_readings(now);
        if self.phases.is_due(now) {
            self.look_at_phases().await;
        }
        while self.passes.len() < self.shared.settings.concurrency {
            let flying = &self.flying;
            // One at a time, or two could spend the same last delete of the budget.
            let leaving = flying.iter().any(|key| !self.wanted.contains_key(key));
            let crowd = turn::Crowd {
                wanted: &self.wanted,
                memory: &self.memory,
                phases: &self.phases,
                flying,
                limit: self.shared.settings.concurrent_rollouts,
            };
            let busy = |key: &Key| {
                flying.contains(key)
                    || leaving && !self.wanted.contains_key(key)
                    || turn::is_linked(&self.wanted, flying, key)
                    || turn::is_contested(&crowd, key)
            };
            let Some(key) = self.queue.pop(now, busy) else {
                break;
            };
            self.start(key).await;
        }
    }

    async fn start(&mut self, key: Key) {
        let wanted = self.wanted.get(&key).cloned();
        let Some(job) = self.job(&key, wanted).await else {
            return;
        };
        let kind = key.kind;
        self.flying.insert(key);
        let shared = Arc::clone(&self.shared);
        let board = self.board.clone();
        let pass = async move {
            let began = tokio::time::Instant::now();
            let done = Box::pin(pass::run(&shared, job)).await;
            board.vitals().passed(kind, began.elapsed());
            done
        };
        self.passes.push(Box::pin(pass));
    }

    async fn job(&mut self, key: &Key, wanted: Option<Arc<Wanted>>) -> Option<Job> {
        let now = self.shared.now();
        if let (None, Some(wanted)) = (self.memory.get(key), &wanted) {
            let record = Record::new(key.clone(), wanted.declared.name.clone());
            let observed = Observed {
                at: now,
                fresh: false,
                live: Live::Unknown(None),
            };
            self.memory.insert(
                key.clone(),
                Memory {
                    record,
                    dirty: false,
                    observed,
                },
            );
        }
        let recall = self.recall_of(key).await;
        let memory = self.memory.get(key)?;
        let deletes = match &self.frozen {
            Some(why) => Err(why.clone()),
            None => Ok(self.deletes_left(key)),
        };
        let hindrance = wanted
            .as_ref()
            .and_then(|wanted| self.hindrance(key, wanted));
        let mut tokens = self.tokens.clone();
        tokens.retain(|token| token.about.key() == Some(key));
        tokens.extend(recall);
        tokens.extend(self.release_of(key));
        Some(Job {
            gauges: self.gauges_of(wanted.as_deref()),
            saturation: self.loads.found(key),
            hindrance,
            referrers: self.referrers(key),
            busy_referrer: self.busy_referrer(key),
            key: key.clone(),
            record: memory.record.clone(),
            dirty: memory.dirty,
            wanted,
            observed: memory.observed.clone(),
            tokens,
            deletes,
        })
    }

    /// The managed resources that refer to `key`.
    fn referrers(&self, key: &Key) -> Vec<String> {
        let records = self.memory.values().map(|memory| &memory.record);
        records
            .filter(|record| record.owned && !record.released && record.needs.contains(key))
            .map(|record| format!("{}/{}", record.key.kind, record.name))
            .collect()
    }

    /// Wakes what waits for a resource that has just become ready.
    fn wake_referrers(&mut self, ready: &Key) {
        let now = self.shared.now();
        for (key, wanted) in &self.wanted {
            if wanted.needs.contains(ready) {
                self.queue.push(key, now, Priority::Edit);
                self.announce(key, wanted);
            }
        }
    }

    /// Deletes that are left in the budget for this resource.
    fn deletes_left(&self, key: &Key) -> u32 {
        let others = self.deletes.iter().filter(|other| *other != key).count();
        let spent = u32::try_from(others).unwrap_or(u32::MAX);
        self.shared.settings.deletes_per_sync.saturating_sub(spent)
    }

    async fn finish(&mut self, done: Done) {
        let key = done.key;
        self.flying.remove(&key);
        self.tokens
            .retain(|token| !done.handled.contains(&token.id));
        if done.deleted {
            self.deletes.insert(key.clone());
        }
        self.note_journal(done.journal_error);
        self.board.tell(done.events);
        if done.forgotten {
            self.memory.remove(&key);
            self.queue.drop(&key);
            self.board.put(&key, None);
            if self.wanted.contains_key(&key) {
                self.queue.push(&key, self.shared.now(), Priority::Edit);
            }
            return;
        }
        if let Some(at) = done.requeue {
            self.queue.push(&key, at, Priority::Progress);
        }
        // A delete that is held up is tried again for ever: that is a rest.
        let held_up = matches!(done.situation, Situation::InUse(_)) && !done.dirty;
        let settled = held_up || done.requeue.is_none() && is_rest(&done.situation);
        let before = self.memory.get(&key).map(|memory| &memory.record.status);
        let was_ready = before.is_some_and(crate::api::Status::is_ready);
        // First: nobody may see everything at rest while a resource is about to go on.
        if done.record.status.is_ready() && !was_ready {
            self.wake_referrers(&key);
        }
        self.report(&key, &done.record, settled);
        let Some(memory) = self.memory.get_mut(&key) else {
            return;
        };
        let renamed = memory.record.object != done.record.object;
        let has_landed = landed(&done.record).is_some_and(|at| landed(&memory.record) != Some(at));
        memory.record = done.record;
        memory.dirty = done.dirty;
        // A read that failed does not make the last good one untrue.
        if !matches!(done.observed.live, Live::Unknown(_)) {
            memory.observed = Observed {
                fresh: false,
                ..done.observed
            };
            poll::drop_body(kinds::of(key.kind).rules(), &mut memory.observed.live);
        }
        if has_landed {
            self.hurry_checks_of(&key);
        }
        if renamed {
            self.follow(&key);
        }
        if self.phases.hold(&key) {
            self.look_at_phases().await;
        }
    }

    fn report(&self, key: &Key, record: &Record, settled: bool) {
        self.board.put(
            key,
            Some(Report {
                name: record.name.clone(),
                status: record.status.clone(),
                settled,
                declared: self.wanted.contains_key(key),
            }),
        );
    }

    fn note_journal(&mut self, error: Option<String>) {
        if error.is_some() && self.journal_error != error {
            let text = error.as_deref().unwrap_or_default();
            tracing::error!(
                error = text,
                "the journal cannot be written; nothing is sent to GCP"
            );
        }
        self.journal_error = error;
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Declare(set) => self.declare(*set).await,
            Command::SourceFailed(why) => {
                self.board.vitals().source_failed();
                self.frozen = Some(why);
            }
            Command::Removals(removals) => self.removals = removals,
            Command::Resync => {
                let scopes: BTreeSet<Scope> = self.scopes();
                self.polls = Polls::default();
                self.polls.set(scopes.iter(), self.shared.now());
            }
        }
    }

    async fn declare(&mut self, declaration: Declaration) {
        let now = self.shared.now();
        self.board.vitals().loaded(now);
        self.declare_checks(declaration.checks, now).await;
        self.board.put_checks(self.checks.reports());
        let phases = declaration.phases;
        let set = declaration.resources;
        self.frozen = match &self.removals {
            Removals::Judged => set
                .is_empty()
                .then(|| "the source declares nothing at all".to_owned()),
            Removals::Meant => None,
            Removals::Frozen(why) => Some(why.clone()),
        };
        self.deletes.clear();
        let before = std::mem::take(&mut self.wanted);
        self.names = names::current(&set, &self.memory);
        for declared in set {
            let key = declared.key.clone();
            let wanted = Wanted::new(declared, &self.names);
            let unchanged = before.get(&key).filter(|old| ***old == wanted);
            let wanted = unchanged.map_or_else(|| Arc::new(wanted), Arc::clone);
            self.wanted.insert(key, wanted);
        }
        let scopes = self.scopes();
        self.polls.set(scopes.iter(), now);
        let shown = self.board.resources();
        for (key, wanted) in &self.wanted {
            if shown.get(key).is_none_or(|report| !report.declared) {
                self.announce(key, wanted);
            }
            // A scope not listed yet wakes its resources when the LIST comes back.
            if let Some(priority) = urgency(before.get(key), wanted)
                && self.polls.seen(&key.scope())
            {
                self.queue.push(key, now, priority);
            }
        }
        let left = before.keys().filter(|key| !self.wanted.contains_key(*key));
        let left: BTreeSet<Key> = left.cloned().collect();
        for key in left.iter().filter(|key| !self.memory.contains_key(*key)) {
            // Nothing was done about it, and nothing will be.
            self.board.put(key, None);
        }
        for (key, memory) in &self.memory {
            let kept = !memory.record.released || left.contains(key);
            if kept && !self.wanted.contains_key(key) {
                self.queue.push(key, now, Priority::Resync);
            }
        }
        self.declare_phases(phases).await;
    }

    /// Shows a declared resource that a decision is due about.
    fn announce(&self, key: &Key, wanted: &Wanted) {
        let known = self
            .memory
            .get(key)
            .map(|memory| memory.record.status.clone());
        let report = Report {
            name: wanted.declared.name.clone(),
            status: known.unwrap_or_default(),
            settled: false,
            declared: true,
        };
        self.board.put(key, Some(report));
    }

    fn scopes(&self) -> BTreeSet<Scope> {
        self.wanted.keys().map(Key::scope).collect()
    }

    fn swept(&mut self, sweep: Sweep) {
        let now = self.shared.now();
        let settings = &self.shared.settings;
        let jitter = self.shared.jitter();
        let tell = self.polls.done(&sweep, settings.poll, jitter, now);
        let keys: Vec<Key> = self
            .wanted
            .keys()
            .filter(|key| key.scope() == sweep.scope)
            .cloned()
            .collect();
        match sweep.result {
            Ok(listing) => {
                let partial = listing.unreachable;
                let mut found = poll::index(&self.shared, &sweep.scope, listing);
                for key in keys {
                    let live = found.remove(&key.name);
                    // A scope that could not be reached in full is never "gone".
                    if let Some(live) = live.or((!partial).then_some(Live::Absent)) {
                        self.see(&key, poll::listed(sweep.started, live), now);
                    }
                }
            }
            Err(fault) => {
                tracing::warn!(scope = %sweep.scope, %fault, "poll failed");
                for key in keys.iter().filter(|_| tell) {
                    let live = Live::Unknown(Some(fault.clone()));
                    self.see(key, poll::listed(sweep.started, live), now);
                }
            }
        }
    }

    fn see(&mut self, key: &Key, observed: Observed, now: Timestamp) {
        if let Some(memory) = self.memory.get_mut(key) {
            // What a pass read meanwhile is newer.
            if self.flying.contains(key) || memory.observed.at > observed.at {
                return;
            }
            memory.observed = observed;
        } else if let Some(wanted) = self.wanted.get(key) {
            let record = Record::new(key.clone(), wanted.declared.name.clone());
            self.memory.insert(
                key.clone(),
                Memory {
                    record,
                    dirty: false,
                    observed,
                },
            );
        }
        self.queue.push(key, now, Priority::Resync);
    }

    async fn read_tokens(&mut self) {
        let now = self.shared.now();
        let mut fresh = false;
        match self.shared.ports.journal.tokens().await {
            Ok(tokens) => {
                for token in tokens {
                    if self.tokens.iter().any(|known| known.id == token.id) {
                        continue;
                    }
                    if let Some(key) = token.about.key() {
                        self.queue.push(key, now, Priority::Edit);
                    }
                    fresh |= token.about.key().is_none();
                    self.tokens.push(token);
                }
                if fresh {
                    self.look_at_phases().await;
                }
            }
            Err(error) => self.note_journal(Some(error.to_string())),
        }
    }
}

/// How soon a declared resource is looked at: a new revision with the same content can wait.
fn urgency(before: Option<&Arc<Wanted>>, now: &Arc<Wanted>) -> Option<Priority> {
    match before {
        Some(old) if Arc::ptr_eq(old, now) => None,
        Some(old) if old.digest == now.digest && old.declared.policy == now.declared.policy => {
            Some(Priority::Resync)
        }
        _ => Some(Priority::Edit),
    }
}

/// When the step at hand had landed, if it has.
fn landed(record: &Record) -> Option<jiff::Timestamp> {
    record.rollout.as_ref()?.landed_at
}

/// Situations in which nothing happens by itself.
fn is_rest(situation: &Situation) -> bool {
    !matches!(
        situation,
        Situation::Progressing(_)
            | Situation::Baking(_)
            | Situation::Retrying { .. }
            | Situation::WaitingForOperation(_)
            | Situation::Unreadable(_)
            | Situation::Deleting(_)
    )
}

/// The Ready condition in one line, for logs.
#[must_use]
pub fn ready_line(report: &Report) -> String {
    report.status.condition(ConditionType::Ready).map_or_else(
        || "not looked at yet".to_owned(),
        |ready| format!("{}: {}", ready.reason, ready.message),
    )
}
