//! Rules of `expect` and `warn`: expressions that can be read, about fields that the source has,
//! and warnings that come before failures.

use super::plain::Rules;
use super::suggest::did_you_mean;
use crate::api::{CheckSpec, HumanDuration, Source};
use crate::core::check::{Expression, MisfitHelp, implies, latency_bound, misfit};

pub(super) fn rules(spec: &CheckSpec, rules: &mut Rules<'_>) {
    let expect = read("spec.expect", &spec.expect, rules);
    let warn = read("spec.warn", &spec.warn, rules);
    let source = spec.source();
    for (path, expression) in expect.iter().chain(&warn) {
        if let Some(source) = source {
            field(path, expression, source, rules);
            bound(path, expression, source, spec.timeout, rules);
        }
    }
    for (path, expression) in &warn {
        early(path, expression, &expect, rules);
    }
}

/// The expressions that can be read, with their places.
fn read(path: &str, texts: &[String], rules: &mut Rules<'_>) -> Vec<(String, Expression)> {
    let mut found: Vec<(String, Expression)> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match text.parse::<Expression>() {
            Ok(expression) if found.iter().any(|(_, known)| *known == expression) => {
                let message = format!("`{expression}` stands here twice");
                rules.fault(&path, message, "remove one of them");
            }
            Ok(expression) => found.push((path, expression)),
            Err(error) => rules.fault(&path, error.message, error.help),
        }
    }
    found
}

fn field(path: &str, expression: &Expression, source: Source<'_>, rules: &mut Rules<'_>) {
    let Some(misfit) = misfit(expression, source) else {
        return;
    };
    let help = match misfit.help {
        MisfitHelp::Text(text) => text,
        MisfitHelp::Known { word, known } => {
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            did_you_mean(&word, &known)
        }
    };
    rules.fault(path, misfit.message, help);
}

/// A sample that took as long as the threshold must still be seen, not cut off.
fn bound(
    path: &str,
    expression: &Expression,
    source: Source<'_>,
    timeout: HumanDuration,
    rules: &mut Rules<'_>,
) {
    let Some(bound) = latency_bound(expression, source).filter(|bound| *bound >= timeout.0) else {
        return;
    };
    let message = format!("`{expression}` cannot be told apart from the timeout of {timeout}");
    let help = format!("write a timeout longer than {}", HumanDuration(bound));
    rules.limited(path, message, "a threshold below the timeout", help);
}

/// A warning that holds whenever an expectation does comes too late.
fn early(path: &str, warn: &Expression, expect: &[(String, Expression)], rules: &mut Rules<'_>) {
    let Some((_, late)) = expect.iter().find(|(_, expect)| implies(expect, warn)) else {
        return;
    };
    let message = format!("`{warn}` warns no earlier than `{late}` fails");
    let help = "write a stricter threshold here, or remove the warning";
    rules.limited(
        path,
        message,
        "a warning is stricter than what is expected",
        help,
    );
}
