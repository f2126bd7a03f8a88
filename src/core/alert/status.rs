//! The status of an Alert, from what is remembered of it.

use super::route::RouteEntry;
use super::store::Entry;
use crate::api::{AlertStatus, Condition, ConditionStatus, ConditionType, Reason};
use crate::core::conditions::bounded;
use std::collections::BTreeMap;

/// The status of each Alert that is declared, by its name.
#[must_use]
pub fn statuses(entries: &[Entry]) -> BTreeMap<String, AlertStatus> {
    let routes = entries.iter().filter_map(|entry| match entry {
        Entry::Route(route) if route.left_at.is_none() => Some(route),
        Entry::Route(_) | Entry::Episode(_) => None,
    });
    routes
        .map(|route| (route.alert.clone(), status(route, entries)))
        .collect()
}

fn status(route: &RouteEntry, entries: &[Entry]) -> AlertStatus {
    let episodes = entries.iter().filter_map(|entry| match entry {
        Entry::Episode(episode) if episode.route == route.id => Some(episode),
        Entry::Route(_) | Entry::Episode(_) => None,
    });
    let (mut firing, mut untold) = (0, 0);
    for episode in episodes {
        firing += usize::from(episode.lasts());
        untold += usize::from(!episode.fired) + usize::from(!episode.lasts());
    }
    let provider = route.provider.kind.as_str();
    let (status, reason, message, since) = match (&route.failing, route.reached_at) {
        (Some((since, why)), _) => {
            let text = format!("{untold} message(s) wait for {provider}: {why}");
            (ConditionStatus::False, Reason::ReceiverFails, text, *since)
        }
        (None, Some(since)) => {
            let text = format!("{provider} takes messages; {firing} trouble(s) go on");
            (ConditionStatus::True, Reason::ReceiverAccepts, text, since)
        }
        (None, None) => {
            let text = format!("nothing was told to {provider} yet");
            let (unknown, reason) = (ConditionStatus::Unknown, Reason::NothingTold);
            (unknown, reason, text, route.digest_at)
        }
    };
    AlertStatus {
        observed_generation: 0,
        conditions: vec![Condition {
            kind: ConditionType::Ready,
            status,
            reason,
            message: bounded(message),
            last_transition_time: since,
            observed_generation: 0,
        }],
    }
}
