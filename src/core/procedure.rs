//! Kinds whose change takes several calls on several objects, such as a certificate rotation.
//!
//! A procedure is a pure function from what is declared and what is live to the next call. It keeps
//! no state of its own, so it goes on after a kill from whatever it finds; the only memory is since
//! when its marks have held.

use super::fields::Fields;
use super::observed::Present;
use super::record::Verb;
use crate::api::Reason;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// The procedures of a kind.
#[derive(Debug)]
pub struct Procedures {
    /// From live to declared; `None`: plain calls on the resource do.
    pub change: fn(&Scene<'_>) -> Option<Procedure>,
    /// The manifest is gone: what leads to nothing being left; `None`: a plain delete does.
    pub removal: fn(&Scene<'_>) -> Option<Procedure>,
    /// Every change of the kind is a procedure; what tells a settled resource from another one is in
    /// a LIST, and its bodies are kept.
    pub always: bool,
    /// A change looks at more than a LIST has of the resource.
    pub looks_around: bool,
}

/// The mark that holds while what is new works: gates are judged from then on.
pub const SERVING: &str = "serving";

/// What a procedure looks at.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// GCP name of the managed resource; the objects of the procedure are named after it.
    pub name: &'a str,
    pub declared: &'a Fields,
    /// `spec.resource` as written, for what a create sends.
    pub resource: &'a Map<String, Value>,
    /// The objects were there before and were taken over; else only what evenkeel made is its own.
    pub adopted: bool,
    /// `None`: none of the objects exists.
    pub live: Option<&'a Present>,
    /// Since when each of the marks of the last look has held.
    pub since: &'a BTreeMap<String, Timestamp>,
    /// Whether what others made may be taken over.
    pub adopt: bool,
    /// Tells this attempt from every other one at this resource. What is named after it is never taken
    /// for an object of that name that is gone.
    pub attempt: i64,
    /// How many attempts at this content have failed.
    pub failed: usize,
    /// The declared fields that were reached last: what they name is ours.
    pub applied: &'a Fields,
    /// How long the new state must hold before the old one goes.
    pub bake: Duration,
    pub now: Timestamp,
}

/// Where a procedure stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Procedure {
    /// Every step, for people, in order.
    pub steps: Vec<String>,
    /// Index of the step that is next; `steps.len()` when done.
    pub at: usize,
    /// What holds now; the core remembers since when.
    pub marks: Vec<String>,
    /// The object that others should refer to now, where it is not under the key's name.
    pub object: Option<String>,
    pub next: Next,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Live is as declared.
    Done,
    /// Nothing to send: GCP has to do something first.
    Wait {
        message: String,
        /// How long that may take where the manifest sets no timeout; `None`: as any step.
        limit: Option<Duration>,
    },
    /// Nothing to send: what was done must hold until then.
    Hold {
        message: String,
        until: Timestamp,
    },
    Call(Box<Call>),
    /// This cannot be told before the objects and their users were read themselves.
    Look,
    /// No way on without a person or other content.
    Broken {
        reason: Reason,
        message: String,
    },
}

/// One call on one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub verb: Verb,
    /// Collection and name: `sslCertificates/staging-cert-1f0c88aa`.
    pub object: String,
    pub body: Value,
    /// Composite fields before and after, by which it is told whether the call took.
    pub before: Fields,
    pub after: Fields,
}
