//! Faults: rules that make the emulator misbehave as a cloud does.
//!
//! A rule acts at one of three moments: when a request arrives, when it has started an operation, or when
//! its reply is ready. It counts as fired only when it did something.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method as HttpMethod;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::connectors::State;
use super::dice::Dice;
use super::errors::{self, ApiError, SERVICE, Shape};
use super::operations::{Failure, Method};
use super::route::Route;

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
    /// A list leaves out what it could not reach. A list of operations says so in `unreachable`; a list of
    /// connectors has no field to say it with.
    UnreachableList,
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

/// The state a failed operation leaves its connector in. A failed create always leaves ERROR.
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
        }
    }

    /// Whether it acts at this moment, on this kind of request.
    fn acts_at(&self, moment: &Moment) -> bool {
        match self {
            Self::Error(_) | Self::ResetBefore | Self::Delay { .. } => {
                matches!(moment, Moment::Arrival(_))
            }
            Self::StaleReads { .. } => {
                matches!(moment, Moment::Arrival(Some(route)) if !route.is_write())
            }
            Self::UnreachableList => {
                matches!(moment, Moment::Arrival(Some(route)) if route.is_list())
            }
            Self::SlowOperation { .. } | Self::FailOperation { .. } | Self::IgnoreWrite => {
                matches!(moment, Moment::Operation)
            }
            Self::ResetAfter => matches!(moment, Moment::Reply),
        }
    }
}

enum Moment<'a> {
    Arrival(Option<&'a Route>),
    Operation,
    Reply,
}

/// What befalls a request before the API looks at it.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    pub error: Option<ApiError>,
    pub reset: bool,
    pub delay: Duration,
    pub stale: Duration,
    pub partial: bool,
}

/// What befalls an operation.
#[derive(Debug, Default)]
pub(super) struct Twist {
    pub slower: Duration,
    pub failure: Option<Failure>,
    pub ignored: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Armed {
    rule: FaultRule,
    met: u64,
    fired: u64,
}

/// The rules in force and what they did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Faults {
    armed: Vec<Armed>,
    fired: BTreeMap<String, u64>,
    /// Its own, so that a fault rule does not change how long operations take.
    dice: Dice,
    /// Names fired by the request at hand, for its log entry.
    #[serde(skip)]
    just_fired: Vec<String>,
}

impl Faults {
    pub fn new(seed: u64) -> Self {
        let dice = Dice::new(seed.rotate_left(32) ^ 0x0fa1_7500);
        Self {
            armed: Vec::new(),
            fired: BTreeMap::new(),
            dice,
            just_fired: Vec::new(),
        }
    }

    pub fn set(&mut self, rules: Vec<FaultRule>) {
        self.armed = rules
            .into_iter()
            .map(|rule| Armed {
                rule,
                met: 0,
                fired: 0,
            })
            .collect();
    }

    pub fn rules(&self) -> impl Iterator<Item = &FaultRule> {
        self.armed.iter().map(|armed| &armed.rule)
    }

    pub fn fired(&self) -> &BTreeMap<String, u64> {
        &self.fired
    }

    pub fn take_just_fired(&mut self) -> Vec<String> {
        std::mem::take(&mut self.just_fired)
    }

    pub fn arrival(&mut self, method: &HttpMethod, path: &str, route: Option<&Route>) -> Arrival {
        let mut arrival = Arrival::default();
        for action in self.fire(&Moment::Arrival(route), method, path) {
            match action {
                Action::Error(fault) => {
                    arrival.error.get_or_insert_with(|| error(&fault));
                }
                Action::ResetBefore => arrival.reset = true,
                Action::Delay { ms } => arrival.delay += Duration::from_millis(ms),
                Action::StaleReads { seconds } => arrival.stale += Duration::from_secs(seconds),
                Action::UnreachableList => arrival.partial = true,
                _ => {}
            }
        }
        arrival
    }

    pub fn twist(&mut self, method: &HttpMethod, path: &str, operation: Method) -> Twist {
        let mut twist = Twist::default();
        for action in self.fire(&Moment::Operation, method, path) {
            match action {
                Action::SlowOperation { seconds } => twist.slower += Duration::from_secs(seconds),
                Action::FailOperation {
                    code,
                    message,
                    leaves,
                } => {
                    let broken = leaves == Leaves::Error || operation == Method::Create;
                    let leaves = if broken { State::Error } else { State::Ready };
                    twist.failure = Some(Failure {
                        code,
                        message,
                        leaves,
                    });
                }
                Action::IgnoreWrite => twist.ignored = true,
                _ => {}
            }
        }
        twist
    }

    /// Whether the reply is lost.
    pub fn reply_lost(&mut self, method: &HttpMethod, path: &str) -> bool {
        !self.fire(&Moment::Reply, method, path).is_empty()
    }

    fn fire(&mut self, moment: &Moment, method: &HttpMethod, path: &str) -> Vec<Action> {
        let mut actions = Vec::new();
        for armed in &mut self.armed {
            let rule = &armed.rule;
            if !rule.action.acts_at(moment) || !rule.matching.meets(method, path) {
                continue;
            }
            armed.met += 1;
            let spent = rule.times.is_some_and(|times| armed.fired >= times);
            if armed.met <= rule.matching.after || spent {
                continue;
            }
            if rule
                .probability
                .is_some_and(|probability| !self.dice.chance(probability))
            {
                continue;
            }
            armed.fired += 1;
            *self.fired.entry(rule.name.clone()).or_default() += 1;
            self.just_fired.push(rule.name.clone());
            actions.push(rule.action.clone());
        }
        actions
    }
}

impl Match {
    fn meets(&self, method: &HttpMethod, path: &str) -> bool {
        self.method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method.as_str()))
            && self
                .path_prefix
                .as_deref()
                .is_none_or(|prefix| path.starts_with(prefix))
            && self
                .path_contains
                .as_deref()
                .is_none_or(|part| path.contains(part))
    }
}

fn error(fault: &ErrorFault) -> ApiError {
    let message = fault
        .message
        .as_deref()
        .unwrap_or(errors::default_message(fault.status));
    let mut error = ApiError::new(fault.status, message);
    error.shape = fault.shape;
    error.reason.clone_from(&fault.reason);
    let throttled = fault.status == 429 && fault.shape == Shape::Google;
    let default = throttled.then_some("RATE_LIMIT_EXCEEDED");
    if fault.shape == Shape::Google
        && let Some(reason) = fault.reason.as_deref().or(default)
    {
        error = error.with_info(reason, "googleapis.com", &json!({"service": SERVICE}));
    }
    match fault.retry_after {
        Some(seconds) => error.with_header("retry-after", seconds.to_string()),
        None => error,
    }
}
