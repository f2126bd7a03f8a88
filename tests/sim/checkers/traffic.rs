//! Who gets the traffic of a Cloud Run service, where manifests move it in steps.

use super::verdicts::failed;
use super::{Call, Violation, calls, permission, violation};
use crate::sim::body;
use crate::sim::kinds::run_service::{ladder, moves_traffic, shares};
use crate::sim::kinds::short;
use crate::sim::trace::{Fact, What};
use evenkeel::api::{Declared, Key, Kind};
use evenkeel::core::record::{Purpose, Rollout, Verb};
use serde_json::Value;
use std::collections::BTreeMap;

/// The accepted patches of services whose manifests move traffic, with what they were decided on.
fn moves<'a>(
    trace: &'a [Fact],
    calls: &'a [Call<'a>],
) -> impl Iterator<Item = (&'a Call<'a>, usize, &'a Value, &'a Declared, &'a Rollout)> {
    let ours = |call: &&Call<'_>| call.key().kind == Kind::RunService && call.is(Verb::Patch);
    calls.iter().filter(ours).filter_map(|call| {
        let (at, entry) = call.accepted()?;
        let before = entry.before.as_ref()?;
        let (_, declared) = permission::basis(trace, call)?;
        let rollout = call.begun?.1.rollout.as_ref()?;
        moves_traffic(declared).then_some((call, at, before, declared, rollout))
    })
}

/// A new revision starts with no traffic, and then gets more by one declared step at a time. What
/// was proved before comes back at once where it drifted.
pub fn by_steps(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let calls = calls(trace);
    for (call, at, before, declared, rollout) in moves(trace, &calls) {
        if rollout.purpose != Purpose::Apply {
            continue;
        }
        let latest = |traffic: &Value| shares(traffic).get("latest").copied().unwrap_or(0);
        let sent = &call.sent.body;
        let had = latest(&before["traffic"]);
        let gets = sent.get("traffic").map_or(had, latest);
        let template = sent.get("template");
        let deploys = template.is_some_and(|new| !body::same(&before["template"], new));
        let served = before.get("latestReadyRevision").is_some();
        let next = ladder(declared).into_iter().find(|share| *share > had);
        let wrong = if deploys {
            served && gets > 0
        } else {
            gets > had && Some(gets) != next
        };
        if wrong {
            let text = format!(
                "{} {had} % -> {gets} % of the latest, {next:?} is next",
                call.key()
            );
            broken.push(violation("no traffic beyond the step", at, text));
        }
    }
    broken
}

/// After a failed step all traffic is back on the revision that had it, in one call.
pub fn back_in_one_call(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let calls = calls(trace);
    let mut done: BTreeMap<(&Key, i64), bool> = BTreeMap::new();
    for (call, at, _, _, rollout) in moves(trace, &calls) {
        let Purpose::Rollback { to, .. } = rollout.purpose else {
            continue;
        };
        let mut fail = |text: String| {
            let text = format!("{} going back to revision {to}: {text}", call.key());
            broken.push(violation("back in one call", at, text));
        };
        let began = trace[..at].iter().position(|fact| match &fact.what {
            What::Begin { record, .. } => {
                let rollout = record.rollout.as_ref();
                record.key == *call.key() && rollout.is_some_and(|r| r.revision == to)
            }
            _ => false,
        });
        let served = began
            .map(|began| served(&trace[..began], call))
            .unwrap_or_default();
        let sent: Vec<_> = shares(&call.sent.body["traffic"]).into_iter().collect();
        let whole = matches!(sent.as_slice(), [(who, 100)] if served.contains(who));
        if call.sent.mask != ["traffic"] || !whole {
            fail(format!("{:?} {sent:?}, {served:?} had it", call.sent.mask));
        }
        let key = (call.key(), rollout.started_at.as_millisecond());
        let lost = call.accepted().is_some_and(|(_, entry)| {
            failed(entry) || entry.faults.iter().any(|fault| fault == "ignored write")
        });
        if done.insert(key, !lost) == Some(true) {
            fail("a second call".to_owned());
        }
    }
    broken
}

/// The revisions that had traffic, by what was last seen of the service.
fn served(past: &[Fact], call: &Call<'_>) -> Vec<String> {
    let last = past.iter().rev().find_map(|fact| match &fact.what {
        What::Became { name, body } if name.ends_with(&call.sent.object) => body.as_ref(),
        _ => None,
    });
    let Some(service) = last else {
        return Vec::new();
    };
    let ready = short(service["latestReadyRevision"].as_str().unwrap_or_default());
    let who = |who: String| {
        if who == "latest" {
            ready.to_owned()
        } else {
            who
        }
    };
    shares(&service["traffic"]).into_keys().map(who).collect()
}
