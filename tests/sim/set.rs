//! A revision of the source: the resources, and what proves them.

use evenkeel::api::{CheckSpec, Declared, Document, PhaseSpec};
use evenkeel::engine::Declaration;
use std::ops::Deref;

#[derive(Debug, Clone, Default)]
pub struct Set {
    pub resources: Vec<Declared>,
    pub checks: Vec<Document<CheckSpec>>,
    pub phases: Vec<Document<PhaseSpec>>,
}

impl Set {
    pub fn declaration(&self) -> Declaration {
        Declaration {
            resources: self.resources.clone(),
            checks: self.checks.clone(),
            phases: self.phases.clone(),
        }
    }

    pub fn check(&self, name: &str) -> Option<&CheckSpec> {
        let found = self.checks.iter().find(|check| check.name == name);
        found.map(|check| &check.spec)
    }

    pub fn phase(&self, name: &str) -> Option<&PhaseSpec> {
        let found = self.phases.iter().find(|phase| phase.name == name);
        found.map(|phase| &phase.spec)
    }

    /// The phase that a resource belongs to.
    pub fn phase_of(&self, declared: &Declared) -> Option<&Document<PhaseSpec>> {
        let holds = |phase: &&Document<PhaseSpec>| {
            let select = phase.spec.select.as_ref();
            select.is_some_and(|select| select.matches(&declared.labels))
        };
        self.phases.iter().find(holds)
    }
}

impl From<Vec<Declared>> for Set {
    fn from(resources: Vec<Declared>) -> Set {
        Set {
            resources,
            ..Set::default()
        }
    }
}

impl Deref for Set {
    type Target = [Declared];

    fn deref(&self) -> &[Declared] {
        &self.resources
    }
}
