//! Arguments of `run`, `plan` and `validate`.

use super::GitArgs;
use crate::api::HumanDuration;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `evenkeel run`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  evenkeel run manifests/quickstart --gcp emulator     watch a rollout without a cloud
  evenkeel run manifests --gcp live                    keep a project as declared
  evenkeel run manifests --gcp live --mode observe     report, write nothing
  evenkeel run manifests --gcp live --once             for CI: exit 0 when all is Ready
  evenkeel run --git-url https://github.com/acme/infra --git-path prod --gcp live
                                                       what a branch of a repository declares
  evenkeel run --source kubernetes --gcp live          the objects of a cluster

Ctrl-C or SIGTERM stops at the next safe point; what runs in GCP is taken up again at the next
start. A second signal stops at once.")]
pub struct RunArgs {
    /// Manifest files or directories; `-` is stdin
    #[arg(value_name = "PATH", conflicts_with = "git_url")]
    pub paths: Vec<OsString>,

    #[command(flatten)]
    pub git: GitArgs,

    /// Stop when nothing is left to do: exit 0 when all is Ready, else 1
    #[arg(long)]
    pub once: bool,

    /// With --once: give up after this long
    #[arg(long, value_name = "DURATION", default_value = "1h", requires = "once")]
    pub timeout: HumanDuration,

    /// `apply` writes; `observe` only looks and reports [default: apply]
    #[arg(long, value_name = "MODE", hide_possible_values = true)]
    pub mode: Option<Mode>,

    /// Time between two looks at GCP [default: 60s, with an emulator 5s]
    #[arg(long, value_name = "DURATION")]
    pub interval: Option<HumanDuration>,

    /// Deletes that one revision of the manifests may do [default: 0, in Kubernetes 1]
    #[arg(long, value_name = "N")]
    pub deletes_per_sync: Option<u32>,

    /// Rollouts that may run at the same time [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrent_rollouts: Option<u32>,

    /// Configuration: mode, interval, budgets and freeze windows; flags override it
    #[arg(long, value_name = "FILE", env = "EVENKEEL_CONFIG")]
    pub config: Option<PathBuf>,

    /// Folder of named secrets, with the entry KEY of the secret NAME in NAME/KEY
    #[arg(long, value_name = "DIR", env = "EVENKEEL_SECRETS")]
    pub secrets: Option<PathBuf>,

    /// Serve the operator's own state here over HTTP, such as 127.0.0.1:8086; it writes nothing and
    /// asks for no password [default: nowhere]
    #[arg(long, value_name = "ADDR", env = "EVENKEEL_LISTEN")]
    pub listen: Option<SocketAddr>,

    /// A name that requests to --listen may use, besides addresses and localhost; may be repeated
    #[arg(long, value_name = "NAME")]
    pub listen_host: Vec<String>,

    /// Load the manifests again when they change
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    #[arg(hide_possible_values = true)]
    pub watch_source: bool,

    /// Where the emulator of this process is served for curl and gcloud; `off` for nowhere
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub emulator_listen: String,
}

/// Whether to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Apply,
    Observe,
}

/// `evenkeel plan`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 nothing to change, 1 blocked or failed, 2 there are changes.
Only GETs are sent. With the operator's --state, the plan also knows what is owned, approved and
held.")]
pub struct PlanArgs {
    /// Manifest files or directories; `-` is stdin
    #[arg(required_unless_present = "git_ref", value_name = "PATH")]
    pub paths: Vec<OsString>,

    /// Plan what this revision of the repository here declares, in a folder PATH [default: .]
    #[arg(long, value_name = "REF")]
    pub git_ref: Option<String>,

    /// Form of the output: table, json or markdown
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "table",
        hide_possible_values = true
    )]
    pub output: PlanFormat,

    /// Accepted for Terraform habits: exit codes are always detailed
    #[arg(long, hide = true)]
    pub detailed_exitcode: bool,
}

/// Form of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    Table,
    Json,
    Markdown,
}

/// `evenkeel validate`
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 valid (warnings do not fail), 2 not valid.")]
pub struct ValidateArgs {
    /// Manifest files or directories; `-` is stdin
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<OsString>,

    /// Form of the output: text or json
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub output: ValidateFormat,
}

/// Form of a validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValidateFormat {
    Text,
    Json,
}
