//! One manifest per resource: two that claim the same identity would fight for ever.

use super::diagnostic::{Problem, Problems};
use super::draft::Claim;
use crate::api::{DocumentKind, Key};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// The identities of a set so far, and where each was declared.
#[derive(Default)]
pub(super) struct Identities {
    by_key: HashMap<Key, Problem>,
    by_name: HashMap<(DocumentKind, String), Problem>,
}

impl Identities {
    /// Takes in one document; `here` of it is a problem in waiting, used if a second one comes.
    pub fn add(&mut self, claim: &Claim, problems: &mut Problems) {
        let key = claim.key.clone();
        let key_taken = key.and_then(|key| taken(&mut self.by_key, key, claim));
        let name = (claim.kind, claim.name.clone());
        let name_taken = taken(&mut self.by_name, name, claim);
        if let (Some(first), Some(key)) = (key_taken, &claim.key) {
            let message = format!("{key} is declared twice");
            let help = "keep one of them; two manifests for one resource would undo each other";
            problems.add(second(claim.here.clone(), &first, message, help));
        } else if let Some(first) = name_taken {
            let message = format!("two {} are named `{}`", claim.kind, claim.name);
            let help = match claim.kind {
                DocumentKind::Managed(_) => {
                    "give one another metadata.name; spec.resourceName keeps the name in GCP"
                }
                _ => "give one another metadata.name",
            };
            problems.add(second(claim.here.clone(), &first, message, help));
        }
    }
}

/// Where this name was taken first; else it is taken now.
fn taken<N: Eq + Hash>(names: &mut HashMap<N, Problem>, name: N, claim: &Claim) -> Option<Problem> {
    match names.entry(name) {
        Entry::Occupied(first) => Some(first.get().clone()),
        Entry::Vacant(free) => {
            free.insert(claim.here.clone());
            None
        }
    }
}

fn second(mut here: Problem, first: &Problem, message: String, help: &str) -> Problem {
    here.message = message;
    help.clone_into(&mut here.help);
    here.related = Some(first.as_related("first declared here"));
    here
}
