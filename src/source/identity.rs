//! One manifest per resource: two that claim the same identity would fight for ever.

use super::diagnostic::{Problem, Problems};
use super::document::Outcome;
use crate::api::{Key, Kind};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The identities of a set so far, and where each was declared.
#[derive(Default)]
pub(super) struct Identities {
    by_key: HashMap<Key, Problem>,
    by_name: HashMap<(Kind, String), Problem>,
}

impl Identities {
    /// Takes in one document; `here` of it is a problem in waiting, used if a second one comes.
    pub fn add(&mut self, outcome: &Outcome, problems: &mut Problems) {
        let Some(claim) = &outcome.claim else { return };
        let key = &claim.key;
        let key_taken = match self.by_key.entry(key.clone()) {
            Entry::Occupied(first) => Some(first.get().clone()),
            Entry::Vacant(free) => {
                free.insert(claim.here.clone());
                None
            }
        };
        let name_taken = match self.by_name.entry((key.kind, claim.name.clone())) {
            Entry::Occupied(first) => Some(first.get().clone()),
            Entry::Vacant(free) => {
                free.insert(claim.here.clone());
                None
            }
        };
        if let Some(first) = key_taken {
            let message = format!("{key} is declared twice");
            let help = "keep one of them; two manifests for one resource would undo each other";
            problems.add(second(claim.here.clone(), &first, message, help));
        } else if let Some(first) = name_taken {
            let message = format!("two {} are named `{}`", key.kind, claim.name);
            let help = "give one another metadata.name; spec.resourceName keeps the name in GCP";
            problems.add(second(claim.here.clone(), &first, message, help));
        }
    }
}

fn second(mut here: Problem, first: &Problem, message: String, help: &str) -> Problem {
    here.message = message;
    help.clone_into(&mut here.help);
    here.related = Some(first.as_related("first declared here"));
    here
}
