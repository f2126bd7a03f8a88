//! `evenkeel rollout`: looking at rollouts, and asking the operator for something.
//!
//! Invariant: nothing here changes a resource. What is asked is written down in the state file, and
//! the operator acts on it once.

mod approve;
mod ask;
mod diff;
mod history;
mod status;
mod undo;

pub use approve::names as names_plan;

use super::args::{Globals, RolloutArgs, RolloutVerb};
use super::{CliError, Exit};
use crate::core::token::Ask;

/// Runs the verb.
pub fn run(globals: &Globals, args: &RolloutArgs) -> Result<Exit, CliError> {
    match &args.verb {
        RolloutVerb::Status(args) => status::run(globals, args),
        RolloutVerb::History(args) => history::run(globals, args),
        RolloutVerb::Diff(args) => diff::run(globals, args),
        RolloutVerb::Pause(args) => ask::run(globals, args, &Ask::Pause),
        RolloutVerb::Resume(args) => ask::run(globals, args, &Ask::Resume),
        RolloutVerb::Retry(args) => ask::run(globals, args, &Ask::Retry),
        RolloutVerb::Abort(args) => ask::run(globals, args, &Ask::Abort),
        RolloutVerb::Approve(args) => approve::run(globals, args),
        RolloutVerb::Undo(args) => undo::run(globals, args),
    }
}
