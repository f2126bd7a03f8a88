//! What went wrong with a call to GCP, as kinds that decide behaviour.
//!
//! [`FaultKind::behaviour`] is the one place that turns a kind into what follows from it.

use crate::api::Reason;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A failed call or a failed operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    pub kind: FaultKind,
    /// HTTP status, or 0 where there was no reply.
    pub http: u16,
    /// Google's word: `INVALID_ARGUMENT`, `rateLimitExceeded`, `notFound`, ...
    pub code: String,
    /// Google's message, secrets removed, at most 1 KiB.
    pub message: String,
}

impl Fault {
    /// Google's word where a project does not use an API.
    pub const API_DISABLED: &str = "SERVICE_DISABLED";

    /// The API is off in the project that the call is counted to.
    #[must_use]
    pub fn is_api_disabled(&self) -> bool {
        self.kind == FaultKind::Denied && self.code == Self::API_DISABLED
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.http == 0 {
            write!(f, "{}: {}", self.code, self.message)
        } else {
            write!(f, "HTTP {} {}: {}", self.http, self.code, self.message)
        }
    }
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FaultKind {
    /// Refused before anything happened, worth another try: 429, 403 rateLimitExceeded, no
    /// connection, no token for now.
    Throttled {
        /// Not before this long from now, where the reply says so.
        after: Option<Duration>,
    },
    /// No reply, or a reply that does not tell: 5xx, timeout, reset. A write may have landed.
    Unclear,
    /// Somebody else was faster: 409 ABORTED, 412 conditionNotMet. Observe again, plan again.
    Conflict,
    /// Another operation runs on the resource: 409 operationInProgress, 400 resourceNotReady.
    Busy,
    /// 404.
    NotFound,
    /// 409 `ALREADY_EXISTS`.
    AlreadyExists,
    /// 400 resourceInUseByAnotherResource.
    InUse,
    /// 400 and other refusals of the content: the same content will be refused again.
    Invalid,
    /// 401, 403: the caller may not, or the API is off.
    Denied,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again after a backoff; no verdict on the content.
    Retry,
    /// Find out whether the call landed before anything else is sent.
    Recover,
    /// Read the live state again and plan again.
    Observe,
    /// Wait for the other operation, then observe.
    Wait,
    /// Hold this content until it changes or a person says retry.
    Stall(Reason),
}

/// Everything that depends on the kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// What a failed write leads to.
    pub write: Next,
    /// Stable word for metrics and logs.
    pub label: &'static str,
    /// Exit code of a one-shot command that ends with this failure.
    pub exit: u8,
    /// What a person can do.
    pub hint: &'static str,
}

impl FaultKind {
    /// The one mapping from a kind of failure to what follows.
    #[must_use]
    pub fn behaviour(self) -> Behaviour {
        let (write, label, hint) = match self {
            FaultKind::Throttled { .. } => (
                Next::Retry,
                "throttled",
                "waiting for quota or network; nothing to do",
            ),
            FaultKind::Unclear => (
                Next::Recover,
                "unclear",
                "checking whether the call landed; nothing to do",
            ),
            FaultKind::Conflict => (
                Next::Observe,
                "conflict",
                "reading the live state again; nothing to do",
            ),
            FaultKind::Busy => (
                Next::Wait,
                "busy",
                "another operation runs on the resource; waiting for it",
            ),
            FaultKind::NotFound => (Next::Observe, "not_found", "the resource is gone"),
            FaultKind::AlreadyExists => (
                Next::Observe,
                "already_exists",
                "set adopt: true to take it over",
            ),
            FaultKind::InUse => (Next::Wait, "in_use", "remove its users first"),
            FaultKind::Invalid => (
                Next::Stall(Reason::InvalidSpec),
                "invalid",
                "commit other content; the same content is not sent again",
            ),
            FaultKind::Denied => (
                Next::Stall(Reason::PermissionDenied),
                "denied",
                "grant the permission or enable the API, then `evenkeel rollout retry`",
            ),
        };
        Behaviour {
            write,
            label,
            exit: 1,
            hint,
        }
    }

    /// True where a read is worth repeating at once, with backoff.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, FaultKind::Throttled { .. } | FaultKind::Unclear)
    }
}
