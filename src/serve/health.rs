//! What the boards say about health.

use super::{Place, Shown};
use crate::api::ConditionType;
use crate::core::conditions::NOT_READ_YET;
use crate::core::health::{self, Health, Look};
use jiff::Timestamp;

/// Why the operator is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unready(pub String);

/// Whether every declared resource was looked at, whatever was found.
///
/// # Errors
/// What was not.
pub fn readiness(shown: &Shown) -> Result<(), Unready> {
    if let Some(why) = &shown.awaits {
        return Err(Unready(why.clone()));
    }
    let mut unread = Vec::new();
    for place in &shown.places {
        let resources = place.board.resources();
        let declared = resources.iter().filter(|(_, report)| report.declared);
        let unseen = declared.filter(|(_, report)| {
            let ready = report.status.condition(ConditionType::Ready);
            ready.is_none_or(|ready| ready.message == NOT_READ_YET)
        });
        unread.extend(
            unseen.map(|(key, report)| place.named(&format!("{}/{}", key.kind, report.name))),
        );
    }
    if unread.is_empty() {
        return Ok(());
    }
    Err(Unready(format!("not read yet: {}", unread.join(", "))))
}

impl Place {
    /// A name that is unique among all places.
    fn named(&self, name: &str) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        }
    }
}

/// The health report: the standing checks, with the verdicts that gates and alerts go by, several
/// probes in a row; and the managed resources that are not well.
#[must_use]
pub fn health(places: &[Place], now: Timestamp) -> Health {
    let mut checks = Vec::new();
    let mut troubled = Vec::new();
    for place in places {
        let named = |(name, report): (String, _)| (place.named(&name), report);
        checks.extend(place.board.checks().into_iter().map(named));
        let resources = place.board.resources();
        let declared = resources.iter().filter(|(_, report)| report.declared);
        troubled.extend(declared.filter_map(|(key, report)| {
            health::resource(
                key.kind,
                &place.named(&report.name),
                &report.status.conditions,
            )
        }));
    }
    let looks: Vec<_> = checks
        .iter()
        .map(|(name, report)| Look {
            name,
            spec: &report.document.spec,
            verdict: report.verdict,
            warning: report.warning,
            last: report.last.as_ref(),
        })
        .collect();
    health::report(&looks, troubled, now)
}
