//! Manifests from a git repository: one commit is one set.
//!
//! A bare clone in a folder of the operator's own is fetched, and blobs are read from the tree of a
//! commit: there is no work tree, so nothing of a commit is ever written as a file or run. The
//! commit that loaded last is remembered in the clone, through restarts.
//!
//! Invariant: a commit is in force as a whole or not at all. One that was not asked for (history
//! that does not go on from the last one, no signature of a known key) or that does not load changes
//! nothing.

mod address;
mod clone;
mod fetch;
mod follow;
mod history;
mod local;
mod reference;
mod settings;
mod signature;
mod tree;
mod trouble;

pub use address::{Address, AddressError};
pub use clone::Rules;
pub use follow::{Bell, Follow, Git, Started};
pub use local::at as at_revision;
pub use reference::{Reference, ReferenceError};
pub use settings::{Mode, Settings, Verify};
pub use trouble::Trouble;
