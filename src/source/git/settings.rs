//! Which repository, which commits of it, and how to get there.

use super::{Address, Reference};
use crate::api::SecretRef;
use std::path::PathBuf;
use std::time::Duration;

/// What to follow, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub address: Address,
    pub reference: Reference,
    /// Folder below the root with the manifests; empty for all.
    pub path: String,
    /// Time between two looks at a server that answers.
    pub interval: Duration,
    /// Longest time that one look may take.
    pub deadline: Duration,
    /// For https: the name that goes with the token.
    pub username: String,
    /// For https: the token.
    pub token: Option<SecretRef>,
    /// For https: certificates (PEM) to trust besides the system's.
    pub ca: Option<PathBuf>,
    /// Whether a commit must descend from the one in force.
    pub require_fast_forward: bool,
    /// Whose signature a commit must carry.
    pub verify: Option<Verify>,
    /// Folder for clones.
    pub cache: PathBuf,
}

impl Settings {
    /// How messages call the repository.
    #[must_use]
    pub fn name(&self) -> &str {
        self.address.name()
    }
}

/// Whose signature a commit must carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    pub mode: Mode,
    /// For SSH the allowed signers (`ssh-keygen(1)`), for GPG public keys.
    pub keys: PathBuf,
}

/// The kind of signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Ssh,
    Gpg,
}
