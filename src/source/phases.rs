//! Rules of a Phase that a schema cannot say.

use super::draft::Select;
use super::plain::Rules;
use super::suggest::quote;
use super::verify;
use crate::api::{DocumentKind, PhaseSpec, Severity, VerifyMode};

pub(super) fn rules(spec: Option<&PhaseSpec>, rules: &mut Rules<'_>) {
    let checks = verify::links(rules.draft, "spec.verify", &VerifyMode::ALL, rules.faults);
    if let Some(claim) = rules.claim.as_mut() {
        claim.links.extend(checks);
    }
    let Some(spec) = spec else { return };
    depends_on(spec, rules);
    select(spec, rules);
    if spec.select.is_none() && spec.verify.is_empty() {
        let message = "this phase has no resources and no exit criteria: it is Ready at once";
        let help = "add `select` for the resources it changes, or `verify` for what must hold";
        rules.finding("spec", message, help, Severity::Warning);
    }
}

fn depends_on(spec: &PhaseSpec, rules: &mut Rules<'_>) {
    for (index, phase) in spec.depends_on.iter().enumerate() {
        let path = format!("spec.dependsOn[{index}].name");
        if spec.depends_on[..index].contains(phase) {
            let message = format!("the phase {} stands here twice", quote(&phase.name));
            rules.fault(&path, message, "remove one of them");
            continue;
        }
        rules.link(DocumentKind::Phase, &phase.name, &path, true);
    }
}

fn select(spec: &PhaseSpec, rules: &mut Rules<'_>) {
    let Some(select) = &spec.select else { return };
    let path = "spec.select.matchLabels";
    if select.match_labels.is_empty() {
        let help = "name the labels of the resources, such as {phase: \"1\"}; for a phase \
                    without resources leave `select` out";
        rules.fault(path, "a selector without labels", help);
        return;
    }
    rules.select(Select::Labels(select.clone()), path);
}
