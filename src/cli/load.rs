//! Manifests in: the whole set, with the rules of the kinds.

use super::{CliError, Exit, out};
use crate::api::{Declared, Finding, Reference};
use crate::kinds;
use crate::source::{self, Check, Errors, Input, Set};
use std::ffi::OsString;
#[cfg(feature = "git")]
use std::path::Path;

/// The rules of every kind.
pub struct KindRules;

impl Check for KindRules {
    fn check(&self, declared: &Declared) -> Vec<Finding> {
        kinds::of(declared.key.kind).check(declared)
    }

    fn references(&self, declared: &Declared) -> Vec<Reference> {
        kinds::of(declared.key.kind).references(declared)
    }
}

/// Paths as typed, as inputs.
#[must_use]
pub fn inputs(paths: &[OsString]) -> Vec<Input> {
    paths.iter().map(|path| Input::parse(path)).collect()
}

/// The paths for people.
#[must_use]
pub fn names(paths: &[OsString]) -> String {
    let names: Vec<_> = paths
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    names.join(" ")
}

/// Loads the set.
///
/// # Errors
/// All that is wrong with it.
pub fn load(inputs: &[Input]) -> Result<Set, Errors> {
    source::load(inputs, &KindRules)
}

/// Loads the set; what is wrong, and the warnings, go to stderr.
///
/// # Errors
/// With `exit`, after the diagnostics were printed.
pub fn load_or_explain(inputs: &[Input], exit: Exit) -> Result<Set, CliError> {
    match load(inputs) {
        Ok(set) => {
            for warning in &set.warnings {
                out::error_text(&format!("{}\n\n", warning.render(true)));
            }
            Ok(set)
        }
        Err(errors) => {
            out::error_text(&errors.render(true));
            Err(CliError::said(exit))
        }
    }
}

/// Loads the set below `path` at a revision of the repository of the current folder; what is wrong
/// goes to stderr.
///
/// # Errors
/// With `exit`, after the diagnostics were printed.
#[cfg(feature = "git")]
pub fn at_revision(revision: &str, path: &Path, exit: Exit) -> Result<Set, CliError> {
    let found = source::git::at_revision(Path::new("."), revision, path, &KindRules);
    found.map_err(|trouble| {
        out::error_text(&trouble.errors.render(true));
        CliError::said(exit)
    })
}
