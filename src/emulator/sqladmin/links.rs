//! Addresses of instances and operations, as the API links to them.

use crate::emulator::api::Eye;
use crate::emulator::route::GOOGLE;

/// `path` is from `projects` on. Google itself links to the API's own host.
pub(super) fn link(eye: &Eye, path: &str) -> String {
    let base = match eye.base {
        GOOGLE => "https://sqladmin.googleapis.com",
        base => base,
    };
    format!("{base}/{}/{path}", eye.version)
}
