//! The journal as the command line sees it: read-only, while an operator runs or not.

use super::sqlite::{insert_token, load, unusable};
use super::{JournalError, schema};
use crate::api::event::Severity;
use crate::api::{Event, Key, Subject};
use crate::core::record::{Record, Revision};
use crate::core::token::Ask;
use rusqlite::{Connection, OpenFlags, params};
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
        load(&self.path, &self.connection)
    }

    /// The saved states of a resource, oldest first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn revisions(&self, key: &Key) -> Result<Vec<Revision>, JournalError> {
        let sql = "SELECT number, digest, source, at, fields, raw FROM revisions
                   WHERE key = ?1 ORDER BY number";
        self.rows(sql, key, |row| {
            let fields: String = row.get(4)?;
            let raw: String = row.get(5)?;
            let at: String = row.get(3)?;
            Ok(Revision {
                key: key.clone(),
                number: row.get(0)?,
                digest: row.get(1)?,
                source: row.get(2)?,
                at: at.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH),
                fields: serde_json::from_str(&fields).unwrap_or_default(),
                raw: serde_json::from_str(&raw).unwrap_or_default(),
            })
        })
    }

    /// The events of a resource, oldest first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn events(&self, key: &Key) -> Result<Vec<Event>, JournalError> {
        let sql = "SELECT at, severity, reason, message FROM events WHERE key = ?1 ORDER BY seq";
        self.rows(sql, key, |row| {
            let at: String = row.get(0)?;
            let severity: String = row.get(1)?;
            Ok(Event {
                at: at.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH),
                about: key.clone().into(),
                severity: if severity == "Warning" {
                    Severity::Warning
                } else {
                    Severity::Normal
                },
                reason: row.get(2)?,
                message: row.get(3)?,
            })
        })
    }

    fn rows<T>(
        &self,
        sql: &str,
        key: &Key,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, JournalError> {
        self.connection
            .prepare(sql)
            .and_then(|mut statement| {
                let rows = statement.query_map(params![key.to_string()], read)?;
                rows.collect::<rusqlite::Result<Vec<T>>>()
            })
            .map_err(|source| unusable(&self.path, source))
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
