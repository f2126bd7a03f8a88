//! The command line: one file for each verb, arguments in [`args`], what people read in
//! [`crate::render`].
//!
//! Invariant: nothing here decides about a resource. Verbs load, ask, wait and print.

mod alert;
pub mod args;
mod check;
mod complete;
mod config;
mod crds;
mod describe;
#[cfg(feature = "git")]
mod diff;
mod documents;
pub mod embedded;
mod emulator;
mod exit;
pub mod export;
mod get;
#[cfg(feature = "git")]
mod git;
mod keys;
mod load;
mod objects;
mod out;
mod phases;
pub mod plan;
mod rollout;
mod run;
mod telemetry;
mod validate;
pub mod vantage;
mod version;
mod view;
mod world;

pub use exit::{CliError, Exit};

use args::{Cli, Verb};
use clap::Parser;
use std::process::ExitCode;

/// The whole program: arguments in, exit code out.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return usage(&refusal),
    };
    out::use_color(cli.globals.color);
    telemetry::start(&cli.globals);
    match dispatch(&cli) {
        Ok(exit) => exit.into(),
        Err(error) => error.report(),
    }
}

fn dispatch(cli: &Cli) -> Result<Exit, CliError> {
    let globals = &cli.globals;
    match &cli.verb {
        Verb::Run(args) => run::run(globals, args),
        Verb::Plan(args) => plan::run(globals, args),
        #[cfg(feature = "git")]
        Verb::Diff(args) => diff::run(args),
        Verb::Export(args) => export::run(globals, args),
        Verb::Check(args) => check::run(globals, args),
        Verb::Validate(args) => validate::run(args),
        Verb::Get(args) => get::run(globals, args),
        Verb::Describe(args) => describe::run(globals, args),
        Verb::Rollout(args) => rollout::run(globals, args),
        Verb::Alert(args) => alert::run(args),
        Verb::Crds(args) => crds::run(args),
        Verb::Emulator(args) => emulator::run(globals, args),
        Verb::Completions(args) => complete::run(args),
        Verb::Version(args) => version::run(args),
    }
}

/// Help and version are answers; everything else is a mistake in the arguments.
fn usage(refusal: &clap::Error) -> ExitCode {
    // Nothing helps where the message itself cannot be printed.
    let _ = refusal.print();
    if !refusal.use_stderr() {
        return Exit::Success.into();
    }
    // For `plan`, 2 means "there are changes": a typing mistake must not look like that.
    let verb = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    match verb.as_deref() {
        Some("plan") => Exit::Failure.into(),
        _ => Exit::BadInput.into(),
    }
}

/// Runs async work to its end.
fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::new(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(work);
    // A fetch that hangs must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}
