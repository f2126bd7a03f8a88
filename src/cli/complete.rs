//! `evenkeel completions`

use super::args::{Cli, CompletionsArgs};
use super::{CliError, Exit, out};
use clap::CommandFactory;

/// Prints the completion script of a shell.
pub fn run(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "evenkeel", &mut script);
    out::text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
