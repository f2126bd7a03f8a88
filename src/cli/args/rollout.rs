//! Arguments of `rollout` and the verbs below it.

use crate::api::HumanDuration;
use clap::{Args, Subcommand};

/// `evenkeel rollout`
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct RolloutArgs {
    #[command(subcommand)]
    pub verb: RolloutVerb,
}

/// What can be done with a rollout.
#[derive(Debug, Subcommand)]
pub enum RolloutVerb {
    /// Show where it stands; with --watch, wait until it is Ready
    Status(StatusArgs),
    /// List the saved states
    History(HistoryArgs),
    /// Compare a saved state with the live one, or with another saved state
    Diff(DiffArgs),
    /// Stop writing until resumed
    Pause(AskArgs),
    /// Write again; also goes on from a manual pause
    Resume(AskArgs),
    /// Release held content and try it again
    Retry(AskArgs),
    /// Stop the rollout where it is, and hold its content
    Abort(AskArgs),
    /// Let the plan that waits go ahead
    Approve(ApproveArgs),
    /// Go back to a saved state, as far as fields go back
    Undo(UndoArgs),
}

/// `evenkeel rollout status`
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 Ready, 1 Stalled or not Ready.")]
pub struct StatusArgs {
    /// KIND/NAME, or KIND NAME
    #[arg(required = true, num_args = 1..=2, value_name = "KIND/NAME")]
    pub object: Vec<String>,

    /// Wait until it is Ready or Stalled
    #[arg(short, long)]
    pub watch: bool,

    /// With --watch: give up after this long
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    pub timeout: HumanDuration,
}

/// `evenkeel rollout history`
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// KIND/NAME, or KIND NAME
    #[arg(required = true, num_args = 1..=2, value_name = "KIND/NAME")]
    pub object: Vec<String>,
}

/// `evenkeel rollout diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// KIND/NAME, or KIND NAME
    #[arg(required = true, num_args = 1..=2, value_name = "KIND/NAME")]
    pub object: Vec<String>,

    /// The saved state to start from [default: the newest]
    #[arg(long, value_name = "N")]
    pub revision: Option<i64>,

    /// The saved state to compare with [default: live, as last seen]
    #[arg(long, value_name = "M")]
    pub to: Option<i64>,
}

/// `evenkeel rollout pause`, `resume`, `retry` and `abort`
#[derive(Debug, Args)]
pub struct AskArgs {
    /// KIND/NAME, or KIND NAME
    #[arg(required = true, num_args = 1..=2, value_name = "KIND/NAME")]
    pub object: Vec<String>,

    /// Do not wait for the operator to act
    #[arg(long)]
    pub no_wait: bool,
}

/// `evenkeel rollout approve`
#[derive(Debug, Args)]
pub struct ApproveArgs {
    #[command(flatten)]
    pub ask: AskArgs,

    /// Approve only if this is the plan that waits: its digest, or the first 12 digits of it
    #[arg(long, value_name = "DIGEST")]
    pub plan: Option<String>,
}

/// `evenkeel rollout undo`
#[derive(Debug, Args)]
pub struct UndoArgs {
    #[command(flatten)]
    pub ask: AskArgs,

    /// The saved state to go back to [default: the newest]
    #[arg(long, value_name = "N")]
    pub to_revision: Option<i64>,

    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
