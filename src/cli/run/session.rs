//! A run as a person follows it: events as they happen, a progress line, the state when settled,
//! and manifests that change.

use super::manifests::Manifests;
use super::operator::Operator;
use super::signals::Signals;
use super::voice::Voice;
use super::{screen, table};
use crate::api::{ConditionType, DocumentKind, Event, Key, Reason};
use crate::cli::args::RunArgs;
use crate::cli::{CliError, out};
use crate::core::conditions::NOT_READ_YET;
use crate::engine::{PhaseReport, Report};
use crate::render::documents;
use crate::render::live::{self, Row};
use crate::render::objects::Object;
use crate::source::{Errors, Set};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::Instant;

/// How often the progress line counts on.
const TICK: Duration = Duration::from_millis(500);
/// With `--once`: how long GCP may be unreadable before it is given up.
const BLIND_LIMIT: Duration = Duration::from_mins(1);
/// A resource that waits for another is woken when that one is ready: until then the board is
/// still, and yet not settled.
const WAKE: Duration = Duration::from_secs(2);

/// Why a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `--once`, and nothing is pending.
    Settled,
    Signal,
    TimedOut,
    /// `--once`, and GCP cannot be read.
    Blind,
    EngineGone,
}

pub struct Session<'a> {
    args: &'a RunArgs,
    operator: &'a Operator,
    voice: Voice,
    events: broadcast::Receiver<Event>,
    revision: String,
    /// Whether the declared set holds resources, and how many checks.
    holds_resources: bool,
    checks: usize,
    object_width: usize,
    /// The settled state was said, for as long as nothing happens.
    said_settled: bool,
    settled_since: Option<Instant>,
    /// What was said about a source that does not load.
    complaint: Option<Errors>,
    /// Resources whose trouble with GCP was said.
    blind: BTreeSet<Key>,
    blind_since: Option<Instant>,
}

impl<'a> Session<'a> {
    pub fn new(args: &'a RunArgs, operator: &'a Operator, voice: Voice) -> Self {
        Session {
            args,
            operator,
            voice,
            events: operator.board.events(),
            revision: String::new(),
            holds_resources: false,
            checks: 0,
            object_width: 0,
            said_settled: false,
            settled_since: None,
            complaint: None,
            blind: BTreeSet::new(),
            blind_since: None,
        }
    }

    /// Hands a set to the engine.
    pub async fn declare(&mut self, set: Set) {
        self.revision.clone_from(&set.revision);
        self.stirred();
        self.holds_resources = !set.declared.is_empty();
        self.checks = set.checks.len();
        let width = |declared: &crate::api::Declared| {
            live::object(declared.key.kind, &declared.name)
                .chars()
                .count()
        };
        self.object_width = set.declared.iter().map(width).max().unwrap_or(0);
        self.operator.declare(set).await;
    }

    /// Follows the run to its end.
    pub async fn follow(
        &mut self,
        signals: &mut Signals,
        mut manifests: Manifests,
    ) -> Result<End, CliError> {
        let mut changes = self.operator.board.changes();
        let mut tick = tokio::time::interval(TICK);
        let deadline = Instant::now() + self.args.timeout.0;
        loop {
            tokio::select! {
                () = signals.next() => return Ok(End::Signal),
                next = manifests.next() => self.reload(next).await?,
                Ok(()) = changes.changed() => {}
                _ = tick.tick() => {}
            }
            if let Some(end) = self.look(deadline)? {
                return Ok(end);
            }
        }
    }

    /// One look at the board.
    fn look(&mut self, deadline: Instant) -> Result<Option<End>, CliError> {
        let events = self.print_events()?;
        let resources = self.operator.board.resources();
        self.say_trouble(&resources)?;
        screen::show(live::progress(&rows(&resources), self.operator.now()));
        // Events come before the status they lead to: with new ones, the board may be behind.
        if events > 0 || !self.is_settled(&resources) {
            self.stirred();
        } else if self.has_rested(&resources) {
            if self.args.once {
                return Ok(Some(End::Settled));
            }
            self.say_settled(&resources)?;
        }
        if self.operator.is_gone() {
            return Ok(Some(End::EngineGone));
        }
        if !self.args.once {
            return Ok(None);
        }
        if self
            .blind_since
            .is_some_and(|since| since.elapsed() >= BLIND_LIMIT)
        {
            return Ok(Some(End::Blind));
        }
        Ok((Instant::now() >= deadline).then_some(End::TimedOut))
    }

    /// Every declared resource was decided on for this very revision, and nothing is pending.
    fn is_settled(&self, resources: &BTreeMap<Key, Report>) -> bool {
        let phases = self.operator.board.phases();
        phases
            .values()
            .all(|phase| phase.settled && phase.status.source_revision == self.revision)
            && resources.values().all(|report| {
                report.settled
                    && (!report.declared || report.status.source_revision == self.revision)
            })
            && self.are_checks_told()
            && (!self.holds_resources || resources.values().any(|report| report.declared))
    }

    /// Every declared check was probed often enough for a verdict.
    fn are_checks_told(&self) -> bool {
        let checks = self.operator.board.checks();
        checks.len() == self.checks && checks.values().all(|check| check.settled)
    }

    fn stirred(&mut self) {
        self.said_settled = false;
        self.settled_since = None;
    }

    fn has_rested(&mut self, resources: &BTreeMap<Key, Report>) -> bool {
        let since = *self.settled_since.get_or_insert_with(Instant::now);
        let waits = resources.values().any(|report| {
            let ready = report.status.condition(ConditionType::Ready);
            ready.is_some_and(|ready| ready.reason == Reason::WaitingForDependency)
        });
        !waits || since.elapsed() >= WAKE
    }

    /// Prints what happened since the last time, and says how many events it was.
    pub fn print_events(&mut self) -> Result<u64, CliError> {
        let resources = self.operator.board.resources();
        let mut printed = 0;
        loop {
            match self.events.try_recv() {
                Ok(event) => {
                    let report = event.about.key().and_then(|key| resources.get(key));
                    let name = report.map_or(event.about.name(), |report| &*report.name);
                    self.voice.event(&event, name, self.object_width)?;
                    printed += 1;
                }
                Err(TryRecvError::Lagged(count)) => {
                    let text =
                        format!("{count} events not shown here; `evenkeel describe` has them");
                    self.voice.note(self.operator.now(), "Lagged", &text)?;
                    printed += count;
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(printed),
            }
        }
    }

    /// A resource that cannot be read is no event; it is said once all the same.
    fn say_trouble(&mut self, resources: &BTreeMap<Key, Report>) -> Result<(), CliError> {
        for (key, report) in resources {
            let ready = report.status.condition(ConditionType::Ready);
            let Some(trouble) = ready.filter(|ready| ready.reason == Reason::Error) else {
                self.blind.remove(key);
                continue;
            };
            if trouble.message != NOT_READ_YET && self.blind.insert(key.clone()) {
                let object = live::object(key.kind, &report.name);
                let text = format!("{object}: {}", trouble.message);
                self.voice.note(self.operator.now(), "Error", &text)?;
            }
        }
        self.blind_since = match (self.blind.is_empty(), self.blind_since) {
            (true, _) => None,
            (false, since) => since.or_else(|| Some(Instant::now())),
        };
        Ok(())
    }

    fn say_settled(&mut self, resources: &BTreeMap<Key, Report>) -> Result<(), CliError> {
        if self.said_settled {
            return Ok(());
        }
        self.said_settled = true;
        let now = self.operator.now();
        self.voice.settled(&rows(resources), now, true)
    }

    async fn reload(&mut self, next: Result<Set, Errors>) -> Result<(), CliError> {
        match next {
            Ok(set) => self.loaded(set).await,
            Err(errors) => self.refused(errors).await,
        }
    }

    async fn loaded(&mut self, set: Set) -> Result<(), CliError> {
        let mended = self.complaint.take().is_some();
        let changed = set.revision != self.revision;
        if !mended && !changed {
            return Ok(());
        }
        let text = if changed {
            format!("manifests changed: {}", set.revision)
        } else {
            "manifests load again, unchanged".to_owned()
        };
        self.voice
            .note(self.operator.now(), "SourceChanged", &text)?;
        for warning in &set.warnings {
            screen::aside(|| out::error_text(&format!("{}\n\n", warning.render(true))));
        }
        self.declare(set).await;
        Ok(())
    }

    pub async fn refused(&mut self, errors: Errors) -> Result<(), CliError> {
        self.operator.source_failed(errors.to_string()).await;
        if self.complaint.as_ref() == Some(&errors) {
            return Ok(());
        }
        screen::aside(|| out::error_text(&errors.render(true)));
        self.complaint = Some(errors);
        let text =
            "manifests do not load: the last set that did stays in force, and nothing is deleted";
        self.voice.note(self.operator.now(), "SourceFailed", text)
    }

    pub fn all_ready(&self) -> bool {
        let resources = self.operator.board.resources();
        let mut declared = resources.values().filter(|report| report.declared);
        declared.all(|report| report.status.is_ready())
            && self
                .operator
                .board
                .phases()
                .values()
                .all(PhaseReport::is_ready)
    }

    /// The table at the end of `--once`.
    pub fn print_table(&self) -> Result<(), CliError> {
        let resources = self.operator.board.resources();
        let objects: Vec<_> = resources
            .iter()
            .map(|(key, report)| Object {
                key,
                name: &report.name,
                generation: report.status.observed_generation,
                revision: report
                    .status
                    .last_good
                    .as_ref()
                    .map_or(0, |good| good.revision),
                status: &report.status,
            })
            .collect();
        let now = self.operator.now();
        self.voice.table(&table(&objects, now))?;
        let (phases, checks) = (self.operator.board.phases(), self.operator.board.checks());
        let phases = phases.iter().map(|(name, phase)| documents::Row {
            kind: DocumentKind::Phase,
            name,
            conditions: &phase.status.conditions,
        });
        let checks = checks.iter().map(|(name, check)| documents::Row {
            kind: DocumentKind::Check,
            name,
            conditions: &check.status.conditions,
        });
        let rows: Vec<_> = phases.chain(checks).collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.voice.table(&documents::list(&rows, now, out::width()))
    }

    pub fn say_stopped(&self) -> Result<(), CliError> {
        let text = "stopped; the next run goes on from here";
        self.voice.note(self.operator.now(), "Stopped", text)
    }
}

fn rows(resources: &BTreeMap<Key, Report>) -> Vec<Row<'_>> {
    resources
        .iter()
        .filter(|(_, report)| report.declared)
        .map(|(key, report)| Row {
            key,
            name: &report.name,
            status: &report.status,
        })
        .collect()
}
