//! Phases: groups of resources that change one after the other, each proved before the next.
//!
//! [`look`] is pure: what a phase is told and remembers goes in, what follows comes out. What
//! lasts is in the [`PhaseRecord`], so that a phase goes on after a kill.

mod attempt;
mod back;
mod people;
mod record;
mod stand;

pub use record::{Attempt, Failed, Mark, PhaseRecord, Reached, Release};

use super::digest;
use super::gate::Gauges;
use super::record::Record;
use super::token::Token;
use crate::api::{ConditionStatus, Event, Key, PhaseSpec, Reason};
use jiff::Timestamp;
use serde_json::json;
use stand::Stand;

/// One resource of a phase.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    pub key: &'a Key,
    /// Digest of its declared content.
    pub digest: &'a str,
    /// `None`: not looked at yet.
    pub record: Option<&'a Record>,
    /// A person asked to try it again, and it has not taken that in yet.
    pub retried: bool,
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
        self.drop_done_releases();
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
}
