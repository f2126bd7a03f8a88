//! Choices among the documents of a set: each should find something, and a resource is in one
//! phase at most.

use super::diagnostic::{Problem, Problems};
use super::draft::{Claim, Select};
use super::suggest::quote;
use crate::api::phase::Selector;
use crate::api::{DocumentKind, Severity};
use std::collections::BTreeMap;

/// The documents of a set, and what was chosen among them.
#[derive(Default)]
pub(super) struct Selects {
    objects: Vec<(DocumentKind, String, BTreeMap<String, String>)>,
    selects: Vec<(String, Select, Problem)>,
}

impl Selects {
    pub fn add(&mut self, claim: Claim) {
        for (select, here) in claim.selects {
            self.selects.push((claim.name.clone(), select, here));
        }
        self.objects.push((claim.kind, claim.name, claim.labels));
    }

    /// Reports choices that find nothing, and resources in two phases.
    pub fn check(&self, problems: &mut Problems) {
        let mut phase_of: BTreeMap<(DocumentKind, &str), (&str, &Problem)> = BTreeMap::new();
        for (owner, select, here) in &self.selects {
            let found: Vec<_> = self.found(select).collect();
            if found.is_empty() {
                problems.add(self.nothing(select, here));
            }
            let Select::Labels(_) = select else { continue };
            for (kind, name, _) in found {
                let first = *phase_of.entry((*kind, name)).or_insert((owner, here));
                if first.0 != owner {
                    problems.add(twice(*kind, name, owner, here, first));
                }
            }
        }
    }

    fn found<'a>(
        &'a self,
        select: &'a Select,
    ) -> impl Iterator<Item = &'a (DocumentKind, String, BTreeMap<String, String>)> {
        self.objects.iter().filter(move |(kind, name, labels)| {
            let managed = matches!(kind, DocumentKind::Managed(_));
            match select {
                Select::Labels(selector) => managed && selector.matches(labels),
                Select::Target(target) => target.matches(kind.as_str(), name),
            }
        })
    }

    fn nothing(&self, select: &Select, here: &Problem) -> Problem {
        let mut problem = here.clone();
        problem.severity = Severity::Warning;
        (problem.message, problem.help) = match select {
            Select::Labels(selector) => (
                format!("no resource of this set has the labels {}", words(selector)),
                self.near(selector),
            ),
            Select::Target(target) if target.name == "*" => (
                format!("this set has no {}", target.kind),
                "add one, or remove this entry".to_owned(),
            ),
            Select::Target(target) => (
                format!(
                    "no {} of this set is named {}",
                    target.kind,
                    quote(&target.name)
                ),
                format!("add one, or write name: \"*\" for every {}", target.kind),
            ),
        };
        problem
    }

    /// The values that one of the labels has elsewhere.
    fn near(&self, selector: &Selector) -> String {
        for label in selector.match_labels.keys() {
            let managed = self
                .objects
                .iter()
                .filter(|object| matches!(object.0, DocumentKind::Managed(_)));
            let mut values: Vec<_> = managed
                .filter_map(|(_, _, labels)| labels.get(label))
                .map(String::as_str)
                .collect();
            values.sort_unstable();
            values.dedup();
            values.truncate(10);
            if !values.is_empty() {
                let (label, values) = (quote(label), values.join(", "));
                return format!("{label} is one of {values} in this set");
            }
        }
        "give the resources of this phase these labels, in metadata.labels".to_owned()
    }
}

fn words(selector: &Selector) -> String {
    let pairs = selector.match_labels.iter();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    quote(&pairs.join(", "))
}

fn twice(
    kind: DocumentKind,
    name: &str,
    owner: &str,
    here: &Problem,
    first: (&str, &Problem),
) -> Problem {
    let mut problem = here.clone();
    problem.message = format!(
        "{kind} {} is in two phases, {} and {}",
        quote(name),
        quote(first.0),
        quote(owner)
    );
    "narrow one of the selectors: a resource changes in one phase".clone_into(&mut problem.help);
    problem.related = Some(first.1.as_related("the other phase selects it here"));
    problem
}
