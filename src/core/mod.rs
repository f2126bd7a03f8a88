//! The pure core: what to do next, given what is declared, observed and recorded.
//!
//! Invariant: no async, no I/O, no clock, no environment, no randomness. Time and jitter come in
//! as arguments; the same inputs give the same decision, byte for byte.

pub mod alert;
pub mod backoff;
pub mod check;
pub mod conditions;
pub mod decide;
pub mod digest;
pub mod error;
pub mod expiry;
pub mod fields;
pub mod freeze;
pub mod gate;
pub mod graph;
pub mod health;
pub mod items;
pub mod observed;
pub mod permit;
pub mod phase;
pub mod plan;
pub mod procedure;
pub mod record;
pub mod rules;
pub mod saturation;
pub mod steps;
pub mod token;
