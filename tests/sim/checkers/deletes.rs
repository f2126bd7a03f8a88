//! Deletes: only where they were asked for, and within the budget.

use super::{Violation, calls, seconds, violation};
use crate::sim::trace::{Fact, What};
use evenkeel::api::{Declared, Deletion, Key};
use std::collections::{BTreeMap, BTreeSet};

/// A pass may have started before the manifest came back.
const STALE_FOR: i64 = 300;

/// A delete needs a manifest that left a source which can be read and declares something else,
/// with `deletion: Delete`, and one of the deletes that a sync may make.
pub fn asked_for(trace: &[Fact]) -> Vec<Violation> {
    let mut desk = Desk::default();
    let mut broken = Vec::new();
    let removals: BTreeSet<usize> = calls(trace)
        .iter()
        .filter(|call| call.removes())
        .map(|call| call.sent_at)
        .collect();
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Start { budget, .. } => {
                desk.budget = *budget;
                desk.spent.clear();
            }
            What::Declare(set) => {
                desk.declare(index, set);
                desk.spent.clear();
            }
            What::Sent(sent) if removals.contains(&index) => {
                desk.spent.insert(&sent.key);
                if let Some(why) = desk.objects(trace, index, &sent.key) {
                    let text = format!("{}: {why}", sent.key);
                    broken.push(violation("no delete unasked or over budget", index, text));
                }
            }
            _ => {}
        }
    }
    broken
}

#[derive(Default)]
struct Desk<'a> {
    budget: u32,
    spent: BTreeSet<&'a Key>,
    /// The last policy each manifest had.
    policies: BTreeMap<&'a Key, Deletion>,
    /// The last set in which a resource was missing from a source that declares others.
    missing: BTreeMap<&'a Key, usize>,
    present: BTreeMap<&'a Key, usize>,
}

impl<'a> Desk<'a> {
    fn declare(&mut self, index: usize, set: &'a [Declared]) {
        for declared in set {
            self.policies
                .insert(&declared.key, declared.policy.deletion);
            self.present.insert(&declared.key, index);
        }
        for key in self.policies.keys().copied() {
            if !set.is_empty() && !set.iter().any(|declared| declared.key == *key) {
                self.missing.insert(key, index);
            }
        }
    }

    fn objects(&self, trace: &[Fact], now: usize, key: &Key) -> Option<String> {
        let Some(missing) = self.missing.get(key) else {
            return Some("its manifest never left".to_owned());
        };
        let back = self.present.get(key).filter(|back| *back > missing);
        if back.is_some_and(|back| seconds(trace[*back].at, trace[now].at) > STALE_FOR) {
            return Some("its manifest is back".to_owned());
        }
        if self.policies.get(key) != Some(&Deletion::Delete) {
            return Some("deletion: Orphan".to_owned());
        }
        let spent = u32::try_from(self.spent.len()).unwrap_or(u32::MAX);
        (spent > self.budget).then(|| format!("delete {spent} of {} allowed", self.budget))
    }
}
