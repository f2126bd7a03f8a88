//! What a decision depends on, and what it says.

use crate::api::{Declared, Event, Key, Saturation};
use crate::core::conditions::Situation;
use crate::core::error::Fault;
use crate::core::fields::Fields;
use crate::core::gate::Gauges;
use crate::core::observed::{Observed, Operation};
use crate::core::record::{Record, Revision};
use crate::core::rules::Rules;
use crate::core::token::Token;
use jiff::Timestamp;
use std::time::Duration;

/// What is declared, in the core's form.
#[derive(Debug, Clone, Copy)]
pub struct Desired<'a> {
    pub declared: &'a Declared,
    /// `spec.resource` in canonical form.
    pub fields: &'a Fields,
    /// Digest of the content.
    pub digest: &'a str,
    /// The managed resources it refers to.
    pub needs: &'a [Key],
}

/// Times that the decisions use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// How long after a call of unknown fate the same call may be sent again: longer than a
    /// request can be under way.
    pub resend_after: Duration,
    /// How long a read may lag behind a finished change.
    pub read_settle: Duration,
    /// Limit of a step where the manifest names none.
    pub step_timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            resend_after: Duration::from_secs(90),
            read_settle: Duration::from_secs(30),
            step_timeout: Duration::from_mins(30),
        }
    }
}

/// The same change this often, with the same result, is a loop.
pub const LOOP_LIMIT: u32 = 3;
/// Changes further apart than this are no loop.
pub const LOOP_WINDOW: Duration = Duration::from_hours(1);
/// Attempts kept in the record (api: status shows five).
pub const HISTORY_LIMIT: usize = 20;

/// Everything a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    pub record: &'a Record,
    /// `None`: the manifest is gone.
    pub desired: Option<Desired<'a>>,
    pub observed: &'a Observed,
    /// Reply to [`Effect::Poll`].
    pub operation: Option<&'a Result<Operation, Fault>>,
    /// Reply to [`Effect::FindOperations`].
    pub operations: Option<&'a Result<Vec<Operation>, Fault>>,
    /// Reply to [`Effect::FindUsers`].
    pub users: Option<&'a Result<Vec<String>, Fault>>,
    /// The resource as GCP's operations name it.
    pub target: &'a str,
    /// What the checks of the rollout say.
    pub gauges: &'a Gauges,
    /// How full it is, where that was measured.
    pub saturation: Option<&'a Saturation>,
    /// `Some`: why no step may start now.
    pub hindrance: Option<&'a Hindrance>,
    /// Managed resources that refer to this one.
    pub referrers: &'a [String],
    /// `Some`: one of them must not be written now, and why.
    pub busy_referrer: Option<&'a str>,
    /// Requests not handled yet, oldest first.
    pub tokens: &'a [Token],
    pub rules: &'a Rules,
    /// `Some`: why nothing may be written at all.
    pub read_only: Option<&'a str>,
    /// Deletes this source revision may still do; `Err`: why deletions are frozen.
    pub deletes: Result<u32, &'a str>,
    pub timing: &'a Timing,
    pub now: Timestamp,
    /// Uniform in `0.0..1.0`.
    pub jitter: f64,
}

/// What a step has to wait for outside of its resource. Going back never waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    /// Something that the resource refers to is not ready, or a phase before its own is not.
    Dependency(String),
    /// A freeze window holds until then.
    Window(String, Timestamp),
    /// As many rollouts run as may run at the same time.
    Budget(String),
}

/// The one thing to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// GET the resource, then decide again.
    Observe,
    /// GET this operation, then decide again.
    Poll(String),
    /// List the operations of the location, then decide again.
    FindOperations,
    /// Ask GCP who uses the resource, then decide again.
    FindUsers,
    /// Make the call in `record.write`: first write it down, with the revision if there is one.
    Send(Option<Box<Revision>>),
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub record: Record,
    pub effect: Option<Effect>,
    /// Decide again then at the latest. `None`: nothing is pending but the next poll.
    pub requeue: Option<Timestamp>,
    pub events: Vec<Event>,
    /// Ids of the tokens that were acted on.
    pub handled: Vec<String>,
    /// The resource is gone for good: drop the record.
    pub forget: bool,
    /// What the decision came to, for people and tests.
    pub situation: Situation,
}
