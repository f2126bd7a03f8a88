//! Why there is no new set, in words.

use crate::source::diagnostic::Problem;
use crate::source::{Errors, Set};

/// Why a look at a repository gave no set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub errors: Errors,
    /// It is about the way to the repository, and worth another try soon.
    pub passing: bool,
}

impl Trouble {
    /// Something about what the repository holds: it stays until somebody pushes.
    pub(super) fn content(place: &str, message: impl Into<String>, help: &str) -> Self {
        Self::new(Problem::whole(place, message, help), false)
    }

    /// As [`Trouble::content`], found by the rules of files.
    pub(super) fn from_problem(problem: Problem) -> Self {
        Self::new(problem, false)
    }

    /// Something between here and the repository.
    pub(super) fn passing(place: &str, message: impl Into<String>, help: &str) -> Self {
        Self::new(Problem::whole(place, message, help), true)
    }

    fn new(problem: Problem, passing: bool) -> Self {
        let errors = Errors {
            problems: vec![problem],
            more: 0,
            empty: false,
        };
        Trouble { errors, passing }
    }
}

impl From<Errors> for Trouble {
    fn from(errors: Errors) -> Self {
        Trouble {
            errors,
            passing: false,
        }
    }
}

/// The outcome of a look.
pub(super) type Look = Result<Set, Trouble>;

/// A fault of the library with what led to it, without saying anything twice.
pub(super) fn words(error: &gix::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for one in error.iter_errors() {
        let text = one.to_string();
        let text = text.trim();
        if !text.is_empty() && !said.iter().any(|before| before.contains(text)) {
            said.push(text.to_owned());
        }
    }
    said.join(": ")
}

impl Trouble {
    /// What is wrong, and for what is between here and the repository since when.
    pub(super) fn since(mut self, since: jiff::Timestamp) -> Errors {
        if self.passing {
            for problem in &mut self.errors.problems {
                let since = since.strftime("%Y-%m-%dT%H:%M:%SZ");
                problem.message = format!("{} (since {since})", problem.message);
            }
        }
        self.errors
    }
}
