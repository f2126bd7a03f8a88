//! What the alerts were told, in the state file.

use super::{JournalError, SqliteJournal};
use crate::core::alert::{Change, Entry, Store, StoreError};
use crate::core::digest::to_value;
use rusqlite::params;

impl Store for SqliteJournal {
    fn recall(&self) -> Result<Vec<Entry>, StoreError> {
        let bodies = self.transact(|tx| {
            let mut statement = tx.prepare("SELECT body FROM alerts ORDER BY id")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<String>>>()
        })?;
        let read = |body: &String| {
            serde_json::from_str(body).map_err(|source| {
                StoreError::from(JournalError::Corrupt {
                    path: self.path.clone(),
                    what: "alert",
                    source,
                })
            })
        };
        bodies.iter().map(read).collect()
    }

    fn remember(&self, changes: &[Change]) -> Result<(), StoreError> {
        self.transact(|tx| {
            for change in changes {
                match &change.entry {
                    Some(entry) => tx
                        .prepare_cached(
                            "INSERT INTO alerts (id, body) VALUES (?1, ?2)
                             ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                        )?
                        .execute(params![change.id, to_value(entry).to_string()])?,
                    None => tx
                        .prepare_cached("DELETE FROM alerts WHERE id = ?1")?
                        .execute(params![change.id])?,
                };
            }
            Ok(())
        })?;
        Ok(())
    }
}
