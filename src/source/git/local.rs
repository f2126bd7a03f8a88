//! Manifests at a revision of the repository that one stands in, for `plan` and `diff`.

use super::tree;
use super::trouble::{Look, Trouble, words};
use crate::source::diagnostic::Problems;
use crate::source::{Check, assemble};
use std::collections::BTreeSet;
use std::path::{Component, Path};

/// The set below `path` (relative to `folder`) at a revision such as `main`, `HEAD~1` or a hash.
/// What is not committed has no part in it.
///
/// # Errors
/// Where there is no repository or no such revision, or the set does not load.
pub fn at(folder: &Path, revision: &str, path: &Path, check: &dyn Check) -> Look {
    let refused = |message: String, help: &str| Trouble::content(revision, message, help);
    let repository = gix::discover(folder).map_err(|error| {
        let help = "run this in a clone of the repository with the manifests";
        refused(words(&error), help)
    })?;
    let unknown = |error: gix::Error| {
        let message = format!("`{revision}` is no revision here: {}", words(&error));
        refused(
            message,
            "a branch, a tag or a commit; `git fetch` brings it here",
        )
    };
    let spec = format!("{revision}^{{commit}}");
    let id = repository
        .rev_parse_single(spec.as_str())
        .map_err(unknown)?;
    let commit = repository.find_commit(id.detach()).map_err(unknown)?;
    let below = repository
        .prefix()
        .map_err(unknown)?
        .unwrap_or(Path::new(""))
        .join(path);
    let below = plain(&below).ok_or_else(|| {
        let message = format!("{} leads out of the repository", path.display());
        refused(message, "give a path inside it")
    })?;
    let folder = repository.workdir().unwrap_or_else(|| repository.git_dir());
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let files = tree::files(&commit, &below, &name)?;
    let place = format!("{}:{below}", tree::shown(&name, &commit));
    let revision = format!("{revision}@sha1:{}", commit.id);
    let set = assemble(
        files,
        revision,
        &place,
        check,
        Problems::default(),
        &BTreeSet::new(),
    );
    Ok(set?)
}

/// The path without `.` and `..`; `None` where it leads out.
fn plain(path: &Path) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}
