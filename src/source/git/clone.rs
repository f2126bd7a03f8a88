//! The bare clone: what is fetched, and which commit of it is in force.

use super::trouble::{Look, Trouble, words};
use super::{Settings, fetch, history, signature, tree};
use crate::secrets::Secret;
use crate::source::diagnostic::Problems;
use crate::source::{Check, Set, assemble};
use gix::refs::transaction::PreviousValue;
use gix::{Commit, ObjectId, Repository};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The rules of the kinds, for looks on threads of their own.
pub type Rules = Arc<dyn Check + Send + Sync>;

/// The commit that loaded last.
const IN_FORCE: &str = "refs/evenkeel/in-force";
/// Packs in a clone, one for each fetch with news. Past that it is made anew.
const PACKS: usize = 64;

/// A clone of one repository for one set of settings.
pub(super) struct Clone<'a> {
    settings: &'a Settings,
    folder: PathBuf,
    repository: Repository,
}

impl<'a> Clone<'a> {
    /// Opens the clone, or makes an empty one.
    pub fn open(settings: &'a Settings) -> Result<Self, Trouble> {
        let folder = folder(settings);
        let repository = open(&folder).map_err(|error| {
            let message = format!("{} cannot be used: {}", folder.display(), words(&error));
            let help = "let evenkeel write there (--git-cache); a damaged clone may be removed: \
                        it is made anew";
            Trouble::passing(settings.name(), message, help)
        })?;
        Ok(Clone {
            settings,
            folder,
            repository,
        })
    }

    /// Fetches, judges and loads what the server has now.
    pub fn look(
        &self,
        token: Option<&Secret>,
        rules: &dyn Check,
        stop: &AtomicBool,
    ) -> Result<(ObjectId, Set), (Option<ObjectId>, Trouble)> {
        let passing = |trouble| (None, trouble);
        let object = fetch::fetch(&self.repository, self.settings, token, stop).map_err(passing)?;
        let commit = self.commit(object).map_err(passing)?;
        let id = commit.id;
        let of_commit = |trouble| (Some(id), trouble);
        self.judge(&commit).map_err(of_commit)?;
        let set = self.load(&commit, rules).map_err(of_commit)?;
        self.put_in_force(id).map_err(of_commit)?;
        Ok((id, set))
    }

    /// The set of the commit that loaded last, where there is one.
    pub fn in_force(&self, rules: &dyn Check) -> Option<Look> {
        let id = self.id_in_force()?;
        let commit = self.commit(id);
        Some(commit.and_then(|commit| self.load(&commit, rules)))
    }

    /// A commit, also behind a tag.
    fn commit(&self, object: ObjectId) -> Result<Commit<'_>, Trouble> {
        let (name, reference) = (self.settings.name(), &self.settings.reference);
        let found = self.repository.find_object(object);
        let found = found.and_then(gix::Object::peel_to_commit);
        found.map_err(|error| {
            let message = format!("`{reference}` of {name} is no commit: {}", words(&error));
            Trouble::content(name, message, "set `ref` to a branch, a tag or a commit")
        })
    }

    /// Whether the commit may take the place of the one in force.
    fn judge(&self, commit: &Commit<'_>) -> Result<(), Trouble> {
        let place = tree::shown(self.settings.name(), commit);
        if let Some(old) = self.id_in_force()
            && self.settings.require_fast_forward
            && !history::descends(&self.repository, commit.id, old, self.settings.name())?
        {
            return Err(history::rewritten(&place, commit.id, old));
        }
        match &self.settings.verify {
            None => Ok(()),
            Some(verify) => signature::verify(commit, verify, &self.folder, &place),
        }
    }

    fn load(&self, commit: &Commit<'_>, rules: &dyn Check) -> Look {
        let settings = self.settings;
        let files = tree::files(commit, &settings.path, settings.name())?;
        let place = tree::shown(settings.name(), commit);
        let set = assemble(
            files,
            settings.reference.revision(commit.id),
            &format!("{place}:{}", settings.path),
            rules,
            Problems::default(),
            &BTreeSet::new(),
        );
        Ok(set?)
    }

    fn id_in_force(&self) -> Option<ObjectId> {
        let found = self.repository.try_find_reference(IN_FORCE).ok()??;
        Some(found.id().detach())
    }

    fn put_in_force(&self, id: ObjectId) -> Result<(), Trouble> {
        if self.id_in_force() == Some(id) {
            return Ok(());
        }
        let any = PreviousValue::Any;
        let put = self.repository.reference(IN_FORCE, id, any, "in force");
        put.map(drop).map_err(|error| {
            let folder = self.folder.display();
            let message = format!("{folder} cannot be written: {}", words(&error));
            let help = "let evenkeel write there (--git-cache)";
            Trouble::passing(self.settings.name(), message, help)
        })
    }

    /// Whether fetches have left so many packs that a clone made anew is better.
    pub fn is_worn(&self) -> bool {
        let packs = std::fs::read_dir(self.folder.join("objects/pack"));
        packs.is_ok_and(|packs| packs.count() / 2 > PACKS)
    }

    /// Makes the clone anew beside this one, at the commit in force, and puts it in its place. A
    /// server that has moved on in the meantime leaves it for the next time.
    pub fn renew(self, token: Option<&Secret>, stop: &AtomicBool) -> Result<(), Trouble> {
        let Some(id) = self.id_in_force() else {
            return Ok(());
        };
        let beside = self.folder.with_extension("new");
        let failed = |error: std::io::Error| {
            let message = format!("{} cannot be made: {error}", beside.display());
            Trouble::passing(self.settings.name(), message, "it is tried again")
        };
        if beside.exists() {
            std::fs::remove_dir_all(&beside).map_err(failed)?;
        }
        let repository = open(&beside).map_err(|error| failed(std::io::Error::other(error)))?;
        let fresh = Clone {
            settings: self.settings,
            folder: beside.clone(),
            repository,
        };
        let object = fetch::fetch(&fresh.repository, self.settings, token, stop)?;
        if fresh.commit(object)?.id != id {
            return Ok(());
        }
        fresh.put_in_force(id)?;
        // Gone for a moment: a kill in between costs one fetch, and the memory of the commit.
        let old = self.folder.with_extension("old");
        if old.exists() {
            std::fs::remove_dir_all(&old).map_err(failed)?;
        }
        std::fs::rename(&self.folder, &old).map_err(failed)?;
        std::fs::rename(&beside, &self.folder).map_err(failed)?;
        std::fs::remove_dir_all(&old).map_err(failed)
    }
}

/// Where the clone of these settings is: another repository, branch or path is another clone, so
/// none of them is measured by the history of another.
fn folder(settings: &Settings) -> PathBuf {
    let mut hash = Sha256::new();
    for part in [
        settings.address.as_str(),
        &settings.reference.to_string(),
        &settings.path,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut name = String::from("clone-");
    for byte in hash.finalize().iter().take(8) {
        let _ = write!(name, "{byte:02x}");
    }
    settings.cache.join(name)
}

/// Nothing outside the clone has a say: no configuration of the machine, the user or the
/// environment. ssh never asks on a terminal, and gives up where nobody answers.
fn open(folder: &std::path::Path) -> gix::Result<Repository> {
    let options = gix::open::Options::isolated()
        .with(gix::sec::Trust::Full)
        .config_overrides([
            "core.sshCommand=ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15",
            "gitoxide.committer.nameFallback=evenkeel",
            "gitoxide.committer.emailFallback=evenkeel@localhost",
            "core.logAllRefUpdates=false",
        ]);
    if folder.join("HEAD").is_file() {
        return gix::open_opts(folder, options);
    }
    std::fs::create_dir_all(folder).map_err(gix::Error::from_error)?;
    let made = gix::ThreadSafeRepository::init_opts(
        folder,
        gix::create::Kind::Bare,
        gix::create::Options::default(),
        options,
    )?;
    Ok(made.to_thread_local())
}
