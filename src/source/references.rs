//! References between documents: each names a document of the set, and none waits for itself.

use super::diagnostic::{Problem, Problems};
use super::draft::{Claim, Link};
use super::suggest::{nearest, quote};
use crate::api::DocumentKind;
use crate::core::graph;
use std::collections::BTreeMap;

type Name = (DocumentKind, String);

/// What the documents of a set call themselves, and what they refer to.
#[derive(Default)]
pub(super) struct References {
    by_name: BTreeMap<Name, Vec<Link>>,
}

impl References {
    pub fn add(&mut self, claim: &Claim) {
        let name = (claim.kind, claim.name.clone());
        let links = claim.links.iter().cloned();
        self.by_name.entry(name).or_default().extend(links);
    }

    /// Reports what points nowhere; where all is found, a circle.
    pub fn check(&self, problems: &mut Problems) {
        let mut whole = true;
        for link in self.by_name.values().flatten() {
            if !self.by_name.contains_key(&name(link)) {
                whole = false;
                problems.add(self.missing(link));
            }
        }
        if whole && let Some(circle) = self.circle() {
            problems.add(circle);
        }
    }

    fn missing(&self, link: &Link) -> Problem {
        let of_kind = self.by_name.keys().filter(|(kind, _)| *kind == link.to);
        let known: Vec<&str> = of_kind.map(|(_, name)| name.as_str()).collect();
        let mut problem = link.here.clone();
        problem.message = format!("no {} named {} in this set", link.to, quote(&link.name));
        problem.help = match nearest(&link.name, &known) {
            Some(name) => format!("did you mean `{name}`?"),
            None if known.is_empty() => format!("add a manifest of kind {}", link.to),
            None => format!("add it, or use one of {}", listed(&known)),
        };
        problem
    }

    fn circle(&self) -> Option<Problem> {
        let waits = |links: &[Link]| links.iter().filter(|link| link.waits).map(name).collect();
        let edges: BTreeMap<Name, Vec<Name>> = self
            .by_name
            .iter()
            .map(|(from, links)| (from.clone(), waits(links)))
            .collect();
        let circle = graph::cycle(&edges)?;
        let (from, to) = (circle.first()?, circle.get(1)?);
        let link = self.by_name[from].iter().find(|link| name(link) == *to)?;
        let along: Vec<_> = circle.iter().map(|(k, n)| format!("{k}/{n}")).collect();
        let mut problem = link.here.clone();
        problem.message = format!("references go in a circle: {}", along.join(" -> "));
        "remove one of these references: each would wait for the next for ever"
            .clone_into(&mut problem.help);
        Some(problem)
    }
}

fn name(link: &Link) -> Name {
    (link.to, link.name.clone())
}

/// At most ten names.
fn listed(known: &[&str]) -> String {
    let mut text = known[..known.len().min(10)].join(", ");
    if known.len() > 10 {
        text.push_str(", ...");
    }
    text
}
