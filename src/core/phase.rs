//! Phases: groups of resources that change one after the other, each proved before the next.
//!
//! [`look`] is pure: what a phase is told and remembers goes in, what follows comes out. What
//! lasts is in the [`PhaseRecord`], so that a phase goes on after a kill.

use super::check::HoldReason;
use super::conditions::bounded;
use super::decide::later;
use super::digest;
use super::gate::{self, Gate, Gauges, Look, Outcome};
use super::record::Record;
use super::token::{Ask, Token};
use crate::api::event::Severity;
use crate::api::phase::PhaseStatus;
use crate::api::{
    Approval, Condition, ConditionStatus, ConditionType, Event, Key, OnFailure, PhaseSpec, Reason,
    Subject,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// How long the exit criteria may take where nothing else says so.
const VERIFY: Duration = Duration::from_mins(30);

/// What is remembered of a phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseRecord {
    pub name: String,
    pub generation: i64,
    /// Digest of the spec.
    pub spec_digest: String,
    /// The content that is being brought about.
    pub attempt: Option<Attempt>,
    /// The content that was reached, and the revision of the source it was last seen Ready at.
    pub reached: Option<Reached>,
    /// A content that failed: nothing more starts until it changes or a person says retry.
    pub failed: Option<Failed>,
    /// The plan that waits for a person: digest of the plans of all members.
    pub plan: Option<String>,
    /// The plan that a person approved.
    pub approved: Option<String>,
    pub status: PhaseStatus,
}

/// A phase under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub content: String,
    pub started_at: Timestamp,
    /// What the exit criteria said before the first change; empty until they were asked.
    pub gates: Vec<Gate>,
    pub measured: bool,
    /// Since when every resource has been Ready.
    pub landed_at: Option<Timestamp>,
}

/// A phase that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reached {
    pub content: String,
    pub source: String,
}

/// A phase that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    pub content: String,
    pub reason: Reason,
    pub message: String,
    /// When the attempt began: what changed since then goes back, where that is asked for.
    pub started_at: Timestamp,
    /// Nothing shows that the change made it worse: it goes neither forward nor back.
    #[serde(default)]
    pub stays: bool,
}

/// One resource of a phase.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    pub key: &'a Key,
    /// Digest of its declared content.
    pub digest: &'a str,
    /// `None`: not looked at yet.
    pub record: Option<&'a Record>,
}

/// What a phase is told.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub name: &'a str,
    pub spec: &'a PhaseSpec,
    /// In the order of the source.
    pub members: &'a [Member<'a>],
    /// The first phase it depends on that is not Ready at this revision, and why.
    pub blocked_on: Option<&'a str>,
    /// The revision of the source.
    pub source: &'a str,
    pub gauges: &'a Gauges,
    pub tokens: &'a [Token],
    pub now: Timestamp,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub record: PhaseRecord,
    /// `Some`: why no resource of the phase may start a step.
    pub closed: Option<String>,
    /// The resource that has to go back now: the revision, and the id of the request.
    pub recall: Option<Recall>,
    pub requeue: Option<Timestamp>,
    pub events: Vec<Event>,
    pub handled: Vec<String>,
}

/// A resource that goes back because its phase failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    pub key: Key,
    pub to: i64,
    /// Unique for the failure and the resource, so that it acts once.
    pub id: String,
}

impl PhaseRecord {
    #[must_use]
    pub fn new(name: &str) -> Self {
        PhaseRecord {
            name: name.to_owned(),
            ..PhaseRecord::default()
        }
    }

    /// Ready at this revision of the source.
    #[must_use]
    pub fn is_ready_at(&self, source: &str) -> bool {
        let ready = |c: &&Condition| c.kind == ConditionType::Ready;
        let ready = self.status.conditions.iter().find(ready);
        ready.is_some_and(|ready| ready.status == ConditionStatus::True)
            && self.status.source_revision == source
    }

    /// Nothing will happen by itself: Ready, stalled, or waiting for a person or another phase.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let ready = self
            .status
            .conditions
            .iter()
            .find(|c| c.kind == ConditionType::Ready);
        ready.is_some_and(|ready| !matches!(ready.reason, Reason::Progressing | Reason::Baking))
    }

    /// The Ready condition in a few words.
    #[must_use]
    pub fn ready_reason(&self) -> &'static str {
        let ready = self
            .status
            .conditions
            .iter()
            .find(|c| c.kind == ConditionType::Ready);
        ready.map_or("not looked at yet", |ready| ready.reason.as_str())
    }
}

/// Looks at a phase. Same scene, same step.
#[must_use]
pub fn look(scene: &Scene<'_>, record: &PhaseRecord) -> Step {
    let mut run = Run {
        scene,
        record: record.clone(),
        events: Vec::new(),
        handled: Vec::new(),
    };
    let stand = run.stand();
    run.conclude(stand)
}

/// Where the phase stands.
struct Stand {
    status: ConditionStatus,
    reason: Reason,
    message: String,
    closed: bool,
    stalled: bool,
    requeue: Option<Timestamp>,
    recall: Option<Recall>,
}

impl Stand {
    fn new(reason: Reason, message: impl Into<String>) -> Stand {
        Stand {
            status: ConditionStatus::False,
            reason,
            message: message.into(),
            closed: false,
            stalled: false,
            requeue: None,
            recall: None,
        }
    }

    fn closed(self) -> Stand {
        Stand {
            closed: true,
            ..self
        }
    }

    fn until(self, at: Timestamp) -> Stand {
        Stand {
            requeue: Some(at),
            ..self
        }
    }
}

struct Run<'a> {
    scene: &'a Scene<'a>,
    record: PhaseRecord,
    events: Vec<Event>,
    handled: Vec<String>,
}

impl Run<'_> {
    fn stand(&mut self) -> Stand {
        let content = self.content();
        self.count_generation();
        self.obey();
        if self
            .record
            .failed
            .as_ref()
            .is_some_and(|failed| failed.content != content)
        {
            self.record.failed = None;
        }
        if self
            .record
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.content != content)
        {
            self.record.attempt = None;
        }
        if let Some(on) = self.scene.blocked_on {
            return Stand::new(Reason::WaitingForDependency, on).closed();
        }
        if let Some(failed) = self.record.failed.clone() {
            return self.failed(&failed);
        }
        if self
            .record
            .reached
            .as_ref()
            .is_some_and(|reached| reached.content == content)
        {
            return self.still_ready(content);
        }
        self.advance(content)
    }

    /// Digest of everything that the phase brings about.
    fn content(&self) -> String {
        let members = self.scene.members.iter();
        let members: Vec<_> = members
            .map(|m| json!([m.key.to_string(), m.digest]))
            .collect();
        digest::of(&json!({"spec": digest::to_value(self.scene.spec), "members": members}))
    }

    fn count_generation(&mut self) {
        let spec = digest::of(&digest::to_value(self.scene.spec));
        if spec != self.record.spec_digest {
            self.record.spec_digest = spec;
            self.record.generation += 1;
        }
    }

    fn obey(&mut self) {
        for token in self.scene.tokens {
            match &token.ask {
                Ask::Retry => {
                    self.record.failed = None;
                    self.record.attempt = None;
                    self.tell(
                        Severity::Normal,
                        "Retried",
                        "a person asked for another attempt",
                    );
                }
                Ask::Approve { plan } if *plan == self.plan() => {
                    self.record.approved = Some(plan.clone());
                    self.tell(Severity::Normal, "Approved", "a person approved the phase");
                }
                Ask::Approve { .. } => {
                    let text = "the approval is of a plan that is no longer the plan";
                    self.tell(Severity::Warning, "StaleApproval", text);
                }
                Ask::Pause | Ask::Resume | Ask::Abort | Ask::Undo { .. } => {
                    let text = "a phase is approved and retried; pause, resume, abort and undo are \
                                for its resources";
                    self.tell(Severity::Warning, "NotForPhases", text);
                }
            }
            self.handled.push(token.id.clone());
        }
    }

    /// What an approval is bound to: the plans of all members.
    fn plan(&self) -> String {
        let plans = self.scene.members.iter().map(|member| {
            let plan = member.record.and_then(|record| record.status.plan.as_ref());
            json!([
                member.key.to_string(),
                member.digest,
                plan.map(|plan| &plan.digest)
            ])
        });
        digest::of(&json!(plans.collect::<Vec<_>>()))
    }

    /// Reached before: nothing is proved again for a commit that changes nothing here.
    fn still_ready(&mut self, content: String) -> Stand {
        if let Some((member, why)) = self.unready() {
            let text = format!("{member} is not Ready: {why}");
            return Stand::new(Reason::Progressing, text);
        }
        self.record.attempt = None;
        self.record.reached = Some(Reached {
            content,
            source: self.scene.source.to_owned(),
        });
        self.ready("")
    }

    fn ready(&self, how: &str) -> Stand {
        let members = self.scene.members.len();
        let message = match how {
            "" => format!("{members} of {members} resources are Ready"),
            how => format!("{members} of {members} resources are Ready; {how}"),
        };
        Stand {
            status: ConditionStatus::True,
            ..Stand::new(Reason::UpToDate, message)
        }
    }

    /// Brings the phase about: look first, then let the resources change, then prove it.
    fn advance(&mut self, content: String) -> Stand {
        let now = self.scene.now;
        if self.record.attempt.is_none() {
            self.record.attempt = Some(Attempt {
                content: content.clone(),
                started_at: now,
                gates: Vec::new(),
                measured: false,
                landed_at: None,
            });
        }
        if let Some(stand) = self.await_approval() {
            return stand;
        }
        if let Some(stand) = self.measure() {
            return stand;
        }
        if let Some(stand) = self.stalled_member(&content) {
            return stand;
        }
        if let Some((member, why)) = self.unready() {
            if let Some(attempt) = self.record.attempt.as_mut() {
                attempt.landed_at = None;
            }
            return Stand::new(Reason::Progressing, format!("{member}: {why}"));
        }
        self.prove(content)
    }

    fn await_approval(&mut self) -> Option<Stand> {
        let plan = self.plan();
        self.record.plan = None;
        let measured = self
            .record
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.measured);
        let asked = self.scene.spec.approval == Approval::Manual;
        if !asked || measured || self.record.approved.as_deref() == Some(&plan) {
            return None;
        }
        let text = format!(
            "approval: Manual. Look with `evenkeel plan`, then `evenkeel rollout approve phase/{}` \
             (plan {})",
            self.scene.name,
            digest::short(&plan)
        );
        self.record.plan = Some(plan);
        Some(Stand::new(Reason::AwaitingApproval, text).closed())
    }

    /// Monitors first: what the exit criteria say before anything changes.
    fn measure(&mut self) -> Option<Stand> {
        let attempt = self
            .record
            .attempt
            .as_mut()
            .filter(|attempt| !attempt.measured)?;
        let verify = &self.scene.spec.verify;
        match gate::baseline(
            verify,
            self.scene.gauges,
            attempt.started_at,
            self.scene.now,
        ) {
            Ok(gates) => {
                attempt.gates = gates;
                attempt.measured = true;
                let text = format!("{} resource(s)", self.scene.members.len());
                self.tell(Severity::Normal, "PhaseStarted", &text);
                None
            }
            Err(unmeasured) => {
                let stand = Stand::new(Reason::Progressing, unmeasured.message).closed();
                Some(stand.until(unmeasured.until))
            }
        }
    }

    /// A resource that needs a person ends the attempt.
    fn stalled_member(&mut self, content: &str) -> Option<Stand> {
        let stalled = self.scene.members.iter().find_map(|member| {
            let record = member
                .record
                .filter(|record| current(record, self.scene.source))?;
            let stalled = record.status.condition(ConditionType::Stalled)?;
            Some((named(member), stalled.reason, stalled.message.clone()))
        });
        let (member, reason, message) = stalled?;
        // What the gates of a resource leave open, its phase does not know better.
        let stays = reason == Reason::Inconclusive;
        let message = format!("{member} is stalled: {message}");
        Some(self.fail(content, reason, &message, stays))
    }

    /// The first member that is not Ready at this revision, and why.
    fn unready(&self) -> Option<(String, String)> {
        self.scene.members.iter().find_map(|member| {
            let Some(record) = member
                .record
                .filter(|record| current(record, self.scene.source))
            else {
                return Some((named(member), "not looked at yet".to_owned()));
            };
            let ready = record.status.condition(ConditionType::Ready)?;
            (ready.status != ConditionStatus::True).then(|| {
                (
                    named(member),
                    format!("{}: {}", ready.reason, ready.message),
                )
            })
        })
    }

    /// All resources are Ready: the exit criteria, over the bake.
    fn prove(&mut self, content: String) -> Stand {
        let now = self.scene.now;
        let spec = self.scene.spec;
        let Some(attempt) = self.record.attempt.as_mut() else {
            return Stand::new(Reason::Progressing, "planning again");
        };
        let landed = *attempt.landed_at.get_or_insert(now);
        let bake_until = later(landed, spec.bake.map_or(Duration::ZERO, |bake| bake.0));
        let view = Look {
            landed,
            bake_until,
            deadline: later(landed, VERIFY).max(bake_until),
            last_step: true,
            going_back: false,
            now,
        };
        match gate::look(&mut attempt.gates, self.scene.gauges, view) {
            Outcome::Wait { message, until } => {
                let text = format!("all resources are Ready; {message}");
                Stand::new(Reason::Baking, text).until(until)
            }
            Outcome::Regression(text) => self.fail(&content, Reason::VerifyFailed, &text, false),
            Outcome::Hold(HoldReason::NotFixed, text) => {
                self.fail(&content, Reason::VerifyFailed, &text, true)
            }
            Outcome::Hold(HoldReason::Inconclusive, text) => {
                self.fail(&content, Reason::Inconclusive, &text, true)
            }
            Outcome::Passed(_) => {
                let numbers = gate::comparison(&attempt.gates, self.scene.gauges, landed);
                self.done(content, &numbers)
            }
        }
    }

    fn done(&mut self, content: String, numbers: &str) -> Stand {
        self.record.attempt = None;
        self.record.reached = Some(Reached {
            content,
            source: self.scene.source.to_owned(),
        });
        self.record.approved = None;
        let stand = self.ready(numbers);
        self.tell(Severity::Normal, "PhaseReady", &stand.message);
        stand
    }

    fn fail(&mut self, content: &str, reason: Reason, message: &str, stays: bool) -> Stand {
        let started_at = self
            .record
            .attempt
            .take()
            .map_or(self.scene.now, |a| a.started_at);
        self.tell(Severity::Warning, "PhaseFailed", message);
        let failed = Failed {
            content: content.to_owned(),
            reason,
            message: bounded(message.to_owned()),
            started_at,
            stays,
        };
        self.record.failed = Some(failed.clone());
        self.record.reached = None;
        self.failed(&failed)
    }

    /// Held; where that is asked for, the resources go back one after the other.
    fn failed(&mut self, failed: &Failed) -> Stand {
        let recall = match self.scene.spec.on_failure {
            OnFailure::Rollback if !failed.stays => self.recall(failed),
            OnFailure::Hold | OnFailure::Rollback => None,
        };
        let way_out = format!(
            "Commit other content, or `evenkeel rollout retry phase/{}`",
            self.scene.name
        );
        let message = match &recall {
            Some(recall) => format!(
                "{}; {} goes back. {way_out}",
                failed.message, recall.key.name
            ),
            None => format!("{}. {way_out}", failed.message),
        };
        Stand {
            stalled: true,
            recall,
            ..Stand::new(failed.reason, message)
        }
        .closed()
    }

    /// The next resource to go back: of those that this attempt changed, the one that changed last
    /// and has not gone back yet.
    fn recall(&self, failed: &Failed) -> Option<Recall> {
        let changed = self.scene.members.iter().filter_map(|member| {
            let record = member.record?;
            let attempt = record
                .history
                .iter()
                .find(|entry| entry.started_at >= failed.started_at)?;
            let created = matches!(attempt.revision, 0);
            (!created).then_some((attempt.started_at, attempt.revision, member, record))
        });
        let mut changed: Vec<_> = changed.collect();
        changed.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        for (_, to, member, record) in changed {
            let id = format!("{}@{}@{}", self.scene.name, failed.started_at, member.key);
            let asked = record.recalled.as_deref() == Some(&id);
            // Also where that failed: nobody goes back twice.
            let gone = asked || record.has_gone_back(member.digest);
            let under_way = record.rollout.is_some() || record.write.is_some();
            match (gone, under_way) {
                (true, false) => {}
                // The others wait for it.
                (true, true) => return None,
                (false, _) => {
                    let key = member.key.clone();
                    return Some(Recall { key, to, id });
                }
            }
        }
        None
    }

    fn tell(&mut self, severity: Severity, reason: &str, message: &str) {
        self.events.push(Event {
            at: self.scene.now,
            about: Subject::Phase(self.scene.name.to_owned()),
            severity,
            reason: reason.to_owned(),
            message: bounded(message.to_owned()),
        });
    }

    fn conclude(mut self, stand: Stand) -> Step {
        self.record.status = self.status(&stand);
        Step {
            closed: stand
                .closed
                .then(|| format!("phase {}: {}", self.scene.name, stand.message)),
            recall: stand.recall,
            requeue: stand.requeue,
            record: self.record,
            events: self.events,
            handled: self.handled,
        }
    }

    fn status(&self, stand: &Stand) -> PhaseStatus {
        let mut facts = vec![(ConditionType::Ready, stand.status)];
        if stand.stalled {
            facts.push((ConditionType::Stalled, ConditionStatus::True));
        }
        let old = &self.record.status.conditions;
        let conditions = facts.into_iter().map(|(kind, status)| {
            let same = |c: &&Condition| c.kind == kind && c.status == status;
            Condition {
                kind,
                status,
                reason: stand.reason,
                message: bounded(stand.message.clone()),
                last_transition_time: old
                    .iter()
                    .find(same)
                    .map_or(self.scene.now, |c| c.last_transition_time),
                observed_generation: self.record.generation,
            }
        });
        PhaseStatus {
            observed_generation: self.record.generation,
            source_revision: self.scene.source.to_owned(),
            conditions: conditions.collect(),
        }
    }
}

/// Decided on at this revision of the source.
fn current(record: &Record, source: &str) -> bool {
    record.status.source_revision == source
}

fn named(member: &Member<'_>) -> String {
    let name = member
        .record
        .map_or(&member.key.name, |record| &record.name);
    format!("{}/{name}", member.key.kind.short_name())
}
