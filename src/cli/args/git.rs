//! Which repository to follow.

use crate::api::{HumanDuration, SecretRef};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// A repository instead of PATH. What is not given is taken from `source.git` of the configuration.
#[derive(Debug, Default, Args)]
pub struct GitArgs {
    /// Follow a repository: <https://>, <ssh://>, USER@HOST:PATH, <git://> or <file://>
    #[arg(long, value_name = "URL", help_heading = "Git")]
    #[arg(env = "EVENKEEL_GIT_URL", hide_env_values = true)]
    pub git_url: Option<String>,

    /// Branch, tag or commit [default: main]
    #[arg(long, value_name = "REF", help_heading = "Git")]
    pub git_ref: Option<String>,

    /// Folder in the repository with the manifests [default: all of it]
    #[arg(long, value_name = "PATH", help_heading = "Git")]
    pub git_path: Option<String>,

    /// Time between two fetches [default: 1m]
    #[arg(long, value_name = "DURATION", help_heading = "Git")]
    pub git_interval: Option<HumanDuration>,

    /// Token for https, by reference: `env:NAME`, `file:PATH`, or NAME/KEY in --secrets
    #[arg(long, value_name = "SECRET", help_heading = "Git", value_parser = secret)]
    pub git_token: Option<SecretRef>,

    /// Refuse commits without a signature by --git-keys: ssh or gpg
    #[arg(
        long,
        value_name = "MODE",
        help_heading = "Git",
        hide_possible_values = true
    )]
    #[arg(requires = "git_keys")]
    pub git_verify: Option<GitVerify>,

    /// Keys for --git-verify: allowed signers as of ssh-keygen, or exported GPG keys
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Git",
        requires = "git_verify"
    )]
    pub git_keys: Option<PathBuf>,

    /// Take commits that do not descend from the one in force, as after a forced push
    #[arg(long, help_heading = "Git")]
    pub git_allow_force: bool,

    /// Secret of POST /hooks/git at --listen, which fetches at once; as --git-token
    #[arg(long, value_name = "SECRET", help_heading = "Git", value_parser = secret)]
    pub git_webhook_secret: Option<SecretRef>,

    /// Folder for clones [default: git, beside the state file]
    #[arg(long, value_name = "DIR", help_heading = "Git")]
    pub git_cache: Option<PathBuf>,
}

/// `evenkeel diff`
#[derive(Debug, Args)]
#[command(after_help = "\
Run it in a clone; what is not committed has no part in it.
Exit codes: 0 the same, 1 different, 2 it could not be compared.")]
pub struct DeclaredDiffArgs {
    /// A branch, a tag or a commit, such as origin/main
    pub old: String,

    /// Another one, such as HEAD
    pub new: String,

    /// Folder with the manifests
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
}

/// The kind of signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GitVerify {
    Ssh,
    Gpg,
}

impl GitArgs {
    /// Something about a repository is given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.git_url.is_some()
    }
}

fn secret(text: &str) -> Result<SecretRef, String> {
    let some = |text: &str| Some(text.to_owned());
    let mut reference = SecretRef::default();
    if let Some(name) = text.strip_prefix("env:") {
        reference.env = some(name);
    } else if let Some(path) = text.strip_prefix("file:") {
        reference.file = some(path);
    } else if let Some((name, key)) = text.split_once('/') {
        (reference.name, reference.key) = (some(name), some(key));
    } else {
        // What was typed may be the secret itself.
        return Err("a secret is given by reference: env:NAME, file:PATH or NAME/KEY".to_owned());
    }
    Ok(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_references() {
        assert_eq!(secret("env:T").unwrap().env.as_deref(), Some("T"));
        assert_eq!(secret("file:/a/b").unwrap().file.as_deref(), Some("/a/b"));
        let named = secret("git/token").unwrap();
        assert_eq!(named.to_string(), "secret git/token");
        let why = secret("ghp_hunter2").unwrap_err();
        assert!(!why.contains("hunter2"), "{why}");
    }
}
