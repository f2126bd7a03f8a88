//! What GCP would refuse, and what would serve the wrong certificate.

use super::content::{Content, PRIMARY, Slot, base};
use crate::api::{Declared, Finding, Severity};
use crate::kinds::suffix::base_of;
use serde_json::Value;

/// Longest base: `-` and eight hex digits must fit into the 63 characters of a label's value.
const NAME_LIMIT: usize = 54;
const API: &str = "certificatemanager v1";

const DOMAINS: &str = "spec.resource.managed.domains";

pub(super) fn check(declared: &Declared) -> Vec<Finding> {
    let content = Content::declared(&declared.resource);
    let mut findings = Vec::new();
    findings.extend(name(declared));
    findings.extend(location(declared));
    findings.extend(
        content
            .domains
            .iter()
            .filter_map(|domain| self::domain(DOMAINS, domain)),
    );
    findings.extend(entries(declared, &content));
    findings
}

/// Each place by itself, and against those before it.
fn entries(declared: &Declared, content: &Content) -> Vec<Finding> {
    let items = declared.resource.get("attachTo").and_then(Value::as_array);
    let mut seen: Vec<Slot> = Vec::new();
    let mut findings = Vec::new();
    for (index, item) in items.into_iter().flatten().enumerate() {
        let path = format!("spec.resource.attachTo[{index}]");
        if item["hostname"].is_null() == item["matcher"].is_null() {
            findings.push(ambiguous(&path));
            continue;
        }
        let Some(slot) = Slot::of(item) else {
            continue;
        };
        findings.extend(wrong(&path, &slot, &seen).or_else(|| uncovered(&path, &slot, content)));
        seen.push(slot);
    }
    findings
}

fn wrong(path: &str, slot: &Slot, before: &[Slot]) -> Option<Finding> {
    if slot.host != PRIMARY
        && let Some(finding) = domain(&format!("{path}.hostname"), &slot.host)
    {
        return Some(finding);
    }
    before.contains(slot).then(|| {
        error(
            path,
            format!("{slot} is there twice"),
            format!("one entry for each host name of a map ({API}, CertificateMapEntry)"),
            "keep one of them",
        )
    })
}

/// Without this, an entry that was meant for one host would be for all.
fn ambiguous(path: &str) -> Finding {
    error(
        path,
        "the entry says not what it is for".to_owned(),
        format!("either hostname or matcher ({API}, CertificateMapEntry)"),
        "give the host name that clients ask for, or `matcher: PRIMARY` for those that ask for no other \
         entry's",
    )
}

fn name(declared: &Declared) -> Option<Finding> {
    let name = &declared.key.name;
    if name.len() <= NAME_LIMIT && base_of(name) == name {
        return None;
    }
    let path = if *name == declared.name {
        "metadata.name"
    } else {
        "spec.resourceName"
    };
    Some(error(
        path,
        format!("`{name}` leaves no room for the suffix of a rotation"),
        format!(
            "at most {NAME_LIMIT} characters, not ending in a hyphen and eight hex digits ({API}, \
             Certificate)"
        ),
        "choose a shorter name; evenkeel names the certificates <name>-<8 hex digits>",
    ))
}

fn location(declared: &Declared) -> Option<Finding> {
    (declared.key.location != "global").then(|| {
        error(
            "spec.location",
            "certificate maps are global only".to_owned(),
            "location: global (Google, \"Manage certificate maps\")".to_owned(),
            "use location: global; a regional load balancer takes certificates by name, not by map",
        )
    })
}

fn domain(path: &str, domain: &str) -> Option<Finding> {
    let good = |label: &str| {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let plain = base(domain);
    if plain.contains('.') && plain.len() <= 253 && plain.split('.').all(good) {
        return None;
    }
    Some(error(
        path,
        format!("`{domain}` is neither a host name nor a wildcard for the hosts of one"),
        format!("example.com or *.example.com ({API}, ManagedCertificate.domains)"),
        "name each host, or the wildcard of their common parent; a wildcard stands for one label",
    ))
}

/// A client of this host would be shown a certificate for others.
fn uncovered(path: &str, slot: &Slot, content: &Content) -> Option<Finding> {
    let wildcard = slot
        .host
        .split_once('.')
        .map(|(_, rest)| format!("*.{rest}"));
    let covered = |domain: &String| *domain == slot.host || Some(domain) == wildcard.as_ref();
    if slot.host == PRIMARY || content.domains.iter().any(covered) {
        return None;
    }
    Some(Finding {
        severity: Severity::Warning,
        ..error(
            path,
            format!("the certificate is not for `{}`", slot.host),
            "a client refuses a certificate for other names (RFC 9525)".to_owned(),
            "add the host name, or its wildcard, to managed.domains",
        )
    })
}

fn error(path: &str, message: String, limit: String, help: &str) -> Finding {
    Finding {
        path: path.to_owned(),
        message,
        limit: Some(limit),
        help: help.to_owned(),
        severity: Severity::Error,
    }
}
