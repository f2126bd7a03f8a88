//! From live bodies to manifests that change nothing: each is judged as `evenkeel plan` would
//! judge it, and what would not stay as it is has no manifest.

use crate::api::{Declared, Key, Origin, Policy};
use crate::cli::load::KindRules;
use crate::cli::plan::judge::judge;
use crate::core::observed::{Lifecycle, Live, Present};
use crate::core::steps;
use crate::kinds::export::{Export, LeftOut, Manifests, keeper};
use crate::kinds::{self, SetNames};
use crate::render::plan_data::{ObjectPlan, Verdict, Weight};
use crate::source;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds of leaving out what would not load; each finds at least one field.
const ROUNDS: usize = 100;
const RESOURCE: &str = "spec.resource.";

/// A live resource.
#[derive(Debug, Clone)]
pub struct Found {
    pub key: Key,
    /// As GCP gave it.
    pub raw: Value,
}

/// A manifest to write.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub declared: Declared,
    /// What its reader must know.
    pub remarks: Vec<String>,
}

/// Manifests in the order of their keys, and what is not in them.
#[derive(Debug, Default)]
pub struct Exported {
    pub manifests: Vec<Manifest>,
    pub left_out: Vec<(Key, LeftOut)>,
    /// Resources without a manifest, and why.
    pub skipped: Vec<(Key, String)>,
}

/// The manifests of these resources.
#[must_use]
pub fn build(mut found: Vec<Found>) -> Exported {
    found.sort_by(|a, b| a.key.cmp(&b.key));
    let names = names(found.iter().map(|one| &one.key));
    let mut exported = Exported::default();
    for Found { key, raw } in found {
        let present = kinds::of(key.kind).live(raw);
        let name = names.get(&key).cloned().unwrap_or_default();
        match manifest(&key, name, present) {
            Ok((manifest, left_out)) => {
                let of_it = left_out.into_iter().map(|left| (key.clone(), left));
                exported.left_out.extend(of_it);
                exported.manifests.push(manifest);
            }
            Err(why) => exported.skipped.push((key, why)),
        }
    }
    refer(&mut exported.manifests);
    exported
}

/// References, to what has a manifest only.
fn refer(manifests: &mut [Manifest]) {
    let names: Manifests = manifests
        .iter()
        .map(|one| (one.declared.key.clone(), one.declared.name.clone()))
        .collect();
    for Manifest { declared, .. } in manifests {
        kinds::of(declared.key.kind).refer(&mut declared.resource, &names);
    }
}

fn manifest(key: &Key, name: String, present: Present) -> Result<(Manifest, Vec<LeftOut>), String> {
    if present.lifecycle == Lifecycle::Deleting {
        return Err("GCP is deleting it".to_owned());
    }
    if let Some(keeper) = keeper(&present.raw) {
        return Err(format!(
            "{keeper} keeps it as it is, and two that do would undo each other"
        ));
    }
    let mut export = kinds::of(key.kind).export(&present, key);
    let mut declared = Declared {
        name,
        ..draft(key.clone())
    };
    loadable(&mut declared, &mut export)?;
    let mut remarks = export.remarks;
    remarks.extend(of_state(&present));
    unchanged(&declared, present)?;
    Ok((Manifest { declared, remarks }, export.left_out))
}

fn of_state(present: &Present) -> Option<String> {
    let state = &present.state;
    match present.lifecycle {
        Lifecycle::Ready | Lifecycle::Deleting => None,
        Lifecycle::Busy => Some(format!(
            "GCP reported {state} when this was written: export it again once that is over"
        )),
        Lifecycle::Unhealthy | Lifecycle::Failed => Some(format!(
            "GCP reported {state} when this was written: what is live does not work"
        )),
    }
}

/// A manifest that adopts `key` and declares nothing.
pub(super) fn draft(key: Key) -> Declared {
    Declared {
        name: key.name.clone(),
        key,
        labels: BTreeMap::new(),
        resource: Map::new(),
        policy: Policy {
            adopt: true,
            ..Policy::default()
        },
        origin: Origin::default(),
    }
}

/// Leaves out what no manifest may say, such as a word of Google's that evenkeel does not know.
fn loadable(declared: &mut Declared, export: &mut Export) -> Result<(), String> {
    let in_calls = kinds::of(declared.key.kind).rules().procedure.is_some();
    for _ in 0..ROUNDS {
        declared.resource.clone_from(&export.resource);
        let refusals = source::refusals(declared, &KindRules);
        let Some(refusal) = refusals.into_iter().next() else {
            return Ok(());
        };
        // What is made by a procedure is one whole: a part of it means something else.
        let path = refusal.path.strip_prefix(RESOURCE).filter(|_| !in_calls);
        let Some(path) = path else {
            return Err(refusal.message);
        };
        export.leave_out(path, refusal.message);
    }
    Err("too much of it is nothing that a manifest may say".to_owned())
}

/// Adopting it must change nothing.
fn unchanged(declared: &Declared, present: Present) -> Result<(), String> {
    let names = SetNames::of(&[]);
    let live = Live::Present(Box::new(present));
    let plan = judge(declared, &names, &live, None, Timestamp::UNIX_EPOCH);
    if plan.verdict == Verdict::Unchanged {
        return Ok(());
    }
    Err(format!("it would not stay as it is: {}", trouble(&plan)))
}

fn trouble(plan: &ObjectPlan) -> String {
    let blocks = |weight: Weight| weight == Weight::Blocks;
    let remark = plan.remarks.iter().find(|remark| blocks(remark.weight));
    if let Some(remark) = remark {
        return remark.text.clone();
    }
    let steps = plan.plan.iter().flat_map(|plan| &plan.steps);
    let steps: Vec<String> = steps.map(steps::describe).collect();
    steps.join("; ")
}

/// `metadata.name` for each key: the name in GCP, with the location where it is not the only one
/// of its kind.
fn names<'k>(keys: impl Iterator<Item = &'k Key> + Clone) -> Manifests {
    let mut often: BTreeMap<(crate::api::Kind, String), usize> = BTreeMap::new();
    for key in keys.clone() {
        *often.entry((key.kind, plain(&key.name))).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    let mut names = Manifests::new();
    // Those that keep their names come first: nobody else may have them.
    let (unique, shared): (Vec<&Key>, Vec<&Key>) =
        keys.partition(|key| often.get(&(key.kind, plain(&key.name))) == Some(&1));
    for key in unique {
        taken.insert((key.kind, plain(&key.name)));
        names.insert(key.clone(), plain(&key.name));
    }
    for key in shared {
        let wanted = format!("{}-{}", plain(&key.name), plain(&key.location));
        let more = (2..).map(|number| format!("{wanted}-{number}"));
        let mut free = std::iter::once(wanted.clone()).chain(more);
        let name = free.find(|name| taken.insert((key.kind, name.clone())));
        names.insert(key.clone(), name.unwrap_or(wanted));
    }
    names
}

/// A name as `metadata.name` may be: lower-case letters, digits, hyphens and dots.
fn plain(name: &str) -> String {
    let letter = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() || c == '-' || c == '.' => c,
        _ => '-',
    };
    let name: String = name.chars().map(letter).collect();
    name.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    fn key(kind: Kind, location: &str, name: &str) -> Key {
        Key {
            kind,
            project: "p-1234".into(),
            location: location.into(),
            name: name.into(),
        }
    }

    #[test]
    fn names_stay_unless_they_are_shared() {
        let keys = [
            key(Kind::HealthCheck, "global", "hc"),
            key(Kind::HealthCheck, "us-east1", "hc"),
            key(Kind::HealthCheck, "us-east1", "hc-global"),
            key(Kind::RunService, "us-east1", "hc"),
            key(Kind::SqlInstance, "us-east1", "Old_DB-"),
        ];
        let names = names(keys.iter());
        let of: Vec<&str> = keys.iter().map(|key| names[key].as_str()).collect();
        assert_eq!(
            of,
            ["hc-global-2", "hc-us-east1", "hc-global", "hc", "old-db"]
        );
    }
}
