//! What the kinds of Compute Engine share: links, names, numbers and defaults.
//!
//! Google writes one resource in many ways: with any host, `compute/v1` or `compute/beta`, or from
//! `projects/` on. Here the last of these stands for all of them.

use crate::api::{Declared, Finding, Key, Kind, Severity};
use crate::core::fields::Fields;
use serde_json::Value;

/// Where Google's own links start.
const LINK_BASE: &str = "https://www.googleapis.com/compute/v1/";
/// Longest name, by the pattern in compute v1: `[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?`.
const NAME_LIMIT: usize = 63;

/// A link without host and version: `projects/p/global/healthChecks/h`. What is no link stays.
pub(super) fn short(link: &str) -> String {
    let link = link.trim_start_matches('/');
    let start = if link.starts_with("projects/") {
        0
    } else {
        link.find("/projects/").map_or(0, |at| at + 1)
    };
    link[start..].to_owned()
}

/// A link as Google writes it.
pub(super) fn full(link: &str) -> String {
    let short = short(link);
    if short.starts_with("projects/") {
        format!("{LINK_BASE}{short}")
    } else {
        short
    }
}

/// Whether `link` names something in `collection`: `projects/p/{place}/{collection}/{name}`.
pub(super) fn is_link(link: &str, collections: &[&str]) -> bool {
    let short = short(link);
    let parts: Vec<&str> = short.split('/').collect();
    let collection = match parts.as_slice() {
        ["projects", _, "global", collection, _]
        | ["projects", _, "regions" | "zones", _, collection, _] => *collection,
        _ => return false,
    };
    collections.contains(&collection) && parts.iter().all(|part| !part.is_empty())
}

/// The link of a managed resource.
pub(super) fn link_of(key: &Key, collection: &str) -> String {
    let Key {
        project,
        location,
        name,
        ..
    } = key;
    if location == "global" {
        format!("projects/{project}/global/{collection}/{name}")
    } else {
        format!("projects/{project}/regions/{location}/{collection}/{name}")
    }
}

/// The inverse of [`link_of`]; `None` for a link to something else.
pub(super) fn key_of(kind: Kind, link: &str, collection: &str) -> Option<Key> {
    let short = short(link);
    let parts: Vec<&str> = short.split('/').collect();
    let (project, location, found, name) = match parts[..] {
        ["projects", project, "global", found, name] => (project, "global", found, name),
        ["projects", project, "regions", region, found, name] => (project, region, found, name),
        _ => return None,
    };
    (found == collection).then(|| Key {
        kind,
        project: project.to_owned(),
        location: location.to_owned(),
        name: name.to_owned(),
    })
}

/// `1.0` and `1` are one number, and 0.1 stays 0.1 although Google keeps it in 32 bits.
pub(super) fn number(value: &Value) -> Value {
    let Some(float) = value.as_f64().filter(|_| !value.is_i64()) else {
        return value.clone();
    };
    #[allow(clippy::cast_possible_truncation, reason = "the API's own width")]
    let text = (float as f32).to_string();
    match text.parse::<i64>() {
        Ok(whole) => Value::from(whole),
        Err(_) => text
            .parse::<f64>()
            .map_or_else(|_| value.clone(), Value::from),
    }
}

/// Fields that GCP leaves out of a reply have Google's default, and a declared `null` means it.
pub(super) fn fill(fields: &mut Fields, defaults: &[(&str, Value)], nulls_only: bool) {
    for (path, default) in defaults {
        match fields.get_mut(*path) {
            Some(value) if value.is_null() => *value = default.clone(),
            None if !nulls_only => {
                fields.insert((*path).to_owned(), default.clone());
            }
            _ => {}
        }
    }
}

/// The name of a resource in GCP.
pub(super) fn check_name(declared: &Declared) -> Option<Finding> {
    let name = &declared.key.name;
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.len() <= NAME_LIMIT
        && name.chars().all(letters);
    let path = if *name == declared.name {
        "metadata.name"
    } else {
        "spec.resourceName"
    };
    (!good).then(|| Finding {
        path: path.to_owned(),
        message: format!("`{name}` is not a name in Compute Engine"),
        limit: Some(
            "1 to 63 lower-case letters, digits and hyphens, a letter first, no hyphen last \
             (compute v1)"
                .to_owned(),
        ),
        help: "choose a plain name; `resourceName` may differ from metadata.name".to_owned(),
        severity: Severity::Error,
    })
}

/// Something that Google refuses, below `spec.resource`.
pub(super) fn error(path: &str, message: String, limit: &str, help: &str) -> Finding {
    Finding {
        path: format!("spec.resource.{path}"),
        message,
        limit: Some(limit.to_owned()),
        help: help.to_owned(),
        severity: Severity::Error,
    }
}

/// Something that Google takes, and that deserves a look.
pub(super) fn warning(path: &str, message: String, limit: &str, help: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        ..error(path, message, limit, help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_resource_in_many_writings() {
        let wanted = "projects/p/global/healthChecks/h";
        for link in [
            wanted,
            "/projects/p/global/healthChecks/h",
            "https://www.googleapis.com/compute/v1/projects/p/global/healthChecks/h",
            "https://compute.googleapis.com/compute/beta/projects/p/global/healthChecks/h",
            "http://127.0.0.1:8080/compute/v1/projects/p/global/healthChecks/h",
            "compute/v1/projects/p/global/healthChecks/h",
        ] {
            assert_eq!(short(link), wanted, "{link}");
            assert!(is_link(link, &["healthChecks"]) && !is_link(link, &["backendServices"]));
        }
        assert_eq!(full(wanted), format!("{LINK_BASE}{wanted}"));
        for link in [
            "h",
            "",
            "global/healthChecks/h",
            "projects//global/healthChecks/h",
        ] {
            assert!(!is_link(link, &["healthChecks"]), "{link}");
        }
    }

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(number(&json!(1.0)), json!(1));
        assert_eq!(number(&json!(0.1)), json!(0.1));
        assert_eq!(number(&json!(0.800_000_011_920_929)), json!(0.8));
        assert_eq!(number(&json!(7)), json!(7));
        assert_eq!(number(&json!("7")), json!("7"));
    }
}
