//! The table that a kind gives to the core: which fields exist and how GCP lets them change.

use super::fields::Fields;
use crate::api::Kind;
use crate::api::status::Mutability;

/// Everything the core knows of a kind.
#[derive(Debug)]
pub struct Rules {
    pub kind: Kind,
    pub fields: &'static [FieldRule],
    /// Groups of fields that GCP wants in one call: where one is written, all are.
    pub together: &'static [&'static [&'static str]],
    /// `(lower, upper)`: lower stays below upper at every step.
    pub ordered: &'static [(&'static str, &'static str)],
    /// What the declared fields lack to create the resource; `None` when nothing.
    pub missing_for_create: fn(&Fields) -> Option<&'static str>,
}

/// How one field may change.
#[derive(Debug)]
pub struct FieldRule {
    /// Path below `spec.resource`, as GCP names it.
    pub path: &'static str,
    pub mutability: Mutability,
    /// What a change does to the users of the resource.
    pub disruption: Option<&'static str>,
    /// Why a change that GCP does not make is refused, and the way out.
    pub refusal: &'static str,
    /// Where the facts come from.
    pub source: &'static str,
}

impl Rules {
    /// The rule of a field.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&'static FieldRule> {
        self.fields.iter().find(|rule| rule.path == path)
    }

    /// Fields without a rule are taken to be reversible and harmless.
    #[must_use]
    pub fn mutability(&self, path: &str) -> Mutability {
        self.field(path)
            .map_or(Mutability::Reversible, |rule| rule.mutability)
    }

    /// The other fields that must be sent with this one.
    pub fn companions<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'static str> + 'a {
        self.together
            .iter()
            .filter(move |group| group.contains(&path))
            .flat_map(|group| group.iter().copied())
            .filter(move |other| *other != path)
    }
}
