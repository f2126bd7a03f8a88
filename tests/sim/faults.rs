//! How the world misbehaves: rates for everything that can go wrong, drawn from the seed.

use evenkeel::emulator::{Action, ErrorFault, FaultRule, Leaves, Shape};
use fastrand::Rng;

/// Rates of the faults around the operator. All zero: nothing goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// No connection at all.
    pub not_sent: f64,
    /// A read without an answer.
    pub hang: f64,
    /// A write that lands after the client gave up on it.
    pub late: f64,
    pub begin: f64,
    pub finish: f64,
    pub commit: f64,
    pub tokens: f64,
    /// Effects between two crashes, at most; 0 for no crashes.
    pub crash: u32,
    /// The clock may be set between two runs.
    pub clock: bool,
}

impl Rates {
    pub fn draw(rng: &mut Rng) -> Rates {
        let mut rate = |most: f64| if rng.bool() { rng.f64() * most } else { 0.0 };
        Rates {
            not_sent: rate(0.1),
            hang: rate(0.02),
            late: rate(0.15),
            begin: rate(0.2),
            finish: rate(0.2),
            commit: rate(0.2),
            tokens: rate(0.05),
            crash: if rng.u8(..10) < 6 {
                rng.u32(10..120)
            } else {
                0
            },
            clock: rng.u8(..10) < 3,
        }
    }
}

/// Rules for the emulator; `wild` scales their rates from 0 to 1. `all`: also those that only other
/// kinds than connectors meet.
pub fn rules(rng: &mut Rng, wild: f64, all: bool) -> Vec<FaultRule> {
    let mut rules = Vec::new();
    let mut add = |name: &str, action: Action, most: f64| {
        if rng.u8(..10) < 4 {
            return;
        }
        let probability = rng.f64() * most * wild;
        rules.push(FaultRule::new(action).named(name).probability(probability));
    };
    add("429", error(429, None), 0.15);
    add("429 retry-after", error(429, Some(7)), 0.1);
    add("403 rateLimitExceeded", throttled_403(), 0.1);
    add("500", error(500, None), 0.1);
    add("503", error(503, None), 0.15);
    add("503 retry-after", error(503, Some(20)), 0.05);
    add("reply lost, not landed", Action::ResetBefore, 0.1);
    add("reply lost, landed", Action::ResetAfter, 0.2);
    add("slow reply", Action::Delay { ms: 2_000 }, 0.2);
    add(
        "slow operation",
        Action::SlowOperation { seconds: 300 },
        0.3,
    );
    add("failed operation", failed(13, Leaves::Ready), 0.15);
    add("refused operation", failed(3, Leaves::Ready), 0.06);
    add("broken connector", failed(13, Leaves::Error), 0.03);
    add("ignored write", Action::IgnoreWrite, 0.15);
    add("stale read", Action::StaleReads { seconds: 20 }, 0.25);
    add("partial list", Action::UnreachableList, 0.15);
    if all {
        add("late refusal", Action::LateRefusal, 0.5);
        rules.extend(["POST", "PATCH", "DELETE"].map(|verb| denied(rng, verb, wild)));
    }
    rules
}

/// The caller may not do this.
fn denied(rng: &mut Rng, verb: &str, wild: f64) -> FaultRule {
    let rate = if rng.u8(..4) == 0 {
        rng.f64() * 0.1
    } else {
        0.0
    };
    let rule = FaultRule::new(error(403, None)).on(verb, "/projects/");
    rule.named("denied").probability(rate * wild)
}

/// Everything fails: nothing gets through.
pub fn outage() -> Vec<FaultRule> {
    vec![FaultRule::new(error(503, None)).named("outage")]
}

fn error(status: u16, retry_after: Option<u64>) -> Action {
    Action::Error(ErrorFault {
        status,
        retry_after,
        ..ErrorFault::default()
    })
}

fn throttled_403() -> Action {
    Action::Error(ErrorFault {
        status: 403,
        shape: Shape::Compute,
        reason: Some("rateLimitExceeded".to_owned()),
        ..ErrorFault::default()
    })
}

fn failed(code: i32, leaves: Leaves) -> Action {
    let message = "An internal error occurred: VPC Access connector failed to get healthy.";
    Action::FailOperation {
        code,
        message: message.to_owned(),
        leaves,
    }
}
