//! The objects of a namespace as a declared set: the rules of files, object by object.

use super::memo::Memo;
use super::status::Trouble;
use super::words::{IN_FORCE, ObjectId, SOURCE_REVISION, annotation, is_leaving, manifest};
use crate::api::{Declared, Finding, Reason, Reference};
use crate::core::digest::{self, to_value};
use crate::kinds;
use crate::source::objects::{Judged, Object, judge};
use crate::source::{Check, Problem, Set};
use kube::api::DynamicObject;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The rules of every kind.
struct KindRules;

impl Check for KindRules {
    fn check(&self, declared: &Declared) -> Vec<Finding> {
        kinds::of(declared.key.kind).check(declared)
    }

    fn references(&self, declared: &Declared) -> Vec<Reference> {
        kinds::of(declared.key.kind).references(declared)
    }
}

/// The last bodies of objects that loaded, by object.
#[derive(Default)]
pub struct Manifests {
    good: BTreeMap<ObjectId, Vec<u8>>,
}

/// A namespace as it is declared now.
pub struct Judgement {
    pub set: Set,
    /// Why the present spec of an object is not in force.
    pub troubles: BTreeMap<ObjectId, Trouble>,
    /// What is in force in place of it, packed.
    pub in_force: BTreeMap<ObjectId, String>,
    /// Objects of which nothing is in force.
    pub absent: Vec<ObjectId>,
    /// Which generation of an object has which spec.
    pub generations: Vec<(ObjectId, String, i64)>,
}

impl Manifests {
    /// Judges the objects that are there and do not leave.
    pub fn judge(&mut self, objects: &[(ObjectId, Arc<DynamicObject>)]) -> Judgement {
        self.recall(objects);
        let staying: Vec<_> = objects
            .iter()
            .filter(|(_, object)| !is_leaving(object))
            .collect();
        let bodies: Vec<Object> = staying
            .iter()
            .map(|(id, object)| Object {
                id: id.to_string(),
                body: manifest(object, id.kind).to_string().into_bytes(),
                last_good: self.good.get(id).cloned(),
            })
            .collect();
        let judged = judge(&bodies, &revision(&staying, &bodies), &KindRules);
        let names: BTreeMap<String, &ObjectId> =
            staying.iter().map(|(id, _)| (id.to_string(), id)).collect();
        self.good
            .retain(|id, _| names.contains_key(&id.to_string()));
        for ((id, _), body) in staying.iter().zip(bodies) {
            if !judged.refused.contains_key(&body.id) && !judged.absent.contains(&body.id) {
                self.good.insert(id.clone(), body.body);
            }
        }
        let numbers: BTreeMap<&ObjectId, i64> = staying
            .iter()
            .map(|(id, object)| (id, object.metadata.generation.unwrap_or_default()))
            .collect();
        let generation = |id: &ObjectId| numbers.get(id).copied().unwrap_or_default();
        let troubles = troubles(&judged, &names, &generation);
        let in_force = troubles.keys().filter_map(|id| {
            let body: Value = serde_json::from_slice(self.good.get(id)?).ok()?;
            let memo = Memo {
                record: body,
                handled: BTreeMap::new(),
            };
            Some((id.clone(), memo.pack().ok()?))
        });
        Judgement {
            in_force: in_force.collect(),
            generations: generations(&judged.set, &generation),
            absent: judged
                .absent
                .iter()
                .filter_map(|id| names.get(id))
                .map(|id| (*id).clone())
                .collect(),
            set: judged.set,
            troubles,
        }
    }
}

impl Manifests {
    /// What was in force in an earlier process, and still is.
    fn recall(&mut self, objects: &[(ObjectId, Arc<DynamicObject>)]) {
        for (id, object) in objects {
            let status = object.data.get("status");
            let text = status.and_then(|status| status.get(IN_FORCE)?.as_str());
            if let Some(text) = text
                && !self.good.contains_key(id)
                && let Ok(memo) = Memo::<Value>::unpack(text)
            {
                self.good
                    .insert(id.clone(), memo.record.to_string().into_bytes());
            }
        }
    }
}

fn troubles(
    judged: &Judged,
    names: &BTreeMap<String, &ObjectId>,
    generation: &dyn Fn(&ObjectId) -> i64,
) -> BTreeMap<ObjectId, Trouble> {
    let refused = judged.refused.iter().filter_map(|(name, problems)| {
        let id = *names.get(name)?;
        let tail = if judged.absent.contains(name) {
            ""
        } else {
            ". The spec before it stays in force"
        };
        let message = format!("{}{tail}", words(problems));
        Some((
            id.clone(),
            Trouble::new(Reason::InvalidSpec, message, generation(id)),
        ))
    });
    refused.collect()
}

/// What files would say, without the place: fields stand for lines.
fn words(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| {
        let field = problem.field.as_deref().map(|field| format!("{field}: "));
        let limit = problem
            .limit
            .as_deref()
            .map(|limit| format!(" (limit: {limit})"));
        format!(
            "{}{}{}; {}",
            field.unwrap_or_default(),
            problem.message,
            limit.unwrap_or_default(),
            problem.help
        )
    });
    lines.collect::<Vec<_>>().join(". ")
}

/// Digests as the records have them.
fn generations(set: &Set, generation: &dyn Fn(&ObjectId) -> i64) -> Vec<(ObjectId, String, i64)> {
    use crate::api::DocumentKind::{Check, Phase};
    let managed = set.declared.iter().map(|declared| {
        (
            ObjectId::new(declared.key.kind, &declared.name),
            digest::spec(declared),
        )
    });
    let checks = set.checks.iter().map(|check| {
        let spec = digest::of(&to_value(&check.spec));
        (ObjectId::new(Check, &check.name), spec)
    });
    let phases = set.phases.iter().map(|phase| {
        let spec = digest::of(&to_value(&phase.spec));
        (ObjectId::new(Phase, &phase.name), spec)
    });
    let all = managed.chain(checks).chain(phases);
    all.map(|(id, spec)| {
        let generation = generation(&id);
        (id, spec, generation)
    })
    .collect()
}

/// One revision for the whole namespace, as a directory has one: phases wait for each other at the
/// same one. Where everything says that it came from the same commit, that stands before it.
fn revision(objects: &[&(ObjectId, Arc<DynamicObject>)], bodies: &[Object]) -> String {
    let content: Vec<_> = bodies
        .iter()
        .map(|body| json!([body.id, String::from_utf8_lossy(&body.body)]))
        .collect();
    let digest = digest::of(&content.into());
    let short = digest::short(&digest);
    let mut sources = objects
        .iter()
        .map(|(_, object)| annotation(object, SOURCE_REVISION));
    match sources.next().flatten() {
        Some(first) if sources.all(|other| other == Some(first)) => format!("{first}+{short}"),
        _ => format!("kubernetes@{short}"),
    }
}
