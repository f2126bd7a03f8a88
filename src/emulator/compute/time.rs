//! Times as compute writes them: RFC 3339 with milliseconds and the offset of Google's home.

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};

/// The real service follows Pacific time through the year; a client must read any offset anyway.
pub(super) fn text(at: Timestamp) -> String {
    let local = at.to_zoned(TimeZone::fixed(offset(-8)));
    local.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}
