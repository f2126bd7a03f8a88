//! Standing checks: when each is probed, and where it stands.
//!
//! Checks are monitors all the time, not only while something changes: a rollout then has its
//! baseline at hand.

use super::Engine;
use super::pass::later;
use super::queue::Priority;
use crate::api::event::Severity;
use crate::api::{CheckSpec, Document, Event, Key, Source, Subject};
use crate::core::check::{
    CheckRecord, ProberError, ProberFault, Verdict, Window, last_probe, status,
};
use crate::core::conditions::bounded;
use crate::core::gate::{Gauge, Gauges};
use crate::core::procedure::SERVING;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Takes measurements. It never decides.
#[async_trait]
pub trait Prober: Send + Sync {
    /// Makes one probe of a check; ends within its limits. `step`: when the newest change had landed
    /// that the check judges.
    async fn probe(&self, check: &Document<CheckSpec>, step: Option<Timestamp>) -> Probe;
}

/// For operators that must not reach out: every probe says so.
#[derive(Debug, Clone, Copy)]
pub struct Blindfold;

#[async_trait]
impl Prober for Blindfold {
    async fn probe(&self, _: &Document<CheckSpec>, _: Option<Timestamp>) -> Probe {
        let message = "this operator takes no measurements";
        Probe {
            since: Timestamp::MIN,
            outcome: Err(ProberError::new(ProberFault::Local, message)),
        }
    }
}

/// What a probe brought.
#[derive(Debug, Clone)]
pub struct Probe {
    /// When the oldest thing that it can have seen happened.
    pub since: Timestamp,
    pub outcome: Result<Window, ProberError>,
}

/// A probe that came back.
pub(super) struct Probed {
    pub document: Arc<Document<CheckSpec>>,
    pub started: Timestamp,
    pub probe: Probe,
}

/// The checks of the declared set.
#[derive(Default)]
pub(super) struct Checks {
    all: BTreeMap<String, Entry>,
    /// What the journal holds.
    saved: BTreeMap<String, CheckRecord>,
}

struct Entry {
    document: Arc<Document<CheckSpec>>,
    gauge: Gauge,
    record: CheckRecord,
    due: Timestamp,
    running: bool,
    /// The probe that runs started too early: another one follows at once.
    again: bool,
}

impl Entry {
    /// True where a probe takes sockets of this machine.
    fn is_here(&self) -> bool {
        !matches!(
            self.document.spec.source(),
            Some(
                Source::Metric(_) | Source::Log(_) | Source::BackendHealth(_) | Source::Resource(_)
            )
        )
    }
}

impl Checks {
    /// Checks that go on from the journal.
    pub fn new(records: Vec<CheckRecord>) -> Self {
        let named = records
            .into_iter()
            .map(|record| (record.name.clone(), record));
        Checks {
            saved: named.collect(),
            ..Checks::default()
        }
    }

    /// Keeps exactly these checks. One whose spec changed starts anew.
    pub fn set(&mut self, documents: Vec<Document<CheckSpec>>, now: Timestamp) {
        let mut before = std::mem::take(&mut self.all);
        for document in documents {
            let old = before.remove(&document.name);
            let saved = self.saved.get(&document.name);
            let known = old.as_ref().map(|old| &old.record).or(saved);
            let record = CheckRecord::declared(&document.name, &document.spec, known);
            let entry = match old {
                Some(old) if old.document.spec == document.spec => Some(Entry {
                    document: Arc::new(document.clone()),
                    ..old
                }),
                _ => Gauge::new(&document.spec, now).map(|gauge| Entry {
                    document: Arc::new(document.clone()),
                    gauge,
                    record,
                    due: now,
                    running: false,
                    again: false,
                }),
            };
            if let Some(entry) = entry {
                self.all.insert(document.name, entry);
            }
        }
    }

    /// The checks that are due, the longest first; they count as running until they are taken in.
    /// At most so many run from here at once; what is asked of Google waits for its turn elsewhere.
    pub fn start_due(&mut self, now: Timestamp, limit: usize) -> Vec<Arc<Document<CheckSpec>>> {
        let mut left = limit.saturating_sub(self.running_here());
        let due = self.all.values_mut().filter(|e| !e.running && e.due <= now);
        let mut due: Vec<&mut Entry> = due.collect();
        due.sort_by_key(|entry| entry.due);
        let mut started = Vec::new();
        for entry in due {
            if entry.is_here() {
                let Some(rest) = left.checked_sub(1) else {
                    continue;
                };
                left = rest;
            }
            entry.running = true;
            started.push(Arc::clone(&entry.document));
        }
        started
    }

    /// Something has just landed that these checks judge, and nothing that was measured before
    /// counts: they are due now. What Google tells later cannot be hurried.
    pub fn hurry<'n>(&mut self, names: impl Iterator<Item = &'n str>, now: Timestamp) {
        for name in names {
            if let Some(entry) = self.all.get_mut(name)
                && entry.gauge.settle.is_zero()
            {
                entry.again = entry.running;
                entry.due = now.min(entry.due);
            }
        }
    }

    /// When the next one can start, with at most so many from here at once.
    pub fn next_due(&self, limit: usize) -> Option<Timestamp> {
        let full = self.running_here() >= limit;
        let waiting = self.all.values().filter(|entry| !entry.running);
        let free = waiting.filter(|entry| !(full && entry.is_here()));
        free.map(|entry| entry.due).min()
    }

    fn running_here(&self) -> usize {
        let running = |entry: &&Entry| entry.running && entry.is_here();
        self.all.values().filter(running).count()
    }

    /// Takes a probe in. Says what people should hear of it.
    fn take(&mut self, probed: &Probed, jitter: f64, now: Timestamp) -> Option<(Severity, String)> {
        let entry = self.all.get_mut(&probed.document.name)?;
        // The check was edited meanwhile: that was another measurement.
        if entry.document.spec != probed.document.spec {
            return None;
        }
        entry.running = false;
        let interval = entry.document.spec.interval.0;
        let next = later(probed.started, interval.mul_f64(0.9 + jitter / 5.0));
        entry.due = if std::mem::take(&mut entry.again) {
            now
        } else {
            next.max(now)
        };
        let (was, warned) = (entry.gauge.standing.verdict, entry.gauge.standing.warning);
        let evaluation = entry
            .gauge
            .criteria
            .evaluate(probed.probe.since, &probed.probe.outcome);
        entry.gauge.standing.add(evaluation, &entry.gauge.criteria);
        let standing = &entry.gauge.standing;
        let CheckRecord {
            status: shown,
            generation,
            ..
        } = &mut entry.record;
        *shown = status(shown, standing, *generation, now);
        shown.last = Some(last_probe(probed.started, &probed.probe.outcome));
        let message = |index: usize| {
            let condition = shown.conditions.get(index);
            condition.map_or_else(String::new, |condition| condition.message.clone())
        };
        match (was, standing.verdict) {
            (old, new) if old != new => Some(match new {
                Verdict::Passing => (Severity::Normal, format!("passing: {}", message(0))),
                Verdict::Failing => (Severity::Warning, format!("failing: {}", message(0))),
                Verdict::Unknown => (Severity::Warning, format!("unknown: {}", message(0))),
            }),
            _ if standing.warning && !warned => Some((
                Severity::Warning,
                format!("close to failing: {}", message(1)),
            )),
            _ => None,
        }
    }

    /// The gauges of these checks.
    pub fn gauges<'n>(&self, names: impl Iterator<Item = &'n str>) -> Gauges {
        let found = names.filter_map(|name| {
            let entry = self.all.get(name)?;
            Some((name.to_owned(), entry.gauge.clone()))
        });
        found.collect()
    }

    /// The record of a check, where the journal should hear of it.
    fn unsaved(&self, name: &str, events: &[Event]) -> Option<CheckRecord> {
        let record = &self.all.get(name)?.record;
        let due = !events.is_empty() || record.outdates(self.saved.get(name));
        due.then(|| record.clone())
    }

    /// Checks that the journal remembers and no manifest declares.
    fn undeclared(&self) -> Vec<String> {
        let names = self.saved.keys();
        names
            .filter(|name| !self.all.contains_key(*name))
            .cloned()
            .collect()
    }

    /// Documents and statuses, by name.
    pub fn reports(&self) -> BTreeMap<String, super::board::CheckReport> {
        let report = |entry: &Entry| super::board::CheckReport {
            document: Arc::clone(&entry.document),
            status: entry.record.status.clone(),
            verdict: entry.gauge.standing.verdict,
            warning: entry.gauge.standing.warning,
            last: entry.gauge.standing.last().cloned(),
            settled: entry.gauge.standing.is_told(&entry.gauge.criteria),
        };
        self.all
            .iter()
            .map(|(name, entry)| (name.clone(), report(entry)))
            .collect()
    }
}

impl Engine {
    /// Starts the probes that are due, within the budget of probes.
    pub(super) fn start_probes(&mut self, now: Timestamp) {
        for document in self.checks.start_due(now, self.shared.settings.probes) {
            let shared = Arc::clone(&self.shared);
            let step = self.step_judged_by(&document.name);
            let resource = self.resource_probe(&document);
            self.probes.push(Box::pin(async move {
                let started = shared.now();
                let probe = match resource {
                    Some(probe) => probe,
                    None => shared.ports.prober.probe(&document, step).await,
                };
                Probed {
                    document,
                    started,
                    probe,
                }
            }));
        }
    }

    /// A probe came back: tell people of a flip, and wake what waits for a verdict.
    pub(super) async fn probed(&mut self, probed: &Probed) {
        let now = self.shared.now();
        let news = self.checks.take(probed, self.shared.jitter(), now);
        let events: Vec<Event> = news
            .into_iter()
            .map(|(severity, message)| Event {
                at: now,
                about: Subject::Check(probed.document.name.clone()),
                severity,
                reason: match severity {
                    Severity::Normal => "CheckPassing".to_owned(),
                    Severity::Warning => "CheckTrouble".to_owned(),
                },
                message: bounded(message),
            })
            .collect();
        self.save_check(&probed.document.name, &events).await;
        self.board.tell(events);
        self.board.put_checks(self.checks.reports());
        let judged: Vec<Key> = self.judged_by(&probed.document.name).cloned().collect();
        for key in judged {
            self.queue.push(&key, now, Priority::Progress);
        }
        self.look_at_phases().await;
    }

    pub(super) async fn declare_checks(
        &mut self,
        documents: Vec<Document<CheckSpec>>,
        now: Timestamp,
    ) {
        self.checks.set(documents, now);
        for name in self.checks.undeclared() {
            match self.shared.ports.journal.forget_check(&name).await {
                Ok(()) => drop(self.checks.saved.remove(&name)),
                Err(error) => self.note_journal(Some(error.to_string())),
            }
        }
    }

    async fn save_check(&mut self, name: &str, events: &[Event]) {
        let Some(record) = self.checks.unsaved(name, events) else {
            return;
        };
        let saved = self.shared.ports.journal.commit_check(&record, events);
        match saved.await {
            Ok(()) => drop(self.checks.saved.insert(name.to_owned(), record)),
            Err(error) => self.note_journal(Some(error.to_string())),
        }
    }

    /// The resources whose rollout waits for this check.
    fn judged_by<'a>(&'a self, check: &'a str) -> impl Iterator<Item = &'a Key> {
        self.memory.iter().filter_map(move |(key, memory)| {
            memory.record.rollout.as_ref()?;
            let wanted = self.wanted.get(key)?;
            let verify = &wanted.declared.policy.rollout.as_ref()?.verify;
            verify.iter().any(|one| one.check == check).then_some(key)
        })
    }

    /// When the newest change had landed, or served, that this check judges.
    fn step_judged_by(&self, check: &str) -> Option<Timestamp> {
        let rollouts = self.judged_by(check).filter_map(|key| {
            let rollout = self.memory.get(key)?.record.rollout.as_ref()?;
            rollout.landed_at.max(rollout.since.get(SERVING).copied())
        });
        rollouts.chain(self.phases.judged_by(check)).max()
    }

    /// A step of this resource has landed: what judges it measures now.
    pub(super) fn hurry_checks_of(&mut self, key: &Key) {
        let now = self.shared.now();
        let rollout = self
            .wanted
            .get(key)
            .and_then(|wanted| wanted.declared.policy.rollout.as_ref());
        let verify = rollout.into_iter().flat_map(|rollout| &rollout.verify);
        self.checks
            .hurry(verify.map(|verify| verify.check.as_str()), now);
    }

    /// What the checks of a resource's rollout say.
    pub(super) fn gauges_of(&self, wanted: Option<&super::pass::Wanted>) -> Gauges {
        let spec = wanted.and_then(|wanted| wanted.declared.policy.rollout.as_ref());
        let names = spec.into_iter().flat_map(|spec| &spec.verify);
        self.checks
            .gauges(names.map(|verify| verify.check.as_str()))
    }
}

/// Probes at the same time, by default.
pub(super) const PROBES: usize = 16;
/// How long to wait before a phase is looked at again after the journal failed.
pub(super) const AGAIN: Duration = Duration::from_secs(5);
