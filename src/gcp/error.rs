//! Judging failures: from what came back to the [`Fault`] that decides behaviour.
//!
//! Invariant: a reply that does not say for certain that nothing happened is `Unclear`, and no
//! fault carries a secret or more than 1 KiB of text. The table follows what Google documents
//! (<https://docs.cloud.google.com/compute/docs/api/rate-limits>, google.rpc.Code) and what
//! long-lived clients have learned about the rest.

use super::google_error::GoogleError;
use super::http::TransportError;
use super::redact::redact;
use crate::core::error::{Fault, FaultKind};
use ::http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::time::Duration;

/// Longest message of a fault, in bytes.
pub const MESSAGE_LIMIT: usize = 1024;
/// Longest wait that is believed. A longer one is a mistake somewhere; asking again is cheap.
const WAIT_LIMIT: Duration = Duration::from_hours(1);
/// "Retry when operations finish": the least wait after `CONCURRENT_OPERATIONS_QUOTA_EXCEEDED`.
const OPERATIONS_QUOTA_WAIT: Duration = Duration::from_mins(1);

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub fault: Fault,
    /// Google asks for silence this long, whatever the kind of the fault.
    pub wait: Option<Duration>,
    /// False where the same read would fail the same way although the kind is transient.
    pub again: bool,
}

impl Refusal {
    /// A failure that no reply explains.
    #[must_use]
    pub fn local(fault: Fault) -> Self {
        Refusal {
            fault,
            wait: None,
            again: true,
        }
    }

    /// A failure that a repetition at once would not change.
    #[must_use]
    pub fn settled(fault: Fault) -> Self {
        Refusal {
            again: false,
            ..Self::local(fault)
        }
    }
}

/// When the reply came, for waits that end at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub now: Timestamp,
    /// Added to a wait for the next whole minute, so that not everybody returns at its first
    /// instant.
    pub jitter: Duration,
}

/// Judges a reply with an error status.
#[must_use]
pub fn from_reply(status: StatusCode, headers: &HeaderMap, body: &[u8], at: Moment) -> Refusal {
    let error = GoogleError::from_body(body);
    let asked = retry_after(headers, at.now).or(error.retry_delay);
    let kind = kind_of(status, &error);
    let wait = match kind {
        FaultKind::Throttled { .. } => throttled_for(&error, asked, at),
        _ => asked,
    };
    let wait = wait.map(|wait| wait.min(WAIT_LIMIT));
    let kind = match kind {
        FaultKind::Throttled { .. } => FaultKind::Throttled { after: wait },
        other => other,
    };
    let word = if kind == FaultKind::Denied && is_api_disabled(&error) {
        Fault::API_DISABLED
    } else {
        error.word()
    };
    Refusal {
        fault: fault(kind, status.as_u16(), word, &said(status, &error)),
        wait,
        again: true,
    }
}

/// Judges a call without a reply.
#[must_use]
pub fn from_transport(error: &TransportError) -> Refusal {
    let (kind, code, again) = match error {
        TransportError::NotSent(_) => (FaultKind::Throttled { after: None }, "NOT_SENT", true),
        TransportError::Lost(_) => (FaultKind::Unclear, "NO_REPLY", true),
        TransportError::TooLarge { .. } => (FaultKind::Unclear, "REPLY_TOO_LARGE", false),
    };
    Refusal {
        fault: fault(kind, 0, code, &error.to_string()),
        wait: None,
        again,
    }
}

/// Judges the `error` of a failed google.longrunning operation. There is no HTTP status: `http` is
/// 0 and `code` is the name of the google.rpc code.
#[must_use]
pub fn from_operation(error: &Value) -> Fault {
    let parsed = GoogleError::from_status(error);
    let number = error["code"].as_i64().unwrap_or(2);
    let (word, kind) = match number {
        1 => ("CANCELLED", FaultKind::Unclear),
        3 => ("INVALID_ARGUMENT", FaultKind::Invalid),
        4 => ("DEADLINE_EXCEEDED", FaultKind::Unclear),
        5 => ("NOT_FOUND", FaultKind::NotFound),
        6 => ("ALREADY_EXISTS", FaultKind::AlreadyExists),
        7 => ("PERMISSION_DENIED", FaultKind::Denied),
        8 => (
            "RESOURCE_EXHAUSTED",
            FaultKind::Throttled {
                after: parsed.retry_delay,
            },
        ),
        9 if is_busy(&parsed) => ("FAILED_PRECONDITION", FaultKind::Busy),
        9 if is_in_use(&parsed) => ("FAILED_PRECONDITION", FaultKind::InUse),
        9 => ("FAILED_PRECONDITION", FaultKind::Invalid),
        10 => ("ABORTED", FaultKind::Conflict),
        11 => ("OUT_OF_RANGE", FaultKind::Invalid),
        12 => ("UNIMPLEMENTED", FaultKind::Invalid),
        13 => ("INTERNAL", FaultKind::Unclear),
        14 => ("UNAVAILABLE", FaultKind::Unclear),
        15 => ("DATA_LOSS", FaultKind::Unclear),
        16 => ("UNAUTHENTICATED", FaultKind::Denied),
        _ => ("UNKNOWN", FaultKind::Unclear),
    };
    fault(kind, 0, word, &parsed.message)
}

/// Judges a finished operation of Compute Engine by the HTTP status and the words it ended with.
#[must_use]
pub fn from_finished(http: Option<u16>, error: &GoogleError) -> Fault {
    let status = http.and_then(|code| StatusCode::from_u16(code).ok());
    let kind = match status {
        Some(status) => kind_of(status, error),
        None if is_busy(error) => FaultKind::Busy,
        None if is_in_use(error) => FaultKind::InUse,
        None => FaultKind::Unclear,
    };
    fault(kind, http.unwrap_or(0), error.word(), &error.message)
}

/// A reply that came with a success status and does not say what it should.
#[must_use]
pub fn unreadable(status: StatusCode, what: &str) -> Fault {
    fault(
        FaultKind::Unclear,
        status.as_u16(),
        "UNREADABLE_REPLY",
        what,
    )
}

/// A fault with its text made safe.
#[must_use]
pub fn fault(kind: FaultKind, http: u16, code: &str, message: &str) -> Fault {
    Fault {
        kind,
        http,
        code: truncated(&redact(code), 128),
        message: bounded(message),
    }
}

/// The same fault, with the location that it is about.
#[must_use]
pub fn within(location: &str, fault: Fault) -> Fault {
    Fault {
        message: bounded(&format!("in {location}: {}", fault.message)),
        ..fault
    }
}

/// The message without secrets, at most 1 KiB. Secrets go first: a cut could hide where one ends.
#[must_use]
pub fn bounded(message: &str) -> String {
    truncated(&redact(message), MESSAGE_LIMIT)
}

fn truncated(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

fn kind_of(status: StatusCode, error: &GoogleError) -> FaultKind {
    match status.as_u16() {
        429 => FaultKind::Throttled { after: None },
        403 if is_rate_limit(error) => FaultKind::Throttled { after: None },
        401 | 403 => FaultKind::Denied,
        404 => FaultKind::NotFound,
        412 => FaultKind::Conflict,
        409 => conflict(error),
        400 => refused(error),
        // Client closed, request timeout: the front end gave up on a call it may have passed on.
        408 | 499 => FaultKind::Unclear,
        402..500 => FaultKind::Invalid,
        // A redirect is not followed; who sent it is not known.
        _ => FaultKind::Unclear,
    }
}

/// The project does not use the API. Google has the same reason for a caller whose credentials name no
/// project to count the call to.
fn is_api_disabled(error: &GoogleError) -> bool {
    error.says(&[Fault::API_DISABLED, "accessNotConfigured"])
        && !error.mentions(&["requires a quota project"])
}

fn conflict(error: &GoogleError) -> FaultKind {
    let exists = [
        "ALREADY_EXISTS",
        "RESOURCE_ALREADY_EXISTS",
        "instanceAlreadyExists",
    ];
    if error.says(&exists) {
        FaultKind::AlreadyExists
    } else if is_busy(error) {
        FaultKind::Busy
    } else if is_in_use(error) {
        FaultKind::InUse
    } else {
        // ABORTED, conditionNotMet, and words not met yet: looking again is never wrong.
        FaultKind::Conflict
    }
}

fn refused(error: &GoogleError) -> FaultKind {
    if is_busy(error) {
        FaultKind::Busy
    } else if is_in_use(error) {
        FaultKind::InUse
    } else if error.says(&["conditionNotMet"]) {
        FaultKind::Conflict
    } else {
        FaultKind::Invalid
    }
}

/// What messages say of a resource that cannot take a change yet. Google has no one word for it
/// where the error carries no reason.
const BUSY_PHRASES: &[&str] = &[
    "not ready",
    "not in ready",
    "not in a ready",
    "not in the ready",
    "operation in progress",
    "operation is in progress",
    "operation is already in progress",
    "another operation",
];

/// Another operation runs on the resource, or it is not ready for a change.
fn is_busy(error: &GoogleError) -> bool {
    if error.says(&["operationInProgress", "RESOURCE_NOT_READY"]) {
        return true;
    }
    // A message about the content may quote anything.
    let about_content = error.says(&["INVALID_ARGUMENT", "invalid", "ALREADY_EXISTS"]);
    !about_content && (error.mentions(BUSY_PHRASES) || names_a_transition(&error.message))
}

/// True for "in state UPDATING", "is being created", "is currently deleting" and the like, but not
/// for "creating a connector needs ...".
fn names_a_transition(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let words: Vec<&str> = message
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.windows(2).any(|pair| match pair[1] {
        "updating" | "creating" | "deleting" => {
            matches!(pair[0], "state" | "is" | "still" | "currently" | "status")
        }
        "updated" | "created" | "deleted" | "modified" => pair[0] == "being",
        _ => false,
    })
}

/// A failed operation has the words alone.
fn is_in_use(error: &GoogleError) -> bool {
    error.says(&[
        "resourceInUseByAnotherResource",
        "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
        "resourceInUse",
        "RESOURCE_STILL_IN_USE",
    ]) || error.mentions(&["that is referenced by"])
}

/// Compute says 403 where others say 429.
fn is_rate_limit(error: &GoogleError) -> bool {
    error.says(&[
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED",
    ]) || is_per_minute(error)
}

fn is_per_minute(error: &GoogleError) -> bool {
    error.mentions(&["quota exceeded for quota metric"]) && error.mentions(&["per minute"])
}

/// How long to stay silent after a refusal for rate.
fn throttled_for(error: &GoogleError, asked: Option<Duration>, at: Moment) -> Option<Duration> {
    if error.says(&["CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"]) {
        let least = OPERATIONS_QUOTA_WAIT + at.jitter;
        return Some(asked.map_or(least, |asked| asked.max(least)));
    }
    if asked.is_some() {
        return asked;
    }
    // Rate quotas refill at the start of the next synchronised minute, such as 10:01:00.
    let refills = is_per_minute(error) || error.says(&["rateLimitExceeded"]);
    refills.then(|| until_next_minute(at.now) + at.jitter)
}

fn until_next_minute(now: Timestamp) -> Duration {
    let passed = now.as_millisecond().rem_euclid(60_000);
    Duration::from_millis(60_000_u64.saturating_sub(passed.unsigned_abs()))
}

/// `Retry-After`: seconds or an HTTP date; a date in the past is no wait.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let wait: SignedDuration = until.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

/// What a person reads: Google's message, or what the reply was like.
fn said(status: StatusCode, error: &GoogleError) -> String {
    let about = status.canonical_reason().unwrap_or("no reason given");
    if status.is_redirection() {
        format!("redirect not followed ({about}): check the endpoint and the proxy")
    } else if error.message.is_empty() {
        format!("{about}, without a message")
    } else {
        error.message.clone()
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
