//! Names of objects that take turns: the name of the manifest, and a suffix that tells their content.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Hex digits that tell the members of a family apart.
const SUFFIX: usize = 8;

/// `base` with a suffix for this content: equal content, equal name.
pub(super) fn suffixed(base: &str, content: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in content {
        hasher.update(part);
    }
    format!("{base}-{}", hex(&hasher.finalize()[..SUFFIX / 2]))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The base of a name: without a suffix of a hyphen and eight hex digits.
#[must_use]
pub fn base_of(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((base, suffix))
            if suffix.len() == SUFFIX
                && suffix
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) =>
        {
            base
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_family() {
        for (name, base) in [
            ("staging-cert", "staging-cert"),
            ("staging-cert-1f0c88aa", "staging-cert"),
            ("staging-cert-1f0c88a", "staging-cert-1f0c88a"),
            ("staging-cert-1F0C88AA", "staging-cert-1F0C88AA"),
            ("c-deadbeef", "c"),
        ] {
            assert_eq!(base_of(name), base);
        }
        assert_eq!(suffixed("c", &[b"ab"]), suffixed("c", &[b"a", b"b"]));
        assert_eq!(base_of(&suffixed("c", &[b"ab"])), "c");
    }
}
