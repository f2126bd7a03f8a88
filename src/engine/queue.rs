//! What to look at next: edits before rollouts before resyncs, and not before it is due.

use crate::api::Key;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// Who goes first among those that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Priority {
    /// A person waits: new content, or a request.
    Edit,
    /// A rollout, a retry or a running call.
    Progress,
    /// A poll saw the resource.
    Resync,
}

/// A queue with at most one entry for each resource.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeSet<(Timestamp, Key)>,
    ready: BTreeSet<(Priority, u64, Key)>,
    slots: HashMap<Key, Slot>,
    sequence: u64,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    at: Timestamp,
    priority: Priority,
    /// Set once it is due.
    sequence: Option<u64>,
}

impl Queue {
    /// Wants a look at `key` at `at` or before. An earlier or more urgent entry is kept.
    pub fn push(&mut self, key: &Key, at: Timestamp, priority: Priority) {
        let (at, priority) = match self.remove(key) {
            Some(old) => (old.at.min(at), old.priority.min(priority)),
            None => (at, priority),
        };
        self.waiting.insert((at, key.clone()));
        self.slots.insert(
            key.clone(),
            Slot {
                at,
                priority,
                sequence: None,
            },
        );
    }

    fn remove(&mut self, key: &Key) -> Option<Slot> {
        let slot = self.slots.remove(key)?;
        match slot.sequence {
            Some(sequence) => self.ready.remove(&(slot.priority, sequence, key.clone())),
            None => self.waiting.remove(&(slot.at, key.clone())),
        };
        Some(slot)
    }

    /// The most urgent resource that is due and not held back by `busy`.
    pub fn pop(&mut self, now: Timestamp, busy: impl Fn(&Key) -> bool) -> Option<Key> {
        self.promote(now);
        let key = self
            .ready
            .iter()
            .map(|(_, _, key)| key)
            .find(|key| !busy(key))?
            .clone();
        self.remove(&key);
        Some(key)
    }

    fn promote(&mut self, now: Timestamp) {
        while let Some((at, key)) = self.waiting.first().filter(|(at, _)| *at <= now).cloned() {
            self.waiting.remove(&(at, key.clone()));
            self.sequence += 1;
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.sequence = Some(self.sequence);
                self.ready.insert((slot.priority, self.sequence, key));
            }
        }
    }

    /// When the next waiting entry is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// Forgets a resource.
    pub fn drop(&mut self, key: &Key) {
        self.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    fn key(name: &str) -> Key {
        Key {
            kind: Kind::VpcAccessConnector,
            project: "p".into(),
            location: "l".into(),
            name: name.into(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn edits_go_before_resyncs_that_were_due_earlier() {
        let mut queue = Queue::default();
        for index in 0..100 {
            queue.push(&key(&format!("r{index}")), at(1), Priority::Resync);
        }
        queue.push(&key("rollout"), at(2), Priority::Progress);
        queue.push(&key("edit"), at(3), Priority::Edit);
        assert_eq!(queue.pop(at(5), |_| false), Some(key("edit")));
        assert_eq!(queue.pop(at(5), |_| false), Some(key("rollout")));
        assert_eq!(queue.pop(at(5), |_| false), Some(key("r0")));
    }

    #[test]
    fn one_entry_each_at_the_earliest_time_and_highest_priority() {
        let mut queue = Queue::default();
        queue.push(&key("a"), at(10), Priority::Resync);
        queue.push(&key("a"), at(20), Priority::Edit);
        assert_eq!(queue.next_due(), Some(at(10)));
        assert_eq!(queue.pop(at(9), |_| false), None);
        assert_eq!(queue.pop(at(10), |_| true), None, "busy ones wait");
        assert_eq!(queue.pop(at(10), |_| false), Some(key("a")));
        assert_eq!(queue.pop(at(100), |_| false), None);
    }
}
