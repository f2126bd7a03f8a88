//! evenkeel keeps Google Cloud at the state a team declares in git.

pub mod alert;
pub mod api;
pub mod check;
pub mod cli;
pub mod core;
pub mod emulator;
pub mod engine;
pub mod gcp;
pub mod journal;
pub mod kinds;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
pub mod render;
pub mod secrets;
pub mod serve;
pub mod source;
