//! Where each field of a loaded set stands, for messages that come after loading.

use crate::api::{Declared, Key};
use std::collections::BTreeMap;

/// A place in a file, 1-based.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub file: String,
    pub line: usize,
    pub column: usize,
}

/// Field paths (`spec.resource.maxInstances`) of one document to line and column.
pub(super) type Places = BTreeMap<String, (usize, usize)>;

/// The places of all fields of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    by_key: BTreeMap<Key, (String, Places)>,
}

impl Lines {
    pub(super) fn add(&mut self, declared: &Declared, places: Places) {
        let file = declared.origin.file.clone();
        self.by_key.insert(declared.key.clone(), (file, places));
    }

    /// Where `path` of this resource stands; for a field that is not written, the nearest field
    /// around it.
    #[must_use]
    pub fn get(&self, key: &Key, path: &str) -> Option<Position> {
        let (file, places) = self.by_key.get(key)?;
        let mut path = path;
        loop {
            if let Some((line, column)) = places.get(path) {
                return Some(Position {
                    file: file.clone(),
                    line: *line,
                    column: *column,
                });
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }
}
