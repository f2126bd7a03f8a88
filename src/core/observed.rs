//! What was seen in GCP: the vocabulary shared by the core and the room that talks to Google.

use super::error::Fault;
use super::expiry::Expiry;
use super::fields::Fields;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The live side of one resource, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub at: Timestamp,
    /// Read by GET for this very decision. Writes are decided on fresh reads only.
    pub fresh: bool,
    pub live: Live,
}

/// What is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Live {
    /// Never read, or the scope could not be reached. Never "gone".
    Unknown(Option<Fault>),
    /// GCP says there is no such resource.
    Absent,
    Present(Box<Present>),
}

/// A resource that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Present {
    /// Managed fields in canonical form.
    pub fields: Fields,
    pub lifecycle: Lifecycle,
    /// GCP's own word for the lifecycle, such as `READY`.
    pub state: String,
    /// Who uses the resource, where GCP tells.
    pub users: Vec<String>,
    /// The object that it is now, such as `healthChecks/web-1f0c88aa`, where a procedure gave it
    /// another name than the key's.
    pub object: Option<String>,
    /// When what it serves ends, where it does.
    pub expiry: Option<Expiry>,
    /// The reply as it came, for the revision.
    pub raw: Value,
}

impl Present {
    /// The name under which GCP has it, where it is not the key's.
    #[must_use]
    pub fn other_name(&self) -> Option<&str> {
        self.object.as_deref()?.rsplit('/').next()
    }

    /// A reply that tells no more than its fields; for `..Present::of(raw)`.
    #[must_use]
    pub fn of(raw: Value) -> Self {
        Present {
            fields: Fields::new(),
            lifecycle: Lifecycle::Ready,
            state: String::new(),
            users: Vec::new(),
            object: None,
            expiry: None,
            raw,
        }
    }
}

/// Whether the resource can take a change now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lifecycle {
    Ready,
    /// GCP works on it.
    Busy,
    /// GCP is deleting it.
    Deleting,
    /// It takes changes, and as it is it does not work; the state says why.
    Unhealthy,
    /// GCP gave up on it.
    Failed,
}

/// A long-running operation in GCP, whichever of the dialects it came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// The full name that polls it.
    pub name: String,
    pub done: bool,
    /// Why it failed; `None` while it runs and after success.
    pub error: Option<Fault>,
    /// The resource it works on, as GCP names it: `projects/p/locations/l/connectors/c`.
    pub target: Option<String>,
    /// When GCP took it.
    pub created: Option<Timestamp>,
    /// The id that the request brought along, in APIs that keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}
