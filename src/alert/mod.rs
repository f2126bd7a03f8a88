//! Messages out: Slack, webhooks, Alertmanager, `PagerDuty`.
//!
//! What is told and when is decided in `core::alert`. Here is the task that carries it out, apart
//! from everything else: [`Handle`] never waits, and a receiver that is dead costs one call at a
//! time of this task's own.
//!
//! Invariant: a secret is read when a call is made, goes into that call and nowhere else.

mod alertmanager;
mod courier;
mod desk;
mod http;
mod pagerduty;
mod secret;
mod slack;
mod webhook;

pub use courier::{Answer, Courier, Undelivered};
pub use desk::{Desk, Handle, Jitter, Now, Ports};
pub use http::{LivePost, Post, PostError, Reply, Request};
pub use secret::{Named, Secrets};
