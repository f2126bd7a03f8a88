//! What people read, as pure functions from data to text.
//!
//! Invariant: nothing here reads a clock, a terminal or the environment: time and width come in as
//! arguments. Text comes styled; the stream that prints it strips the styles where they do not
//! belong.

#![allow(
    clippy::format_push_string,
    reason = "texts are short, and `write!` brings a Result that never fails"
)]

pub mod alert;
pub mod describe;
pub mod documents;
pub mod export;
pub mod health;
pub mod live;
pub mod manifest;
pub mod message;
pub mod objects;
pub mod plan;
pub mod plan_data;
pub mod plan_markdown;
pub mod rollout;
pub mod set_diff;
pub mod style;
pub mod table;
pub mod time;
pub mod undo;
pub mod validate;
