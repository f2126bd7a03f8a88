//! The tree of a commit as the files of a set.
//!
//! Invariant: only blobs are read, by the same limits as files in a directory. Links and submodules
//! are refused: what they lead to is not in the commit.

use super::trouble::{Trouble, words};
use crate::source::files::{self, DIRECTORY_DEPTH, File};
use crate::source::{FILE_LIMIT, FILES_LIMIT, SET_LIMIT};
use gix::bstr::ByteSlice;
use gix::object::tree::EntryKind;
use gix::{Commit, ObjectId, Repository, Tree};
use std::path::Path;

/// Every manifest of a commit below `path`, in the order of the names.
pub(super) fn files(commit: &Commit<'_>, path: &str, name: &str) -> Result<Vec<File>, Trouble> {
    let shown = shown(name, commit);
    let root = commit.tree().map_err(|error| unreadable(&shown, &error))?;
    let mut walk = Walk {
        repository: root.repo,
        shown,
        files: Vec::new(),
        bytes: 0,
    };
    let (tree, above) = walk.enter(root, path)?;
    walk.directory(&tree, &above, 0)?;
    Ok(walk.files)
}

/// `REPO@<short commit>`.
pub(super) fn shown(name: &str, commit: &Commit<'_>) -> String {
    format!("{name}@{}", commit.id.to_hex_with_len(7))
}

fn unreadable(shown: &str, error: &gix::Error) -> Trouble {
    let message = format!("{shown} cannot be read: {}", words(error));
    let help = "the clone is damaged; without it, everything is fetched anew";
    Trouble::passing(shown, message, help)
}

struct Walk<'repo> {
    repository: &'repo Repository,
    shown: String,
    files: Vec<File>,
    bytes: usize,
}

impl<'repo> Walk<'repo> {
    /// The tree at `path`, and how its entries are prefixed.
    fn enter(&self, root: Tree<'repo>, path: &str) -> Result<(Tree<'repo>, String), Trouble> {
        let path = path.trim_matches('/');
        if path.is_empty() || path == "." {
            return Ok((root, String::new()));
        }
        let place = format!("{}:{path}", self.shown);
        let missing = |what: &str| {
            let help = "the last set that loaded stays in force; check `path`";
            Trouble::content(&place, format!("{place} {what}"), help)
        };
        let entry = root
            .lookup_entry_by_path(Path::new(path))
            .map_err(|error| unreadable(&place, &error))?
            .ok_or_else(|| missing("does not exist"))?;
        match entry.mode().kind() {
            EntryKind::Tree => {}
            EntryKind::Link => return Err(link(&place)),
            EntryKind::Commit => return Err(submodule(&place)),
            EntryKind::Blob | EntryKind::BlobExecutable => {
                return Err(missing("is a file, and a folder is wanted"));
            }
        }
        Ok((self.tree(entry.object_id(), &place)?, format!("{path}/")))
    }

    fn tree(&self, id: ObjectId, place: &str) -> Result<Tree<'repo>, Trouble> {
        let found = self.repository.find_tree(id);
        found.map_err(|error| unreadable(place, &error))
    }

    fn directory(&mut self, tree: &Tree<'repo>, above: &str, depth: usize) -> Result<(), Trouble> {
        if depth > DIRECTORY_DEPTH {
            let place = format!("{}:{above}", self.shown);
            return Err(Trouble::from_problem(files::too_deep(&place)));
        }
        let mut entries = Vec::new();
        for entry in tree.iter() {
            let entry = entry.map_err(|error| unreadable(&self.shown, &error))?;
            let name = entry.filename();
            if !name.starts_with(b".") {
                entries.push((
                    name.to_str_lossy().into_owned(),
                    entry.kind(),
                    entry.object_id(),
                ));
            }
        }
        entries.sort();
        for (name, kind, id) in entries {
            let path = format!("{above}{name}");
            let place = format!("{}:{path}", self.shown);
            match kind {
                EntryKind::Tree => {
                    let below = self.tree(id, &place)?;
                    self.directory(&below, &format!("{path}/"), depth + 1)?;
                }
                EntryKind::Link => return Err(link(&place)),
                EntryKind::Commit => return Err(submodule(&place)),
                EntryKind::Blob | EntryKind::BlobExecutable => {
                    if files::is_manifest(Path::new(&name)) {
                        self.blob(id, place, path)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn blob(&mut self, id: ObjectId, place: String, path: String) -> Result<(), Trouble> {
        let header = self.repository.find_header(id);
        let size = header.map_err(|error| unreadable(&place, &error))?.size();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > FILE_LIMIT {
            return Err(Trouble::from_problem(files::too_large(&place)));
        }
        self.bytes += size;
        if self.bytes > SET_LIMIT || self.files.len() >= FILES_LIMIT {
            return Err(Trouble::from_problem(files::set_too_large(&place)));
        }
        let mut blob = self
            .repository
            .find_blob(id)
            .map_err(|error| unreadable(&place, &error))?;
        self.files.push(File {
            name: place,
            relative: path,
            bytes: blob.take_data(),
        });
        Ok(())
    }
}

fn link(place: &str) -> Trouble {
    let message = format!("{place} is a symbolic link");
    Trouble::content(
        place,
        message,
        "put the file itself there, or narrow `path`",
    )
}

fn submodule(place: &str) -> Trouble {
    let message = format!("{place} is a submodule, and what it holds is in another repository");
    let help =
        "copy the files, narrow `path`, or follow that repository with an operator of its own";
    Trouble::content(place, message, help)
}
