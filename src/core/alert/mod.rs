//! Who is to be told what, and when: troubles in, deliveries out.
//!
//! ```text
//! conditions -> judge -> Sight -> Book (episodes) -> Exchange -> one call -> Receipt -> Book
//! ```
//!
//! An [`Episode`] is one trouble of one object from its beginning to its end, for one Alert. Each is
//! told twice: that it began and that it is over. The book is durable through [`Store`], so that a
//! restart neither forgets an end nor tells a beginning again.
//!
//! Invariant: what is marked as told was accepted by the receiver. What may have been accepted is
//! told again under the same id.

mod book;
mod episode;
mod exchange;
mod judge;
mod route;
mod status;
mod store;
mod trouble;
pub mod words;

pub use book::{Book, Health, Link};
pub use episode::{Because, Ended, Episode};
pub use exchange::{Digest, Event, Exchange, Message, Notice, Receipt};
pub use judge::{Context, judge, severity_table};
pub use route::RouteEntry;
pub use status::statuses;
pub use store::{Change, Entry, Store, StoreError};
pub use trouble::{Object, Sight, Topic, Trouble};

use std::time::Duration;

/// How often an Alertmanager is told again what goes on: it takes silence for the end. Prometheus
/// does it as often.
pub const REFRESH: Duration = Duration::from_mins(1);
/// How long an Alertmanager believes that without hearing more: its own default `resolve_timeout`.
pub const BELIEVED: Duration = Duration::from_mins(5);
/// Most alerts in one call to an Alertmanager.
pub const BATCH: usize = 64;
/// Most episodes of one topic that wait to be told; later ones count as one that came and went.
pub const EPISODES_LIMIT: usize = 8;
/// Most lines of a status update.
pub const DIGEST_LIMIT: usize = 20;
/// How long a message is tried that can no longer be of use: of an Alert that is gone, or refused
/// by a receiver that takes others.
pub const PATIENCE: Duration = Duration::from_hours(24);
