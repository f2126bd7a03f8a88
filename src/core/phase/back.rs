//! After a failed attempt: the phase holds, and its resources go back where that is asked for.

use super::stand::Stand;
use super::{Failed, Mark, Member, Recall, Run};
use crate::api::{Key, OnFailure};
use crate::core::record::Record;

impl Run<'_> {
    /// Held; where that is asked for, the resources go back one after the other.
    pub(super) fn failed(&mut self, failed: &Failed) -> Stand {
        let recall = match self.scene.spec.on_failure {
            OnFailure::Rollback if !failed.stays => self.recall(failed),
            OnFailure::Hold | OnFailure::Rollback => None,
        };
        let way_out = self.way_out();
        let message = match &recall {
            Some(recall) => format!(
                "{}; {} goes back. {way_out}",
                failed.message, recall.key.name
            ),
            None => format!("{}. {way_out}", failed.message),
        };
        Stand {
            stalled: true,
            recall,
            ..Stand::new(failed.reason, message)
        }
        .closed()
    }

    /// The next resource to go back: of those that this attempt changed, the one that changed last
    /// and has not gone back yet.
    fn recall(&self, failed: &Failed) -> Option<Recall> {
        let mut changed: Vec<_> = failed.marks.iter().filter(|m| m.turn.is_some()).collect();
        changed.sort_by_key(|mark| std::cmp::Reverse(mark.turn));
        for mark in changed {
            let Some((member, record)) = self.member(&mark.key) else {
                continue;
            };
            let Some(to) = saved_in(record, mark) else {
                continue;
            };
            let id = format!("{}@{}@{}", self.scene.name, failed.started_at, member.key);
            let asked = record.recalled.as_deref() == Some(&id);
            // Also where that failed: nobody goes back twice.
            let gone = asked || record.has_gone_back(member.digest);
            let under_way = record.rollout.is_some() || record.write.is_some();
            match (gone, under_way) {
                (true, false) => {}
                // The others wait for it.
                (true, true) => return None,
                (false, _) => {
                    let key = member.key.clone();
                    return Some(Recall { key, to, id });
                }
            }
        }
        None
    }

    fn member(&self, key: &Key) -> Option<(&Member<'_>, &Record)> {
        let member = self.scene.members.iter().find(|m| m.key == key)?;
        Some((member, member.record?))
    }

    /// Every resource as it is before the attempt.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let mark = |member: &Member<'_>| Mark {
            key: member.key.clone(),
            revision: member.record.map_or(0, |record| record.revision),
            turn: None,
        };
        self.scene.members.iter().map(mark).collect()
    }

    /// Notes in which order the resources change.
    pub(super) fn note_turns(&mut self) {
        let Some(mut marks) = self
            .record
            .attempt
            .as_mut()
            .map(|a| std::mem::take(&mut a.marks))
        else {
            return;
        };
        let mut last = marks.iter().filter_map(|mark| mark.turn).max().unwrap_or(0);
        for mark in marks.iter_mut().filter(|mark| mark.turn.is_none()) {
            let changed = |(_, record)| saved_in(record, mark).is_some();
            if self.member(&mark.key).is_some_and(changed) {
                last += 1;
                mark.turn = Some(last);
            }
        }
        if let Some(attempt) = self.record.attempt.as_mut() {
            attempt.marks = marks;
        }
    }
}

/// The first state that was saved since the mark: what is written first saves one.
fn saved_in(record: &Record, mark: &Mark) -> Option<i64> {
    let mut saved = record.history.iter().map(|entry| entry.revision);
    saved.find(|revision| *revision > mark.revision && *revision <= record.revision)
}
