//! What happened, in one order: the only thing that the checkers see.

use super::set::Set;
use evenkeel::api::{Key, Status};
use evenkeel::core::phase::PhaseRecord;
use evenkeel::core::record::{Record, Revision, Verb};
use evenkeel::core::token::Ask;
use evenkeel::emulator::LogEntry;
use evenkeel::engine::PhaseReport;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// One thing that happened. Its place in the list is its place in the order.
#[derive(Debug, Clone)]
pub struct Fact {
    /// True time, whatever the operator's clock shows.
    pub at: Timestamp,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    /// An operator starts; its clock is this many seconds ahead of the true time.
    Start {
        skew: i64,
        budget: u32,
    },
    /// `kill -9`, at this point.
    Crash(&'static str),
    /// A clean stop.
    Stop,
    /// The operator got this set.
    Declare(Arc<Set>),
    SourceFailed,
    /// A person asked for something.
    Asked {
        id: String,
        key: Key,
        ask: Ask,
    },
    /// The journal has this on disk, before a call.
    Begin {
        record: Box<Record>,
        revision: Option<Box<Revision>>,
        handled: Vec<String>,
    },
    /// The journal has the answer to a call. `refused`: the answer was a refusal for good.
    Finish {
        record: Box<Record>,
        refused: bool,
    },
    Commit {
        record: Box<Record>,
        handled: Vec<String>,
    },
    Forget(Key),
    /// The journal has this of a phase.
    Phase {
        record: Box<PhaseRecord>,
        handled: Vec<String>,
    },
    /// A person asked for something about a phase.
    AskedPhase {
        id: String,
        name: String,
        ask: Ask,
    },
    /// A probe came back.
    Probed {
        check: String,
        began: Timestamp,
        /// When the oldest thing that it can have seen happened, in true time.
        since: Timestamp,
        reading: Reading,
    },
    /// The journal failed; nothing was saved.
    JournalFault(&'static str),
    /// A mutating request left the operator.
    Sent(Sent),
    /// A request arrived in GCP.
    Landed {
        call: u64,
        key: Key,
        entry: Box<LogEntry>,
        /// An operation was changing the object.
        busy: bool,
    },
    /// An object of GCP has come to be so; `None`: it is gone. Of connectors alone nothing is said:
    /// the log of their requests tells everything.
    Became {
        name: String,
        body: Option<Value>,
    },
    /// Somebody else changed a resource.
    Foreign {
        key: Key,
        entry: Box<LogEntry>,
    },
    /// The operator read something.
    Read {
        path: String,
        status: String,
        faults: Vec<String>,
    },
    /// What the operator got back for a mutating call.
    Reply {
        call: u64,
        text: String,
    },
    /// The board shows a new status. `exists`: GCP truly has the resource.
    Shown {
        key: Key,
        status: Box<Status>,
        exists: bool,
    },
    /// Something about the world: an outage begins, faults change.
    Note(String),
    /// Faults, crashes and other writers have stopped.
    Calm,
    /// From here nothing may be written; `helped`: people have answered all questions before.
    Quiet {
        helped: bool,
    },
    /// The true state of a resource, its board status, at the end of a quiet time.
    Verdict {
        key: Key,
        truth: Option<Value>,
        status: Option<Box<Status>>,
        helped: bool,
    },
    /// What the board says of a phase, at the end of a quiet time.
    PhaseEnd {
        name: String,
        report: Option<Box<PhaseReport>>,
        helped: bool,
    },
}

/// What a probe brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    Seconds(f64),
    /// No sample.
    Silent,
    /// It could not be made.
    Error,
}

/// A mutating request as it left.
#[derive(Debug, Clone)]
pub struct Sent {
    pub call: u64,
    pub key: Key,
    /// The name of what is changed, from `projects` on.
    pub object: String,
    pub verb: Verb,
    pub mask: Vec<String>,
    pub body: Value,
}

/// The list, shared by everything that makes something happen.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<Fact>>>);

impl Trace {
    pub fn push(&self, at: Timestamp, what: What) {
        self.0.lock().unwrap().push(Fact { at, what });
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub fn take(&self) -> Vec<Fact> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// Who has written down this very call on an object, last.
    pub fn author(&self, object: &str, body: &Value) -> Option<Key> {
        let facts = self.0.lock().unwrap();
        facts.iter().rev().find_map(|fact| {
            let What::Begin { record, .. } = &fact.what else {
                return None;
            };
            let intent = &record.write.as_ref()?.intent;
            let named = intent.object.as_ref().is_some_and(|o| object.ends_with(o));
            (named && intent.body == *body).then(|| intent.key.clone())
        })
    }

    /// The saved states of a resource, oldest first, as the journal's table has them.
    pub fn revisions(&self, key: &Key) -> Vec<Revision> {
        let facts = self.0.lock().unwrap();
        let saved = facts.iter().filter_map(|fact| match &fact.what {
            What::Begin {
                revision: Some(revision),
                ..
            } if revision.key == *key => Some((**revision).clone()),
            _ => None,
        });
        saved.collect()
    }
}
