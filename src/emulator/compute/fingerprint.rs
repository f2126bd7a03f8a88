//! Fingerprints: "a hash of the contents stored in this object", as canonical base64 (RFC 4648) of eight bytes.

use serde_json::{Map, Value};

use crate::emulator::base64;
use crate::emulator::query::checksum;

pub(super) fn of(record: &Map<String, Value>) -> String {
    let text = serde_json::to_string(record).unwrap_or_default();
    base64::encode(&checksum(&text, "").to_be_bytes())
}

/// Compares bytes, as the API does, not texts.
pub(super) fn is_current(sent: &str, record: &Map<String, Value>) -> bool {
    base64::decode(sent).is_some_and(|bytes| base64::encode(&bytes) == of(record))
}
