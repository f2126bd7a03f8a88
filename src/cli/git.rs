//! A repository as the source of a run: what the flags and `source.git` say together.

use super::args::{GitArgs, GitVerify, Globals, RunArgs};
use super::config::Config;
use super::{CliError, Exit};
use crate::api::{HumanDuration, SecretRef};
use crate::source::git::{Address, Mode, Reference, Settings, Verify};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Time between two fetches.
const INTERVAL: Duration = Duration::from_mins(1);
/// Longest time for one fetch.
const DEADLINE: Duration = Duration::from_mins(2);
/// GitHub, GitLab and most others take any name with a token; Bitbucket wants this one.
const USERNAME: &str = "x-token-auth";

/// `source` of the configuration.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceConfig {
    pub git: GitConfig,
}

/// A repository to follow.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GitConfig {
    pub url: Option<String>,
    /// Branch, tag or commit. Default: main.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// Folder with the manifests. Default: all of it.
    pub path: Option<String>,
    /// Time between two fetches. Default: 1m.
    pub interval: Option<HumanDuration>,
    /// Longest time for one fetch. Default: 2m.
    pub timeout: Option<HumanDuration>,
    /// For https: the name that goes with the token.
    pub username: Option<String>,
    /// For https.
    pub token_ref: Option<SecretRef>,
    /// For https: certificates (PEM) to trust besides the system's.
    pub ca: Option<PathBuf>,
    /// Whether a commit must descend from the one in force. Default: true.
    pub require_fast_forward: Option<bool>,
    pub verify: Option<VerifyConfig>,
    pub webhook: Option<WebhookConfig>,
    /// Folder for clones.
    pub cache: Option<PathBuf>,
}

/// Whose signature a commit must carry.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyConfig {
    pub mode: VerifyMode,
    pub keys: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum VerifyMode {
    Ssh,
    Gpg,
}

/// `POST /hooks/git`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookConfig {
    pub secret_ref: SecretRef,
}

/// Whether a run follows a repository: PATH overrides the configuration.
pub fn is_wanted(args: &RunArgs, config: &Config) -> bool {
    args.git.is_given() || args.paths.is_empty() && config.source.is_some()
}

/// What the run follows.
///
/// # Errors
/// Exit 2: what is wrong with the flags or the configuration.
pub fn settings(globals: &Globals, args: &GitArgs, config: &Config) -> Result<Settings, CliError> {
    let none = GitConfig::default();
    let given = config.source.as_ref().map_or(&none, |source| &source.git);
    let bad = |what: String| CliError::new(what).exit(Exit::BadInput);
    let url = args.git_url.as_ref().or(given.url.as_ref());
    let url = url.ok_or_else(|| bad("which repository? source.git.url is not given".to_owned()))?;
    let address = url
        .parse::<Address>()
        .map_err(|error| bad(error.to_string()))?;
    let reference = args.git_ref.as_deref().or(given.reference.as_deref());
    let reference = reference.unwrap_or("main").parse::<Reference>();
    let beside = globals.state_path();
    let beside = beside.parent().map_or_else(PathBuf::new, PathBuf::from);
    let or = |flag: Option<HumanDuration>, config: Option<HumanDuration>, default| {
        flag.or(config).map_or(default, |given| given.0)
    };
    Ok(Settings {
        address,
        reference: reference.map_err(|error| bad(error.to_string()))?,
        path: path(args, given).map_err(bad)?,
        interval: or(args.git_interval, given.interval, INTERVAL),
        deadline: or(None, given.timeout, DEADLINE),
        username: given
            .username
            .clone()
            .unwrap_or_else(|| USERNAME.to_owned()),
        token: args.git_token.clone().or_else(|| given.token_ref.clone()),
        ca: given.ca.clone(),
        require_fast_forward: !args.git_allow_force && given.require_fast_forward.unwrap_or(true),
        verify: verify(args, given),
        cache: args
            .git_cache
            .clone()
            .or_else(|| given.cache.clone())
            .unwrap_or_else(|| beside.join("git")),
    })
}

fn path(args: &GitArgs, given: &GitConfig) -> Result<String, String> {
    let path = args.git_path.as_deref().or(given.path.as_deref());
    let path = path.unwrap_or_default();
    let path = path.trim_start_matches("./").trim_matches('/');
    if path.split('/').any(|part| part == "..") {
        return Err(format!("the path `{path}` leads out of the repository"));
    }
    Ok(if path == "." { "" } else { path }.to_owned())
}

fn verify(args: &GitArgs, given: &GitConfig) -> Option<Verify> {
    if let (Some(mode), Some(keys)) = (args.git_verify, &args.git_keys) {
        let mode = match mode {
            GitVerify::Ssh => Mode::Ssh,
            GitVerify::Gpg => Mode::Gpg,
        };
        let keys = keys.clone();
        return Some(Verify { mode, keys });
    }
    given.verify.as_ref().map(|verify| Verify {
        mode: match verify.mode {
            VerifyMode::Ssh => Mode::Ssh,
            VerifyMode::Gpg => Mode::Gpg,
        },
        keys: verify.keys.clone(),
    })
}

/// The secret of `POST /hooks/git`; nothing is served there without one.
pub fn webhook(args: &GitArgs, config: &Config) -> Option<SecretRef> {
    let given = config
        .source
        .as_ref()
        .and_then(|source| source.git.webhook.as_ref());
    let given = given.map(|webhook| &webhook.secret_ref);
    args.git_webhook_secret.as_ref().or(given).cloned()
}
