//! Faults: the rules that make the emulator misbehave as a cloud does. How they fire is in `firing`.

use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::errors::Shape;

/// One fault: which requests it meets, what it does, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultRule {
    /// The name it is counted under.
    pub name: String,
    #[serde(rename = "match")]
    pub matching: Match,
    pub action: Action,
    /// Fires at most this often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Fires with this probability, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// Which requests a rule meets; what is absent matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// Lets the first `after` matching requests pass.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for this signature
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Action {
    /// Answers with an error; nothing lands.
    Error(ErrorFault),
    /// Closes the connection before the request is looked at.
    ResetBefore,
    /// Does the work, then closes the connection with no reply.
    ResetAfter,
    /// Answers late.
    Delay { ms: u64 },
    /// The operation runs this much longer.
    SlowOperation { seconds: u64 },
    /// The operation fails.
    FailOperation {
        code: i32,
        message: String,
        leaves: Leaves,
    },
    /// The operation succeeds, and nothing changes.
    IgnoreWrite,
    /// Reads show the world as it was this long ago.
    StaleReads { seconds: u64 },
    /// A list leaves out what it could not reach, and says so where its reply has a field for that: a list of
    /// connectors has none.
    UnreachableList,
    /// A delete that would be refused at once, because others use the resource, is accepted; its operation then
    /// fails for that reason.
    LateRefusal,
}

/// An error reply in one of Google's two envelopes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorFault {
    /// The HTTP code.
    pub status: u16,
    #[serde(default)]
    pub shape: Shape,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The `Retry-After` header, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// The state a failed operation leaves its resource in, where the API has such states. A failed create of a
/// connector always leaves ERROR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Leaves {
    Ready,
    Error,
}

impl FaultRule {
    /// A rule that fires on every request, named after its action.
    #[must_use]
    pub fn new(action: Action) -> Self {
        let name = action.name().to_owned();
        Self {
            name,
            matching: Match::default(),
            action,
            times: None,
            probability: None,
        }
    }

    /// Only for this verb and paths that contain `path`.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.matching.method = Some(method.to_owned());
        self.matching.path_contains = Some(path.to_owned());
        self
    }

    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// Counted under this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// A mix of every kind of fault whose rates are drawn from `seed`.
    #[must_use]
    pub fn from_seed(seed: u64) -> Vec<Self> {
        let mut dice = Dice::new(seed ^ 0xfa17);
        let error = |status, shape| {
            Action::Error(ErrorFault {
                status,
                shape,
                ..ErrorFault::default()
            })
        };
        let failure = |leaves| {
            Action::FailOperation {
            code: 13,
            message: "An internal error occurred: VPC Access connector failed to get healthy. Please check GCE \
                      quotas, logs and org policies and recreate."
                .to_owned(),
            leaves,
        }
        };
        let mut rule = |name: &str, action: Action, percent_max: u64| {
            let percent = u32::try_from(dice.below(percent_max + 1)).unwrap_or_default();
            Self::new(action)
                .named(name)
                .probability(f64::from(percent) / 100.0)
        };
        vec![
            rule("throttled", error(429, Shape::Google), 15),
            rule("throttled-compute", error(403, Shape::Compute), 5),
            rule("unavailable", error(503, Shape::Google), 15),
            rule("internal", error(500, Shape::Google), 10),
            rule("reset-before", Action::ResetBefore, 10),
            rule("reset-after", Action::ResetAfter, 10),
            rule("delay", Action::Delay { ms: 2_000 }, 20),
            rule("slow-operation", Action::SlowOperation { seconds: 300 }, 20),
            rule("failed-operation", failure(Leaves::Ready), 15),
            rule("broken-connector", failure(Leaves::Error), 3),
            rule("ignored-write", Action::IgnoreWrite, 10),
            rule("stale-reads", Action::StaleReads { seconds: 20 }, 25),
            rule("unreachable-list", Action::UnreachableList, 10),
        ]
    }
}

impl Action {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Error(_) => "error",
            Self::ResetBefore => "reset-before",
            Self::ResetAfter => "reset-after",
            Self::Delay { .. } => "delay",
            Self::SlowOperation { .. } => "slow-operation",
            Self::FailOperation { .. } => "fail-operation",
            Self::IgnoreWrite => "ignore-write",
            Self::StaleReads { .. } => "stale-reads",
            Self::UnreachableList => "unreachable-list",
            Self::LateRefusal => "late-refusal",
        }
    }
}
