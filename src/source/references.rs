//! References between manifests: each names a manifest of the set, and none goes in a circle.

use super::diagnostic::{Problem, Problems};
use super::document::Outcome;
use super::suggest::{nearest, quote};
use crate::api::{Kind, Reference};
use crate::core::graph;
use std::collections::BTreeMap;

type Name = (Kind, String);

/// What the documents of a set call themselves, and what they refer to.
#[derive(Default)]
pub(super) struct References {
    by_name: BTreeMap<Name, Vec<(Reference, Problem)>>,
}

impl References {
    pub fn add(&mut self, outcome: &Outcome) {
        if let Some(claim) = &outcome.claim {
            let name = (claim.key.kind, claim.name.clone());
            let references = claim.references.iter().cloned();
            self.by_name.entry(name).or_default().extend(references);
        }
    }

    /// Reports what points nowhere; where all is found, a circle.
    pub fn check(&self, problems: &mut Problems) {
        let mut whole = true;
        for (reference, here) in self.by_name.values().flatten() {
            let target = (reference.kind, reference.name.clone());
            if !self.by_name.contains_key(&target) {
                whole = false;
                problems.add(self.missing(reference, here));
            }
        }
        if whole && let Some(circle) = self.circle() {
            problems.add(circle);
        }
    }

    fn missing(&self, to: &Reference, here: &Problem) -> Problem {
        let of_kind = self.by_name.keys().filter(|(kind, _)| *kind == to.kind);
        let known: Vec<&str> = of_kind.map(|(_, name)| name.as_str()).collect();
        let mut problem = here.clone();
        problem.message = format!("no {} named {} in this set", to.kind, quote(&to.name));
        problem.help = match nearest(&to.name, &known) {
            Some(name) => format!("did you mean `{name}`?"),
            None if known.is_empty() => format!("add a manifest of kind {}", to.kind),
            None => format!("add it, or use one of {}", listed(&known)),
        };
        problem
    }

    fn circle(&self) -> Option<Problem> {
        let name = |to: &Reference| (to.kind, to.name.clone());
        let edges: BTreeMap<Name, Vec<Name>> = self
            .by_name
            .iter()
            .map(|(from, to)| (from.clone(), to.iter().map(|(to, _)| name(to)).collect()))
            .collect();
        let circle = graph::cycle(&edges)?;
        let (from, to) = (circle.first()?, circle.get(1)?);
        let (_, here) = self.by_name[from].iter().find(|(t, _)| name(t) == *to)?;
        let along: Vec<_> = circle.iter().map(|(k, n)| format!("{k}/{n}")).collect();
        let mut problem = here.clone();
        problem.message = format!("references go in a circle: {}", along.join(" -> "));
        "remove one of these references: each would wait for the next for ever"
            .clone_into(&mut problem.help);
        Some(problem)
    }
}

/// At most ten names.
fn listed(known: &[&str]) -> String {
    let mut text = known[..known.len().min(10)].join(", ");
    if known.len() > 10 {
        text.push_str(", ...");
    }
    text
}
