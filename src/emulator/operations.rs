//! What takes time: operations, and alarms that an API sets for its own records.
//!
//! Invariant: an operation's end and result are settled when it starts or when it is due, never by a read;
//! operations are strongly consistent, only records lag. How an operation looks to a client is its API's own
//! affair (see `longrunning` for the dialect that most share).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::Request;
use super::records::Lag;
use super::registry;
use super::timing::{Pace, later};
use super::world::World;

/// Finished operations beyond this many are forgotten, oldest first.
const OPERATIONS_MAX: usize = 5_000;

/// How an operation fails.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Failure {
    /// `google.rpc.Code`.
    pub code: i32,
    /// The API's own word for it, where its dialect has one.
    pub reason: Option<String>,
    pub message: String,
    /// Leaves its target in a state that only a delete mends, where the API has one.
    pub broken: bool,
}

impl Failure {
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: None,
            message: message.into(),
            broken: false,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Ending {
    Done(Value),
    Failed(Failure),
}

/// What an API says of an operation that it starts.
pub(super) struct Start {
    pub key: String,
    /// The key of the record it changes.
    pub target: String,
    /// The API's own word for what it does.
    pub verb: &'static str,
    pub pace: Pace,
    /// For the API's `finish`: what is to change.
    pub change: Value,
    /// For the API's `operation`: what else clients see.
    pub note: Value,
    /// How it will fail, if the API knows already.
    pub failure: Option<Failure>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Operation {
    pub key: String,
    pub target: String,
    pub verb: String,
    pub created: Timestamp,
    pub due: Timestamp,
    /// How far reads lag behind what it changes.
    pub lag: Lag,
    pub change: Value,
    pub note: Value,
    /// It will fail like this.
    pub failure: Option<Failure>,
    /// It will succeed and change nothing.
    pub ignored: bool,
    pub ending: Option<Ending>,
}

impl Operation {
    pub fn is_running(&self) -> bool {
        self.ending.is_none()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Due {
    Operation(String),
    Alarm(String),
}

/// All operations of all APIs, and when things are due.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Operations {
    all: BTreeMap<String, Operation>,
    /// When the alarm of a record goes off.
    alarms: BTreeMap<String, Timestamp>,
    agenda: BTreeSet<(Timestamp, Due)>,
}

impl Operations {
    pub fn get(&self, key: &str) -> Option<&Operation> {
        self.all.get(key)
    }

    /// Forgets one that is finished.
    pub fn remove(&mut self, key: &str) {
        self.all.remove(key);
    }

    pub fn all(&self) -> impl Iterator<Item = &Operation> {
        self.all.values()
    }

    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Operation> {
        self.all
            .range(prefix.to_owned()..)
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(_, operation)| operation)
    }

    /// The operation that is changing this record now.
    pub fn running_on(&self, target: &str) -> Option<&Operation> {
        let due = self.agenda.iter().filter_map(|(_, due)| match due {
            Due::Operation(key) => self.all.get(key),
            Due::Alarm(_) => None,
        });
        due.into_iter().find(|operation| operation.target == target)
    }

    pub fn first_due(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(at, _)| *at)
    }

    fn insert(&mut self, operation: Operation) {
        if operation.is_running() {
            let due = Due::Operation(operation.key.clone());
            self.agenda.insert((operation.due, due));
        }
        self.all.insert(operation.key.clone(), operation);
    }

    fn next_due(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let (at, _) = self.agenda.first()?;
        if *at <= now {
            self.agenda.pop_first()
        } else {
            None
        }
    }

    fn forget(&mut self) {
        if self.all.len() <= OPERATIONS_MAX {
            return;
        }
        let finished = self
            .all
            .values()
            .filter(|operation| !operation.is_running());
        let oldest = finished.min_by_key(|operation| (operation.due, operation.key.clone()));
        if let Some(key) = oldest.map(|operation| operation.key.clone()) {
            self.all.remove(&key);
        }
    }
}

impl World {
    /// Starts an operation; its target already shows the change running, where the API shows that.
    pub fn start(&mut self, request: &Request, start: Start) -> Operation {
        let twist = self.faults.twist(request.verb, request.path);
        let runs = self.timing.draw(start.pace, &mut self.dice);
        let operation = Operation {
            key: start.key,
            target: start.target,
            verb: start.verb.to_owned(),
            created: self.clock,
            due: later(self.clock, runs + twist.slower),
            lag: self.draw_lag(),
            change: start.change,
            note: start.note,
            failure: twist.failure.or(start.failure),
            ignored: twist.ignored,
            ending: None,
        };
        self.operations.insert(operation.clone());
        self.operations.forget();
        operation
    }

    /// Calls the API's `wake` for a record at a later time. A record has one alarm: a new one takes the place
    /// of the old.
    pub fn alarm(&mut self, key: &str, at: Timestamp) {
        let due = Due::Alarm(key.to_owned());
        if let Some(old) = self.operations.alarms.insert(key.to_owned(), at) {
            self.operations.agenda.remove(&(old, due.clone()));
        }
        self.operations.agenda.insert((at, due));
    }

    /// Brings about everything that is due, in order.
    pub fn settle(&mut self) {
        while let Some((at, due)) = self.operations.next_due(self.clock) {
            match due {
                Due::Operation(key) => self.finish(&key),
                Due::Alarm(key) => {
                    self.operations.alarms.remove(&key);
                    if let Some(api) = registry::owner(&key) {
                        api.wake(self, &key, at);
                    }
                }
            }
            self.watch(at);
        }
    }

    pub fn draw_lag(&mut self) -> Lag {
        let time = self.dice.between(&self.timing.read_lag);
        let behind = if time > Duration::ZERO && self.dice.below(2) == 0 {
            2
        } else {
            1
        };
        Lag { time, behind }
    }

    fn finish(&mut self, key: &str) {
        let Some(mut operation) = self.operations.all.remove(key) else {
            return;
        };
        if let Some(api) = registry::owner(key) {
            operation.ending = Some(api.finish(self, &operation));
        }
        self.operations.insert(operation);
    }
}
