//! The table that a kind gives to the core: which fields exist and how GCP lets them change.

use super::fields::{self, Difference, Fields};
use super::items;
use super::observed::Present;
use super::procedure::Procedures;
use super::record::{Step, Verb};
use crate::api::envelope::RolloutSpec;
use crate::api::status::Mutability;
use crate::api::{Declared, Kind};
use serde_json::{Map, Value};

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
    /// `spec.resource`, or the `set` of a step, as flat fields in canonical form.
    pub flatten: fn(&Map<String, Value>) -> Fields,
    /// Why GCP would refuse one change, given the fields as they would be after all changes, and
    /// the way out: what the mutability of the field alone does not say.
    pub refuse: fn(&Difference, &Fields) -> Option<String>,
    /// The call that writes these fields, as GCP wants it.
    pub encode: fn(&Change<'_>) -> Encoded,
    /// What helps a resource that GCP gave up on.
    pub when_failed: &'static str,
    /// Whether the resource itself is among what was read, for kinds that are read together with what
    /// surrounds them.
    pub exists: fn(&Present) -> bool,
    /// Live fields that status shows besides the managed ones, by how their paths begin.
    pub shown: &'static [&'static str],
    /// For kinds whose change takes several calls on several objects.
    pub procedures: Option<&'static Procedures>,
    /// For kinds that make the steps of a rollout themselves.
    pub staging: Option<&'static Staging>,
}

/// Steps that a kind makes itself, such as moving traffic from one revision to the next.
#[derive(Debug)]
pub struct Staging {
    /// The steps from live over the changes; `None`: derived as for any kind.
    pub steps: fn(&Fields, &[Difference], &RolloutSpec) -> Option<Vec<Step>>,
    /// What these steps go back to after one of them failed, in one call, from the fields at the
    /// start and now; `None`: to the prior values.
    pub back: fn(&[Step], &Fields, &Fields) -> Option<Fields>,
}

/// Fields to be written.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub verb: Verb,
    /// The fields that differ, with their companions.
    pub fields: &'a Fields,
    /// The live resource, read right before; `None` for a create.
    pub live: Option<&'a Present>,
    /// The manifest, for values that fields hold as digests only.
    pub declared: Option<&'a Declared>,
}

/// A call: its field mask, where the API has one, and its body.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    pub mask: Vec<String>,
    pub body: Value,
}

/// The encoding of APIs that take the fields as they are, with a mask for a patch.
#[must_use]
pub fn encode_masked(change: &Change<'_>) -> Encoded {
    let mask = match change.verb {
        Verb::Patch => change.fields.keys().cloned().collect(),
        Verb::Create | Verb::Delete => Vec::new(),
    };
    Encoded {
        mask,
        body: Value::Object(fields::unflatten(change.fields)),
    }
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
    /// A kind with these fields and nothing special; for `..Rules::new(kind, fields)`.
    #[must_use]
    pub const fn new(kind: Kind, fields: &'static [FieldRule]) -> Self {
        Rules {
            kind,
            fields,
            together: &[],
            ordered: &[],
            missing_for_create: |_| None,
            flatten: fields::flatten,
            refuse: |_, _| None,
            encode: encode_masked,
            when_failed: "nothing is written to it; look at it in the console, and have it repaired",
            exists: |_| true,
            shown: &[],
            procedures: None,
            staging: None,
        }
    }

    /// The rule of a field: its own, else the one that serves a field of every entry of a keyed
    /// list.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&'static FieldRule> {
        let of = |path: &str| self.fields.iter().find(|rule| rule.path == path);
        of(path).or_else(|| of(&items::generic(path)))
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
