//! A plan as it is shown: what would be done with each declared resource, and what stands in the
//! way.

use crate::api::{Declared, HumanDuration};
use crate::core::plan::Plan;
use serde::Serialize;

/// The plan of a whole set.
#[derive(Debug)]
pub struct Report<'a> {
    pub paths: &'a str,
    pub revision: &'a str,
    pub world: &'a str,
    pub objects: Vec<ObjectPlan>,
}

/// The plan of one resource.
#[derive(Debug)]
pub struct ObjectPlan {
    pub declared: Declared,
    pub verdict: Verdict,
    /// `None` when GCP cannot be read.
    pub plan: Option<Plan>,
    /// This content was reached before: the difference is drift, and goes back in one step.
    pub drift: bool,
    pub remarks: Vec<Remark>,
    /// Derived numbers that help to judge.
    pub notes: Vec<String>,
}

/// What a run would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    Unchanged,
    Change,
    Create,
    /// There is something to do, and it would not be done.
    Blocked,
    /// GCP cannot be read.
    Unknown,
}

/// How much a remark weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Weight {
    /// Nothing would be written.
    Blocks,
    /// It would be written after something else happened.
    Waits,
    Info,
}

/// Something to know before a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    pub weight: Weight,
    pub text: String,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How many there are of each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub change: usize,
    pub create: usize,
    pub blocked: usize,
    pub unchanged: usize,
    pub unknown: usize,
}

impl Report<'_> {
    /// Counts the verdicts.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut sum = Summary::default();
        for object in &self.objects {
            *match object.verdict {
                Verdict::Unchanged => &mut sum.unchanged,
                Verdict::Change => &mut sum.change,
                Verdict::Create => &mut sum.create,
                Verdict::Blocked => &mut sum.blocked,
                Verdict::Unknown => &mut sum.unknown,
            } += 1;
        }
        sum
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} to change, {} to create, {} blocked, {} unchanged",
            self.change, self.create, self.blocked, self.unchanged
        )?;
        if self.unknown > 0 {
            write!(f, ", {} unreadable", self.unknown)?;
        }
        Ok(())
    }
}

impl ObjectPlan {
    /// How long each step must hold.
    #[must_use]
    pub fn bake(&self) -> HumanDuration {
        let rollout = self.declared.policy.rollout.as_ref();
        rollout.and_then(|spec| spec.bake).unwrap_or_default()
    }

    /// The limit of each step, where the manifest names one.
    #[must_use]
    pub fn timeout(&self) -> Option<HumanDuration> {
        self.declared.policy.rollout.as_ref()?.timeout
    }
}
