//! The journal of a standalone operator: one `SQLite` file in WAL mode, one operator at a time.

use super::{CALL_LIMIT, EVENT_LIMIT, Journal, JournalError, REVISION_LIMIT, rows, schema};
use crate::api::{Event, Key, Subject};
use crate::core::check::CheckRecord;
use crate::core::digest::to_value;
use crate::core::error::Fault;
use crate::core::observed::Operation;
use crate::core::permit::Durable;
use crate::core::phase::PhaseRecord;
use crate::core::record::{Record, Revision};
use crate::core::token::{Ask, Token};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a write waits for the CLI's short transactions.
const BUSY: Duration = Duration::from_secs(5);

/// An open journal. Holds the operator's lock until dropped.
pub struct SqliteJournal {
    pub(super) path: PathBuf,
    connection: Mutex<Connection>,
    _lock: Option<File>,
}

impl SqliteJournal {
    /// Opens or creates the state file of `world` (such as `emulator:netra-staging` or `live`) and
    /// takes the operator's lock.
    ///
    /// # Errors
    /// Another operator holds it, it belongs to another world, or it cannot be used.
    pub fn open(path: &Path, world: &str) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let lock = lock(path)?;
        restrict_access(path).map_err(io)?;
        let mut connection = Connection::open(path).map_err(|e| unusable(path, e))?;
        prepare(path, &mut connection, world)?;
        Ok(SqliteJournal {
            path: path.to_owned(),
            connection: Mutex::new(connection),
            _lock: Some(lock),
        })
    }

    /// A journal that lives as long as the process, for plans and simulations.
    ///
    /// # Errors
    /// Where `SQLite` cannot start at all.
    pub fn in_memory() -> Result<Self, JournalError> {
        let path = PathBuf::from(":memory:");
        let mut connection =
            Connection::open_in_memory().map_err(|source| unusable(&path, source))?;
        prepare(&path, &mut connection, "memory")?;
        Ok(SqliteJournal {
            path,
            connection: Mutex::new(connection),
            _lock: None,
        })
    }

    /// Appends a request, for the operator to act on once.
    ///
    /// # Errors
    /// Nothing was saved.
    pub fn ask(
        &self,
        about: impl Into<Subject>,
        ask: &Ask,
        at: jiff::Timestamp,
    ) -> Result<i64, JournalError> {
        let connection = self.connection();
        insert_token(&connection, &about.into(), ask, at).map_err(|e| unusable(&self.path, e))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere cannot leave a half-made transaction: it rolls back on drop.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn transact<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        let mut connection = self.connection();
        let run = || {
            let transaction = connection.transaction()?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(|source| unusable(&self.path, source))
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    fn load(&self) -> Result<Vec<Record>, JournalError> {
        rows::bodies(&self.path, &self.connection(), rows::RECORDS)
    }

    async fn commit(
        &self,
        record: &Record,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError> {
        self.transact(|tx| {
            put_record(tx, record)?;
            put_events(tx, events)?;
            mark_handled(tx, handled)
        })
    }

    async fn begin<'a>(
        &self,
        record: &'a Record,
        revision: Option<&Revision>,
        events: &[Event],
        handled: &[String],
    ) -> Result<Durable<'a>, JournalError> {
        let Some(write) = &record.write else {
            let what = std::io::Error::other("a call without an intent");
            return Err(JournalError::Io {
                path: self.path.clone(),
                source: what,
            });
        };
        self.transact(|tx| {
            put_record(tx, record)?;
            put_events(tx, events)?;
            mark_handled(tx, handled)?;
            if let Some(revision) = revision {
                put_revision(tx, revision)?;
            }
            let intent = &write.intent;
            tx.prepare_cached(
                "INSERT INTO calls (id, key, verb, mask, body, prepared_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                intent.id,
                intent.key.to_string(),
                to_value(&intent.verb).as_str(),
                intent.mask.join(","),
                intent.body.to_string(),
                intent.prepared_at.to_string(),
            ])?;
            prune(tx, "calls", &intent.key, CALL_LIMIT)
        })?;
        Ok(Durable::attest(&write.intent))
    }

    async fn finish(
        &self,
        record: &Record,
        id: &str,
        reply: &Result<Operation, Fault>,
        events: &[Event],
    ) -> Result<(), JournalError> {
        let outcome = match reply {
            Ok(operation) => operation.name.clone(),
            Err(fault) => fault.to_string(),
        };
        self.transact(|tx| {
            put_record(tx, record)?;
            put_events(tx, events)?;
            tx.execute(
                "UPDATE calls SET outcome = ?3 WHERE key = ?1 AND id = ?2 AND outcome IS NULL",
                params![record.key.to_string(), id, outcome],
            )?;
            Ok(())
        })
    }

    async fn forget(&self, key: &Key, events: &[Event]) -> Result<(), JournalError> {
        self.transact(|tx| {
            put_events(tx, events)?;
            tx.execute(
                "DELETE FROM records WHERE key = ?1",
                params![key.to_string()],
            )?;
            Ok(())
        })
    }

    async fn revision(&self, key: &Key, number: i64) -> Result<Option<Revision>, JournalError> {
        let all = rows::revisions(&self.path, &self.connection(), key)?;
        Ok(all.into_iter().find(|revision| revision.number == number))
    }

    fn phases(&self) -> Result<Vec<PhaseRecord>, JournalError> {
        rows::bodies(&self.path, &self.connection(), rows::PHASES)
    }

    async fn commit_phase(
        &self,
        record: &PhaseRecord,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError> {
        self.transact(|tx| {
            tx.prepare_cached(
                "INSERT INTO phases (name, body) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            )?
            .execute(params![record.name, to_value(record).to_string()])?;
            put_events(tx, events)?;
            mark_handled(tx, handled)
        })
    }

    fn checks(&self) -> Result<Vec<CheckRecord>, JournalError> {
        rows::bodies(&self.path, &self.connection(), rows::CHECKS)
    }

    async fn commit_check(
        &self,
        record: &CheckRecord,
        events: &[Event],
    ) -> Result<(), JournalError> {
        self.transact(|tx| {
            tx.prepare_cached(
                "INSERT INTO checks (name, body) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            )?
            .execute(params![record.name, to_value(record).to_string()])?;
            put_events(tx, events)
        })
    }

    async fn forget_check(&self, name: &str) -> Result<(), JournalError> {
        self.transact(|tx| {
            tx.execute("DELETE FROM checks WHERE name = ?1", params![name])?;
            Ok(())
        })
    }

    async fn tokens(&self) -> Result<Vec<Token>, JournalError> {
        rows::tokens(&self.path, &self.connection())
    }
}

pub(super) fn insert_token(
    connection: &Connection,
    about: &Subject,
    ask: &Ask,
    at: jiff::Timestamp,
) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO tokens (key, at, ask) VALUES (?1, ?2, ?3)",
        params![
            to_value(about).to_string(),
            at.to_string(),
            to_value(ask).to_string()
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

pub(super) fn unusable(path: &Path, source: rusqlite::Error) -> JournalError {
    JournalError::Sqlite {
        path: path.to_owned(),
        source,
    }
}

/// Pragmas, schema and the world it belongs to.
fn prepare(path: &Path, connection: &mut Connection, world: &str) -> Result<(), JournalError> {
    let fail = |source| unusable(path, source);
    connection.busy_timeout(BUSY).map_err(fail)?;
    let found = schema::version(connection).map_err(fail)?;
    if found > schema::VERSION {
        let path = path.to_owned();
        return Err(JournalError::Newer {
            path,
            found,
            known: schema::VERSION,
        });
    }
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(fail)?;
    // FULL: a commit is on disk before the call that it announces is made.
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(fail)?;
    // All or nothing: no reader meets a file that is half made.
    let transaction = connection.transaction().map_err(fail)?;
    schema::migrate(&transaction).map_err(fail)?;
    let known: Option<String> = transaction
        .query_row("SELECT value FROM meta WHERE name = 'world'", [], |row| {
            row.get(0)
        })
        .optional()
        .map_err(fail)?;
    match known {
        Some(known) if known != world => {
            return Err(JournalError::OtherWorld {
                path: path.to_owned(),
                found: known,
                wanted: world.to_owned(),
            });
        }
        Some(_) => {}
        None => {
            let insert = "INSERT INTO meta (name, value) VALUES ('world', ?1)";
            transaction.execute(insert, params![world]).map_err(fail)?;
        }
    }
    transaction.commit().map_err(fail)
}

/// The lock of the operator, beside the state file; it names the holder's process.
fn lock(path: &Path) -> Result<File, JournalError> {
    let lock_path = super::view::lock_path(path);
    let io = |source| JournalError::Io {
        path: lock_path.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&lock_path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            let pid = pid.trim();
            let holder = if pid.is_empty() {
                String::new()
            } else {
                format!(" (process {pid})")
            };
            return Err(JournalError::Locked {
                path: path.to_owned(),
                holder,
            });
        }
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
    write!(file, "{}", std::process::id())
        .and_then(|()| file.flush())
        .map_err(io)?;
    Ok(file)
}

/// Saved states hold whole GCP bodies: for the owner's eyes only.
#[cfg(unix)]
fn restrict_access(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict_access(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn put_record(tx: &Transaction<'_>, record: &Record) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO records (key, body) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET body = excluded.body",
    )?
    .execute(params![
        record.key.to_string(),
        to_value(record).to_string()
    ])?;
    Ok(())
}

fn put_events(tx: &Transaction<'_>, events: &[Event]) -> rusqlite::Result<()> {
    for event in events {
        tx.prepare_cached(
            "INSERT INTO events (key, at, severity, reason, message) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            event.about.to_string(),
            event.at.to_string(),
            to_value(&event.severity).as_str(),
            event.reason,
            event.message,
        ])?;
    }
    match events.last() {
        Some(event) => prune(tx, "events", &event.about, EVENT_LIMIT),
        None => Ok(()),
    }
}

fn put_revision(tx: &Transaction<'_>, revision: &Revision) -> rusqlite::Result<()> {
    let key = revision.key.to_string();
    tx.prepare_cached(
        "INSERT OR REPLACE INTO revisions (key, number, digest, source, at, fields, raw)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        key,
        revision.number,
        revision.digest,
        revision.source,
        revision.at.to_string(),
        to_value(&revision.fields).to_string(),
        revision.raw.to_string(),
    ])?;
    tx.execute(
        "DELETE FROM revisions WHERE key = ?1 AND number <= ?2",
        params![key, revision.number - i64::from(REVISION_LIMIT)],
    )?;
    Ok(())
}

fn mark_handled(tx: &Transaction<'_>, handled: &[String]) -> rusqlite::Result<()> {
    for id in handled {
        tx.execute("UPDATE tokens SET handled = 1 WHERE seq = ?1", params![id])?;
    }
    Ok(())
}

/// Keeps the newest `limit` rows of a resource.
fn prune(
    tx: &Transaction<'_>,
    table: &str,
    key: &impl ToString,
    limit: u32,
) -> rusqlite::Result<()> {
    tx.prepare_cached(&format!(
        "DELETE FROM {table} WHERE key = ?1 AND seq <= (
             SELECT seq FROM {table} WHERE key = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)"
    ))?
    .execute(params![key.to_string(), limit])?;
    Ok(())
}
