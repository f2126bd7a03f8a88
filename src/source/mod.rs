//! Desired state in: manifests from files, directories and stdin, checked as one set.
//!
//! Invariant: the whole set loads or nothing does. A set that does not load says everything that
//! is wrong with it, each finding with its place, its limit and the way out. Input is not
//! trusted: time and memory are bounded whatever the bytes.

#![allow(
    clippy::result_large_err,
    reason = "a fault ends the parsing of its file, so its size costs nothing"
)]

mod alerts;
mod checks;
mod diagnostic;
mod document;
mod draft;
mod envelope;
mod expectations;
mod files;
#[cfg(feature = "git")]
pub mod git;
mod identity;
mod lines;
mod managed;
mod node;
pub mod objects;
mod phases;
mod plain;
mod references;
mod rollout;
mod scalar;
mod schema;
mod secrets;
mod selects;
mod shape;
mod suggest;
mod text;
mod unwritten;
mod verify;
pub mod watch;
mod yaml;

pub use diagnostic::{Errors, Problem, Related};
pub use files::Input;
pub use lines::{Lines, Position};
pub use unwritten::refusals;
pub use watch::Watch;

use crate::api::{
    AlertSpec, CheckSpec, Declared, Document, Finding, Origin, PhaseSpec, Reference, Severity,
};
use diagnostic::Problems;
use document::Item;
use std::collections::BTreeSet;

/// Largest file, in bytes.
pub const FILE_LIMIT: usize = 1024 * 1024;
/// Largest set, in bytes.
pub const SET_LIMIT: usize = 32 * 1024 * 1024;
/// Most files in a set.
pub const FILES_LIMIT: usize = 20_000;
/// Most documents in a set.
pub const DOCUMENTS_LIMIT: usize = 20_000;
/// Most problems reported in full.
pub const PROBLEMS_LIMIT: usize = 50;

/// Rules of the kinds, applied to every declared resource.
///
/// `declared` may come from a manifest that has other errors: fields of `resource` are as written,
/// so a rule must expect any type in them.
pub trait Check {
    /// Everything these rules find in one resource.
    fn check(&self, declared: &Declared) -> Vec<Finding>;

    /// The references to other manifests in one resource. Each must name a manifest of the set,
    /// and no manifest may need itself.
    fn references(&self, _: &Declared) -> Vec<Reference> {
        Vec::new()
    }
}

/// No rules: shape and limits of the schema alone.
pub struct NoCheck;

impl Check for NoCheck {
    fn check(&self, _: &Declared) -> Vec<Finding> {
        Vec::new()
    }
}

/// A set of manifests that loaded as a whole.
#[derive(Debug, Clone, Default)]
pub struct Set {
    /// Managed resources, in the order of the files, and within a file as written; so are the
    /// others.
    pub declared: Vec<Declared>,
    pub checks: Vec<Document<CheckSpec>>,
    pub phases: Vec<Document<PhaseSpec>>,
    pub alerts: Vec<Document<AlertSpec>>,
    /// `files@sha256:<12 hex>` over the sorted relative paths and the contents, or the commit:
    /// `main@sha1:<40 hex>`.
    pub revision: String,
    /// Where each field stands.
    pub lines: Lines,
    /// What does not stop the set, but deserves a look.
    pub warnings: Vec<Problem>,
}

impl Set {
    /// Where each object of the set was declared.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        let managed = self.declared.iter().map(|object| &object.origin);
        let checks = self.checks.iter().map(|object| &object.origin);
        let phases = self.phases.iter().map(|object| &object.origin);
        let alerts = self.alerts.iter().map(|object| &object.origin);
        managed.chain(checks).chain(phases).chain(alerts)
    }

    fn take(&mut self, item: Option<Item>) {
        match item {
            None => {}
            Some(Item::Managed(managed)) => {
                let (declared, places) = *managed;
                self.lines.add(&declared, places);
                self.declared.push(declared);
            }
            Some(Item::Check(check)) => self.checks.push(*check),
            Some(Item::Phase(phase)) => self.phases.push(*phase),
            Some(Item::Alert(alert)) => self.alerts.push(*alert),
        }
    }
}

/// Loads everything the inputs hold.
///
/// # Errors
/// All that is wrong with the set, at most [`PROBLEMS_LIMIT`] in full.
pub fn load(inputs: &[Input], check: &dyn Check) -> Result<Set, Errors> {
    let mut problems = Problems::default();
    let files = files::gather(inputs, &mut problems);
    let revision = files::revision(&files);
    let names = files::names(inputs);
    assemble(files, revision, &names, check, problems, &BTreeSet::new())
}

/// Loads one text under a display name, as if it were a file: for stdin and for tests.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(name: &str, bytes: Vec<u8>, check: &dyn Check) -> Result<Set, Errors> {
    let mut problems = Problems::default();
    let files: Vec<_> = files::in_memory(name, bytes, &mut problems)
        .into_iter()
        .collect();
    let revision = files::revision(&files);
    assemble(files, revision, name, check, problems, &BTreeSet::new())
}

/// `absent`: files of which only the names count.
fn assemble(
    files: Vec<files::File>,
    revision: String,
    names: &str,
    check: &dyn Check,
    mut problems: Problems,
    absent: &BTreeSet<String>,
) -> Result<Set, Errors> {
    let found = files.len();
    let mut set = Set {
        revision,
        ..Set::default()
    };
    let mut identities = identity::Identities::default();
    let mut references = references::References::default();
    let mut selects = selects::Selects::default();
    let mut documents = 0;
    for file in files {
        let is_absent = absent.contains(&file.name);
        let mut unheard = Problems::default();
        let heard = if is_absent {
            &mut unheard
        } else {
            &mut problems
        };
        let Some(text) = text::Text::read(&file, heard) else {
            continue;
        };
        let mut read = document::Reader::new(&text, check, &set.revision);
        read.file();
        documents += read.documents;
        let (outcomes, faults) = read.finish();
        if is_absent {
            let claims = outcomes.into_iter().filter_map(|outcome| outcome.claim);
            claims.for_each(|claim| references.add(&claim.bare()));
            continue;
        }
        problems.add_faults(&text, faults);
        for outcome in outcomes {
            if let Some(claim) = outcome.claim {
                identities.add(&claim, &mut problems);
                references.add(&claim);
                selects.add(claim);
            }
            set.take(outcome.item);
        }
        if documents > DOCUMENTS_LIMIT {
            problems.add(files::too_many_documents(names));
            break;
        }
    }
    references.check(&mut problems);
    selects.check(&mut problems);
    if documents == 0 && problems.is_empty() {
        problems.add_empty(files::no_manifests(names, found));
    }
    set.warnings = problems.into_result()?;
    debug_assert!(set.warnings.iter().all(|w| w.severity == Severity::Warning));
    Ok(set)
}
