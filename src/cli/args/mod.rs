//! Every argument of every verb: what can be typed, apart from what it does.

mod alert;
mod check;
mod cluster;
mod export;
mod gcp;
mod git;
mod operate;
mod read;
mod rollout;
mod tools;

pub use alert::{AlertArgs, AlertTestArgs, AlertVerb};
pub use check::{CheckArgs, CheckRunArgs, CheckVerb};
pub use cluster::{ClusterArgs, Source};
pub use export::{ExportArgs, ManifestFormat};
pub use gcp::{Gcp, GcpArgs};
pub use git::{DeclaredDiffArgs, GitArgs, GitVerify};
pub use operate::{Mode, PlanArgs, PlanFormat, RunArgs, ValidateArgs, ValidateFormat};
pub use read::{DescribeArgs, GetArgs, GetFormat};
pub use rollout::{
    ApproveArgs, AskArgs, DiffArgs, HistoryArgs, RolloutArgs, RolloutVerb, StatusArgs, UndoArgs,
};
pub use tools::{CompletionsArgs, CrdsArgs, EmulatorArgs, Speed, VersionArgs, VersionFormat};

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Try it without a cloud:
  evenkeel run manifests/quickstart --gcp emulator

Exit codes: 0 done, 1 failed or not Ready, 2 wrong manifests or arguments, 130 interrupted.
`evenkeel plan`: 0 nothing to change, 1 blocked or failed, 2 there are changes.";

/// Keeps Google Cloud at the state a team declares in git: in steps, proved, with the prior state
/// saved.
#[derive(Debug, Parser)]
#[command(name = "evenkeel", version, styles = STYLES, after_help = EXAMPLES)]
#[command(disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub verb: Verb,
}

/// What can be done.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one, once")]
pub enum Verb {
    /// Bring GCP to what the manifests declare, and keep it there
    Run(Box<RunArgs>),
    /// Show what a run would change, step by step, and send nothing
    Plan(PlanArgs),
    /// Compare what two revisions of a repository declare
    #[cfg(feature = "git")]
    Diff(DeclaredDiffArgs),
    /// Write manifests for what is live
    Export(ExportArgs),
    /// Report the health of what the Checks measure; `check run` is the load test
    Check(CheckArgs),
    /// Check manifests without asking GCP
    Validate(ValidateArgs),
    /// List managed resources
    Get(GetArgs),
    /// Show everything known about one resource
    Describe(DescribeArgs),
    /// Watch, pause, approve, retry, abort or undo a rollout
    Rollout(RolloutArgs),
    /// Try an Alert
    Alert(AlertArgs),
    /// Print the CRDs for Kubernetes
    Crds(CrdsArgs),
    /// Serve an emulated GCP on a local port
    Emulator(EmulatorArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the version
    Version(VersionArgs),
}

/// Arguments that every verb takes.
#[derive(Debug, Args)]
pub struct Globals {
    #[command(flatten)]
    pub gcp: GcpArgs,

    /// State file of the operator [default: .evenkeel/state.db] [env: `EVENKEEL_STATE`]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub state: Option<PathBuf>,

    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Color the output: auto, always or never; `NO_COLOR` is honoured too
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(help_heading = "Global options", hide_possible_values = true)]
    pub color: Color,

    /// Log more on stderr: -v what is done, -vv every call, -vvv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    #[arg(help_heading = "Global options")]
    pub verbose: u8,

    /// Form of the log on stderr, and of the events of `run`: text or json
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    #[arg(help_heading = "Global options", hide_possible_values = true)]
    pub log_format: LogFormat,
}

impl Globals {
    /// The operator's state file. Not through clap: `emulator --state` is about another file, and
    /// must not take the operator's from the environment.
    #[must_use]
    pub fn state_path(&self) -> PathBuf {
        self.state
            .clone()
            .or_else(|| std::env::var_os("EVENKEEL_STATE").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from(".evenkeel/state.db"))
    }
}

/// When to color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}
