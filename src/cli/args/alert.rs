//! Arguments of `alert` and the verbs below it.

use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// `evenkeel alert`
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct AlertArgs {
    #[command(subcommand)]
    pub verb: AlertVerb,
}

/// What can be done with an Alert.
#[derive(Debug, Subcommand)]
pub enum AlertVerb {
    /// Send one test message, and say what the receiver answered
    Test(AlertTestArgs),
}

/// `evenkeel alert test`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 the receiver took it, 1 it did not, 2 wrong manifests or no such Alert.
The message has severity info and says that nothing is wrong. PagerDuty opens an incident for it,
to be resolved there; an Alertmanager forgets it after 5 minutes.")]
pub struct AlertTestArgs {
    /// `metadata.name` of the Alert
    pub name: String,

    /// Manifest files or directories; `-` is stdin
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<OsString>,

    /// Folder of named secrets, with the entry KEY of the secret NAME in NAME/KEY
    #[arg(long, value_name = "DIR", env = "EVENKEEL_SECRETS")]
    pub secrets: Option<PathBuf>,
}
