//! What the book remembers beyond the process. The journal implements it.

use super::episode::Episode;
use super::route::RouteEntry;
use serde::{Deserialize, Serialize};

/// One thing that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    Route(RouteEntry),
    Episode(Episode),
}

impl Entry {
    /// Unique among all entries.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Entry::Route(route) => &route.id,
            Entry::Episode(episode) => &episode.id,
        }
    }
}

/// What has become of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub id: String,
    /// `None`: forgotten.
    pub entry: Option<Entry>,
}

/// Why the memory cannot be used.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;

/// Keeps entries through a restart.
pub trait Store: Send + Sync {
    /// Every entry.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn recall(&self) -> Result<Vec<Entry>, StoreError>;

    /// Saves all of these or none.
    ///
    /// # Errors
    /// Nothing was saved.
    fn remember(&self, changes: &[Change]) -> Result<(), StoreError>;
}
