//! Reading by LIST: one call serves a whole scope, however many resources it has.

use super::pass::later;
use super::ports::Shared;
use crate::api::key::Scope;
use crate::core::error::{Fault, FaultKind};
use crate::core::observed::{Live, Observed};
use crate::core::rules::Rules;
use crate::gcp::service::Listing;
use crate::kinds;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The schedule of the polls.
#[derive(Debug, Default)]
pub(super) struct Polls {
    scopes: BTreeMap<Scope, Poll>,
}

#[derive(Debug)]
struct Poll {
    due: Timestamp,
    running: bool,
    /// Start of the last LIST that came back.
    seen: Option<Timestamp>,
    failures: u32,
}

/// A LIST that came back.
pub(super) struct Sweep {
    pub scope: Scope,
    pub started: Timestamp,
    pub result: Result<Listing, Fault>,
}

impl Polls {
    /// Polls exactly these scopes; a new one at once.
    pub fn set<'a>(&mut self, wanted: impl Iterator<Item = &'a Scope>, now: Timestamp) {
        let mut scopes = BTreeMap::new();
        for scope in wanted {
            let poll = self.scopes.remove(scope).or_else(|| scopes.remove(scope));
            let fresh = Poll {
                due: now,
                running: false,
                seen: None,
                failures: 0,
            };
            scopes.insert(scope.clone(), poll.unwrap_or(fresh));
        }
        self.scopes = scopes;
    }

    /// The scopes that are due; they count as running until [`Polls::done`].
    pub fn start_due(&mut self, now: Timestamp) -> Vec<Scope> {
        let due = self
            .scopes
            .iter_mut()
            .filter(|(_, poll)| !poll.running && poll.due <= now);
        due.map(|(scope, poll)| {
            poll.running = true;
            scope.clone()
        })
        .collect()
    }

    pub fn next_due(&self) -> Option<Timestamp> {
        self.scopes
            .values()
            .filter(|poll| !poll.running)
            .map(|poll| poll.due)
            .min()
    }

    /// Books a finished LIST. True when the failure is old or plain enough to be reported.
    pub fn done(&mut self, sweep: &Sweep, every: Duration, jitter: f64, now: Timestamp) -> bool {
        let Some(poll) = self.scopes.get_mut(&sweep.scope) else {
            return false;
        };
        poll.running = false;
        let mut wait = every.mul_f64(0.9 + 0.2 * jitter);
        match &sweep.result {
            Ok(_) => {
                poll.failures = 0;
                poll.seen = Some(sweep.started);
            }
            Err(fault) => {
                poll.failures += 1;
                if fault.kind.is_transient() {
                    let asked = match fault.kind {
                        FaultKind::Throttled { after } => after,
                        _ => None,
                    };
                    let retry = crate::core::backoff::delay(poll.failures, jitter, asked);
                    wait = wait.min(retry);
                }
            }
        }
        poll.due = later(now, wait);
        let blind = poll.seen.is_none_or(|seen| later(seen, every * 3) < now);
        sweep
            .result
            .as_ref()
            .is_err_and(|fault| blind || !fault.kind.is_transient())
    }

    /// Whether a LIST of this scope has ever come back.
    pub fn seen(&self, scope: &Scope) -> bool {
        self.scopes
            .get(scope)
            .is_some_and(|poll| poll.seen.is_some() || poll.failures > 0)
    }
}

/// Makes one LIST.
pub(super) async fn sweep(shared: &Shared, scope: Scope) -> Sweep {
    let started = shared.now();
    let service = shared.ports.services.of(scope.kind);
    let result = service.list(&scope.project, &scope.location).await;
    Sweep {
        scope,
        started,
        result,
    }
}

/// What a LIST says about each resource, by short name, without the bodies: they are many, and
/// writes are decided on fresh reads.
pub(super) fn index(shared: &Shared, scope: &Scope, listing: Listing) -> HashMap<String, Live> {
    let service = shared.ports.services.of(scope.kind);
    let kind = kinds::of(scope.kind);
    let mut found = HashMap::with_capacity(listing.items.len());
    for item in listing.items {
        if let Some(name) = service.name_of(&item) {
            let mut live = Live::Present(Box::new(kind.live(item)));
            drop_body(kind.rules(), &mut live);
            found.insert(name, live);
        }
    }
    found
}

/// Forgets the body of a reply, unless the kind's procedures are told from it.
pub(super) fn drop_body(rules: &Rules, live: &mut Live) {
    if let Live::Present(present) = live
        && !rules.procedures.is_some_and(|procedures| procedures.always)
    {
        present.raw = Value::Null;
    }
}

/// An observation that a LIST made at `at`.
pub(super) fn listed(at: Timestamp, live: Live) -> Observed {
    Observed {
        at,
        fresh: false,
        live,
    }
}
