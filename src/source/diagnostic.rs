//! Problems with a place: what a person reads when a set does not load.
//!
//! Invariant: every problem says what, where, the limit where there is one, and the way out, and
//! carries nothing longer than a screen line.

use super::PROBLEMS_LIMIT;
use super::text::{Excerpt, Text};
use crate::api::Severity;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::{fmt, ops::Range};

/// A problem at a place in one text, found while reading it.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// Byte range in the text.
    pub at: Range<usize>,
    pub field: Option<String>,
    pub message: String,
    pub limit: Option<String>,
    pub help: String,
    /// A second place in the same text, and what stands there.
    pub also: Option<(Range<usize>, &'static str)>,
    pub severity: Severity,
    /// About the value of a field: gives way to what a kind's rule says about the same field.
    pub about_value: bool,
    /// What stands around the place must not be shown.
    pub secret: bool,
}

impl Fault {
    pub fn new(at: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Fault {
            at,
            field: None,
            message: message.into(),
            limit: None,
            help: help.into(),
            also: None,
            severity: Severity::Error,
            about_value: false,
            secret: false,
        }
    }

    pub fn field(mut self, path: &str) -> Self {
        self.field = Some(path.to_owned());
        self
    }

    pub fn limit(mut self, limit: impl Into<String>) -> Self {
        self.limit = Some(limit.into());
        self
    }

    pub fn also(mut self, at: Range<usize>, label: &'static str) -> Self {
        self.also = Some((at, label));
        self
    }

    pub fn value(mut self) -> Self {
        self.about_value = true;
        self
    }

    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// Faults of one text, bounded.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub list: Vec<Fault>,
    /// How many were found beyond the ones kept.
    pub more: usize,
}

impl Faults {
    /// More than [`PROBLEMS_LIMIT`], since a kind's rules may take some back.
    const KEPT: usize = 4 * PROBLEMS_LIMIT;

    pub fn push(&mut self, fault: Fault) {
        if self.list.len() < Self::KEPT {
            self.list.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// A fault found by the rules of a kind: takes the place of what the schema says about the same
    /// value, and keeps silent about a field that is reported for another reason.
    pub fn take_in(&mut self, fault: Fault) {
        let same = |other: &Fault| other.field.is_some() && other.field == fault.field;
        if fault.severity == Severity::Error {
            self.list
                .retain(|other| !(other.about_value && same(other)));
        }
        if !self.list.iter().any(same) {
            self.push(fault);
        }
    }

    pub fn append(&mut self, other: Faults) {
        self.more += other.more;
        other.list.into_iter().for_each(|fault| self.push(fault));
    }

    pub fn errors(&self) -> usize {
        let kept = self.list.iter().filter(|f| f.severity == Severity::Error);
        kept.count() + self.more
    }
}

/// One thing that is wrong, or worth a look, in a set of manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Path as the user gave it, or `<stdin>`.
    pub file: String,
    /// 1-based; 0 when the problem is the file itself.
    pub line: usize,
    /// 1-based, in characters; 0 when the problem is the file itself.
    pub column: usize,
    /// `spec.resource.maxInstances`, where the problem is about a field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub severity: Severity,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    pub help: String,
    /// The other place, when a problem has two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<Related>,
    #[serde(skip)]
    pub(super) excerpt: Option<Excerpt>,
}

/// The other place of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// What stands there, such as `first declared here`.
    pub label: String,
    #[serde(skip)]
    pub(super) excerpt: Option<Excerpt>,
}

impl Problem {
    /// A problem with a file or an input as a whole.
    pub(super) fn whole(file: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Problem {
            file: file.to_owned(),
            line: 0,
            column: 0,
            field: None,
            severity: Severity::Error,
            message: message.into(),
            limit: None,
            help: help.into(),
            related: None,
            excerpt: None,
        }
    }

    /// This place, as the other place of another problem.
    pub(super) fn as_related(&self, label: &str) -> Related {
        Related {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
            label: label.to_owned(),
            excerpt: self.excerpt.clone(),
        }
    }

    pub(super) fn with_limit(mut self, limit: impl Into<String>) -> Self {
        self.limit = Some(limit.into());
        self
    }

    pub(super) fn at(text: &Text, fault: Fault) -> Self {
        let mut place = text.place(fault.at);
        if fault.secret {
            place.excerpt.cut();
        }
        let related = fault.also.map(|(at, label)| text.related(at, label));
        Problem {
            file: text.name.clone(),
            line: place.line,
            column: place.column,
            field: fault.field,
            severity: fault.severity,
            message: fault.message,
            limit: fault.limit,
            help: fault.help,
            related,
            excerpt: Some(place.excerpt),
        }
    }

    /// The problem as people read it: message, source line with a caret, limit, way out.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&self.message));
        let here = (self.file.as_str(), self.line, self.column);
        group = place(
            group,
            here,
            self.excerpt.as_ref(),
            AnnotationKind::Primary,
            "",
        );
        if let Some(related) = &self.related {
            let there = (related.file.as_str(), related.line, related.column);
            let kind = AnnotationKind::Context;
            group = place(group, there, related.excerpt.as_ref(), kind, &related.label);
        }
        if let Some(limit) = &self.limit {
            group = group.element(Level::NOTE.with_name("limit").message(limit));
        }
        if !self.help.is_empty() {
            group = group.element(Level::HELP.message(&self.help));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }
}

/// Adds a place to the report: its path, and its source line where there is one.
fn place<'a>(
    group: Group<'a>,
    (file, line, column): (&'a str, usize, usize),
    excerpt: Option<&'a Excerpt>,
    kind: AnnotationKind,
    label: &'a str,
) -> Group<'a> {
    let Some(excerpt) = excerpt else {
        return group.element(Origin::path(file));
    };
    let annotation = kind.span(excerpt.span.clone());
    let annotation = if label.is_empty() {
        annotation
    } else {
        annotation.label(label)
    };
    let snippet = Snippet::source(excerpt.line.as_str())
        .line_start(line)
        .annotation(annotation);
    if excerpt.clipped {
        // The snippet cannot know the column of a line that it sees a part of.
        let origin = Origin::path(file).line(line).char_column(column);
        group.element(origin).element(snippet)
    } else {
        group.element(snippet.path(file))
    }
}

/// Everything that is wrong with a set, at most [`PROBLEMS_LIMIT`] in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Errors {
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
    /// The inputs hold no manifest at all: a mistake in the source, not a wish for nothing.
    pub empty: bool,
}

impl Errors {
    /// All problems as people read them, with a last line that sums up.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let mut out = String::new();
        for problem in &self.problems {
            out.push_str(&problem.render(color));
            out.push_str("\n\n");
        }
        if self.more > 0 {
            let _ = write!(out, "... and {} more\n\n", self.more);
        }
        out.push_str(&self.to_string());
        out.push('\n');
        out
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.more
            + self
                .problems
                .iter()
                .filter(|p| p.severity == Severity::Error)
                .count();
        let files: std::collections::BTreeSet<_> = self.problems.iter().map(|p| &p.file).collect();
        let s = |n: usize| if n == 1 { "" } else { "s" };
        let (count, in_files) = (errors, files.len());
        write!(
            f,
            "{count} error{} in {in_files} file{}; nothing was loaded",
            s(count),
            s(in_files)
        )
    }
}

impl std::error::Error for Errors {}

/// Collects problems over all texts of a set, bounded.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    warnings: Vec<Problem>,
    more: usize,
    empty: bool,
}

impl Problems {
    pub fn add(&mut self, problem: Problem) {
        match problem.severity {
            Severity::Error if self.list.len() < PROBLEMS_LIMIT => self.list.push(problem),
            Severity::Error => self.more += 1,
            Severity::Warning if self.warnings.len() < PROBLEMS_LIMIT => {
                self.warnings.push(problem);
            }
            Severity::Warning => {}
        }
    }

    pub fn add_empty(&mut self, problem: Problem) {
        self.empty = true;
        self.add(problem);
    }

    pub fn add_faults(&mut self, text: &Text, mut faults: Faults) {
        faults.list.sort_by_key(|fault| fault.at.start);
        // A secret is shown by no other fault of its line either.
        let line = |fault: &Fault| text.line(fault.at.start);
        let secret: HashSet<usize> = faults.list.iter().filter(|f| f.secret).map(line).collect();
        for fault in &mut faults.list {
            fault.secret |= secret.contains(&text.line(fault.at.start));
        }
        for fault in faults.list {
            self.add(Problem::at(text, fault));
        }
        self.more += faults.more;
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.more == 0
    }

    /// The warnings when there is no error; else everything, errors first.
    pub fn into_result(self) -> Result<Vec<Problem>, Errors> {
        if self.is_empty() {
            return Ok(self.warnings);
        }
        let mut problems = self.list;
        let room = PROBLEMS_LIMIT.saturating_sub(problems.len());
        problems.extend(self.warnings.into_iter().take(room));
        Err(Errors {
            problems,
            more: self.more,
            empty: self.empty,
        })
    }
}
