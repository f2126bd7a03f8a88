//! What `export` says besides the manifests: what is not in them, and why.

use super::live::object;
use super::message::{hint, note};
use super::validate::count;
use crate::api::{Declared, Key, Kind};
use crate::core::items;
use crate::kinds::export::LeftOut;
use std::collections::{BTreeMap, BTreeSet};

/// Names that one line holds before it says "and N more".
const NAMES: usize = 5;

/// What is left out for one reason.
#[derive(Default)]
struct Group<'a> {
    names: BTreeSet<String>,
    paths: BTreeSet<&'a str>,
}

/// One note for each field and reason.
#[must_use]
pub fn left_out(all: &[(Key, LeftOut)]) -> String {
    let mut groups: BTreeMap<_, Group> = BTreeMap::new();
    for (key, left) in all {
        let path = items::generic(&left.path).into_owned();
        let group = groups.entry((key.kind, path, &left.why)).or_default();
        group.names.insert(object(key.kind, &key.name));
        group.paths.insert(&left.path);
    }
    let line = |((_, path, why), group): (&(Kind, String, _), &Group)| {
        let mut paths = group.paths.iter();
        let path = match (paths.next(), paths.next()) {
            (Some(only), None) => only,
            _ => path.as_str(),
        };
        let names = names(&group.names);
        note(&format!("left out of {names}: {path}: {why}"))
    };
    groups.iter().map(line).collect()
}

/// What the reader of one manifest must know.
#[must_use]
pub fn remarks(declared: &Declared, remarks: &[String]) -> String {
    let name = object(declared.key.kind, &declared.name);
    let line = |remark: &String| note(&format!("{name}: {remark}"));
    remarks.iter().map(line).collect()
}

/// One note for each resource without a manifest.
#[must_use]
pub fn skipped(all: &[(Key, String)]) -> String {
    let line = |(key, why): &(Key, String)| {
        let name = object(key.kind, &key.name);
        note(&format!(
            "no manifest for {name} in {}: {why}",
            key.location
        ))
    };
    all.iter().map(line).collect()
}

/// Kinds that were not looked for, in Google's words.
#[must_use]
pub fn disabled(all: &BTreeMap<String, BTreeSet<Kind>>, project: &str) -> String {
    let line = |(why, kinds): (&String, &BTreeSet<Kind>)| {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        note(&format!("left out every {}: {why}", kinds.join(", every ")))
    };
    let mut text: String = all.iter().map(line).collect();
    if !all.is_empty() {
        text.push_str(&hint(&format!(
            "where Google names another project than {project}, that one lends its quota: try \
             --quota-project {project}"
        )));
    }
    text
}

/// `18 resources: 1 VpcAccessConnector, 12 RunService, ...`.
#[must_use]
pub fn sum<'k>(keys: impl Iterator<Item = &'k Key>) -> String {
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for key in keys {
        *kinds.entry(key.kind).or_default() += 1;
    }
    let parts: Vec<_> = kinds
        .iter()
        .map(|(kind, number)| format!("{number} {kind}"))
        .collect();
    let total = count(kinds.values().sum(), "resource");
    if parts.is_empty() {
        return total;
    }
    format!("{total}: {}", parts.join(", "))
}

fn names(all: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = all.iter().take(NAMES).map(String::as_str).collect();
    match all.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
