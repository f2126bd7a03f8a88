//! Whose turn it is: what a step waits for outside of its own resource.

use super::pass::Wanted;
use super::phases::Phases;
use super::{Engine, Memory};
use crate::api::{ConditionType, Key, Reason, Status};
use crate::core::decide::Hindrance;
use crate::core::freeze;
use crate::core::record::{Purpose, Record};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Whether one of the passes that run is on a resource that this one refers to, or that refers to
/// it: a procedure writes to both.
pub(super) fn is_linked(
    wanted: &BTreeMap<Key, Arc<Wanted>>,
    flying: &HashSet<Key>,
    key: &Key,
) -> bool {
    let refers = |from: &Key, to: &Key| {
        let from = wanted.get(from);
        from.is_some_and(|from| from.needs.contains(to))
    };
    let mut others = flying.iter();
    others.any(|other| refers(key, other) || refers(other, key))
}

/// Whether a pass that runs may start a rollout that would take the last turn from this one: whose
/// turn it is can be told only when that pass is over.
pub(super) fn is_contested(engine: &Crowd<'_>, key: &Key) -> bool {
    let group = |limit: u32, of: &dyn Fn(&Key) -> bool| {
        let starting = engine
            .flying
            .iter()
            .filter(|other| of(other) && engine.may_start(other))
            .count();
        let rolling = engine
            .memory
            .iter()
            .filter(|(other, memory)| *other != key && of(other) && takes_a_turn(&memory.record))
            .count();
        let taken = u32::try_from(starting + rolling).unwrap_or(u32::MAX);
        starting > 0 && taken >= limit
    };
    if !engine.may_start(key) {
        return false;
    }
    let anyone = engine.limit.is_some_and(|limit| group(limit, &|_| true));
    anyone
        || engine
            .phases
            .crowd(key)
            .is_some_and(|(limit, members)| group(limit, &|other| members.contains(other)))
}

/// What can take a turn.
pub(super) struct Crowd<'a> {
    pub wanted: &'a BTreeMap<Key, Arc<Wanted>>,
    pub memory: &'a BTreeMap<Key, Memory>,
    pub phases: &'a Phases,
    pub flying: &'a HashSet<Key>,
    pub limit: Option<u32>,
}

impl Crowd<'_> {
    /// A pass over it may start a rollout.
    fn may_start(&self, key: &Key) -> bool {
        let Some(wanted) = self.wanted.get(key) else {
            return false;
        };
        self.memory.get(key).is_none_or(|memory| {
            let status = &memory.record.status;
            let looked = status.source_revision == wanted.declared.origin.revision;
            memory.record.rollout.is_none() && !(looked && status.is_ready())
        })
    }
}

/// A rollout that moves by itself.
pub(super) fn takes_a_turn(record: &Record) -> bool {
    let ready = record.status.condition(ConditionType::Ready);
    let waits = ready.is_some_and(|ready| {
        matches!(
            ready.reason,
            // What it waits for may need the turn.
            Reason::AwaitingPromotion | Reason::Suspended | Reason::WaitingForDependency
        )
    });
    record
        .rollout
        .as_ref()
        .is_some_and(|rollout| !waits && matches!(rollout.purpose, Purpose::Apply | Purpose::Drift))
}

impl Engine {
    /// This rollout takes a turn before that of `key`: of two that run, the one that began first.
    pub(super) fn goes_first(&self, record: &Record, key: &Key) -> bool {
        let began = |record: &Record| {
            let rollout = record.rollout.as_ref().filter(|_| takes_a_turn(record));
            rollout.map(|rollout| (rollout.started_at, record.key.clone()))
        };
        let own = self.memory.get(key).map(|memory| &memory.record);
        match (began(record), own.and_then(began)) {
            (Some(other), Some(own)) => other < own,
            (other, _) => other.is_some(),
        }
    }

    /// Why no step of this resource may start now. What lasts longest comes first.
    pub(super) fn hindrance(&self, key: &Key, wanted: &Wanted) -> Option<Hindrance> {
        self.unready_reference(wanted)
            .or_else(|| self.phase_hindrance(key))
            .or_else(|| self.freeze_window())
            .or_else(|| self.full(key))
    }

    /// The first reference that is not ready.
    fn unready_reference(&self, wanted: &Wanted) -> Option<Hindrance> {
        wanted.needs.iter().find_map(|key| {
            let status = self.memory.get(key).map(|memory| &memory.record.status);
            if status.is_some_and(Status::is_ready) {
                return None;
            }
            let ready = status.and_then(|status| status.condition(ConditionType::Ready));
            let reason = ready.map_or("not looked at yet", |ready| ready.reason.as_str());
            let text = format!("waits for {}/{} ({reason})", key.kind, key.name);
            Some(Hindrance::Dependency(text))
        })
    }

    /// Why something that refers to this resource must not be written now, if so.
    pub(super) fn busy_referrer(&self, key: &Key) -> Option<String> {
        let referring = self.memory.iter().filter(|(_, memory)| {
            let record = &memory.record;
            record.owned && !record.released && record.needs.contains(key)
        });
        referring.into_iter().find_map(|(other, memory)| {
            let suspended = self
                .wanted
                .get(other)
                .is_some_and(|w| w.declared.policy.suspend);
            let why = if memory.record.write.is_some() {
                "a call to it is under way"
            } else if memory.record.paused || suspended {
                "it is suspended"
            } else {
                return None;
            };
            Some(format!(
                "waits for {}/{}: {why}",
                other.kind, memory.record.name
            ))
        })
    }

    fn freeze_window(&self) -> Option<Hindrance> {
        let now = self.shared.now();
        let (freeze, until) = freeze::frozen(&self.shared.settings.freezes, now)?;
        let text = format!(
            "freeze window {}: no step starts until {until:.0}",
            freeze.name
        );
        Some(Hindrance::Window(text, until))
    }

    /// As many other rollouts run as may run at the same time.
    fn full(&self, key: &Key) -> Option<Hindrance> {
        let limit = self.shared.settings.concurrent_rollouts?;
        let running: Vec<_> = self
            .memory
            .iter()
            .filter(|(other, memory)| *other != key && self.goes_first(&memory.record, key))
            .map(|(other, _)| format!("{}/{}", other.kind, other.name))
            .collect();
        let full = u32::try_from(running.len()).unwrap_or(u32::MAX) >= limit;
        full.then(|| {
            Hindrance::Budget(format!(
                "waits for its turn: {} of {limit} concurrent rollouts run ({})",
                running.len(),
                running.join(", ")
            ))
        })
    }
}
