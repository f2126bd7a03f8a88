//! Gates: the checks that a change must pass, judged against what they said right before it.

use super::check::{
    Baseline, Criteria, Evaluation, HoldReason, Judgement, Measured, Moment, NoVerdict, Standing,
    Verdict, delay, judge,
};
use super::decide::later;
use crate::api::check::Source;
use crate::api::status::StepCheck;
use crate::api::{CheckSpec, Verify, VerifyMode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A check as decisions see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    pub criteria: Criteria,
    pub standing: Standing,
    /// How long after a change the first probe can be that saw nothing older.
    pub settle: Duration,
    /// Longest time from the start of one probe to the end of the next.
    pub period: Duration,
    /// Since when it has been probed; a verdict takes its time from there on.
    pub began: Timestamp,
}

/// Gauges by the name of the check.
pub type Gauges = BTreeMap<String, Gauge>;

impl Gauge {
    /// A check that was not probed yet. `None` for expressions that cannot be read, which a loaded
    /// set does not have.
    #[must_use]
    pub fn new(spec: &CheckSpec, now: Timestamp) -> Option<Gauge> {
        Some(Gauge {
            criteria: Criteria::of(spec).ok()?,
            standing: Standing::new(),
            settle: settle(spec.source()?),
            period: spec.interval.0.saturating_add(spec.timeout.0),
            began: now,
        })
    }

    /// Where the check stands by the probes that saw nothing older than this.
    #[must_use]
    pub fn since(&self, moment: Timestamp) -> Standing {
        let mut standing = Standing::new();
        for probe in self.standing.recent().filter(|probe| probe.since >= moment) {
            standing.add(probe.clone(), &self.criteria);
        }
        standing
    }

    /// How long a verdict may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let probes = self.criteria.passes.max(self.criteria.failures);
        self.settle
            .saturating_add(self.period.saturating_mul(probes + 1))
    }
}

/// A metric: the rest of the minute of the change, a whole minute after it, and Google's delay. A
/// log: the whole window, since a count of less time is another count.
fn settle(source: Source<'_>) -> Duration {
    match source {
        Source::Metric(_) => delay::MINUTE * 2 + delay::METRIC,
        Source::Log(log) => log.window.0.saturating_add(delay::LOG),
        _ => Duration::ZERO,
    }
}

/// One check that a step is judged by; kept in the record of the rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    pub check: String,
    pub mode: VerifyMode,
    pub baseline: Baseline,
    /// The verdict of the probes after the step.
    #[serde(default)]
    pub verdict: Verdict,
    /// The numbers behind it.
    #[serde(default)]
    pub now: String,
    /// Probes after the step, up to the verdict.
    #[serde(default)]
    pub samples: u32,
}

impl Gate {
    /// As the status shows it.
    #[must_use]
    pub fn status(&self) -> StepCheck {
        let asked = self.samples > 0 || !self.now.is_empty();
        StepCheck {
            name: self.check.clone(),
            baseline: self.baseline.to_string(),
            now: asked.then(|| format!("{}: {}", self.verdict, self.now)),
            samples: self.samples,
        }
    }
}

/// The same gates for a way back: the baselines stay.
#[must_use]
pub fn again(gates: &[Gate]) -> Vec<Gate> {
    let fresh = |gate: &Gate| Gate {
        verdict: Verdict::Unknown,
        now: String::new(),
        samples: 0,
        ..gate.clone()
    };
    gates.iter().map(fresh).collect()
}

/// Not everything has been measured yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmeasured {
    pub message: String,
    /// From then on it counts as unknown.
    pub until: Timestamp,
}

/// The gates with what their checks say now, right before a change. `since`: when the wait for a
/// first verdict began.
///
/// # Errors
/// A check that has no verdict yet and still may get one.
pub fn baseline(
    verify: &[Verify],
    gauges: &Gauges,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Gate>, Unmeasured> {
    for verify in verify {
        let gauge = gauges.get(&verify.check);
        let patience = gauge.map_or(Duration::ZERO, Gauge::patience);
        let began = gauge.map_or(since, |gauge| since.max(gauge.began));
        let until = later(began, patience);
        let first = gauge.is_none_or(|gauge| gauge.standing.verdict != Verdict::Unknown);
        if !first && now < until && verify.mode != VerifyMode::Report {
            let message = format!(
                "measuring before the change: no verdict of {} yet",
                verify.check
            );
            return Err(Unmeasured { message, until });
        }
    }
    Ok(at_hand(verify, gauges))
}

/// The gates with what their checks say now, whatever that is.
#[must_use]
pub fn at_hand(verify: &[Verify], gauges: &Gauges) -> Vec<Gate> {
    let gate = |verify: &Verify| Gate {
        check: verify.check.clone(),
        mode: verify.mode,
        baseline: gauges
            .get(&verify.check)
            .map(|gauge| gauge.standing.baseline())
            .unwrap_or_default(),
        verdict: Verdict::Unknown,
        now: String::new(),
        samples: 0,
    };
    verify.iter().map(gate).collect()
}

/// When and how gates are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// When the change had landed.
    pub landed: Timestamp,
    /// The gates must hold until then.
    pub bake_until: Timestamp,
    /// What is unknown then stays unknown.
    pub deadline: Timestamp,
    pub last_step: bool,
    /// Going back: worse than the baseline counts at the end of the bake only.
    pub going_back: bool,
    pub now: Timestamp,
}

/// What all gates say together.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Not enough is known yet, or the bake is not over.
    Wait {
        message: String,
        until: Timestamp,
    },
    /// Every gate is passed; what was mended, in words.
    Passed(Vec<String>),
    Regression(String),
    Hold(HoldReason, String),
}

/// Looks at the gates, and notes what each says.
pub fn look(gates: &mut [Gate], gauges: &Gauges, look: Look) -> Outcome {
    let mut waits = Vec::new();
    let mut fixed = Vec::new();
    let mut not_fixed = None;
    let mut deadline = look.deadline;
    for gate in gates.iter_mut() {
        let Some(gauge) = gauges.get(&gate.check) else {
            continue;
        };
        let after = gauge.since(look.landed);
        // Nobody has asked before an operator, or the check itself, was there.
        let asked = look.landed.max(gauge.began);
        deadline = deadline.max(later(asked, gauge.patience()));
        note(gate, &after);
        let moment = Moment {
            last_step: look.last_step,
            timed_out: look.now >= deadline,
        };
        let baking = look.now < look.bake_until;
        match (
            gate.mode,
            judge(&gate.baseline, &after, &gauge.criteria, moment),
        ) {
            (VerifyMode::Report, _) | (VerifyMode::Gate, Judgement::GoOn) => {}
            (VerifyMode::Baseline, _) => {
                if after.verdict == Verdict::Unknown && !moment.timed_out {
                    waits.push(gate.check.clone());
                }
            }
            (_, Judgement::Wait) => waits.push(gate.check.clone()),
            (_, Judgement::Fixed) => {
                fixed.push(format!("check {} passes now: {}", gate.check, gate.now));
            }
            (_, Judgement::Regression) if look.going_back && baking => {}
            (_, Judgement::Regression) => {
                return Outcome::Regression(format!("check {} failed: {}", gate.check, gate.now));
            }
            (_, Judgement::Hold(HoldReason::NotFixed)) => {
                let text = format!("check {} is not fixed: {}", gate.check, gate.now);
                not_fixed = not_fixed.or(Some(text));
            }
            (_, Judgement::Hold(reason)) => {
                let text = format!("no verdict of check {} in time: {}", gate.check, gate.now);
                return Outcome::Hold(reason, text);
            }
        }
    }
    if !waits.is_empty() {
        return Outcome::Wait {
            message: format!("waits for a verdict of {}", waits.join(", ")),
            until: deadline,
        };
    }
    if look.now < look.bake_until {
        return Outcome::Wait {
            message: format!("holds until {:.0}", look.bake_until),
            until: look.bake_until,
        };
    }
    match not_fixed {
        Some(text) => Outcome::Hold(HoldReason::NotFixed, text),
        None => Outcome::Passed(fixed),
    }
}

/// The numbers of each gate before a change and after it, such as
/// `connector-load: connect.max 7.2s -> 41ms`.
#[must_use]
pub fn comparison(gates: &[Gate], gauges: &Gauges, landed: Timestamp) -> String {
    let lines = gates.iter().filter_map(|gate| {
        let gauge = gauges.get(&gate.check)?;
        let after = gauge.since(later(landed, gauge.settle));
        Some(format!("{}: {}", gate.check, compared(gate, after.last())))
    });
    lines.collect::<Vec<_>>().join("; ")
}

fn compared(gate: &Gate, after: Option<&Evaluation>) -> String {
    let Some(after) = after else {
        return "not probed since".to_owned();
    };
    if let Some(NoVerdict::Prober(error)) = &after.unknown {
        return error.to_string();
    }
    let pair = |m: &Measured| m.change(gate.baseline.values.get(&m.expression));
    after.expected().map(pair).collect::<Vec<_>>().join(", ")
}

/// Keeps the verdict, and the numbers where they explain one: a record does not change with every
/// probe.
fn note(gate: &mut Gate, after: &Standing) {
    let flips = gate.verdict != after.verdict;
    if flips || after.verdict == Verdict::Unknown {
        gate.samples = u32::try_from(after.recent().count()).unwrap_or(u32::MAX);
    }
    if flips || gate.now.is_empty() {
        gate.verdict = after.verdict;
        gate.now = after.last().map_or_else(
            || "not probed since".to_owned(),
            |last| said(last, &gate.baseline),
        );
    }
}

/// `connect.max 7.2s, want < 5s (baseline 2.1s)`.
fn said(probe: &Evaluation, baseline: &Baseline) -> String {
    match &probe.unknown {
        Some(NoVerdict::Prober(error)) => return error.to_string(),
        Some(NoVerdict::NoSamples(expression)) => return format!("no data for {expression}"),
        None => {}
    }
    let missed: Vec<_> = probe.missed().collect();
    let all = probe
        .measured
        .iter()
        .filter(|m| m.role == super::check::Role::Expect);
    let shown = if missed.is_empty() {
        all.collect()
    } else {
        missed
    };
    let mut parts: Vec<_> = shown
        .iter()
        .map(|measured| measured.text(baseline.values.get(&measured.expression)))
        .collect();
    parts.extend(probe.failures.iter().map(ToString::to_string));
    parts.join("; ")
}
