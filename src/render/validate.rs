//! What `validate` says.

use super::style::{GOOD, paint};
use crate::source::{Errors, Set};
use std::collections::BTreeSet;

/// Every problem, then one line that sums up.
#[must_use]
pub fn text(result: &Result<Set, Errors>) -> String {
    match result {
        Ok(set) => valid(set),
        Err(errors) => errors.render(true),
    }
}

fn valid(set: &Set) -> String {
    let mut out = String::new();
    for warning in &set.warnings {
        out.push_str(&warning.render(true));
        out.push_str("\n\n");
    }
    let files: BTreeSet<_> = set.origins().map(|origin| &origin.file).collect();
    let mut line = format!(
        "{} {} in {} ({})",
        paint(GOOD, "valid:"),
        objects(set),
        count(files.len(), "file"),
        set.revision
    );
    if !set.warnings.is_empty() {
        line.push_str(&format!(", {}", count(set.warnings.len(), "warning")));
    }
    out.push_str(&line);
    out.push('\n');
    out
}

/// `2 resources, 1 check`: what there is none of is left out.
fn objects(set: &Set) -> String {
    let counts = [
        (set.declared.len(), "resource"),
        (set.checks.len(), "check"),
        (set.phases.len(), "phase"),
        (set.alerts.len(), "alert"),
    ];
    let some: Vec<_> = counts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| count(number, what))
        .collect();
    some.join(", ")
}

/// `1 file`, `2 files`.
#[must_use]
pub fn count(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}
