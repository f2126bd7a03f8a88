//! A change, judged against what was before it.
//!
//! In an incident the checks are red before the first change, so "not green" alone is no reason to
//! go back: see the table at [`judge`].

use super::criteria::{Criteria, Verdict};
use super::expression::Expression;
use super::format::measured;
use super::sample::Value;
use super::standing::Standing;
use crate::api::NoData;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A value that is worse by more than this share of the baseline is a regression.
pub const WORSE: f64 = 0.2;

/// What was known right before a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    pub verdict: Verdict,
    /// The start of the newest probe in it; `None` where there was none.
    pub at: Option<Timestamp>,
    /// How many probes it is made of.
    pub probes: u32,
    /// The typical value of each expectation, by the text of the expression.
    pub values: BTreeMap<String, Value>,
}

/// `Failing: connect.max 7.2s`, or the verdict alone where nothing was measured.
impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict)?;
        for (index, (text, value)) in self.values.iter().enumerate() {
            let Ok(expression) = text.parse::<Expression>() else {
                continue;
            };
            let before = if index == 0 { ": " } else { ", " };
            let value = measured(value, &expression);
            write!(f, "{before}{} {value}", expression.subject())?;
        }
        Ok(())
    }
}

/// What else the judgement depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// No further step can still mend what is broken.
    pub last_step: bool,
    /// The time for this step is up: what is unknown now stays unknown.
    pub timed_out: bool,
}

/// What a check says about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Judgement {
    /// Not enough is known yet, and there is time.
    Wait,
    /// Nothing speaks against the next step.
    GoOn,
    /// It failed before and passes now.
    Fixed,
    /// Neither forward nor back: a person decides.
    Hold(HoldReason),
    /// The change made it worse: `onFailure` says what follows.
    Regression,
}

/// Why a rollout holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HoldReason {
    /// No verdict in time.
    Inconclusive,
    /// It failed before, and it still does after the last step.
    NotFixed,
}

/// Judges a change by one check.
///
/// | before \ after | Passing | Failing | Unknown at timeout |
/// | --- | --- | --- | --- |
/// | Passing | go on | regression | hold: inconclusive |
/// | Failing | fixed | worse: regression; else last step: hold, not fixed; earlier: go on | hold |
/// | Unknown | go on | regression | hold |
///
/// Worse: an expectation that does not hold is off by more than [`WORSE`] of its baseline, or held
/// before where there is no baseline to take a share of. `after` holds only probes that started
/// after the step had landed and settled. A check with `noData` other than `Inconclusive` takes
/// probes without samples, at the timeout, as Failing or Passing; probes that could not be made
/// stay inconclusive.
#[must_use]
pub fn judge(
    baseline: &Baseline,
    after: &Standing,
    criteria: &Criteria,
    moment: Moment,
) -> Judgement {
    match settled(after, criteria, moment) {
        Verdict::Unknown if moment.timed_out => Judgement::Hold(HoldReason::Inconclusive),
        Verdict::Unknown => Judgement::Wait,
        Verdict::Passing if baseline.verdict == Verdict::Failing => Judgement::Fixed,
        Verdict::Passing => Judgement::GoOn,
        Verdict::Failing => failing(baseline, after, criteria, moment),
    }
}

fn failing(
    baseline: &Baseline,
    after: &Standing,
    criteria: &Criteria,
    moment: Moment,
) -> Judgement {
    if baseline.verdict != Verdict::Failing || is_worse(baseline, after, criteria) {
        Judgement::Regression
    } else if moment.last_step {
        Judgement::Hold(HoldReason::NotFixed)
    } else {
        Judgement::GoOn
    }
}

/// The verdict after the step, with what `noData` makes of silence once time is up.
fn settled(after: &Standing, criteria: &Criteria, moment: Moment) -> Verdict {
    let silent = moment.timed_out && after.verdict == Verdict::Unknown && after.has_no_data();
    match criteria.no_data {
        NoData::Fail if silent => Verdict::Failing,
        NoData::Pass if silent => Verdict::Passing,
        _ => after.verdict,
    }
}

fn is_worse(baseline: &Baseline, after: &Standing, criteria: &Criteria) -> bool {
    criteria.expect.iter().any(|expression| {
        let text = expression.to_string();
        let now = after.typical(&text);
        now.is_some_and(|now| worse(expression, baseline.values.get(&text), &now))
    })
}

/// Whether one expectation that does not hold is worse than before.
fn worse(expression: &Expression, before: Option<&Value>, now: &Value) -> bool {
    if expression.holds(now) {
        return false;
    }
    let Some(before) = before else { return false };
    let held = expression.holds(before);
    match (badness(expression, before), badness(expression, now)) {
        // There is no share of nothing.
        (Some(0.0), Some(now)) => held && now > 0.0,
        (Some(before), Some(now)) => now - before > WORSE * before.abs(),
        _ => held,
    }
}

/// How far a value is on the wrong side: larger is worse. What never came is worse than anything;
/// words have no distance.
fn badness(expression: &Expression, value: &Value) -> Option<f64> {
    let number = match value {
        Value::Never => return Some(f64::INFINITY),
        Value::Word(_) => return None,
        Value::Number(number) => *number,
        Value::Flag(flag) => f64::from(u8::from(*flag)),
    };
    let want = expression.threshold()?;
    Some(if expression.op.is_upper_bound() {
        number
    } else if expression.op.is_lower_bound() {
        -number
    } else {
        (number - want).abs()
    })
}
