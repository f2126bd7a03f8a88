//! `Phase`: a step of a larger plan, with exit criteria.

use super::{Approval, Condition, HumanDuration, OnFailure, Verify};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `spec` of a Phase. Its resources change only once the phases before it are Ready, at the same
/// revision of the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseSpec {
    /// What it is for, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Phases that must be Ready first, at the same revision of the source. Blocks the start of
    /// steps, never a rollback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub depends_on: Vec<PhaseRef>,
    /// The managed resources of this phase, by label. Left out: none, the phase only looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<Selector>,
    /// Exit criteria: checks that must pass when all resources are Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub verify: Vec<Verify>,
    /// How long the exit criteria must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<HumanDuration>,
    /// What a failed phase leads to. Rollback: in reverse order, and only what this attempt changed.
    #[serde(default = "hold")]
    pub on_failure: OnFailure,
    /// Resources that change at the same time.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub max_parallel: u32,
    /// Whether a person must approve the phase before it starts.
    #[serde(default)]
    pub approval: Approval,
}

fn hold() -> OnFailure {
    OnFailure::Hold
}

fn one() -> u32 {
    1
}

/// Another phase, by `metadata.name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseRef {
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
}

/// Managed resources by label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    /// Labels that a resource has, all of them.
    pub match_labels: BTreeMap<String, String>,
}

impl Selector {
    /// True for labels that hold every one that is asked for. No labels asked for: nothing matches.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |(name, value): (&String, &String)| labels.get(name) == Some(value);
        !self.match_labels.is_empty() && self.match_labels.iter().all(has)
    }
}

/// `status` of a Phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseStatus {
    /// The generation of the spec that the conditions are about.
    #[serde(default)]
    pub observed_generation: i64,
    /// The revision of the source that the phase is Ready at, or works on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source_revision: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn a_selector_wants_every_label() {
        let select = |pairs: &[(&str, &str)]| Selector {
            match_labels: labels(pairs),
        };
        let of_phase_1 = labels(&[("phase", "1"), ("team", "infra")]);
        assert!(select(&[("phase", "1")]).matches(&of_phase_1));
        assert!(select(&[("phase", "1"), ("team", "infra")]).matches(&of_phase_1));
        assert!(!select(&[("phase", "2")]).matches(&of_phase_1));
        assert!(!select(&[("phase", "1"), ("tier", "a")]).matches(&of_phase_1));
        assert!(!select(&[]).matches(&of_phase_1));
    }
}
