//! Folding the reply to a mutating call into the record, before anything else happens.

use super::later;
use super::settle::next_retry;
use crate::api::event::Severity;
use crate::api::{Event, Reason};
use crate::core::conditions::bounded;
use crate::core::error::{Fault, Next};
use crate::core::observed::Operation;
use crate::core::record::{Failure, Held, Record, Stage, Verb};
use jiff::Timestamp;
use std::time::Duration;

/// The record after the call in `record.write` was answered, or was not.
#[must_use]
pub fn sent(
    mut record: Record,
    reply: &Result<Operation, Fault>,
    now: Timestamp,
    jitter: f64,
) -> (Record, Vec<Event>) {
    let mut events = Vec::new();
    match reply {
        Ok(operation) => {
            record.last_operation = Some(operation.name.clone());
            if let Some(write) = record.write.as_mut() {
                write.stage = Stage::Accepted {
                    operation: operation.name.clone(),
                };
            }
        }
        Err(fault) => {
            events.push(Event {
                at: now,
                about: record.key.clone().into(),
                severity: Severity::Warning,
                reason: "CallFailed".to_owned(),
                message: bounded(format!("{fault} ({})", fault.kind.behaviour().hint)),
            });
            fold_fault(&mut record, fault, now, jitter);
        }
    }
    (record, events)
}

fn fold_fault(record: &mut Record, fault: &Fault, now: Timestamp, jitter: f64) {
    match fault.kind.behaviour().write {
        Next::Recover => {
            if let Some(write) = record.write.as_mut() {
                write.stage = Stage::Unclear {
                    since: now,
                    fault: fault.clone(),
                };
            }
        }
        Next::Retry | Next::Wait => {
            record.write = None;
            record.retry = Some(next_retry(record.retry.as_ref(), fault, now, jitter));
        }
        Next::Observe => {
            record.write = None;
            // Not at once: the read that showed otherwise may still be the same.
            let not_before = later(now, Duration::from_secs(1));
            let count = record
                .retry
                .as_ref()
                .map_or(0, |retry| retry.count)
                .saturating_add(1);
            record.retry = Some(crate::core::record::Retry {
                count,
                not_before,
                fault: fault.clone(),
            });
        }
        Next::Stall(reason) => stall(record, reason, fault, now),
    }
}

fn stall(record: &mut Record, reason: Reason, fault: &Fault, now: Timestamp) {
    let deleting = record
        .write
        .take()
        .is_some_and(|write| write.intent.verb == Verb::Delete);
    let message = bounded(format!("GCP: {fault}"));
    match record.rollout.as_mut() {
        Some(rollout) if !deleting => {
            let message = format!("{}: {message}", super::rollout::position(rollout));
            rollout.failure = Some(Failure { reason, message });
        }
        _ => {
            record.held = Some(Held {
                digest: super::removal::CONTENT.to_owned(),
                reason,
                message,
                since: now,
                rolled_back_to: None,
            });
        }
    }
}
