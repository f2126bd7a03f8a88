//! What people read, as pure functions from data to text.
//!
//! Invariant: nothing here reads a clock, a terminal or the environment: time and width come in as
//! arguments. Text comes styled; the stream that prints it strips the styles where they do not
//! belong.

//TMP pub mod describe;
pub mod live;
pub mod message;
pub mod objects;
pub mod plan;
pub mod plan_data;
pub mod plan_markdown;
//TMP pub mod rollout;
pub mod style;
pub mod table;
pub mod time;
//TMP pub mod undo;
pub mod validate;
