//! Probes: one file for each source. They measure and never decide; what a number means is in
//! [`crate::core::check`].
//!
//! Invariant: a probe ends within its time whatever the target does, brings what the target did as
//! samples, and says by a [`ProberError`] where the measuring itself went wrong. Every connection is
//! a new one, every handshake a full one and every look-up a real one, unless the check says
//! otherwise: what is cached is not measured.

mod backend_health;
mod deadline;
mod dial;
mod dns;
mod fleet;
mod google;
mod http;
mod log;
mod metric;
mod names;
mod postgres;
mod prober;
mod progress;
mod tcp;
mod tls;
mod trust;
mod vantage;

pub use prober::{Ask, Prober, Probers, Reading};
pub use progress::Progress;
pub use vantage::{Link, NoProxy, Socks, Tunnel, TunnelError, Vantage};
