//! What to follow in a repository: a branch, a tag, or one commit.

use super::trouble::Trouble;
use gix::ObjectId;
use gix::remote::fetch::RefMap;
use std::fmt;
use std::str::FromStr;

/// What to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A branch or a tag; a branch goes first where both are there. `refs/...` is that alone.
    Name(String),
    /// One commit, by its whole hash.
    Commit(ObjectId),
}

/// Why a text names nothing to follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of a branch or a tag, and no whole hash of a commit")]
pub struct ReferenceError(String);

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if let Ok(id) = ObjectId::from_hex(text.as_bytes()) {
            return Ok(Reference::Commit(id));
        }
        let whole = full_names(text).pop().unwrap_or_default();
        gix::validate::reference::name(whole.as_str().into())
            .map_err(|_| ReferenceError(text.to_owned()))?;
        Ok(Reference::Name(text.to_owned()))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Name(name) => f.write_str(name),
            Reference::Commit(id) => write!(f, "{id}"),
        }
    }
}

/// Under which full names a server may have it, the preferred one first.
fn full_names(name: &str) -> Vec<String> {
    if name.starts_with("refs/") {
        return vec![name.to_owned()];
    }
    vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")]
}

impl Reference {
    /// What to ask a server for. The names on our side are never read: what the server says is.
    pub(super) fn refspecs(&self) -> Vec<String> {
        let into = "refs/evenkeel/seen";
        match self {
            Reference::Commit(id) => vec![format!("{id}:{into}/commit")],
            Reference::Name(name) => full_names(name)
                .into_iter()
                .enumerate()
                .map(|(index, name)| format!("+{name}:{into}/{index}"))
                .collect(),
        }
    }

    /// The object that the server has under this name: a commit, or a tag of one.
    pub(super) fn found(&self, on_server: &RefMap, repository: &str) -> Result<ObjectId, Trouble> {
        let name = match self {
            Reference::Commit(id) => return Ok(*id),
            Reference::Name(name) => name,
        };
        let named = |full: &str| {
            let mappings = on_server.mappings.iter();
            let mut named = mappings.filter(|one| {
                one.remote
                    .as_name()
                    .is_some_and(|on_server| on_server == full)
            });
            named.find_map(|one| one.remote.as_id().map(ToOwned::to_owned))
        };
        let found = full_names(name).iter().find_map(|full| named(full));
        found.ok_or_else(|| {
            Trouble::content(
                repository,
                format!("{repository} has no branch and no tag `{name}`"),
                "push it, or set `ref` to one that is there",
            )
        })
    }

    /// The revision as every status shows it: `main@sha1:<40 hex>`.
    pub(super) fn revision(&self, commit: ObjectId) -> String {
        match self {
            Reference::Commit(_) => format!("sha1:{commit}"),
            Reference::Name(name) => {
                let short = name.strip_prefix("refs/heads/").unwrap_or(name);
                let short = short.strip_prefix("refs/tags/").unwrap_or(short);
                format!("{short}@sha1:{commit}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn names_and_hashes() {
        let id = ObjectId::from_hex(HASH.as_bytes()).unwrap();
        assert_eq!(HASH.parse(), Ok(Reference::Commit(id)));
        for (text, revision) in [
            ("main", "main@sha1:"),
            ("release/1.2", "release/1.2@sha1:"),
            ("refs/heads/main", "main@sha1:"),
            ("refs/tags/v1", "v1@sha1:"),
            (HASH, "sha1:"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.revision(id), format!("{revision}{HASH}"));
        }
    }

    #[test]
    fn what_git_would_not_take_is_refused() {
        for text in ["", "a b", "a..b", "-x y", "a:b", "main~1", "+main"] {
            let read = text.parse::<Reference>();
            if text == "+main" {
                // A name that git allows: it is no sign in a name of ours.
                assert!(read.is_ok());
            } else {
                assert!(read.is_err(), "{text}");
            }
        }
    }
}
