//! The `SQLite` schema and its migrations.

use rusqlite::{Connection, Transaction};

/// One migration for each version, in order. Never edit one that was released: add the next.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE records (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE revisions (
    key TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, source TEXT NOT NULL,
    at TEXT NOT NULL, fields TEXT NOT NULL, raw TEXT NOT NULL,
    PRIMARY KEY (key, number)
) STRICT;
CREATE TABLE calls (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, key TEXT NOT NULL, verb TEXT NOT NULL,
    mask TEXT NOT NULL, body TEXT NOT NULL, prepared_at TEXT NOT NULL, outcome TEXT
) STRICT;
CREATE INDEX calls_by_key ON calls (key, seq);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL, at TEXT NOT NULL, severity TEXT NOT NULL,
    reason TEXT NOT NULL, message TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_key ON events (key, seq);
CREATE TABLE tokens (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, at TEXT NOT NULL, ask TEXT NOT NULL,
    handled INTEGER NOT NULL DEFAULT 0
) STRICT;
",
    "CREATE TABLE phases (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;",
    "CREATE TABLE alerts (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;",
    "CREATE TABLE checks (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;",
];

/// The newest version this program knows.
#[allow(clippy::cast_possible_wrap, reason = "a handful of migrations")]
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The version of an open database.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings a database to [`VERSION`].
pub(super) fn migrate(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let from = usize::try_from(version(transaction)?).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {VERSION}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_older_file_comes_to_the_newest_schema_with_what_it_holds() {
        for from in 1..=MIGRATIONS.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            for step in &MIGRATIONS[..from] {
                connection.execute_batch(step).unwrap();
            }
            let stamp = format!("PRAGMA user_version = {from}");
            connection.execute_batch(&stamp).unwrap();
            let record = "INSERT INTO records (key, body) VALUES ('k', 'kept')";
            connection.execute_batch(record).unwrap();
            let transaction = connection.transaction().unwrap();
            migrate(&transaction).unwrap();
            transaction.commit().unwrap();
            assert_eq!(version(&connection).unwrap(), VERSION);
            let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0));
            assert_eq!(read("SELECT body FROM records").unwrap(), "kept");
            assert_eq!(
                read("SELECT CAST(count(*) AS TEXT) FROM alerts").unwrap(),
                "0"
            );
        }
    }
}
