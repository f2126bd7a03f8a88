//! The messages of compute v1, one file a resource, with every field of the API's own description.
//!
//! Compute names a field the same way in JSON and in its messages.

mod backend_policy;
pub(super) mod backend_service;
pub(super) mod certificate;
pub(super) mod group;
pub(super) mod health_check;
mod list;
pub(super) mod operation;
pub(super) mod proxy;

pub(super) use list::*;

use crate::emulator::messages::{Field, Kind, field, many as repeated};

const fn one(name: &'static str, kind: Kind) -> Field {
    field(name, name, kind)
}

const fn many(name: &'static str, kind: Kind) -> Field {
    repeated(name, name, kind)
}
