//! Names: of resources, of the places they live in, and of what they refer to.
//!
//! Records keep references by the project's id; clients get them with its number, as Google gives them.

use serde_json::{Value, json};

use super::refusal::refuse;
use crate::emulator::errors::ApiError;
use crate::emulator::quota::project_number;

/// "The name must be 1-64 characters long, and match the regular expression [a-zA-Z][a-zA-Z0-9_-]*."
const ID_LENGTH_MAX: usize = 64;

/// RFC 1035.
const DOMAIN_LENGTH_MAX: usize = 253;

pub(super) fn check_id(parameter: &str, id: &str) -> Result<(), ApiError> {
    let inside = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    let good = (1..=ID_LENGTH_MAX).contains(&id.len())
        && id.bytes().all(inside)
        && id.starts_with(|c: char| c.is_ascii_alphabetic());
    if good {
        return Ok(());
    }
    Err(refuse(parameter, &format!("invalid resource id \"{id}\"")))
}

/// Two labels at least, each of letters, digits and inner hyphens.
pub(super) fn is_domain(name: &str) -> bool {
    let good = |label: &str| {
        let inside = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= DOMAIN_LENGTH_MAX && name.contains('.') && name.split('.').all(good)
}

/// The domain that authorizes this one: of `*.example.com` it is `example.com`.
pub(super) fn base(domain: &str) -> &str {
    domain.strip_prefix("*.").unwrap_or(domain)
}

/// `projects/p/locations/l`
pub(super) fn place(name: &str) -> String {
    name.split('/').take(4).collect::<Vec<_>>().join("/")
}

pub(super) fn location(name: &str) -> &str {
    name.split('/').nth(3).unwrap_or_default()
}

fn project(name: &str) -> &str {
    name.split('/').nth(1).unwrap_or_default()
}

/// A reference to a resource of `collection` in the place of `of`, by the project's id; None when it is anything
/// else.
pub(super) fn read_reference(text: &str, collection: &str, of: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('/').collect();
    let ["projects", given, "locations", location_given, found, id] = parts[..] else {
        return None;
    };
    let own = project(of);
    let same_project = given == own || given == project_number(own).to_string();
    let good = same_project && location_given == location(of) && found == collection;
    (good && !id.is_empty()).then(|| format!("{}/{collection}/{id}", place(of)))
}

/// The same reference as clients see it.
pub(super) fn show_reference(name: &str) -> Value {
    let own = project(name);
    let number = project_number(own).to_string();
    json!(name.replacen(
        &format!("projects/{own}/"),
        &format!("projects/{number}/"),
        1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_one_project_by_id_and_by_number() {
        let of = "projects/p1/locations/global/certificates/c";
        let own = "projects/p1/locations/global/dnsAuthorizations/a";
        let shown = show_reference(own);
        let numbered = shown.as_str().unwrap();
        assert_ne!(numbered, own);
        for text in [own, numbered] {
            let read = read_reference(text, "dnsAuthorizations", of);
            assert_eq!(read.as_deref(), Some(own));
        }
        for text in [
            "a",
            "projects/p2/locations/global/dnsAuthorizations/a",
            "projects/p1/locations/us-east1/dnsAuthorizations/a",
            "projects/p1/locations/global/certificates/a",
            "projects/p1/locations/global/dnsAuthorizations/",
            "//certificatemanager.googleapis.com/projects/p1/locations/global/dnsAuthorizations/a",
        ] {
            assert_eq!(
                read_reference(text, "dnsAuthorizations", of),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn domains() {
        for good in ["a.example.com", "1.example.com", "x-y.z"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in [
            "",
            "com",
            "*.example.com",
            "a..b",
            "-a.b",
            "a_b.c",
            ".a.b",
            "a.b.",
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }
}
