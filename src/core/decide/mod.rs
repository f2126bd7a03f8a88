//! `decide`: what to do next about one resource. At most one effect; every no-op has a reason.
//!
//! Long work is state in the [`Record`], never a waiting task, so a process that dies anywhere
//! goes on from there. The order of the stages is the order of safety: first settle the call that
//! is under way, then obey people, then look at what is declared and live.

mod gates;
mod input;
mod outcome;
mod procedure;
mod recover;
mod removal;
mod report;
mod resumed;
mod rollback;
mod rollout;
mod settle;
mod step;
mod tokens;
mod verify;

pub use input::{
    Decision, Desired, Effect, HISTORY_LIMIT, Hindrance, Input, LOOP_LIMIT, LOOP_WINDOW, Timing,
};
pub use outcome::sent;
pub use procedure::procedure_plan;
pub(crate) use resumed::earlier;
pub use resumed::resumed;

use super::conditions::{self, DriftFact, NOT_READ_YET, Situation};
use super::digest;
use super::fields::Fields;
use super::observed::{Lifecycle, Live, Present};
use super::plan::{self, Plan};
use super::record::{Held, LastGood, Purpose, Record, Step};
use crate::api::envelope::{Drift, Policy};
use crate::api::event::Severity;
use crate::api::status::RevisionRef;
use crate::api::{Event, Reason};
use jiff::Timestamp;
use std::ops::ControlFlow;
use std::time::Duration;

/// The end of a walk through the stages.
struct Verdict {
    situation: Situation,
    effect: Option<Effect>,
    requeue: Option<Timestamp>,
    forget: bool,
}

impl Verdict {
    fn rest(situation: Situation) -> Self {
        Verdict {
            situation,
            effect: None,
            requeue: None,
            forget: false,
        }
    }

    fn until(situation: Situation, at: Timestamp) -> Self {
        Verdict {
            requeue: Some(at),
            ..Verdict::rest(situation)
        }
    }

    fn act(situation: Situation, effect: Effect) -> Self {
        Verdict {
            effect: Some(effect),
            ..Verdict::rest(situation)
        }
    }
}

type Flow<T = ()> = ControlFlow<Verdict, T>;

fn stop<T>(verdict: Verdict) -> Flow<T> {
    ControlFlow::Break(verdict)
}

/// Decides. Same input, same decision.
#[must_use]
pub fn decide(input: &Input<'_>) -> Decision {
    let mut run = Run {
        input,
        record: input.record.clone(),
        events: Vec::new(),
        handled: Vec::new(),
        drift: DriftFact::Unknown,
        plan: None,
    };
    let verdict = match run.stages() {
        ControlFlow::Break(verdict) | ControlFlow::Continue(verdict) => verdict,
    };
    run.conclude(verdict)
}

struct Run<'a> {
    input: &'a Input<'a>,
    record: Record,
    events: Vec<Event>,
    handled: Vec<String>,
    drift: DriftFact,
    plan: Option<Plan>,
}

impl<'a> Run<'a> {
    fn stages(&mut self) -> Flow<Verdict> {
        self.count_generation();
        self.obey_switches();
        self.settle()?;
        self.obey_requests()?;
        let Some(desired) = self.input.desired else {
            return self.remove();
        };
        self.record.released = false;
        let live = self.live()?;
        if self.look(&desired, live).is_some() {
            return self.proceed(&desired, live);
        }
        let Some(present) = live else {
            return self.absent(&desired);
        };
        self.leave_procedure(&desired, present)?;
        self.record.object.clone_from(&present.object);
        self.present(&desired, present)
    }

    /// A changed spec is a new generation.
    fn count_generation(&mut self) {
        let Some(desired) = self.input.desired else {
            return;
        };
        let spec = digest::spec(desired.declared);
        if spec != self.record.spec_digest {
            self.record.spec_digest = spec;
            self.record.generation += 1;
            resumed::restart_step(&mut self.record, self.input.now);
        }
        self.record.name.clone_from(&desired.declared.name);
        self.record.deletion = desired.declared.policy.deletion;
        if self.record.needs != desired.needs {
            self.record.needs = desired.needs.to_vec();
        }
        if self
            .record
            .held
            .as_ref()
            .is_some_and(|held| held.digest != desired.digest)
        {
            self.record.held = None;
            self.record.retry = None;
            self.record.repeated = None;
            self.normal("Released", "new content: no longer held");
        }
    }

    /// The live resource, `None` when GCP says there is none.
    fn live(&self) -> Flow<Option<&'a Present>> {
        match &self.input.observed.live {
            Live::Unknown(Some(fault)) => {
                let hint = fault.kind.behaviour().hint;
                stop(Verdict::rest(Situation::Unreadable(format!(
                    "cannot read GCP: {fault} ({hint})"
                ))))
            }
            Live::Unknown(None) => stop(Verdict::act(
                Situation::Unreadable(NOT_READ_YET.to_owned()),
                Effect::Observe,
            )),
            Live::Absent => Flow::Continue(None),
            Live::Present(present) => Flow::Continue(Some(present)),
        }
    }

    /// GCP has no such resource.
    fn absent(&mut self, desired: &Desired<'a>) -> Flow<Verdict> {
        // A list of connectors cannot say that it is partial; only a read of its own counts.
        self.want_fresh("checking that the resource is gone")?;
        if self.record.last_good.is_some() {
            self.drift = DriftFact::Drifted("the resource is gone from GCP".to_owned());
        }
        if self.creating() {
            self.plan_for(desired, None);
            return self.carry_on_with(desired, None);
        }
        self.drop_rollout_of_lost_resource()?;
        let plan = self.plan_for(desired, None);
        self.refuse_held(desired)?;
        self.apply(desired, &plan, None)
    }

    fn creating(&self) -> bool {
        self.record.rollout.as_ref().is_some_and(|rollout| {
            let step = rollout.steps.get(rollout.step);
            rollout.bake_until.is_none() && matches!(step, Some(Step::Create(_)))
        })
    }

    fn drop_rollout_of_lost_resource(&mut self) -> Flow {
        if self.record.rollout.is_none() {
            return Flow::Continue(());
        }
        self.want_fresh("checking that the resource is gone")?;
        self.await_settled("looking for the resource again")?;
        self.record.rollout = None;
        self.close_history(crate::api::status::Outcome::Failed);
        self.warn("ResourceGone", "the resource disappeared during a rollout");
        Flow::Continue(())
    }

    fn present(&mut self, desired: &Desired<'a>, present: &'a Present) -> Flow<Verdict> {
        match present.lifecycle {
            Lifecycle::Ready | Lifecycle::Unhealthy => {}
            Lifecycle::Busy | Lifecycle::Deleting => {
                let message = format!("GCP reports {}: waiting for it to finish", present.state);
                return stop(self.soon(Situation::WaitingForOperation(message), 5));
            }
            Lifecycle::Failed => {
                let message = format!(
                    "GCP reports {}: {}",
                    present.state, self.input.rules.when_failed
                );
                return stop(stalled(Reason::ResourceFailed, message));
            }
        }
        self.take_over(desired, present)?;
        self.supersede(desired);
        if self.record.rollout.is_some() {
            return self.carry_on(desired, present);
        }
        let plan = self.plan_for(desired, Some(&present.fields));
        if plan.changes.is_empty() {
            if self.was_left_unproved(desired) {
                return self.prove(desired, present);
            }
            if present.lifecycle == Lifecycle::Unhealthy {
                let message = format!(
                    "live equals declared, and it does not work: {}",
                    present.state
                );
                return stop(stalled(Reason::ResourceFailed, message));
            }
            return Flow::Continue(self.up_to_date(desired));
        }
        self.compare(desired, &plan);
        self.refuse_held(desired)?;
        self.apply(desired, &plan, Some(present))
    }

    /// Nothing that evenkeel did not create or adopt is touched.
    fn take_over(&mut self, desired: &Desired<'a>, present: &Present) -> Flow {
        if self.record.owned {
            return Flow::Continue(());
        }
        if !desired.declared.policy.adopt {
            let plan = self.plan_for(desired, Some(&present.fields));
            let differs = match plan.changes.len() {
                0 => "it equals the manifest".to_owned(),
                count => format!("{count} of its fields differ: {}", plan.summary()),
            };
            return stop(stalled(
                Reason::AlreadyExists,
                format!(
                    "the resource exists and evenkeel does not own it; {differs}. \
                     Set adopt: true to take it over; nothing was written"
                ),
            ));
        }
        self.record.owned = true;
        self.record.adopted = true;
        self.normal(
            "Adopted",
            "took over the existing resource; fields that the manifest leaves out stay as they are",
        );
        Flow::Continue(())
    }

    fn plan_for(&mut self, desired: &Desired<'a>, live: Option<&Fields>) -> Plan {
        let rollout = desired.declared.policy.rollout.as_ref();
        let made = plan::plan(
            self.input.rules,
            desired.digest,
            desired.fields,
            live,
            rollout,
        );
        self.plan = Some(made.clone());
        made
    }

    fn up_to_date(&mut self, desired: &Desired<'a>) -> Verdict {
        self.drift = DriftFact::None;
        self.record.retry = None;
        self.plan = None;
        if let Some(held) = self.unproved(desired) {
            return held;
        }
        let good = LastGood {
            at: RevisionRef {
                revision: self.record.revision,
                digest: desired.digest.to_owned(),
            },
            fields: desired.fields.clone(),
        };
        match self.record.last_good.as_mut() {
            // Names that the fields refer to may have changed.
            Some(old) if old.at.digest == good.at.digest => old.fields = good.fields,
            _ => self.record.last_good = Some(good),
        }
        if self.record.paused {
            return Verdict::rest(Situation::Suspended(PAUSED.to_owned()));
        }
        if desired.declared.policy.suspend {
            let text = "spec.suspend is true; live equals declared".to_owned();
            return Verdict::rest(Situation::Suspended(text));
        }
        Verdict::rest(Situation::UpToDate)
    }

    /// A difference in content that was reached before is drift; otherwise it is an edit.
    fn compare(&mut self, desired: &Desired<'a>, plan: &Plan) {
        if self.reached(desired) {
            self.drift = DriftFact::Drifted(format!("live differs: {}", plan.summary()));
        }
    }

    fn reached(&self, desired: &Desired<'_>) -> bool {
        self.record
            .last_good
            .as_ref()
            .is_some_and(|good| good.at.digest == desired.digest)
    }

    fn refuse_held(&mut self, desired: &Desired<'a>) -> Flow {
        if self.undoing() {
            return Flow::Continue(());
        }
        let held = self.record.held.as_ref();
        if let Some(held) = held.filter(|held| held.digest == desired.digest) {
            return stop(stalled(held.reason, held.message.clone()));
        }
        // One automatic attempt for each content, also where another one came between.
        if self.record.has_gone_back(desired.digest) {
            let message = "this very content was rolled back before, and is held. Commit other \
                           content, or `evenkeel rollout retry` to send it again";
            self.hold(desired.digest, Reason::RolledBack, message.to_owned(), None);
            return stop(stalled(Reason::RolledBack, message.to_owned()));
        }
        Flow::Continue(())
    }

    pub(super) fn undoing(&self) -> bool {
        self.record
            .rollout
            .as_ref()
            .is_some_and(|r| matches!(r.purpose, Purpose::Undo { .. } | Purpose::Rollback { .. }))
    }

    /// Holds the content: observe only, until it changes or a person says retry.
    fn hold(&mut self, digest: &str, reason: Reason, message: String, back_to: Option<i64>) {
        self.warn(reason.as_str(), &message);
        self.record.held = Some(Held {
            digest: digest.to_owned(),
            reason,
            message: conditions::bounded(message),
            since: self.input.now,
            rolled_back_to: back_to,
        });
    }

    fn policy(&self) -> Option<&'a Policy> {
        self.input.desired.map(|desired| &desired.declared.policy)
    }

    fn observes_drift_only(&self, desired: &Desired<'a>) -> bool {
        desired.declared.policy.drift == Drift::Observe && self.reached(desired)
    }

    fn soon(&self, situation: Situation, seconds: i64) -> Verdict {
        Verdict::until(
            situation,
            self.after(Duration::from_secs(seconds.unsigned_abs())),
        )
    }

    fn after(&self, wait: Duration) -> Timestamp {
        later(self.input.now, wait)
    }

    fn normal(&mut self, reason: &str, message: &str) {
        self.event(Severity::Normal, reason, message);
    }

    fn warn(&mut self, reason: &str, message: &str) {
        self.event(Severity::Warning, reason, message);
    }

    fn event(&mut self, severity: Severity, reason: &str, message: &str) {
        self.events.push(Event {
            at: self.input.now,
            about: self.record.key.clone().into(),
            severity,
            reason: reason.to_owned(),
            message: conditions::bounded(message.to_owned()),
        });
    }
}

/// What a person reads while a pause lasts.
const PAUSED: &str = "paused; `evenkeel rollout resume` goes on";

fn stalled(reason: Reason, message: String) -> Verdict {
    Verdict::rest(Situation::Stalled { reason, message })
}

/// `at + wait`, without overflow.
pub(crate) fn later(at: Timestamp, wait: Duration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}
