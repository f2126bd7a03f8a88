//! Building request paths out of names.
//!
//! Invariant: a name can never change which resource a path is about: no `/`, no `..`, no `?`.

use crate::core::error::{Fault, FaultKind};
use std::fmt::Write;

/// Longest accepted name in bytes; Google's resource ids have at most 63, domain-scoped projects
/// somewhat more.
const SEGMENT_LIMIT: usize = 253;

/// One path segment, percent-encoded.
///
/// # Errors
/// `Invalid` for empty, `.`, `..`, overlong, and for `/ \ ? # %` or control characters.
pub fn segment(name: &str) -> Result<String, Fault> {
    let bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | '?' | '#' | '%');
    if matches!(name, "" | "." | "..") || name.len() > SEGMENT_LIMIT || name.contains(bad) {
        return Err(Fault {
            kind: FaultKind::Invalid,
            http: 0,
            code: "INVALID_NAME".to_owned(),
            message: super::error::bounded(&format!("not a name for a request path: {name:?}")),
        });
    }
    Ok(encode(name))
}

/// A resource name such as `projects/p/locations/l/operations/o`, each segment checked and encoded.
///
/// # Errors
/// As [`segment`].
pub fn full_name(name: &str) -> Result<String, Fault> {
    let segments: Result<Vec<String>, Fault> = name.split('/').map(segment).collect();
    Ok(segments?.join("/"))
}

/// The project of a `projects/{project}/...` name.
#[must_use]
pub fn project_of(name: &str) -> Option<&str> {
    name.strip_prefix("projects/")?.split('/').next()
}

/// Encodes all but RFC 3986 unreserved characters.
fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments() {
        assert_eq!(segment("my-proj").as_deref(), Ok("my-proj"));
        assert_eq!(segment("example.com:p").as_deref(), Ok("example.com%3Ap"));
        assert_eq!(segment("ü x").as_deref(), Ok("%C3%BC%20x"));
        let long = "a".repeat(254);
        for bad in [
            "", ".", "..", "a/b", "a?b", "a#b", "a%2Fb", "a\\b", "a\nb", &long,
        ] {
            assert_eq!(segment(bad).unwrap_err().kind, FaultKind::Invalid, "{bad}");
        }
    }

    #[test]
    fn names() {
        let name = "projects/p/locations/l/operations/o";
        assert_eq!(full_name(name).as_deref(), Ok(name));
        assert_eq!(project_of(name), Some("p"));
        assert_eq!(project_of("operations/o"), None);
        for bad in ["projects/../x", "projects//x", "/x", "x/", "a?b/c"] {
            assert!(full_name(bad).is_err(), "{bad}");
        }
    }
}
