//! What others put into a resource stays, and what others use stays.

use super::{Violation, calls, seconds, violation};
use crate::sim::body;
use crate::sim::kinds::{self, texts};
use crate::sim::trace::{Fact, What};
use evenkeel::api::{Key, Kind};
use evenkeel::core::record::Verb;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How long a use may be unknown: reads are late.
const LATE_FOR: i64 = 120;

/// A patch that carries a list with identity carries all of it: no member goes, and none changes
/// that no manifest has ever named.
pub fn members_stay(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    for call in calls(trace).iter().filter(|call| call.is(Verb::Patch)) {
        let Some((at, entry)) = call.accepted() else {
            continue;
        };
        let kind = call.kind();
        let before = entry
            .before
            .as_ref()
            .and_then(|before| kind.members(before));
        let (Some(before), Some(sent)) = (before, kind.members(&call.sent.body)) else {
            continue;
        };
        let named = named(&trace[..call.sent_at], call.key());
        let lost = before.iter().find(|(id, old)| {
            let kept = sent.get(*id);
            !kept.is_some_and(|now| named.contains(*id) || body::holds(now, old))
        });
        if let Some((id, old)) = lost {
            let text = format!("{} loses or changes {id}: {old}", call.key());
            broken.push(violation("what others put into a list stays", at, text));
        }
    }
    broken
}

/// The members that manifests of this resource have ever named.
fn named(past: &[Fact], key: &Key) -> BTreeSet<String> {
    let sets = past.iter().filter_map(|fact| match &fact.what {
        What::Declare(set) => set.iter().find(|declared| declared.key == *key),
        _ => None,
    });
    let ids = sets.filter_map(|declared| {
        let resource = Value::Object(declared.resource.clone());
        kinds::of(key.kind).members(&resource)
    });
    ids.flat_map(BTreeMap::into_keys).collect()
}

/// A health check that a backend service uses is not deleted, and nobody tries.
pub fn used_checks_stay(trace: &[Fact]) -> Vec<Violation> {
    // Since when each backend service has used each of its health checks.
    let mut uses: BTreeMap<&str, BTreeMap<String, Timestamp>> = BTreeMap::new();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        match &fact.what {
            What::Became { name, body } if name.contains("/backendServices/") => {
                let links = body.as_ref().map(|body| texts(&body["healthChecks"]));
                let old = uses.remove(name.as_str()).unwrap_or_default();
                let now = links.into_iter().flatten().map(|link| {
                    let check = body::relative(&link).to_owned();
                    let since = old.get(&check).copied().unwrap_or(fact.at);
                    (check, since)
                });
                uses.insert(name, now.collect());
            }
            What::Sent(sent) if sent.verb == Verb::Delete && sent.key.kind == Kind::HealthCheck => {
                let user = uses.iter().find(|(_, checks)| {
                    let since = checks.get(&sent.object);
                    since.is_some_and(|since| seconds(*since, fact.at) > LATE_FOR)
                });
                if let Some((user, _)) = user {
                    let text = format!("{} is used by {user}", sent.key);
                    broken.push(violation("no delete of what is in use", index, text));
                }
            }
            _ => {}
        }
    }
    broken
}
