//! The phases of the declared set: looked at whenever something changed that they depend on.

use super::Engine;
use super::checks::AGAIN;
use super::pass::later;
use super::queue::Priority;
use crate::api::{Document, Key, PhaseSpec};
use crate::core::decide::Hindrance;
use crate::core::phase::{self, Member, PhaseRecord, Recall, Scene};
use crate::core::token::{Ask, Token};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The declared phases, those that others depend on first.
#[derive(Default)]
pub(super) struct Phases {
    order: Vec<Document<PhaseSpec>>,
    records: BTreeMap<String, PhaseRecord>,
    members: BTreeMap<String, Vec<Key>>,
    closed: BTreeMap<String, String>,
    recalls: BTreeMap<Key, Recall>,
    /// When to look again, though nothing changes.
    due: BTreeMap<String, Timestamp>,
}

impl Phases {
    /// Phases that go on from the journal.
    pub fn new(records: Vec<PhaseRecord>, now: Timestamp) -> Self {
        let named = records
            .into_iter()
            .map(|record| (record.name.clone(), record.resumed(now)));
        Phases {
            records: named.collect(),
            ..Phases::default()
        }
    }

    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_due().is_some_and(|due| due <= now)
    }

    /// True for a resource of a phase.
    pub fn hold(&self, key: &Key) -> bool {
        self.of(key).is_some()
    }

    /// The phase of a resource; the loader sees to it that there is one at most.
    fn of(&self, key: &Key) -> Option<&Document<PhaseSpec>> {
        let holds = |phase: &&Document<PhaseSpec>| {
            self.members
                .get(&phase.name)
                .is_some_and(|keys| keys.contains(key))
        };
        self.order.iter().find(holds)
    }

    /// How many resources of its phase may change at the same time, and which they are.
    pub fn crowd(&self, key: &Key) -> Option<(u32, &[Key])> {
        let phase = self.of(key)?;
        let members = self.members.get(&phase.name)?;
        Some((phase.spec.max_parallel, members))
    }

    /// When all resources of a phase were Ready, for each one that this check proves now.
    pub fn judged_by<'a>(&'a self, check: &'a str) -> impl Iterator<Item = Timestamp> + 'a {
        let proved = self.order.iter().filter(move |phase| {
            let mut verify = phase.spec.verify.iter();
            verify.any(|one| one.check == check)
        });
        proved.filter_map(|phase| {
            let attempt = self.records.get(&phase.name)?.attempt.as_ref();
            attempt?.landed_at
        })
    }

    /// What a phase of `documents` says about the others: its own first.
    fn sorted(documents: Vec<Document<PhaseSpec>>) -> Vec<Document<PhaseSpec>> {
        let mut left = documents;
        let mut order: Vec<Document<PhaseSpec>> = Vec::new();
        while !left.is_empty() {
            let free = |phase: &Document<PhaseSpec>| {
                let waits = |name: &str| left.iter().any(|other| other.name == name);
                !phase.spec.depends_on.iter().any(|on| waits(&on.name))
            };
            // The loader refuses cycles; without one there always is a free phase.
            let next = left.iter().position(free).unwrap_or(0);
            let phase = left.remove(next);
            order.push(phase);
        }
        order
    }
}

impl Engine {
    pub(super) async fn declare_phases(&mut self, documents: Vec<Document<PhaseSpec>>) {
        self.phases.members = documents
            .iter()
            .map(|phase| {
                let select = phase.spec.select.as_ref();
                let picked = |wanted: &super::pass::Wanted| {
                    select.is_some_and(|select| select.matches(&wanted.declared.labels))
                };
                let keys = self.wanted.iter().filter(|(_, wanted)| picked(wanted));
                (
                    phase.name.clone(),
                    keys.map(|(key, _)| key.clone()).collect(),
                )
            })
            .collect();
        self.phases.order = Phases::sorted(documents);
        let order = &self.phases.order;
        let declared = |name: &String| order.iter().any(|phase| phase.name == *name);
        self.phases.closed.retain(|name, _| declared(name));
        self.phases.due.retain(|name, _| declared(name));
        // Nothing starts before its phase was looked at.
        for phase in order {
            let text = format!("phase {}: not looked at yet", phase.name);
            self.phases.closed.entry(phase.name.clone()).or_insert(text);
        }
        self.look_at_phases().await;
    }

    /// Looks at every phase, those that others depend on first.
    pub(super) async fn look_at_phases(&mut self) {
        let order = std::mem::take(&mut self.phases.order);
        let asked = std::mem::take(&mut self.phases.recalls);
        for document in &order {
            self.look_at_phase(document, &asked).await;
        }
        self.phases.order = order;
        self.board.put_phases(self.phase_reports());
    }

    /// `asked`: the recalls that are known already.
    async fn look_at_phase(
        &mut self,
        document: &Document<PhaseSpec>,
        asked: &BTreeMap<Key, Recall>,
    ) {
        let name = &document.name;
        let now = self.shared.now();
        let record = self.phases.records.get(name).cloned();
        let record = record.unwrap_or_else(|| PhaseRecord::new(name));
        let step = {
            let members = self.members_of(name);
            let blocked_on = self.blocked_on(document);
            let gauges = self.checks.gauges(
                document
                    .spec
                    .verify
                    .iter()
                    .map(|verify| verify.check.as_str()),
            );
            let tokens = self.tokens_of(name);
            phase::look(
                &Scene {
                    name,
                    spec: &document.spec,
                    members: &members,
                    blocked_on: blocked_on.as_deref(),
                    source: &document.origin.revision,
                    gauges: &gauges,
                    tokens: &tokens,
                    now,
                },
                &record,
            )
        };
        let changed = step.record != record || !step.events.is_empty() || !step.handled.is_empty();
        if changed {
            let journal = &self.shared.ports.journal;
            let saved = journal.commit_phase(&step.record, &step.events, &step.handled);
            if let Err(error) = saved.await {
                // What is not saved did not happen: it is looked at again.
                self.phases.due.insert(name.clone(), later(now, AGAIN));
                self.note_journal(Some(error.to_string()));
                return;
            }
        }
        self.tokens
            .retain(|token| !step.handled.contains(&token.id));
        self.board.tell(step.events);
        let landed = |record: &PhaseRecord| record.attempt.as_ref()?.landed_at;
        if landed(&step.record).is_some_and(|at| landed(&record) != Some(at)) {
            let verify = document.spec.verify.iter();
            self.checks
                .hurry(verify.map(|verify| verify.check.as_str()), now);
        }
        for release in &step.record.releases {
            if !record.releases.contains(release) {
                self.wake(&release.key);
            }
        }
        self.phases.records.insert(name.clone(), step.record);
        match step.requeue {
            Some(at) => self.phases.due.insert(name.clone(), at),
            None => self.phases.due.remove(name),
        };
        if let Some(recall) = step.recall {
            // Once: what holds it up wakes the resource itself.
            if asked.get(&recall.key) != Some(&recall) {
                self.wake(&recall.key);
            }
            self.phases.recalls.insert(recall.key.clone(), recall);
        }
        let before = self.phases.closed.remove(name);
        let opened = before.is_some() && step.closed.is_none();
        if let Some(why) = step.closed {
            self.phases.closed.insert(name.clone(), why);
        }
        if opened {
            self.wake_phase(name);
        }
    }

    fn wake_phase(&mut self, name: &str) {
        let members = self.phases.members.get(name).cloned();
        for key in members.iter().flatten() {
            self.wake(key);
        }
    }

    fn wake(&mut self, key: &Key) {
        self.queue.push(key, self.shared.now(), Priority::Edit);
        if let Some(wanted) = self.wanted.get(key) {
            self.announce(key, wanted);
        }
    }

    fn members_of(&self, phase: &str) -> Vec<Member<'_>> {
        let keys = self.phases.members.get(phase).into_iter().flatten();
        keys.filter_map(|key| {
            let wanted = self.wanted.get(key)?;
            Some(Member {
                key,
                digest: &wanted.digest,
                record: self.memory.get(key).map(|memory| &memory.record),
                retried: self.is_retried(key),
            })
        })
        .collect()
    }

    fn is_retried(&self, key: &Key) -> bool {
        let mut asks = self.tokens.iter();
        asks.any(|token| token.ask == Ask::Retry && token.about.key() == Some(key))
    }

    /// The first phase before this one that is not Ready at this revision.
    fn blocked_on(&self, document: &Document<PhaseSpec>) -> Option<String> {
        let source = &document.origin.revision;
        document.spec.depends_on.iter().find_map(|on| {
            let record = self.phases.records.get(&on.name);
            if record.is_some_and(|record| record.is_ready_at(source)) {
                return None;
            }
            let reason = record.map_or("not looked at yet", PhaseRecord::ready_reason);
            Some(format!("waits for phase {} ({reason})", on.name))
        })
    }

    fn tokens_of(&self, phase: &str) -> Vec<Token> {
        let about = crate::api::Subject::Phase(phase.to_owned());
        let own = self.tokens.iter().filter(|token| token.about == about);
        own.cloned().collect()
    }

    /// Why the phase of a resource keeps its steps from starting.
    pub(super) fn phase_hindrance(&self, key: &Key) -> Option<Hindrance> {
        let phase = self.phases.of(key)?;
        if let Some(why) = self.phases.closed.get(&phase.name) {
            return Some(Hindrance::Dependency(why.clone()));
        }
        let limit = usize::try_from(phase.spec.max_parallel).unwrap_or(usize::MAX);
        let members = self.phases.members.get(&phase.name)?;
        let turn = |other: &&Key| {
            let memory = self.memory.get(*other);
            *other != key && memory.is_some_and(|m| self.goes_first(&m.record, key))
        };
        let running: Vec<_> = members
            .iter()
            .filter(turn)
            .map(|key| key.name.as_str())
            .collect();
        (running.len() >= limit).then(|| {
            Hindrance::Budget(format!(
                "waits for its turn in phase {}: maxParallel {limit}, and {} changes",
                phase.name,
                running.join(", ")
            ))
        })
    }

    /// A resource whose phase failed and that goes back: a request that acts once.
    pub(super) async fn recall_of(&mut self, key: &Key) -> Option<Token> {
        let recall = self.phases.recalls.get(key)?;
        let record = self.memory.get(key).map(|memory| &memory.record);
        // It is on its way, and asked but once.
        if record.is_some_and(|record| record.recalled.as_ref() == Some(&recall.id)) {
            return None;
        }
        let revision = self.shared.ports.journal.revision(key, recall.to);
        let fields = match revision.await {
            // Nothing was there, or nothing was saved: what there is stays, and is held.
            Ok(revision) => revision.map(|revision| revision.fields).unwrap_or_default(),
            Err(_) => return None,
        };
        let phase = self.phases.of(key).map_or("", |phase| &phase.name);
        Some(Token {
            id: recall.id.clone(),
            about: key.into(),
            at: self.shared.now(),
            ask: Ask::Undo {
                to: recall.to,
                fields,
                why: Some(format!("phase {phase} failed")),
            },
        })
    }

    /// A resource that is tried again with its phase: a request that acts once.
    pub(super) fn release_of(&self, key: &Key) -> Option<Token> {
        let phase = self.phases.of(key)?;
        let known = self.phases.records.get(&phase.name)?;
        let release = known.releases.iter().find(|release| release.key == *key)?;
        let record = &self.memory.get(key)?.record;
        (!release.is_done(record)).then(|| Token {
            id: release.id.clone(),
            about: key.into(),
            at: self.shared.now(),
            ask: Ask::Retry,
        })
    }

    /// It was asked to go back and has not come to rest since; what is gone from GCP never does go.
    fn goes_back(&self, key: &Key) -> bool {
        let shown = self.board.resources();
        let rests = shown.get(key).is_some_and(|report| report.settled);
        self.phases.recalls.contains_key(key) && !rests
    }

    /// Every member rests, and one of them is not Ready: it is what the phase waits for.
    fn waits_for_people(&self, phase: &str) -> bool {
        let shown = self.board.resources();
        let members = self.phases.members.get(phase).into_iter().flatten();
        let reports: Option<Vec<_>> = members.map(|key| shown.get(key)).collect();
        reports.is_some_and(|reports| {
            reports.iter().all(|report| report.settled)
                && reports.iter().any(|report| !report.status.is_ready())
        })
    }

    fn phase_reports(&self) -> BTreeMap<String, super::board::PhaseReport> {
        let report = |phase: &Document<PhaseSpec>| {
            let record = self.phases.records.get(&phase.name)?;
            let members = self.phases.members.get(&phase.name).cloned();
            let waits = self.phases.due.contains_key(&phase.name)
                || members.iter().flatten().any(|key| self.goes_back(key));
            let report = super::board::PhaseReport {
                failed: record.failed.as_ref().map(|failed| failed.content.clone()),
                plan: record.plan.clone(),
                status: record.status.clone(),
                members: members.unwrap_or_default(),
                depends_on: phase
                    .spec
                    .depends_on
                    .iter()
                    .map(|on| on.name.clone())
                    .collect(),
                settled: !waits && (record.is_at_rest() || self.waits_for_people(&phase.name)),
            };
            Some((phase.name.clone(), report))
        };
        self.phases.order.iter().filter_map(report).collect()
    }
}
