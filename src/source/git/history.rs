//! Whether a commit goes on from another.

use super::trouble::{Trouble, words};
use gix::{ObjectId, Repository};

/// Whether `old` is among the ancestors of `new`, or the same. In a shallow clone that holds `old`,
/// what was fetched since is there in full.
pub(super) fn descends(
    repository: &Repository,
    new: ObjectId,
    old: ObjectId,
    name: &str,
) -> Result<bool, Trouble> {
    let unreadable = |error: gix::Error| {
        let message = format!("the history of {name} cannot be read: {}", words(&error));
        Trouble::passing(name, message, "it is tried again")
    };
    for commit in repository.rev_walk([new]).all().map_err(unreadable)? {
        if commit.map_err(unreadable)?.id == old {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A history that was rewritten.
pub(super) fn rewritten(place: &str, new: ObjectId, old: ObjectId) -> Trouble {
    let message = format!(
        "the history was rewritten: {} does not descend from {}, the commit in force",
        new.to_hex_with_len(7),
        old.to_hex_with_len(7)
    );
    let help = "push a commit that descends from it; or start with --git-allow-force \
                (requireFastForward: false) where this was meant";
    Trouble::content(place, message, help)
}
