//! Obeying people: a phase is approved and retried. Each request acts once.

use super::attempt::named;
use super::{Member, Release, Run};
use crate::api::Reason;
use crate::api::event::Severity;
use crate::core::digest;
use crate::core::record::Record;
use crate::core::token::Ask;
use serde_json::json;

impl Run<'_> {
    pub(super) fn obey(&mut self) {
        for token in self.scene.tokens {
            match &token.ask {
                Ask::Retry => self.retry(&token.id),
                Ask::Approve { plan } if *plan == self.plan() => {
                    self.record.approved = Some(plan.clone());
                    self.tell(Severity::Normal, "Approved", "a person approved the phase");
                }
                Ask::Approve { .. } => {
                    let text = "the approval is of a plan that is no longer the plan";
                    self.tell(Severity::Warning, "StaleApproval", text);
                }
                Ask::Pause | Ask::Resume | Ask::Abort | Ask::Undo { .. } => {
                    let text = "a phase is approved and retried; pause, resume, abort and undo are \
                                for its resources";
                    self.tell(Severity::Warning, "NotForPhases", text);
                }
            }
            self.handled.push(token.id.clone());
        }
    }

    /// Another attempt, also at what this one left on hold.
    fn retry(&mut self, id: &str) {
        self.record.failed = None;
        self.record.attempt = None;
        let held = self.scene.members.iter().filter(|member| {
            let record = member.record;
            record.is_some_and(|record| holds(record, member) && !stopped_by_a_person(record))
        });
        let held: Vec<_> = held.collect();
        self.record.releases = held
            .iter()
            .map(|member| Release {
                key: member.key.clone(),
                id: format!("{}@{id}@{}", self.scene.name, member.key),
            })
            .collect();
        let names: Vec<_> = held.into_iter().map(named).collect();
        let text = match names.as_slice() {
            [] => "a person asked for another attempt".to_owned(),
            names => format!(
                "a person asked for another attempt: {} released",
                names.join(", ")
            ),
        };
        self.tell(Severity::Normal, "Retried", &text);
    }

    /// What was released has taken that in, or is no member any more.
    pub(super) fn drop_done_releases(&mut self) {
        let members = self.scene.members;
        self.record.releases.retain(|release| {
            let member = members.iter().find(|member| *member.key == release.key);
            let record = member.and_then(|member| member.record);
            record.is_some_and(|record| !release.is_done(record))
        });
    }

    pub(super) fn is_released(&self, member: &Member<'_>) -> bool {
        let mut releases = self.record.releases.iter();
        member.retried || releases.any(|release| release.key == *member.key)
    }

    /// How to try again: also what a person stopped, which a retry of the phase leaves alone.
    pub(super) fn way_out(&self) -> String {
        let stopped = self.scene.members.iter().filter(|member| {
            let record = member.record;
            record.is_some_and(|record| holds(record, member) && stopped_by_a_person(record))
        });
        let stopped: Vec<_> = stopped
            .map(|member| format!("`evenkeel rollout retry {}`", named(member)))
            .collect();
        let first = match stopped.as_slice() {
            [] => String::new(),
            stopped => format!("{} (a person stopped it), then ", stopped.join(", ")),
        };
        let name = self.scene.name;
        format!("Commit other content, or {first}`evenkeel rollout retry phase/{name}`")
    }

    /// What an approval is bound to: the plans of all members.
    pub(super) fn plan(&self) -> String {
        let plans = self.scene.members.iter().map(|member| {
            let plan = member.record.and_then(|record| record.status.plan.as_ref());
            json!([
                member.key.to_string(),
                member.digest,
                plan.map(|plan| &plan.digest)
            ])
        });
        digest::of(&json!(plans.collect::<Vec<_>>()))
    }
}

/// Its declared content is on hold.
fn holds(record: &Record, member: &Member<'_>) -> bool {
    let held = record.held.as_ref();
    held.is_some_and(|held| held.digest == member.digest)
}

/// It was aborted, or sent back, by somebody who meant this resource.
fn stopped_by_a_person(record: &Record) -> bool {
    let Some(held) = &record.held else {
        return false;
    };
    let undone = record.status.last_handled.rollback_to.as_ref();
    let automatic = record.has_gone_back(&held.digest) || undone == record.recalled.as_ref();
    match held.reason {
        Reason::Aborted => true,
        Reason::RolledBack => !automatic,
        _ => false,
    }
}
