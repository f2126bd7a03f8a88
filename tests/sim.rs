//! The seeded simulation: the whole operator, the emulated GCP, faults and crashes, one thread, a
//! paused clock, everything from one number.
//!
//! `cargo test --test sim` runs a few hundred seeds; `EVENKEEL_SEEDS=10000` runs more;
//! `EVENKEEL_SEED=1234 cargo test --test sim -- --nocapture` replays one and prints what happened.

#![allow(clippy::similar_names, reason = "short names in small judges")]

#[path = "sim/mod.rs"]
mod sim;
