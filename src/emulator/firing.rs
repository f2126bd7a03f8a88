//! When faults fire, and what they do to the request at hand.
//!
//! A rule acts at one moment: when a request arrives, when it is about to be refused, when it has started an
//! operation, or when its reply is ready. It counts as fired only when it did something.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method as HttpMethod;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::dice::Dice;
use super::errors::{self, ApiError, Shape};
use super::faults::{Action, ErrorFault, FaultRule, Leaves, Match};
use super::operations::Failure;
use super::route::Route;

enum Moment<'a> {
    Arrival(Option<&'a Route>),
    Operation,
    Refusal,
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
                    arrival.error.get_or_insert_with(|| error(&fault, route));
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

    pub fn twist(&mut self, method: &HttpMethod, path: &str) -> Twist {
        let mut twist = Twist::default();
        for action in self.fire(&Moment::Operation, method, path) {
            match action {
                Action::SlowOperation { seconds } => twist.slower += Duration::from_secs(seconds),
                Action::FailOperation {
                    code,
                    message,
                    leaves,
                } => {
                    twist.failure = Some(Failure {
                        broken: leaves == Leaves::Error,
                        ..Failure::new(code, message)
                    });
                }
                Action::IgnoreWrite => twist.ignored = true,
                _ => {}
            }
        }
        twist
    }

    /// Whether a request that must be refused is accepted for now.
    pub fn refused_late(&mut self, method: &HttpMethod, path: &str) -> bool {
        !self.fire(&Moment::Refusal, method, path).is_empty()
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

impl Action {
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
            Self::LateRefusal => matches!(moment, Moment::Refusal),
            Self::ResetAfter => matches!(moment, Moment::Reply),
        }
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

fn error(fault: &ErrorFault, route: Option<&Route>) -> ApiError {
    let message = fault
        .message
        .as_deref()
        .unwrap_or(errors::default_message(fault.status));
    let mut error = ApiError::new(fault.status, message);
    error.shape = Some(fault.shape);
    error.reason.clone_from(&fault.reason);
    if fault.shape == Shape::Google
        && let Some(reason) = fault.reason.as_deref().or(default_reason(fault.status))
    {
        let service = route.map_or("googleapis.com", |route| route.api.service());
        error = error.with_info(reason, "googleapis.com", &json!({"service": service}));
    }
    match fault.retry_after {
        Some(seconds) => error.with_header("retry-after", seconds.to_string()),
        None => error,
    }
}

/// The reasons of `google/api/error_reason.proto` that a client tells apart.
fn default_reason(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("ACCESS_TOKEN_EXPIRED"),
        403 => Some("IAM_PERMISSION_DENIED"),
        429 => Some("RATE_LIMIT_EXCEEDED"),
        _ => None,
    }
}
