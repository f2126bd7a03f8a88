//! The manifest is gone. A missing file is not a delete.

use super::rollback::WAY_OUT;
use super::{Effect, Flow, Run, Verdict, stalled, stop};
use crate::api::Deletion;
use crate::api::status::Outcome;
use crate::core::conditions::{DriftFact, Situation};
use crate::core::fields::Fields;
use crate::core::observed::{Lifecycle, Live, Present};
use crate::core::procedure::{Next, Procedure, Scene};
use crate::core::record::{Intent, Revision, Sealed, Stage, Verb, Write};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Stands for "the manifest is gone" where a hold names its content.
pub(super) const CONTENT: &str = "removal";

impl Run<'_> {
    pub(super) fn remove(&mut self) -> Flow<Verdict> {
        self.drift = DriftFact::Unknown;
        self.end_rollout();
        if !self.record.owned || self.record.deletion == Deletion::Orphan {
            return Flow::Continue(self.release());
        }
        if let Some(held) = self
            .record
            .held
            .as_ref()
            .filter(|held| held.digest == CONTENT)
        {
            return stop(stalled(held.reason, held.message.clone()));
        }
        self.refuse_delete()?;
        self.await_retry()?;
        self.want_fresh("reading the resource before the delete")?;
        match &self.input.observed.live {
            Live::Unknown(fault) => {
                let why = fault
                    .as_ref()
                    .map_or_else(String::new, |fault| format!(": {fault}"));
                stop(self.soon(Situation::Unreadable(format!("cannot read GCP{why}")), 5))
            }
            Live::Present(present) if (self.input.rules.exists)(present) => self.delete(present),
            Live::Absent | Live::Present(_) => stop(self.gone()),
        }
    }

    fn gone(&mut self) -> Verdict {
        self.normal("Gone", "the resource is gone already");
        let rest = Verdict::rest(Situation::Deleting("gone".to_owned()));
        Verdict {
            forget: true,
            ..rest
        }
    }

    /// What was refused stays held, should the same content come back.
    fn end_rollout(&mut self) {
        let Some(rollout) = self.record.rollout.take() else {
            return;
        };
        match rollout.failure {
            Some(failure) => {
                self.close_history(Outcome::Failed);
                let message = format!("{}. {WAY_OUT}", failure.message);
                self.hold(&rollout.digest, failure.reason, message, None);
            }
            None => self.close_history(Outcome::Superseded),
        }
    }

    /// Leaves the resource in GCP. What is known of it is kept, should the manifest come back.
    fn release(&mut self) -> Verdict {
        if !self.record.released {
            self.record.released = true;
            self.normal(
                "Released",
                "the manifest is gone; the resource stays as it is (deletion: Orphan)",
            );
        }
        Verdict::rest(Situation::Released(
            "the manifest is gone and the resource was left as it is; evenkeel no longer looks at it"
                .to_owned(),
        ))
    }

    fn refuse_delete(&self) -> Flow {
        if let Some(why) = self.input.read_only {
            return stop(Verdict::rest(Situation::Suspended(format!(
                "{why}; waiting: delete"
            ))));
        }
        if self.record.paused {
            return stop(Verdict::rest(Situation::Suspended(
                super::PAUSED.to_owned(),
            )));
        }
        let message = match self.input.deletes {
            Err(why) => format!("deletions are frozen: {why}"),
            Ok(0) => {
                "the manifest is gone and deletion: Delete is set, but no deletes are left in \
                      the budget; put the manifest back, or run with --deletes-per-sync"
                    .to_owned()
            }
            Ok(_) => return Flow::Continue(()),
        };
        stop(Verdict::rest(Situation::WaitingForBudget(message)))
    }

    /// A delete names the users of the resource and waits, without writing.
    fn refuse_used(&self, users: &[String]) -> Flow {
        if users.is_empty() {
            return Flow::Continue(());
        }
        let text = format!(
            "not deleted: in use by {}; remove these users first",
            users.join(", ")
        );
        stop(self.soon(Situation::InUse(text), 30))
    }

    fn delete(&mut self, present: &Present) -> Flow<Verdict> {
        if present.lifecycle == Lifecycle::Deleting || present.lifecycle == Lifecycle::Busy {
            let text = format!("GCP reports {}", present.state);
            return stop(self.soon(Situation::WaitingForOperation(text), 5));
        }
        let users: Vec<String> = self
            .input
            .referrers
            .iter()
            .chain(&present.users)
            .cloned()
            .collect();
        self.refuse_used(&users)?;
        match self.input.users {
            None => {
                let text = "asking who uses the resource".to_owned();
                return stop(Verdict::act(Situation::Deleting(text), Effect::FindUsers));
            }
            Some(Err(fault)) => {
                let text = format!("cannot tell who uses the resource: {fault}");
                return stop(self.soon(Situation::InUse(text), 30));
            }
            Some(Ok(users)) => self.refuse_used(users)?,
        }
        let write = match self.removal(present) {
            None => self.delete_call(present),
            Some(procedure) => match self.next_removal(procedure)? {
                Some(write) => write,
                // What is left there is not evenkeel's.
                None => return stop(self.gone()),
            },
        };
        let now = self.input.now;
        self.record.revision += 1;
        self.record.sends += 1;
        let revision = Revision {
            key: self.record.key.clone(),
            number: self.record.revision,
            digest: CONTENT.to_owned(),
            source: self.record.status.source_revision.clone(),
            at: now,
            fields: present.fields.clone(),
            raw: present.raw.clone(),
        };
        self.record.write = Some(write);
        self.normal(
            "DeleteStarted",
            "the manifest is gone and deletion: Delete is set",
        );
        let situation = Situation::Deleting("the manifest is gone".to_owned());
        Flow::Continue(Verdict::act(
            situation,
            Effect::Send(Some(Box::new(revision))),
        ))
    }

    /// For a resource of several objects.
    fn removal(&self, present: &Present) -> Option<Procedure> {
        let procedures = self.input.rules.procedures?;
        (procedures.removal)(&Scene {
            name: &self.record.key.name,
            declared: &Fields::new(),
            resource: &serde_json::Map::new(),
            adopted: self.record.adopted,
            live: Some(present),
            since: &BTreeMap::new(),
            adopt: false,
            attempt: self.record.attempt(),
            failed: 0,
            applied: self
                .record
                .last_good
                .as_ref()
                .map_or(&Fields::new(), |good| &good.fields),
            bake: Duration::ZERO,
            now: self.input.now,
        })
    }

    /// The next object to delete.
    fn next_removal(&self, procedure: Procedure) -> Flow<Option<Write>> {
        match procedure.next {
            Next::Call(call) => Flow::Continue(Some(self.write_of(*call))),
            Next::Done | Next::Look => Flow::Continue(None),
            Next::Wait { message, .. }
            | Next::Hold { message, .. }
            | Next::Broken { message, .. } => {
                stop(self.soon(Situation::InUse(format!("not deleted: {message}")), 30))
            }
        }
    }

    fn delete_call(&self, present: &Present) -> Write {
        Write {
            intent: Intent {
                id: format!("{}-{}", self.record.name, self.record.sends + 1),
                key: self.record.key.clone(),
                verb: Verb::Delete,
                object: None,
                mask: Vec::new(),
                body: Value::Null,
                sealed: Sealed::default(),
                prepared_at: self.input.now,
                request: None,
            },
            before: present.fields.clone(),
            after: Fields::new(),
            stage: Stage::Prepared,
            unclear_since: None,
        }
    }
}
