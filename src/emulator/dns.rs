//! The world's public DNS, as far as CNAME records go: what is published for certificate authorities to read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Data by name, both without the final dot.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Dns {
    records: BTreeMap<String, String>,
}

impl Dns {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.records.get(&plain(name)).map(String::as_str)
    }

    /// Replaces all records.
    pub fn set(&mut self, records: BTreeMap<String, String>) {
        let records = records.into_iter();
        self.records = records
            .map(|(name, data)| (plain(&name), plain(&data)))
            .collect();
    }
}

/// With or without the final dot, in any case, it is the same name.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
