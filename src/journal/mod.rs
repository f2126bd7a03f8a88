//! The operator's memory: records, saved states, calls written down before they are made, events,
//! what people asked for and what they were told.
//!
//! Invariant: [`Durable`] is made here only, after the intent is on disk. A journal that cannot
//! write stops writes to GCP, not the process.

mod alerts;
mod rows;
mod schema;
mod sqlite;
mod view;

pub use sqlite::SqliteJournal;
pub use view::View;

use crate::api::{Event, Key};
use crate::core::check::CheckRecord;
use crate::core::error::Fault;
use crate::core::observed::Operation;
use crate::core::permit::{Durable, Tenure};
use crate::core::phase::PhaseRecord;
use crate::core::record::{Record, Revision};
use crate::core::token::Token;
use async_trait::async_trait;
use std::path::PathBuf;

/// Saved states kept for each resource.
pub const REVISION_LIMIT: u32 = 20;
/// Events kept for each resource.
pub const EVENT_LIMIT: u32 = 200;
/// Calls kept for each resource.
pub const CALL_LIMIT: u32 = 200;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(
        "{path} is in use by another evenkeel operator{holder}; \
         stop it, or give this one its own --state"
    )]
    Locked { path: PathBuf, holder: String },
    #[error(
        "{path} belongs to {found}, and this run is for {wanted}; \
         give this one its own --state, or remove the file to start over"
    )]
    OtherWorld {
        path: PathBuf,
        found: String,
        wanted: String,
    },
    #[error(
        "{path} was written by a newer evenkeel (schema {found}, this one knows {known}); upgrade evenkeel"
    )]
    Newer {
        path: PathBuf,
        found: i64,
        known: i64,
    },
    #[error("{path} is not there: no operator has run with this --state yet")]
    Missing { path: PathBuf },
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path} is not a usable state file: {source}")]
    Sqlite {
        path: PathBuf,
        source: rusqlite::Error,
    },
    /// In Kubernetes.
    #[error("{object}: {why}")]
    Cluster { object: String, why: String },
    #[error("{path} holds a {what} that cannot be read: {source}")]
    Corrupt {
        path: PathBuf,
        what: &'static str,
        source: serde_json::Error,
    },
}

/// What the engine needs of a journal. Every method is one transaction. What changes something, or
/// looks for a saved state, may go over a network; what is read at the start is at hand.
#[async_trait]
pub trait Journal: Send + Sync {
    /// How long this process is the only one that works from this journal. By default the journal is
    /// locked: as long as it is open.
    fn tenure(&self) -> Tenure {
        Tenure::Unlimited
    }

    /// Every record.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    fn load(&self) -> Result<Vec<Record>, JournalError>;

    /// Saves a record with what happened to it, and marks tokens as handled.
    ///
    /// # Errors
    /// Nothing was saved.
    async fn commit(
        &self,
        record: &Record,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError>;

    /// Saves a record whose `write` is about to be made, with the prior state where it is the
    /// first of an attempt. The proof is given once all of it is on disk.
    ///
    /// # Errors
    /// Nothing was saved, and nothing may be sent. Also where the record has no `write`.
    async fn begin<'a>(
        &self,
        record: &'a Record,
        revision: Option<&Revision>,
        events: &[Event],
        handled: &[String],
    ) -> Result<Durable<'a>, JournalError>;

    /// Saves what came of the call `id`.
    ///
    /// # Errors
    /// The reply is known to this process only; the next commit saves the record.
    async fn finish(
        &self,
        record: &Record,
        id: &str,
        reply: &Result<Operation, Fault>,
        events: &[Event],
    ) -> Result<(), JournalError>;

    /// Drops the record of a resource that is gone.
    ///
    /// # Errors
    /// Nothing was dropped.
    async fn forget(&self, key: &Key, events: &[Event]) -> Result<(), JournalError>;

    /// A saved state of a resource, while it is kept.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    async fn revision(&self, key: &Key, number: i64) -> Result<Option<Revision>, JournalError>;

    /// What is remembered of every check.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    fn checks(&self) -> Result<Vec<CheckRecord>, JournalError>;

    /// Saves what is remembered of a check, with what happened to it.
    ///
    /// # Errors
    /// Nothing was saved.
    async fn commit_check(
        &self,
        record: &CheckRecord,
        events: &[Event],
    ) -> Result<(), JournalError>;

    /// Drops the record of a check that is no longer declared.
    ///
    /// # Errors
    /// Nothing was dropped.
    async fn forget_check(&self, name: &str) -> Result<(), JournalError>;

    /// What is remembered of every phase.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    fn phases(&self) -> Result<Vec<PhaseRecord>, JournalError>;

    /// Saves what is remembered of a phase, with what happened to it, and marks tokens as handled.
    ///
    /// # Errors
    /// Nothing was saved.
    async fn commit_phase(
        &self,
        record: &PhaseRecord,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError>;

    /// Requests not handled yet, oldest first.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    async fn tokens(&self) -> Result<Vec<Token>, JournalError>;
}
