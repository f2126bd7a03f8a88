//! After the faults: what should be is, or the reason why not can be seen from the outside; and
//! then nothing moves any more.

use super::status::is_ready;
use super::steps::wanted;
use super::{Violation, calls, certificates, gates, permission, violation};
use crate::sim::kinds::{self, Content};
use crate::sim::set::Set;
use crate::sim::trace::{Fact, What};
use evenkeel::api::envelope::{Approval, Drift};
use evenkeel::api::{ConditionType, Declared, Key, Kind, PhaseSpec, Reason, Status};
use evenkeel::emulator::LogStatus;
use serde_json::Value;
use std::collections::BTreeSet;

/// In quiet times nothing is written, to GCP or to the journal, and no status changes.
pub fn quiet(trace: &[Fact]) -> Vec<Violation> {
    let mut silent = false;
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Quiet { .. } => silent = true,
            What::Verdict { .. } => silent = false,
            What::Sent(_)
            | What::Begin { .. }
            | What::Finish { .. }
            | What::Commit { .. }
            | What::Forget(_)
            | What::Phase { .. }
            | What::Shown { .. }
                if silent =>
            {
                let text = super::super::timeline::line(fact);
                broken.push(violation("nothing moves once at rest", index, text));
            }
            _ => {}
        }
    }
    broken
}

/// At the end of a quiet time each declared resource is Ready, or rests for a visible reason.
pub fn justified(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let What::Verdict {
            key,
            truth,
            status,
            helped,
        } = &fact.what
        else {
            continue;
        };
        let Some(declared) = wanted(trace, key, index) else {
            continue;
        };
        let end = End {
            trace: &trace[..index],
            declared,
            truth: truth.as_ref(),
            helped: *helped,
        };
        let why = match status {
            Some(status) => end.objects(status),
            None => Some("it is not on the board".to_owned()),
        };
        if let Some(why) = why {
            let text = format!(
                "{key}: {why}; declared {}",
                Value::Object(declared.resource.clone())
            );
            broken.push(violation("Ready, or a visible reason why not", index, text));
        }
    }
    broken
}

/// A delete that was asked for waits for the budget only where others have spent it.
pub fn deleted(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let mut budget = 0;
    let calls = calls(trace);
    let removals: BTreeSet<u64> = calls
        .iter()
        .filter(|call| call.removes())
        .map(|call| call.sent.call)
        .collect();
    let mut spent: BTreeSet<&Key> = BTreeSet::new();
    let mut readable = false;
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Start { budget: new, .. } => {
                budget = *new;
                spent.clear();
            }
            What::Declare(set) => {
                spent.clear();
                readable = !set.is_empty();
            }
            What::Landed {
                call, key, entry, ..
            } if entry.landed && removals.contains(call) => {
                spent.insert(key);
            }
            What::Verdict {
                key,
                status: Some(status),
                truth: Some(_),
                ..
            } => {
                let ready = status.condition(ConditionType::Ready);
                let waits = ready.is_some_and(|c| c.reason == Reason::WaitingForBudget);
                let left = usize::try_from(budget).is_ok_and(|budget| spent.len() < budget);
                if waits && readable && left {
                    let text = format!("{key}: {} of {budget} spent", spent.len());
                    broken.push(violation("a delete in the budget is made", index, text));
                }
            }
            _ => {}
        }
    }
    broken
}

struct End<'a> {
    trace: &'a [Fact],
    declared: &'a Declared,
    truth: Option<&'a Value>,
    helped: bool,
}

impl End<'_> {
    /// What is wrong with how it rests.
    fn objects(&self, status: &Status) -> Option<String> {
        let ready = status.condition(ConditionType::Ready)?;
        let open = |truth| self.kind().open(self.declared, truth);
        let reached = match self.truth {
            Some(truth) if open(truth) => is_ready(status),
            _ => self.reached(),
        };
        if is_ready(status) != reached && (is_ready(status) || ready.reason == Reason::UpToDate) {
            return Some(format!(
                "{} although reached is {reached}: {:?}",
                ready.reason, self.truth
            ));
        }
        if reached {
            let off = matches!(ready.reason, Reason::Suspended) && self.switched_off();
            let foreign = ready.reason == Reason::AlreadyExists;
            let unproved = self.unproved(ready.reason);
            let fine = is_ready(status) || off || foreign || unproved;
            return (!fine).then(|| format!("live is as declared, and it says {}", ready.reason));
        }
        (!self.explains(ready.reason)).then(|| {
            format!(
                "{}: {}; truth {:?}",
                ready.reason, ready.message, self.truth
            )
        })
    }

    fn reached(&self) -> bool {
        let truth = self.truth;
        truth.is_some_and(|truth| self.kind().reached(self.declared, truth))
    }

    fn kind(&self) -> &'static dyn Content {
        kinds::of(self.declared.key.kind)
    }

    fn switched_off(&self) -> bool {
        self.declared.policy.suspend || self.observes() || self.paused()
    }

    /// Its checks did not pass, and it was held for that.
    fn unproved(&self, reason: Reason) -> bool {
        let spec = self.declared.policy.rollout.iter();
        let own = spec.flat_map(|spec| &spec.verify);
        let phase = self.phase().into_iter().flat_map(|phase| &phase.verify);
        let mut checks = own.chain(phase).map(|verify| verify.check.as_str());
        let judged = [
            Reason::VerifyFailed,
            Reason::Inconclusive,
            Reason::RolledBack,
            Reason::RollbackFailed,
        ];
        judged.contains(&reason)
            && (!self.helped && self.set().is_some_and(|set| !set.checks.is_empty())
                || checks.any(|check| gates::excused(self.trace, check, self.calm(), reason)))
    }

    fn is_bad(&self) -> bool {
        self.unproved(Reason::VerifyFailed)
    }

    fn calm(&self) -> usize {
        let calm = |fact: &Fact| matches!(fact.what, What::Calm);
        self.trace.iter().position(calm).unwrap_or_default()
    }

    fn set(&self) -> Option<&Set> {
        self.trace.iter().rev().find_map(|fact| match &fact.what {
            What::Declare(set) => Some(&**set),
            _ => None,
        })
    }

    fn phase(&self) -> Option<&PhaseSpec> {
        let phase = self.set()?.phase_of(self.declared)?;
        Some(&phase.spec)
    }

    /// Its phase has failed or waits itself, as people see.
    fn phase_waits(&self) -> bool {
        let phase = self.set().and_then(|set| set.phase_of(self.declared));
        let Some(phase) = phase else { return false };
        let last = self.trace.iter().rev().find_map(|fact| match &fact.what {
            What::Phase { record, .. } if record.name == phase.name => Some(record),
            _ => None,
        });
        last.is_some_and(|record| {
            let reason = record.status.conditions.first().map(|ready| ready.reason);
            let waits = [Reason::WaitingForDependency, Reason::AwaitingApproval];
            record.failed.is_some() || reason.is_some_and(|reason| waits.contains(&reason))
        })
    }

    fn paused(&self) -> bool {
        permission::paused(self.trace, &self.declared.key, self.trace.len() - 1)
    }

    /// Observe mode: nothing is ever written.
    fn observes(&self) -> bool {
        !self
            .trace
            .iter()
            .any(|fact| matches!(fact.what, What::Sent(_)))
    }

    fn explains(&self, reason: Reason) -> bool {
        let rollout = self.declared.policy.rollout.as_ref();
        match reason {
            _ if self.unproved(reason) => true,
            Reason::Suspended => self.switched_off(),
            Reason::IrreversibleChange => self.impossible(),
            Reason::AlreadyExists => !self.declared.policy.adopt,
            Reason::InvalidSpec => {
                let full = certificates::were_full(self.trace, self.declared);
                self.invalid() || self.incomplete() || self.refused() || full
            }
            // What did not work with it is held, also when others have made it work with theirs.
            Reason::ResourceFailed => {
                let now = self.truth.is_some_and(|truth| self.kind().broken(truth));
                now || !self.helped && self.was_broken()
            }
            Reason::Drifted => self.declared.policy.drift == Drift::Observe,
            // Where people help, these do not last.
            Reason::AwaitingApproval => {
                // Content that GCP refuses, or that fails its checks, is approved, tried again, ...
                (!self.helped || self.invalid() || self.stuck() || self.is_bad())
                    && rollout.is_none_or(|r| r.approval == Approval::Manual || !r.allow_disruptive)
            }
            Reason::AwaitingPromotion => {
                let manual = |r: &evenkeel::api::envelope::RolloutSpec| {
                    r.steps
                        .iter()
                        .any(|step| step.pause.as_deref() == Some("manual"))
                };
                (!self.helped || self.is_bad()) && rollout.is_some_and(manual)
            }
            Reason::Aborted => !self.helped && self.asked("Abort"),
            Reason::RolledBack | Reason::RollbackFailed => !self.helped || self.invalid(),
            Reason::ForeignChange => !self.helped && self.meddled(),
            Reason::DeadlineExceeded | Reason::VerifyFailed => !self.helped || self.stuck(),
            Reason::DiffLoop | Reason::AmbiguousOperation => !self.helped,
            Reason::WaitingForDependency => self.waits() || self.phase_waits(),
            Reason::PermissionDenied => !self.helped && self.denied(),
            _ => false,
        }
    }

    fn impossible(&self) -> bool {
        let truth = self.truth;
        truth.is_some_and(|truth| self.kind().impossible(self.declared, truth))
    }

    fn invalid(&self) -> bool {
        self.kind().invalid(self.declared, self.truth)
    }

    fn was_broken(&self) -> bool {
        let own = self.kind().name(&self.declared.key);
        self.trace.iter().any(|fact| match &fact.what {
            What::Became {
                name,
                body: Some(body),
            } => name.ends_with(&own) && self.kind().broken(body),
            _ => false,
        })
    }

    fn incomplete(&self) -> bool {
        self.truth.is_none() && self.kind().incomplete(self.declared)
    }

    fn stuck(&self) -> bool {
        self.kind().stuck(self.declared, self.truth)
    }

    /// A call for this resource was refused, at once or by its operation. After a lost reply a
    /// stranger's operation may be taken for ours: better that than to send twice.
    fn refused(&self) -> bool {
        !self.helped
            && self.trace.iter().any(|fact| match &fact.what {
                What::Landed { key, entry, .. } | What::Foreign { key, entry }
                    if *key == self.declared.key =>
                {
                    let late = entry
                        .faults
                        .iter()
                        .any(|fault| fault == "refused operation");
                    late || entry.status == LogStatus::Code(400)
                }
                _ => false,
            })
    }

    /// Something that it refers to is not ready, as far as people see.
    fn waits(&self) -> bool {
        let needs = self.kind().needs(self.declared);
        let ready = |(kind, name): &(Kind, String)| {
            let last = self.trace.iter().rev().find_map(|fact| match &fact.what {
                What::Shown { key, status, .. } if key.kind == *kind && key.name == *name => {
                    Some(is_ready(status))
                }
                _ => None,
            });
            last == Some(true)
        };
        !needs.iter().all(ready)
    }

    fn denied(&self) -> bool {
        self.trace.iter().any(|fact| match &fact.what {
            What::Landed { key, entry, .. } if *key == self.declared.key => {
                entry.faults.iter().any(|fault| fault == "denied")
            }
            _ => false,
        })
    }

    fn meddled(&self) -> bool {
        let key: &Key = &self.declared.key;
        self.trace
            .iter()
            .any(|fact| matches!(&fact.what, What::Foreign { key: of, .. } if of == key))
    }

    fn asked(&self, what: &str) -> bool {
        permission::asks(self.trace, &self.declared.key)
            .values()
            .any(|ask| format!("{ask:?}").starts_with(what))
    }
}
