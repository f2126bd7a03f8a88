//! The judges. Each looks at the trace alone, knows the rule it stands for, and shares no code
//! with what it judges.

pub mod calls;
pub mod certificates;
pub mod deletes;
pub mod gates;
pub mod landings;
pub mod liveness;
pub mod measured;
pub mod permission;
pub mod phases;
pub mod rests;
pub mod secrets;
pub mod status;
pub mod steps;
pub mod strangers;
pub mod tokens;
pub mod traffic;
pub mod verdicts;

use super::kinds::{self, Content};
use super::trace::{Fact, Sent, What};
use evenkeel::api::Key;
use evenkeel::core::record::{Record, Verb};
use evenkeel::emulator::LogEntry;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A rule that was broken.
#[derive(Debug, Clone)]
pub struct Violation {
    pub rule: &'static str,
    /// Index of the fact that broke it.
    pub at: usize,
    pub text: String,
}

/// A judge of one rule.
pub type Checker = fn(&[Fact]) -> Vec<Violation>;

/// Every judge.
pub const ALL: &[Checker] = &[
    calls::intent_first,
    calls::saved_first,
    calls::one_at_a_time,
    calls::none_repeated,
    steps::bounded,
    steps::narrow,
    steps::versioned,
    permission::owned,
    permission::switched_off,
    permission::current,
    permission::approved,
    permission::refused_once,
    permission::held,
    deletes::asked_for,
    verdicts::one_rollback,
    verdicts::no_loop,
    gates::set_up,
    gates::fresh,
    gates::landed_first,
    gates::errors_never_fail,
    gates::errors_never_pass,
    gates::proved_first,
    gates::asked_first,
    gates::unknown_stays,
    gates::hold_holds,
    phases::in_order,
    phases::errors_never_fail,
    phases::errors_never_pass,
    phases::recalled_for_cause,
    phases::one_way_back,
    phases::once,
    rests::phases,
    certificates::always_served,
    certificates::only_ours,
    strangers::members_stay,
    strangers::used_checks_stay,
    traffic::by_steps,
    traffic::back_in_one_call,
    secrets::kept,
    status::well_formed,
    status::transitions,
    status::never_gone,
    tokens::once,
    tokens::promotions,
    tokens::none_lost,
    liveness::quiet,
    liveness::justified,
    liveness::deleted,
];

pub fn all(trace: &[Fact]) -> Vec<Violation> {
    ALL.iter().flat_map(|check| check(trace)).collect()
}

pub fn violation(rule: &'static str, at: usize, text: impl Into<String>) -> Violation {
    Violation {
        rule,
        at,
        text: text.into(),
    }
}

/// A mutating call with everything that belongs to it.
pub struct Call<'a> {
    pub sent_at: usize,
    pub sent: &'a Sent,
    /// The intent on disk before it, and its place.
    pub begun: Option<(usize, &'a Record)>,
    /// When it arrived in GCP, if it did.
    pub landed: Option<(usize, &'a LogEntry)>,
    /// It met an operation on the same object.
    pub busy: bool,
}

impl Call<'_> {
    pub fn key(&self) -> &Key {
        &self.sent.key
    }

    pub fn is(&self, verb: Verb) -> bool {
        self.sent.verb == verb
    }

    /// The resource goes away for good, because its manifest did. A delete of one object inside a
    /// rollout, such as that of an old certificate, is a step like any other.
    pub fn removes(&self) -> bool {
        let step = |record: &Record| {
            let object = record.write.as_ref().and_then(|w| w.intent.object.as_ref());
            record.rollout.is_some() && object.is_some()
        };
        self.is(Verb::Delete) && !self.begun.is_some_and(|(_, record)| step(record))
    }

    pub fn kind(&self) -> &'static dyn Content {
        kinds::of(self.key().kind)
    }

    /// Somebody else may have written since the read that it was decided on, and GCP had no means to
    /// tell.
    pub fn raced(&self, trace: &[Fact], at: usize) -> bool {
        let told = self.kind().version().is_some() && self.accepted().is_some();
        !told && raced(trace, self.key(), at)
    }

    /// GCP took it.
    pub fn accepted(&self) -> Option<(usize, &LogEntry)> {
        self.landed.filter(|(_, entry)| entry.landed)
    }
}

/// The mutating calls of the operator, in the order they left.
pub fn calls(trace: &[Fact]) -> Vec<Call<'_>> {
    let mut begun: BTreeMap<&Key, (usize, &Record)> = BTreeMap::new();
    let mut calls: Vec<Call<'_>> = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Begin { record, .. } => {
                begun.insert(&record.key, (index, record));
            }
            What::Sent(sent) => calls.push(Call {
                sent_at: index,
                sent,
                begun: begun.get(&sent.key).copied(),
                landed: None,
                busy: false,
            }),
            What::Landed {
                call, entry, busy, ..
            } => {
                if let Some(found) = calls.iter_mut().find(|known| known.sent.call == *call) {
                    found.landed = Some((index, entry));
                    found.busy = *busy;
                }
            }
            _ => {}
        }
    }
    calls
}

/// Everything that the journal holds of a resource, over time.
pub fn records(trace: &[Fact]) -> impl Iterator<Item = (usize, &Record)> + '_ {
    trace
        .iter()
        .enumerate()
        .filter_map(|(index, fact)| match &fact.what {
            What::Begin { record, .. }
            | What::Finish { record, .. }
            | What::Commit { record, .. } => Some((index, &**record)),
            _ => None,
        })
}

/// Tokens that became handled, with their place.
pub fn handled(trace: &[Fact]) -> impl Iterator<Item = (usize, &str)> + '_ {
    trace.iter().enumerate().flat_map(|(index, fact)| {
        let ids: &[String] = match &fact.what {
            What::Begin { handled, .. } | What::Commit { handled, .. } => handled,
            _ => &[],
        };
        ids.iter().map(move |id| (index, id.as_str()))
    })
}

/// True where somebody else wrote to the resource shortly before: what the operator read may be
/// older than that, and nothing in this API could tell it.
pub fn raced(trace: &[Fact], key: &Key, at: usize) -> bool {
    let now: Timestamp = trace[at].at;
    trace[..at]
        .iter()
        .rev()
        .take_while(|fact| seconds(fact.at, now) < 120)
        .any(|fact| matches!(&fact.what, What::Foreign { key: other, .. } if other == key))
}

pub fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}
