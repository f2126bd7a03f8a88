//! What a check expects, and what one probe says to that.

use super::expression::{Expression, Misread};
use super::format::{measured, wanted};
use super::sample::{ProberError, Value};
use super::window::Window;
use crate::api::{CheckSpec, NoData};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// Most reasons of failure that an evaluation keeps.
const REASONS: usize = 3;
/// Longest reason, in characters.
const REASON: usize = 200;

/// What a check expects, read from its spec.
#[derive(Debug, Clone, PartialEq)]
pub struct Criteria {
    pub expect: Vec<Expression>,
    pub warn: Vec<Expression>,
    /// Probes in a row that make a verdict Passing.
    pub passes: u32,
    /// Probes in a row that make a verdict Failing.
    pub failures: u32,
    pub no_data: NoData,
}

/// What is known about the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    Passing,
    Failing,
    #[default]
    Unknown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Passing => "Passing",
            Verdict::Failing => "Failing",
            Verdict::Unknown => "Unknown",
        })
    }
}

/// Why a probe gives no verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoVerdict {
    /// It brought no sample of this expression.
    NoSamples(String),
    /// It could not be made.
    Prober(ProberError),
}

/// Whether an expression is expected to hold, or only warned about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    Expect,
    Warn,
}

/// The number behind one expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// As the expression prints.
    pub expression: String,
    pub role: Role,
    /// `None`: no sample.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub value: Option<Value>,
    pub holds: bool,
}

/// What is written is there, also the null of [`Value::Never`].
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Measured {
    /// `connect.max 7.2s -> 41ms`, or only what is there now.
    #[must_use]
    pub fn change(&self, before: Option<&Value>) -> String {
        let Ok(expression) = self.expression.parse::<Expression>() else {
            return self.expression.clone();
        };
        let said = |value: Option<&Value>| match value {
            Some(value) => measured(value, &expression),
            None => "without data".to_owned(),
        };
        let (subject, now) = (expression.subject(), said(self.value.as_ref()));
        match before {
            Some(before) => format!("{subject} {} -> {now}", said(Some(before))),
            None => format!("{subject} {now}"),
        }
    }

    /// `connect.max 7.2s, want < 5s`; the baseline is what it was before, if it was.
    #[must_use]
    pub fn text(&self, baseline: Option<&Value>) -> String {
        let Ok(expression) = self.expression.parse::<Expression>() else {
            return self.expression.clone();
        };
        let now = match &self.value {
            Some(value) => measured(value, &expression),
            None => "without data".to_owned(),
        };
        let text = format!(
            "{} {now}, want {}",
            expression.subject(),
            wanted(&expression)
        );
        match baseline {
            Some(value) => format!("{text} (baseline {})", measured(value, &expression)),
            None => text,
        }
    }
}

/// Samples of a probe that failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// `dns`, `connect`, `tls`, `ttfb`, `status`, ...
    pub phase: String,
    pub reason: String,
    pub count: u64,
    /// All samples of the probe.
    pub of: u64,
}

/// `19 of 20: connect: refused`.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failed { count, of, .. } = self;
        write!(f, "{count} of {of}: {}: {}", self.phase, self.reason)
    }
}

/// What one probe says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// When the oldest thing that it can have seen happened: the start of the probe, or the start
    /// of the window that was asked for.
    pub since: Timestamp,
    pub verdict: Verdict,
    /// True where something that is only warned about does not hold.
    pub warning: bool,
    pub samples: u64,
    pub measured: Vec<Measured>,
    /// Why samples failed, the most frequent reason first.
    pub failures: Vec<Failed>,
    /// Why there is no verdict.
    pub unknown: Option<NoVerdict>,
}

impl Evaluation {
    /// What is expected.
    pub fn expected(&self) -> impl Iterator<Item = &Measured> {
        self.measured.iter().filter(|m| m.role == Role::Expect)
    }

    /// What was expected and does not hold, or has no data.
    pub fn missed(&self) -> impl Iterator<Item = &Measured> {
        self.expected().filter(|m| !m.holds)
    }

    /// What is warned about.
    pub fn warned(&self) -> impl Iterator<Item = &Measured> {
        let warned = |m: &&Measured| m.role == Role::Warn && !m.holds && m.value.is_some();
        self.measured.iter().filter(warned)
    }
}

impl Criteria {
    /// Reads the expressions of a spec.
    ///
    /// # Errors
    /// The first one that cannot be read, which a loaded set does not have.
    pub fn of(spec: &CheckSpec) -> Result<Criteria, Misread> {
        let read = |texts: &[String]| -> Result<Vec<Expression>, Misread> {
            texts.iter().map(|text| text.parse()).collect()
        };
        Ok(Criteria {
            expect: read(&spec.expect)?,
            warn: read(&spec.warn)?,
            passes: spec.passes.max(1),
            failures: spec.failures.max(1),
            no_data: spec.no_data,
        })
    }

    /// What a probe says. A prober error or no sample is Unknown, never Failing and never Passing.
    /// One expectation that does not hold is Failing, whatever else is unknown.
    #[must_use]
    pub fn evaluate(&self, since: Timestamp, outcome: &Result<Window, ProberError>) -> Evaluation {
        match outcome {
            Ok(window) => self.judge(since, window),
            Err(error) => Evaluation {
                since,
                verdict: Verdict::Unknown,
                warning: false,
                samples: 0,
                measured: Vec::new(),
                failures: Vec::new(),
                unknown: Some(NoVerdict::Prober(error.clone())),
            },
        }
    }

    fn judge(&self, since: Timestamp, window: &Window) -> Evaluation {
        let expect = self.expect.iter().map(|e| (Role::Expect, e));
        let warn = self.warn.iter().map(|e| (Role::Warn, e));
        let measured: Vec<_> = expect
            .chain(warn)
            .map(|(role, expression)| measure(role, expression, window))
            .collect();
        let expected = || measured.iter().filter(|m| m.role == Role::Expect);
        let failing = expected().any(|m| m.value.is_some() && !m.holds);
        let missing = expected().find(|m| m.value.is_none());
        let unknown = missing.map(|m| NoVerdict::NoSamples(m.expression.clone()));
        let verdict = match (failing, &unknown) {
            (true, _) => Verdict::Failing,
            (false, Some(_)) => Verdict::Unknown,
            (false, None) if window.samples() == 0 => Verdict::Unknown,
            (false, None) => Verdict::Passing,
        };
        let mut evaluation = Evaluation {
            since,
            verdict,
            warning: false,
            samples: window.samples(),
            measured,
            failures: failures(window),
            unknown: unknown.filter(|_| verdict == Verdict::Unknown),
        };
        let warning = evaluation.warned().next().is_some();
        evaluation.warning = warning;
        evaluation
    }
}

fn measure(role: Role, expression: &Expression, window: &Window) -> Measured {
    let value = window.measure(expression);
    Measured {
        expression: expression.to_string(),
        role,
        holds: value.as_ref().is_some_and(|value| expression.holds(value)),
        value,
    }
}

fn failures(window: &Window) -> Vec<Failed> {
    let failed = |(failure, count): (&super::Failure, u64)| Failed {
        phase: failure.phase.to_owned(),
        reason: failure.reason.chars().take(REASON).collect(),
        count,
        of: window.samples(),
    };
    let failures = window.failures().into_iter();
    failures.take(REASONS).map(failed).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{ProberFault, Sample};
    use super::*;

    fn criteria(expect: &[&str], warn: &[&str]) -> Criteria {
        let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Criteria {
            expect: read(expect),
            warn: read(warn),
            passes: 3,
            failures: 3,
            no_data: NoData::Inconclusive,
        }
    }

    fn window(samples: &[(bool, f64)]) -> Window {
        let mut window = Window::new();
        for (ok, seconds) in samples {
            let sample = Sample::new().with("ok", *ok).with("connect", *seconds);
            window.push(if *ok {
                sample
            } else {
                sample.failed("connect", "refused")
            });
        }
        window
    }

    fn verdict(criteria: &Criteria, outcome: &Result<Window, ProberError>) -> Evaluation {
        criteria.evaluate(Timestamp::UNIX_EPOCH, outcome)
    }

    #[test]
    fn every_expectation_must_hold() {
        let criteria = criteria(
            &["ok.ratio >= 1", "connect.max < 5s"],
            &["connect.max < 3s"],
        );
        let good = verdict(&criteria, &Ok(window(&[(true, 0.1), (true, 2.0)])));
        assert_eq!((good.verdict, good.warning), (Verdict::Passing, false));
        let near = verdict(&criteria, &Ok(window(&[(true, 0.1), (true, 4.0)])));
        assert_eq!((near.verdict, near.warning), (Verdict::Passing, true));
        let warned: Vec<_> = near.warned().map(|m| m.text(None)).collect();
        assert_eq!(warned, ["connect.max 4s, want < 3s"]);
        let bad = verdict(
            &criteria,
            &Ok(window(&[(true, 0.1), (false, f64::INFINITY)])),
        );
        assert_eq!(bad.verdict, Verdict::Failing);
        let missed: Vec<_> = bad
            .missed()
            .map(|m| m.text(Some(&Value::Number(2.1))))
            .collect();
        assert_eq!(
            missed,
            [
                "ok.ratio 0.5, want >= 1 (baseline 2.1)",
                "connect.max never, want < 5s (baseline 2.1s)"
            ]
        );
        let failures: Vec<_> = bad.failures.iter().map(ToString::to_string).collect();
        assert_eq!(failures, ["1 of 2: connect: refused"]);
    }

    #[test]
    fn no_samples_and_prober_errors_are_unknown() {
        for expect in ["ok.ratio >= 1", "count == 0", "connect.max < 5s"] {
            let criteria = criteria(&[expect], &[]);
            let nothing = verdict(&criteria, &Ok(Window::new()));
            assert_eq!(nothing.verdict, Verdict::Unknown);
            assert_eq!(nothing.unknown, Some(NoVerdict::NoSamples(expect.into())));
            let error = ProberError::new(ProberFault::Credentials, "no password");
            let none = verdict(&criteria, &Err(error.clone()));
            assert_eq!(none.verdict, Verdict::Unknown);
            assert_eq!(none.unknown, Some(NoVerdict::Prober(error)));
        }
    }

    #[test]
    fn a_failure_is_a_failure_whatever_else_is_unknown() {
        let criteria = criteria(&["json.wait < 1s", "ok.ratio >= 1"], &["json.wait < 1ms"]);
        let one = verdict(&criteria, &Ok(window(&[(false, 1.0)])));
        assert_eq!((one.verdict, one.unknown), (Verdict::Failing, None));
        let other = verdict(&criteria, &Ok(window(&[(true, 1.0)])));
        assert_eq!(other.verdict, Verdict::Unknown);
        assert!(!other.warning, "nothing is warned about that has no data");
    }
}
