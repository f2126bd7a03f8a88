//! What was measured, as far as it can prove something.

use crate::sim::prober::BAD;
use crate::sim::trace::{Fact, Reading, What};
use evenkeel::api::{CheckSpec, NoData};
use evenkeel::core::check::Verdict;
use jiff::Timestamp;
use std::collections::BTreeMap;

struct Seen<'a> {
    index: usize,
    began: Timestamp,
    since: Timestamp,
    reading: &'a Reading,
}

/// All probes of a run, and what the checks were when.
pub struct Measured<'a> {
    probes: BTreeMap<&'a str, Vec<Seen<'a>>>,
    /// Each spec with the place and time from which on it was declared; `None`: it was not.
    specs: BTreeMap<&'a str, Vec<(usize, Option<&'a CheckSpec>)>>,
    /// When it all happened.
    times: Vec<Timestamp>,
    /// Where operators started.
    starts: Vec<usize>,
}

impl<'a> Measured<'a> {
    pub fn of(trace: &'a [Fact]) -> Measured<'a> {
        let mut all = Measured {
            probes: BTreeMap::new(),
            specs: BTreeMap::new(),
            times: trace.iter().map(|fact| fact.at).collect(),
            starts: Vec::new(),
        };
        for (index, fact) in trace.iter().enumerate() {
            match &fact.what {
                What::Probed {
                    check,
                    began,
                    since,
                    reading,
                } => {
                    let seen = Seen {
                        index,
                        began: *began,
                        since: *since,
                        reading,
                    };
                    all.probes.entry(check).or_default().push(seen);
                }
                What::Declare(set) => {
                    for check in &set.checks {
                        all.specs.entry(&check.name).or_default();
                    }
                    for (name, specs) in &mut all.specs {
                        let now = set.check(name);
                        if specs.last().is_none_or(|(_, last)| *last != now) {
                            specs.push((index, now));
                        }
                    }
                }
                What::Start { .. } => all.starts.push(index),
                _ => {}
            }
        }
        all
    }

    /// What a check was at a fact, and from which fact on.
    pub fn spec(&self, check: &str, at: usize) -> Option<(usize, &'a CheckSpec)> {
        let specs = self.specs.get(check)?;
        let (from, spec) = specs.iter().rev().find(|(from, _)| *from <= at)?;
        Some((*from, (*spec)?))
    }

    /// The readings that count before a fact: of this operator, of this spec, of a world not older
    /// than `from`.
    fn counts(&self, check: &str, from: Timestamp, at: usize) -> Vec<&Reading> {
        let Some((declared, _)) = self.spec(check, at) else {
            return Vec::new();
        };
        let declared_at = self.times[declared];
        let started = self.starts.iter().rev().find(|start| **start <= at);
        let first = declared.max(started.copied().unwrap_or_default());
        let probes = self.probes.get(check).into_iter().flatten();
        probes
            .filter(|seen| (first..at).contains(&seen.index) && seen.since >= from)
            .filter(|seen| seen.began >= declared_at)
            .map(|seen| seen.reading)
            .collect()
    }

    /// Whether what was measured since then can have come to this verdict.
    pub fn supports(&self, check: &str, verdict: Verdict, from: Timestamp, at: usize) -> bool {
        let Some((_, spec)) = self.spec(check, at) else {
            return false;
        };
        let counts = self.counts(check, from, at);
        let all = |wanted: fn(&Reading) -> bool| {
            u32::try_from(counts.iter().filter(|reading| wanted(reading)).count()).unwrap()
        };
        match verdict {
            Verdict::Passing => all(is_good) >= spec.passes,
            Verdict::Failing => all(is_bad) >= spec.failures,
            Verdict::Unknown => true,
        }
    }

    /// Whether nothing came, often enough for what the check makes of that.
    pub fn silence(&self, check: &str, means: NoData, from: Timestamp, at: usize) -> bool {
        let Some((_, spec)) = self.spec(check, at) else {
            return false;
        };
        let silent = |reading: &&&Reading| matches!(reading, Reading::Silent);
        spec.no_data == means && self.counts(check, from, at).iter().any(|r| silent(&r))
    }

    /// Whether the check was asked at all since then.
    pub fn asked(&self, check: &str, from: Timestamp, at: usize) -> bool {
        !self.counts(check, from, at).is_empty()
    }

    /// Readings of a check between two facts.
    pub fn between(&self, check: &str, first: usize, at: usize) -> impl Iterator<Item = &Reading> {
        let probes = self.probes.get(check).into_iter().flatten();
        let within = move |seen: &&Seen<'_>| (first..at).contains(&seen.index);
        probes.filter(within).map(|seen| seen.reading)
    }
}

pub fn is_bad(reading: &Reading) -> bool {
    matches!(reading, Reading::Seconds(seconds) if *seconds >= BAD)
}

pub fn is_good(reading: &Reading) -> bool {
    matches!(reading, Reading::Seconds(seconds) if *seconds < BAD)
}
