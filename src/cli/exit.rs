//! How a command ends: exit codes, and errors that say what is wrong and the way out.

use super::out;
use crate::core::error::Fault;
use crate::journal::JournalError;
use std::process::ExitCode;

/// Every exit code there is. Scripts and CI depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done; everything is Ready; `plan`: live equals declared.
    Success,
    /// 1: failed; something is not Ready; `plan`: blocked, or it could not be made.
    Failure,
    /// 2: the manifests or the arguments are wrong; nothing was sent.
    BadInput,
    /// 2, from `plan` only: there are changes, and they can be made.
    Changes,
    /// 1, from `diff` only: there are differences.
    Different,
    /// 130: stopped at once by a second signal, or before it was done.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failure | Exit::Different => 1,
            Exit::BadInput | Exit::Changes => 2,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a command failed, and what to do about it.
#[derive(Debug)]
pub struct CliError {
    what: String,
    hint: Option<String>,
    exit: Exit,
    /// Said already, or nobody listens any more.
    quiet: bool,
}

impl CliError {
    /// A failure; say the way out with [`CliError::hint`].
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        CliError {
            what: what.into(),
            hint: None,
            exit: Exit::Failure,
            quiet: false,
        }
    }

    /// The way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Another exit code than [`Exit::Failure`].
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// A failure whose message was printed already.
    #[must_use]
    pub fn said(exit: Exit) -> Self {
        CliError {
            quiet: true,
            ..CliError::new("").exit(exit)
        }
    }

    /// Prints `error:` and `hint:` to stderr.
    pub(super) fn report(&self) -> ExitCode {
        if !self.quiet {
            out::error_text(&crate::render::message::error(
                &self.what,
                self.hint.as_deref(),
            ));
        }
        self.exit.into()
    }
}

impl From<std::io::Error> for CliError {
    /// Output that nobody reads any more is no failure: `evenkeel get | head` is fine.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return CliError::said(Exit::Success);
        }
        CliError::new(error.to_string())
    }
}

/// What a person can do about a failed read.
#[must_use]
pub(super) fn way_out(fault: &Fault) -> String {
    match fault.code.as_str() {
        "NO_TOKEN" | "NO_CREDENTIALS" => {
            "run `gcloud auth application-default login`, or give --credentials FILE".to_owned()
        }
        _ => fault.kind.behaviour().hint.to_owned(),
    }
}

impl From<Fault> for CliError {
    fn from(fault: Fault) -> Self {
        CliError::new(fault.to_string()).hint(fault.kind.behaviour().hint)
    }
}

impl From<JournalError> for CliError {
    fn from(error: JournalError) -> Self {
        match &error {
            JournalError::Locked { path, holder } => CliError::new(format!(
                "{} is in use by another evenkeel operator{holder}",
                path.display()
            ))
            .hint("stop that one, or give this one its own --state"),
            JournalError::OtherWorld {
                path,
                found,
                wanted,
            } => CliError::new(format!(
                "{} belongs to {found}, and this run is for {wanted}",
                path.display()
            ))
            .hint("give this run its own --state, or remove the file to start over"),
            JournalError::Newer { path, found, known } => CliError::new(format!(
                "{} was written by a newer evenkeel (schema {found}; this one knows {known})",
                path.display()
            ))
            .hint("upgrade evenkeel"),
            JournalError::Missing { path } => {
                CliError::new(format!("there is no state file {}", path.display()))
                    .hint("start an operator with `evenkeel run`, or name its file with --state")
            }
            JournalError::Cluster { .. } => CliError::new(error.to_string())
                .hint("is the API server there, and may this account write the object's status?"),
            JournalError::Io { .. } => CliError::new(error.to_string())
                .hint("check the path and its permissions, or name another file with --state"),
            JournalError::Sqlite { .. } | JournalError::Corrupt { .. } => CliError::new(
                error.to_string(),
            )
            .hint("is --state an evenkeel state file? Restore it, or move it away to start over"),
        }
    }
}
