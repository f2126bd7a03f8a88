//! Reading rows: the same for the operator and for the command line beside it.

use super::JournalError;
use super::sqlite::unusable;
use crate::api::event::Severity;
use crate::api::{Event, Key, Subject};
use crate::core::record::Revision;
use crate::core::token::Token;
use jiff::Timestamp;
use rusqlite::{Connection, Params, Row, params};
use serde::de::DeserializeOwned;
use std::path::Path;

/// Records of resources.
pub(super) const RECORDS: Bodies = Bodies {
    what: "record",
    sql: "SELECT body FROM records ORDER BY key",
};
/// Records of phases.
pub(super) const PHASES: Bodies = Bodies {
    what: "phase",
    sql: "SELECT body FROM phases ORDER BY name",
};
/// Records of checks.
pub(super) const CHECKS: Bodies = Bodies {
    what: "check",
    sql: "SELECT body FROM checks ORDER BY name",
};

/// What the alerts were told.
pub(super) const ALERTS: Bodies = Bodies {
    what: "alert",
    sql: "SELECT body FROM alerts ORDER BY id",
};

/// Rows with one JSON body.
#[derive(Clone, Copy)]
pub(super) struct Bodies {
    what: &'static str,
    sql: &'static str,
}

/// Every body of a table.
pub(super) fn bodies<T: DeserializeOwned>(
    path: &Path,
    connection: &Connection,
    of: Bodies,
) -> Result<Vec<T>, JournalError> {
    let texts: Vec<String> = all(path, connection, of.sql, [], |row| row.get(0))?;
    let read = |text: &String| serde_json::from_str(text).map_err(|e| corrupt(path, of.what, e));
    texts.iter().map(read).collect()
}

/// The saved states of a resource, oldest first.
pub(super) fn revisions(
    path: &Path,
    connection: &Connection,
    key: &Key,
) -> Result<Vec<Revision>, JournalError> {
    let sql = "SELECT number, digest, source, at, fields, raw FROM revisions
               WHERE key = ?1 ORDER BY number";
    all(path, connection, sql, params![key.to_string()], |row| {
        let fields: String = row.get(4)?;
        let raw: String = row.get(5)?;
        Ok(Revision {
            key: key.clone(),
            number: row.get(0)?,
            digest: row.get(1)?,
            source: row.get(2)?,
            at: time(row, 3)?,
            fields: serde_json::from_str(&fields).unwrap_or_default(),
            raw: serde_json::from_str(&raw).unwrap_or_default(),
        })
    })
}

/// The events of an object, oldest first.
pub(super) fn events(
    path: &Path,
    connection: &Connection,
    about: &Subject,
) -> Result<Vec<Event>, JournalError> {
    let sql = "SELECT at, severity, reason, message FROM events WHERE key = ?1 ORDER BY seq";
    all(path, connection, sql, params![about.to_string()], |row| {
        let severity: String = row.get(1)?;
        Ok(Event {
            at: time(row, 0)?,
            about: about.clone(),
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

/// Requests not handled yet, oldest first.
pub(super) fn tokens(path: &Path, connection: &Connection) -> Result<Vec<Token>, JournalError> {
    let sql = "SELECT seq, key, at, ask FROM tokens WHERE handled = 0 ORDER BY seq";
    let rows: Vec<(i64, String, Timestamp, String)> = all(path, connection, sql, [], |row| {
        Ok((row.get(0)?, row.get(1)?, time(row, 2)?, row.get(3)?))
    })?;
    let read = |(seq, about, at, ask): (i64, String, Timestamp, String)| {
        Ok(Token {
            id: seq.to_string(),
            about: subject(&about).map_err(|e| corrupt(path, "token", e))?,
            at,
            ask: serde_json::from_str(&ask).map_err(|e| corrupt(path, "token", e))?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// What a token is about. The first schema had the key of a resource in its place.
fn subject(text: &str) -> serde_json::Result<Subject> {
    serde_json::from_str(text).or_else(|_| serde_json::from_str::<Key>(text).map(Subject::Resource))
}

fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(index)?;
    Ok(text.parse().unwrap_or(Timestamp::UNIX_EPOCH))
}

fn all<T>(
    path: &Path,
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, JournalError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_map(params, read)?.collect())
        .map_err(|source| unusable(path, source))
}

fn corrupt(path: &Path, what: &'static str, source: serde_json::Error) -> JournalError {
    JournalError::Corrupt {
        path: path.to_owned(),
        what,
        source,
    }
}
