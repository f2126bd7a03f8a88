//! Rules of `spec.rollout` that a schema cannot say.

use super::diagnostic::{Fault, Faults};
use super::node::{Data, Entry, Node};
use super::schema::{self, join};
use super::suggest::{nearest, quote};
use crate::api::Kind;
use serde_json::Value;

/// Checks `maxStep` and `steps` against each other and against what `spec.resource` declares.
pub(super) fn check(kind: Kind, spec: &Node, resource_schema: &Value, out: &mut Faults) {
    let Some(rollout) = spec.get("rollout") else {
        return;
    };
    if let (Some(max_step), Some(steps)) = (rollout.entry("maxStep"), rollout.entry("steps")) {
        let message = "maxStep and steps together";
        let help = "keep maxStep to have steps derived from the live value, or steps to write \
                    them yourself";
        let fault = Fault::new(steps.key_at.clone(), message, help).field("spec.rollout.steps");
        out.push(fault.also(max_step.key_at.clone(), "maxStep is here"));
    }
    let declared = spec.get("resource");
    if let Some(max_step) = rollout.get("maxStep") {
        for entry in max_step.entries() {
            max_step_field(entry, declared, resource_schema, out);
        }
    }
    if let Some(Data::List(steps)) = rollout.get("steps").map(|steps| &steps.data) {
        for (index, step) in steps.iter().enumerate() {
            let path = format!("spec.rollout.steps[{index}]");
            one_step(step, &path, declared, resource_schema, out);
        }
        traffic(kind, steps, out);
    }
}

/// `traffic` belongs to services, grows from step to step, and excludes `set`.
fn traffic(kind: Kind, steps: &[Node], out: &mut Faults) {
    let mut before = 0;
    for (index, step) in steps.iter().enumerate() {
        let Some(entry) = step.entry("traffic") else {
            continue;
        };
        let path = format!("spec.rollout.steps[{index}].traffic");
        let mut push = |message: String, help: &str| {
            out.push(Fault::new(entry.key_at.clone(), message, help).field(&path));
        };
        if kind != Kind::RunService {
            push(
                format!("{kind} has no traffic to move"),
                "traffic steps are for a RunService; use set or pause here",
            );
            continue;
        }
        if steps.iter().any(|step| step.entry("set").is_some()) {
            push(
                "traffic steps and set steps together".to_owned(),
                "a change of the template is deployed whole, and then its traffic moves: keep \
                 the traffic steps",
            );
        }
        let Data::Number(number) = &entry.value.data else {
            continue;
        };
        let share = number.as_i64().unwrap_or(0);
        if share <= before {
            push(
                format!("{share} % after {before} %"),
                "each step gives the new revision more than the one before",
            );
        }
        before = share;
    }
}

fn max_step_field(
    entry: &Entry,
    declared: Option<&Node>,
    resource_schema: &Value,
    out: &mut Faults,
) {
    let path = join("spec.rollout.maxStep", &entry.key);
    match declared.and_then(|node| node.get(&entry.key)) {
        None => {
            let known = resource_schema["properties"].get(&entry.key).is_some();
            out.push(undeclared("maxStep", entry, declared, known, &path));
        }
        Some(node) if matches!(node.data, Data::Number(_) | Data::Bad | Data::Null) => {}
        Some(_) => {
            let message = format!("maxStep names {}, which is no number", quote(&entry.key));
            let help = "only numbers have steps; remove this line, and the field changes at once";
            out.push(Fault::new(entry.key_at.clone(), message, help).field(&path));
        }
    }
}

fn one_step(
    step: &Node,
    path: &str,
    declared: Option<&Node>,
    resource_schema: &Value,
    out: &mut Faults,
) {
    if !matches!(step.data, Data::Map(_)) {
        return;
    }
    let (set, pause) = (step.entry("set"), step.entry("pause"));
    let help = "a step is either `set: {field: value}` or `pause: 10m`; make two steps of it";
    match (set, pause) {
        (Some(set), Some(pause)) => {
            let fault = Fault::new(pause.key_at.clone(), "a step with both set and pause", help);
            out.push(fault.field(path).also(set.key_at.clone(), "set is here"));
        }
        (None, Some(other)) if step.entry("traffic").is_some() => {
            let help = "make two steps of it: `traffic: 10`, then `pause: 10m`";
            let message = "a step with both traffic and pause";
            out.push(Fault::new(other.key_at.clone(), message, help).field(path));
        }
        (None, None) if step.entry("traffic").is_some() => {}
        (None, None) => {
            let help = "write `set: {field: value}` or `pause: 10m`";
            out.push(Fault::new(step.at.clone(), "a step that does nothing", help).field(path));
        }
        _ => {}
    }
    let Some(set) = set else { return };
    if set.value.entries().is_empty() && matches!(set.value.data, Data::Map(_)) {
        let help = "name the fields to set, or remove the step";
        out.push(Fault::new(set.key_at.clone(), "a step that sets nothing", help).field(path));
    }
    for entry in set.value.entries() {
        let field = join(&join(path, "set"), &entry.key);
        let Some(known) = resource_schema["properties"].get(&entry.key) else {
            out.push(undeclared("this step", entry, declared, false, &field));
            continue;
        };
        if declared.is_some_and(|node| node.entry(&entry.key).is_none()) {
            out.push(undeclared("this step", entry, declared, true, &field));
        }
        schema::walk(&entry.value, known, &field, entry.key_at.clone(), out);
    }
}

/// A field that the rollout names and `spec.resource` does not; `known`: the kind has it.
fn undeclared(who: &str, entry: &Entry, declared: Option<&Node>, known: bool, path: &str) -> Fault {
    let message = format!(
        "{who} names {}, which spec.resource does not declare",
        quote(&entry.key)
    );
    let names: Vec<_> = declared
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    let help = match nearest(&entry.key, &names) {
        _ if known => "declare it in spec.resource, or remove it here".to_owned(),
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => "declare the field in spec.resource".to_owned(),
        None => format!(
            "declare it in spec.resource, or use one of {}",
            names.join(", ")
        ),
    };
    Fault::new(entry.key_at.clone(), message, help).field(path)
}
