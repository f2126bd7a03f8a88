//! `evenkeel diff`: what two revisions of a repository declare, compared.

use super::args::DeclaredDiffArgs;
use super::{CliError, Exit, load, out};
use crate::api::Document;
use crate::core::fields::{self, Fields};
use crate::render::set_diff::{Objects, set_diff};
use crate::source::Set;
use serde::Serialize;
use serde_json::{Value, json};

/// Compares, and prints what differs.
pub fn run(args: &DeclaredDiffArgs) -> Result<Exit, CliError> {
    let old = load::at_revision(&args.old, &args.path, Exit::BadInput)?;
    let new = load::at_revision(&args.new, &args.path, Exit::BadInput)?;
    let text = set_diff(&objects(&old), &objects(&new));
    out::text(&text)?;
    Ok(if text.is_empty() {
        Exit::Success
    } else {
        Exit::Different
    })
}

/// Everything that a set declares, but not where.
fn objects(set: &Set) -> Objects {
    let managed = set.declared.iter().map(|one| {
        let key = &one.key;
        let name = format!("{} {} {}/{}", key.kind, one.name, key.project, key.location);
        let declared = json!({
            "resourceName": key.name,
            "labels": one.labels,
            "resource": one.resource,
            "policy": one.policy,
        });
        (name, flat(&declared))
    });
    let mut objects: Objects = managed.collect();
    objects.extend(set.checks.iter().map(|one| document("Check", one)));
    objects.extend(set.phases.iter().map(|one| document("Phase", one)));
    objects.extend(set.alerts.iter().map(|one| document("Alert", one)));
    objects
}

fn document<S: Serialize>(kind: &str, one: &Document<S>) -> (String, Fields) {
    let declared = json!({"labels": one.labels, "spec": one.spec});
    (format!("{kind} {}", one.name), flat(&declared))
}

fn flat(declared: &Value) -> Fields {
    let mut found = declared
        .as_object()
        .map(fields::flatten)
        .unwrap_or_default();
    // What a manifest leaves out is no field of it.
    found.retain(|_, value| !value.is_null());
    found
}
