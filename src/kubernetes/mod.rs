//! The operator in a cluster: the same kinds as custom resources, with the journal in their status.
//!
//! Invariant: `status` is the only thing that evenkeel writes to an object, besides its own
//! finalizer where `deletion: Delete` asks for one. The loop, the decisions and the passes are those
//! of the engine; nothing here decides about GCP.

pub mod alerts;
pub mod calls;
pub mod connect;
mod crew;
pub mod election;
pub mod events;
pub mod fleet;
pub mod journal;
pub mod lease;
pub mod manifests;
pub mod memo;
pub mod requests;
pub mod revisions;
pub mod secrets;
pub mod shelf;
pub mod status;
pub mod view;
pub mod watch;
pub mod words;

pub use connect::{Access, connect};
pub use fleet::{Fleet, Options, Outfit};
pub use journal::ClusterJournal;
pub use secrets::ClusterSecrets;
pub use view::ClusterView;
