//! The journal as the command line sees it: read-only, while an operator runs or not.

use super::rows;
use super::sqlite::{insert_token, unusable};
use super::{JournalError, schema};
use crate::api::{Event, Key, Subject};
use crate::core::alert::Entry;
use crate::core::check::CheckRecord;
use crate::core::phase::PhaseRecord;
use crate::core::record::{Record, Revision};
use crate::core::token::Ask;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A reader of a state file.
pub struct View {
    path: PathBuf,
    connection: Connection,
}

impl View {
    /// Opens an existing state file for reading.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        if !path.exists() {
            return Err(JournalError::Missing {
                path: path.to_owned(),
            });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(View {
            path: path.to_owned(),
            connection: connect(path, flags)?,
        })
    }

    /// Every record.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn records(&self) -> Result<Vec<Record>, JournalError> {
        rows::bodies(&self.path, &self.connection, rows::RECORDS)
    }

    /// The saved states of a resource, oldest first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn revisions(&self, key: &Key) -> Result<Vec<Revision>, JournalError> {
        rows::revisions(&self.path, &self.connection, key)
    }

    /// What is remembered of every phase.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn phases(&self) -> Result<Vec<PhaseRecord>, JournalError> {
        rows::bodies(&self.path, &self.connection, rows::PHASES)
    }

    /// What is remembered of every check.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn checks(&self) -> Result<Vec<CheckRecord>, JournalError> {
        rows::bodies(&self.path, &self.connection, rows::CHECKS)
    }

    /// What is remembered of the Alerts and what they were told.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn alerts(&self) -> Result<Vec<Entry>, JournalError> {
        rows::bodies(&self.path, &self.connection, rows::ALERTS)
    }

    /// The events of an object, oldest first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn events(&self, about: impl Into<Subject>) -> Result<Vec<Event>, JournalError> {
        rows::events(&self.path, &self.connection, &about.into())
    }

    /// Which world the file belongs to, such as `emulator:netra-staging`.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn world(&self) -> Result<String, JournalError> {
        self.connection
            .query_row("SELECT value FROM meta WHERE name = 'world'", [], |row| {
                row.get(0)
            })
            .map_err(|source| unusable(&self.path, source))
    }

    /// Writes a request down for the operator.
    ///
    /// # Errors
    /// Nothing was written down.
    pub fn ask(&self, about: impl Into<Subject>, ask: &Ask) -> Result<i64, JournalError> {
        let writer = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        insert_token(&writer, &about.into(), ask, jiff::Timestamp::now())
            .map_err(|source| unusable(&self.path, source))
    }

    /// Whether an operator runs on this file now.
    #[must_use]
    pub fn operator_runs(&self) -> bool {
        File::open(lock_path(&self.path)).is_ok_and(|file| file.try_lock_shared().is_err())
    }
}

/// The lock file beside a state file.
pub(super) fn lock_path(state: &Path) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, JournalError> {
    let fail = |source| unusable(path, source);
    let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(fail)?;
    let found = schema::version(&connection).map_err(fail)?;
    if found == 0 {
        // An operator is about to make it.
        let path = path.to_owned();
        return Err(JournalError::Missing { path });
    }
    if found > schema::VERSION {
        let path = path.to_owned();
        return Err(JournalError::Newer {
            path,
            found,
            known: schema::VERSION,
        });
    }
    Ok(connection)
}
