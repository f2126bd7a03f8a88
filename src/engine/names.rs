//! References by the names that GCP has now: what refers to a resource follows it when a procedure
//! puts another object in its place.

use super::pass::Wanted;
use super::queue::Priority;
use super::{Engine, Memory};
use crate::api::{Declared, Key};
use crate::kinds::SetNames;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The names of a set, those of other objects included.
pub(super) fn current(set: &[Declared], memory: &BTreeMap<Key, Memory>) -> SetNames {
    let mut names = SetNames::of(set);
    for (key, known) in memory {
        names.rename(key, known.record.gcp_name());
    }
    names
}

impl Engine {
    /// GCP has this resource under another name than before.
    pub(super) fn follow(&mut self, key: &Key) {
        let Some(memory) = self.memory.get(key) else {
            return;
        };
        self.names.rename(key, memory.record.gcp_name());
        let now = self.shared.now();
        for (other, wanted) in &mut self.wanted {
            if wanted.needs.contains(key) {
                *wanted = Arc::new(Wanted::new(wanted.declared.clone(), &self.names));
                self.queue.push(other, now, Priority::Edit);
            }
        }
    }
}
