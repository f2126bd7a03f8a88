//! One pass over one resource: observe, decide, act, until there is nothing to do now.
//!
//! The only place with effects. A call to GCP is made between `Journal::begin` and
//! `Journal::finish`, and nowhere else.

use super::ports::Shared;
use crate::api::{Declared, Event, Key, Saturation};
use crate::core::conditions::Situation;
use crate::core::decide::{self, Decision, Desired, Effect, Hindrance, Input};
use crate::core::error::Fault;
use crate::core::fields::Fields;
use crate::core::gate::Gauges;
use crate::core::observed::{Live, Observed, Operation};
use crate::core::record::{Record, Revision};
use crate::core::token::Token;
use crate::journal::JournalError;
use crate::kinds::{self, Names};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// More rounds than any decision needs; past them the resource waits for its next turn.
const ROUNDS: usize = 24;
/// Wait after a failure of the journal.
const JOURNAL_WAIT: Duration = Duration::from_secs(5);

/// A declared resource in the core's form, made once for each revision.
#[derive(Debug, PartialEq)]
pub(super) struct Wanted {
    pub declared: Declared,
    pub fields: Fields,
    pub digest: String,
    /// What it refers to.
    pub needs: Vec<Key>,
}

impl Wanted {
    pub fn new(declared: Declared, names: &dyn Names) -> Self {
        let kind = kinds::of(declared.key.kind);
        let fields = kind.declared(&declared, names);
        let digest = crate::core::digest::desired(&declared);
        let needs = kind.needs(&declared, names);
        Wanted {
            declared,
            fields,
            digest,
            needs,
        }
    }
}

/// What a pass starts from.
pub(super) struct Job {
    pub key: Key,
    pub record: Record,
    /// The record in memory is newer than the journal's.
    pub dirty: bool,
    pub wanted: Option<Arc<Wanted>>,
    pub observed: Observed,
    pub tokens: Vec<Token>,
    pub deletes: Result<u32, String>,
    /// What the checks of its rollout say.
    pub gauges: Gauges,
    /// How full it is.
    pub saturation: Option<Arc<Saturation>>,
    /// Why its references keep it waiting.
    pub hindrance: Option<Hindrance>,
    /// Managed resources that refer to it.
    pub referrers: Vec<String>,
    /// Why one of them must not be written now.
    pub busy_referrer: Option<String>,
}

/// What a pass leaves behind.
pub(super) struct Done {
    pub key: Key,
    pub record: Record,
    pub dirty: bool,
    pub observed: Observed,
    pub situation: Situation,
    pub requeue: Option<Timestamp>,
    pub events: Vec<Event>,
    /// Tokens that were acted on, durably.
    pub handled: Vec<String>,
    pub forgotten: bool,
    /// A delete was sent: it counts against the budget.
    pub deleted: bool,
    /// Why the journal could not be written.
    pub journal_error: Option<String>,
}

struct Pass<'a> {
    shared: &'a Shared,
    done: Done,
    wanted: Option<Arc<Wanted>>,
    tokens: Vec<Token>,
    deletes: Result<u32, String>,
    gauges: Gauges,
    saturation: Option<Arc<Saturation>>,
    hindrance: Option<Hindrance>,
    referrers: Vec<String>,
    busy_referrer: Option<String>,
    users: Option<Result<Vec<String>, Fault>>,
    operation: Option<Result<Operation, Fault>>,
    operations: Option<Result<Vec<Operation>, Fault>>,
    /// The record to go back to where the journal fails, and whether the journal lacks it.
    saved: (Record, bool),
    /// Events and tokens not in the journal yet.
    unsaved_events: usize,
    unsaved_handled: usize,
}

/// Runs a pass to its end.
pub(super) async fn run(shared: &Shared, job: Job) -> Done {
    let mut pass = Pass {
        shared,
        gauges: job.gauges,
        saturation: job.saturation,
        hindrance: job.hindrance,
        referrers: job.referrers,
        busy_referrer: job.busy_referrer,
        users: None,
        saved: (job.record.clone(), job.dirty),
        done: Done {
            key: job.key,
            record: job.record,
            dirty: job.dirty,
            observed: job.observed,
            situation: Situation::Progressing(String::new()),
            requeue: None,
            events: Vec::new(),
            handled: Vec::new(),
            forgotten: false,
            deleted: false,
            journal_error: None,
        },
        wanted: job.wanted,
        tokens: job.tokens,
        deletes: job.deletes,
        operation: None,
        operations: None,
        unsaved_events: 0,
        unsaved_handled: 0,
    };
    for _ in 0..ROUNDS {
        if !pass.round().await {
            return pass.done;
        }
    }
    pass.done.requeue = Some(later(shared.now(), Duration::from_secs(1)));
    pass.save().await;
    pass.done
}

impl Pass<'_> {
    /// One decision and its effect; false when the pass is over.
    async fn round(&mut self) -> bool {
        let decision = self.decide();
        let effect = decision.effect.clone();
        self.done.requeue = decision.requeue;
        match effect {
            None => {
                self.take(decision);
                self.save().await;
                false
            }
            Some(Effect::Observe) => {
                self.take(decision);
                self.observe().await;
                true
            }
            Some(Effect::Poll(name)) => {
                self.take(decision);
                let service = self.shared.ports.services.of(self.done.key.kind);
                self.operation = Some(service.operation(&name).await);
                true
            }
            Some(Effect::FindOperations) => {
                self.take(decision);
                let key = &self.done.key;
                let service = self.shared.ports.services.of(key.kind);
                let target = self.target();
                let found = service.operations_on(&key.project, &key.location, &target);
                self.operations = Some(found.await.map(|all| self.candidates(all)));
                true
            }
            Some(Effect::FindUsers) => {
                self.take(decision);
                let key = &self.done.key;
                let service = self.shared.ports.services.of(key.kind);
                self.users = Some(service.users(&key.project, &key.location, &key.name).await);
                true
            }
            Some(Effect::Send(revision)) => self.send(decision, revision.as_deref()).await,
        }
    }

    fn decide(&self) -> Decision {
        let rules = kinds::of(self.done.key.kind).rules();
        let desired = self.wanted.as_ref().map(|wanted| Desired {
            declared: &wanted.declared,
            fields: &wanted.fields,
            digest: &wanted.digest,
            needs: &wanted.needs,
        });
        let target = self.target();
        decide::decide(&Input {
            record: &self.done.record,
            desired,
            observed: &self.done.observed,
            operation: self.operation.as_ref(),
            operations: self.operations.as_ref(),
            users: self.users.as_ref(),
            target: &target,
            gauges: &self.gauges,
            saturation: self.saturation.as_deref(),
            hindrance: self.hindrance.as_ref(),
            referrers: &self.referrers,
            busy_referrer: self.busy_referrer.as_deref(),
            tokens: &self.tokens,
            rules,
            read_only: self.shared.read_only(),
            deletes: self
                .deletes
                .as_ref()
                .map(|left| *left)
                .map_err(String::as_str),
            timing: &self.shared.settings.timing,
            now: self.shared.now(),
            jitter: self.shared.jitter(),
        })
    }

    /// The operations that the present call can have started. Where it brought an id along, no other
    /// writer's operation on the same object is taken for it.
    fn candidates(&self, all: Vec<Operation>) -> Vec<Operation> {
        let write = self.done.record.write.as_ref();
        let request = write.and_then(|write| write.intent.request.as_ref());
        let ours =
            |operation: &Operation| request.is_none() || operation.request.as_ref() == request;
        all.into_iter().filter(ours).collect()
    }

    /// What GCP's operations say they work on: the resource, or the object of the present call.
    fn target(&self) -> String {
        let key = &self.done.key;
        let service = self.shared.ports.services.of(key.kind);
        let write = self.done.record.write.as_ref();
        match write.and_then(|write| write.intent.object.as_deref()) {
            Some(object) => service.object(&key.project, &key.location, object),
            None => service.target(&key.project, &key.location, &key.name),
        }
    }

    /// Makes the decision's record the current one.
    fn take(&mut self, decision: Decision) {
        self.tokens
            .retain(|token| !decision.handled.contains(&token.id));
        if self.done.record != decision.record {
            self.done.record = decision.record;
            self.done.dirty = true;
        }
        self.done.situation = decision.situation;
        self.done.forgotten = decision.forget;
        self.done.events.extend(decision.events);
        self.done.handled.extend(decision.handled);
    }

    async fn observe(&mut self) {
        let key = &self.done.key;
        let at = self.shared.now();
        let service = self.shared.ports.services.of(key.kind);
        let live = match service.get(&key.project, &key.location, &key.name).await {
            Ok(Some(raw)) => Live::Present(Box::new(kinds::of(key.kind).live(raw))),
            Ok(None) => Live::Absent,
            Err(fault) => Live::Unknown(Some(fault)),
        };
        self.done.observed = Observed {
            at,
            fresh: true,
            live,
        };
    }

    /// Writes the call down, makes it, writes the reply down.
    async fn send(&mut self, decision: Decision, revision: Option<&Revision>) -> bool {
        let suspended = self
            .wanted
            .as_ref()
            .is_some_and(|w| w.declared.policy.suspend);
        let permit = match self.shared.authority().permit(suspended, self.shared.now()) {
            Ok(permit) => permit,
            Err(why) => {
                tracing::debug!(key = %self.done.key, why, "not sent");
                self.save().await;
                return false;
            }
        };
        self.take(decision);
        let journal = Arc::clone(&self.shared.ports.journal);
        let kind = kinds::of(self.done.key.kind);
        let service = self.shared.ports.services.of(self.done.key.kind);
        if let Some(write) = self.done.record.write.as_mut() {
            write.intent.request = service.request(&write.intent);
            write.intent.seal(kind.redact(write.intent.body.clone()));
        }
        let revision = revision.map(|revision| Revision {
            raw: kind.redact(revision.raw.clone()),
            ..revision.clone()
        });
        let record = self.done.record.clone();
        let (events, handled) = self.unsaved();
        let durable = match journal
            .begin(&record, revision.as_ref(), events, handled)
            .await
        {
            Ok(durable) => durable,
            Err(error) => {
                // Nothing is sent that is not on disk first.
                self.journal_failed(&error);
                return false;
            }
        };
        self.all_saved();
        let intent = durable.intent().clone();
        let service = self.shared.ports.services.of(self.done.key.kind);
        let reply = service.write(&permit, durable).await;
        // The delete of an old certificate is a step of its rotation; the budget is for removals.
        self.done.deleted |=
            intent.verb == crate::core::record::Verb::Delete && record.rollout.is_none();
        let (record, events) =
            decide::sent(record, &reply, self.shared.now(), self.shared.jitter());
        self.done.record = record;
        self.done.events.extend(events);
        self.done.observed.fresh = false;
        self.operation = None;
        self.operations = None;
        self.users = None;
        let (events, _) = self.unsaved();
        match journal
            .finish(&self.done.record, &intent.id, &reply, events)
            .await
        {
            Ok(()) => {
                self.all_saved();
                true
            }
            Err(error) => {
                // The reply is known to this process: the next pass saves it.
                self.saved = (self.done.record.clone(), true);
                self.unsaved_events = self.done.events.len();
                self.journal_failed(&error);
                false
            }
        }
    }

    fn unsaved(&self) -> (&[Event], &[String]) {
        (
            &self.done.events[self.unsaved_events..],
            &self.done.handled[self.unsaved_handled..],
        )
    }

    fn all_saved(&mut self) {
        self.done.dirty = false;
        self.saved = (self.done.record.clone(), false);
        self.unsaved_events = self.done.events.len();
        self.unsaved_handled = self.done.handled.len();
    }

    async fn save(&mut self) {
        let (events, handled) = self.unsaved();
        if !self.done.dirty && events.is_empty() && handled.is_empty() && !self.done.forgotten {
            return;
        }
        let journal = &self.shared.ports.journal;
        let saved = if self.done.forgotten {
            let marked = match handled {
                [] => Ok(()),
                // Else they would act again on whatever comes after.
                _ => journal.commit(&self.done.record, &[], handled).await,
            };
            match marked {
                Ok(()) => journal.forget(&self.done.key, events).await,
                Err(error) => Err(error),
            }
        } else {
            journal.commit(&self.done.record, events, handled).await
        };
        match saved {
            Ok(()) => self.all_saved(),
            Err(error) => self.journal_failed(&error),
        }
    }

    /// What is not saved did not happen, and is not reported either: it is decided again, with
    /// the same requests of people, who must not be obeyed twice.
    fn journal_failed(&mut self, error: &JournalError) {
        (self.done.record, self.done.dirty) = self.saved.clone();
        self.done.forgotten = false;
        self.done.events.truncate(self.unsaved_events);
        self.done.handled.truncate(self.unsaved_handled);
        self.done.journal_error = Some(error.to_string());
        self.done.requeue = Some(later(self.shared.now(), JOURNAL_WAIT));
    }
}

/// `at + wait`, without overflow.
pub(super) fn later(at: Timestamp, wait: Duration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}
