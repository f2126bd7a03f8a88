//! After a failed attempt: the phase holds, and its resources go back where that is asked for.

use super::stand::Stand;
use super::{Failed, Recall, Run};
use crate::api::OnFailure;

impl Run<'_> {
    /// Held; where that is asked for, the resources go back one after the other.
    pub(super) fn failed(&mut self, failed: &Failed) -> Stand {
        let recall = match self.scene.spec.on_failure {
            OnFailure::Rollback if !failed.stays => self.recall(failed),
            OnFailure::Hold | OnFailure::Rollback => None,
        };
        let way_out = format!(
            "Commit other content, or `evenkeel rollout retry phase/{}`",
            self.scene.name
        );
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
        let changed = self.scene.members.iter().filter_map(|member| {
            let record = member.record?;
            let attempt = record
                .history
                .iter()
                .find(|entry| entry.started_at >= failed.started_at)?;
            let created = matches!(attempt.revision, 0);
            (!created).then_some((attempt.started_at, attempt.revision, member, record))
        });
        let mut changed: Vec<_> = changed.collect();
        changed.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        for (_, to, member, record) in changed {
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
}
