//! A journal that fails, and that stops with its operator.

use super::trace::What;
use super::world::{Life, World};
use async_trait::async_trait;
use evenkeel::api::{Event, Key};
use evenkeel::core::check::CheckRecord;
use evenkeel::core::error::{Fault, Next};
use evenkeel::core::observed::Operation;
use evenkeel::core::permit::Durable;
use evenkeel::core::phase::PhaseRecord;
use evenkeel::core::record::{Record, Revision};
use evenkeel::core::token::Token;
use evenkeel::journal::{Journal, JournalError};
use std::sync::Arc;

pub struct FaultyJournal {
    pub world: Arc<World>,
    pub life: Arc<Life>,
}

impl FaultyJournal {
    /// Before a transaction: it fails, or the operator dies.
    fn enter(
        &self,
        what: &'static str,
        rate: impl Fn(&super::faults::Rates) -> f64,
    ) -> Result<(), JournalError> {
        let point = match what {
            "begin" => "before the intent",
            "finish" => "before the outcome",
            _ => "before a commit",
        };
        if !self.world.survives(&self.life, point) {
            return Err(broken());
        }
        if self.world.befalls(&format!("journal {what}"), rate) {
            self.world.note(What::JournalFault(what));
            return Err(broken());
        }
        Ok(())
    }

    /// Books requests of people; a phase makes its own, which are in no table.
    fn handled(&self, ids: &[String]) {
        let of_people = ids.iter().filter(|id| !id.contains('@'));
        self.world.requests(0, of_people.count());
    }

    fn leave(&self, what: What, point: &'static str) {
        self.world.note(what);
        self.world.survives(&self.life, point);
    }
}

fn broken() -> JournalError {
    JournalError::Io {
        path: ":memory:".into(),
        source: std::io::Error::other("no space left on device"),
    }
}

#[async_trait]
impl Journal for FaultyJournal {
    fn load(&self) -> Result<Vec<Record>, JournalError> {
        self.world.disk.load()
    }

    async fn commit(
        &self,
        record: &Record,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError> {
        self.enter("commit", |rates| rates.commit)?;
        self.world.disk.commit(record, events, handled).await?;
        let fact = What::Commit {
            record: Box::new(record.clone()),
            handled: handled.to_vec(),
        };
        self.handled(handled);
        self.leave(fact, "after a commit");
        Ok(())
    }

    async fn begin<'a>(
        &self,
        record: &'a Record,
        revision: Option<&Revision>,
        events: &[Event],
        handled: &[String],
    ) -> Result<Durable<'a>, JournalError> {
        self.enter("begin", |rates| rates.begin)?;
        let durable = self
            .world
            .disk
            .begin(record, revision, events, handled)
            .await?;
        let fact = What::Begin {
            record: Box::new(record.clone()),
            revision: revision.map(|revision| Box::new(revision.clone())),
            handled: handled.to_vec(),
        };
        self.handled(handled);
        self.leave(fact, "after the intent");
        Ok(durable)
    }

    async fn finish(
        &self,
        record: &Record,
        id: &str,
        reply: &Result<Operation, Fault>,
        events: &[Event],
    ) -> Result<(), JournalError> {
        self.enter("finish", |rates| rates.finish)?;
        self.world.disk.finish(record, id, reply, events).await?;
        let refused = reply
            .as_ref()
            .is_err_and(|fault| matches!(fault.kind.behaviour().write, Next::Stall(_)));
        let fact = What::Finish {
            record: Box::new(record.clone()),
            refused,
        };
        self.leave(fact, "after the outcome");
        Ok(())
    }

    async fn forget(&self, key: &Key, events: &[Event]) -> Result<(), JournalError> {
        self.enter("forget", |rates| rates.commit)?;
        self.world.disk.forget(key, events).await?;
        self.leave(What::Forget(key.clone()), "after a commit");
        Ok(())
    }

    async fn revision(&self, key: &Key, number: i64) -> Result<Option<Revision>, JournalError> {
        self.world.disk.revision(key, number).await
    }

    fn checks(&self) -> Result<Vec<CheckRecord>, JournalError> {
        self.world.disk.checks()
    }

    async fn commit_check(
        &self,
        record: &CheckRecord,
        events: &[Event],
    ) -> Result<(), JournalError> {
        self.world.disk.commit_check(record, events).await
    }

    async fn forget_check(&self, name: &str) -> Result<(), JournalError> {
        self.world.disk.forget_check(name).await
    }

    fn phases(&self) -> Result<Vec<PhaseRecord>, JournalError> {
        self.world.disk.phases()
    }

    async fn commit_phase(
        &self,
        record: &PhaseRecord,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError> {
        self.enter("commit", |rates| rates.commit)?;
        self.world
            .disk
            .commit_phase(record, events, handled)
            .await?;
        self.handled(handled);
        let fact = What::Phase {
            record: Box::new(record.clone()),
            handled: handled.to_vec(),
        };
        self.leave(fact, "after a commit");
        Ok(())
    }

    async fn tokens(&self) -> Result<Vec<Token>, JournalError> {
        if self.life.is_over() || self.world.befalls("journal tokens", |rates| rates.tokens) {
            return Err(broken());
        }
        // Asked every simulated second, and nearly always with the same answer.
        if self.world.requests_open() {
            self.world.disk.tokens().await
        } else {
            Ok(Vec::new())
        }
    }
}
