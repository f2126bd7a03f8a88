//! A check over time: verdicts that do not flap.

use super::criteria::{Criteria, Evaluation, NoVerdict, Verdict};
use super::judge::Baseline;
use super::sample::Value;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Evaluations kept. `passes` and `failures` go no further.
pub const RECENT: usize = 10;

/// Where a check stands after some probes. A gate starts with an empty one after each step; a
/// monitor goes on with the same one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    pub verdict: Verdict,
    /// Something that is only warned about did not hold, often enough.
    pub warning: bool,
    /// The start of the probe that brought the verdict about.
    pub since: Option<Timestamp>,
    /// Probes that passed, failed, and gave no verdict, since the last one that did otherwise.
    passed: u32,
    failed: u32,
    unknown: u32,
    warned: u32,
    calm: u32,
    /// The newest last.
    recent: VecDeque<Evaluation>,
}

impl Standing {
    /// No probe yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a probe in.
    ///
    /// A verdict takes `passes` or `failures` probes in a row; until then the last one stays. A
    /// probe without a verdict neither counts nor breaks a row, but `failures` of them in a row
    /// end a verdict that nothing supports any more.
    pub fn add(&mut self, evaluation: Evaluation, criteria: &Criteria) {
        let before = self.verdict;
        match evaluation.verdict {
            Verdict::Passing => {
                (self.passed, self.failed, self.unknown) = (self.passed.saturating_add(1), 0, 0);
                if self.passed >= criteria.passes {
                    self.verdict = Verdict::Passing;
                }
            }
            Verdict::Failing => {
                (self.passed, self.failed, self.unknown) = (0, self.failed.saturating_add(1), 0);
                if self.failed >= criteria.failures {
                    self.verdict = Verdict::Failing;
                }
            }
            Verdict::Unknown => {
                self.unknown = self.unknown.saturating_add(1);
                if self.unknown >= criteria.failures {
                    (self.passed, self.failed) = (0, 0);
                    self.verdict = Verdict::Unknown;
                }
            }
        }
        self.warn(&evaluation, criteria);
        if self.verdict != before || self.since.is_none() {
            self.since = Some(evaluation.since);
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(evaluation);
    }

    fn warn(&mut self, evaluation: &Evaluation, criteria: &Criteria) {
        if evaluation.verdict == Verdict::Unknown {
            return;
        }
        if evaluation.warning {
            (self.warned, self.calm) = (self.warned.saturating_add(1), 0);
        } else {
            (self.warned, self.calm) = (0, self.calm.saturating_add(1));
        }
        if self.warned >= criteria.failures {
            self.warning = true;
        } else if self.calm >= criteria.passes {
            self.warning = false;
        }
    }

    /// There is a verdict, or there were probes enough for one and they brought none.
    #[must_use]
    pub fn is_told(&self, criteria: &Criteria) -> bool {
        self.verdict != Verdict::Unknown || self.unknown >= criteria.failures
    }

    /// The newest probe.
    #[must_use]
    pub fn last(&self) -> Option<&Evaluation> {
        self.recent.back()
    }

    /// The probes kept, the newest last.
    #[must_use]
    pub fn recent(&self) -> impl DoubleEndedIterator<Item = &Evaluation> {
        self.recent.iter()
    }

    /// True where every probe since the last verdict was made and brought no sample.
    #[must_use]
    pub fn has_no_data(&self) -> bool {
        let mut silent = self
            .recent
            .iter()
            .rev()
            .take(self.unknown as usize)
            .peekable();
        silent.peek().is_some()
            && silent.all(|probe| matches!(probe.unknown, Some(NoVerdict::NoSamples(_))))
    }

    /// The value of an expression over the probes kept: the middle one, so that a single probe
    /// decides nothing.
    #[must_use]
    pub fn typical(&self, expression: &str) -> Option<Value> {
        let values = self.recent.iter().filter_map(|probe| {
            let same = |m: &&super::Measured| m.expression == expression;
            probe.measured.iter().find(same)?.value.clone()
        });
        let mut values: Vec<Value> = values.collect();
        let rank = |value: &Value| match value {
            Value::Number(number) => *number,
            Value::Flag(flag) => f64::from(u8::from(*flag)),
            Value::Word(_) => 0.0,
            Value::Never => f64::INFINITY,
        };
        if values.iter().any(|value| matches!(value, Value::Word(_))) {
            return values.pop();
        }
        values.sort_by(|one, other| rank(one).total_cmp(&rank(other)));
        let middle = values.len() / 2;
        (!values.is_empty()).then(|| values.swap_remove(middle))
    }

    /// What a step is judged against: taken right before it.
    #[must_use]
    pub fn baseline(&self) -> Baseline {
        let expected = self.last().into_iter().flat_map(Evaluation::expected);
        Baseline {
            verdict: self.verdict,
            at: self.last().map(|last| last.since),
            probes: u32::try_from(self.recent.len()).unwrap_or(u32::MAX),
            values: expected
                .filter_map(|m| Some((m.expression.clone(), self.typical(&m.expression)?)))
                .collect(),
        }
    }
}
