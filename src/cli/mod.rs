//! The command line.

pub mod embedded;
