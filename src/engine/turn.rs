//! Whose turn it is: what a step waits for outside of its own resource.

use super::Engine;
use super::pass::Wanted;
use crate::api::{ConditionType, Key, Reason, Status};
use crate::core::decide::Hindrance;
use crate::core::freeze;
use crate::core::record::{Purpose, Record};

impl Engine {
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
            .filter(|(other, memory)| *other != key && self.takes_a_turn(other, &memory.record))
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

    /// A rollout that moves by itself, or a pass that may be starting one.
    pub(super) fn takes_a_turn(&self, key: &Key, record: &Record) -> bool {
        let waits = record
            .status
            .condition(ConditionType::Ready)
            .is_some_and(|ready| {
                matches!(ready.reason, Reason::AwaitingPromotion | Reason::Suspended)
            });
        match &record.rollout {
            Some(rollout) => !waits && matches!(rollout.purpose, Purpose::Apply | Purpose::Drift),
            None => self.flying.contains(key) && !record.status.is_ready(),
        }
    }
}
