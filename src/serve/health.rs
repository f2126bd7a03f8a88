//! What the board says about health.

use crate::api::ConditionType;
use crate::core::conditions::NOT_READ_YET;
use crate::core::health::{self, Health, Look};
use crate::engine::Board;
use jiff::Timestamp;

/// Why the operator is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unready(pub String);

/// Whether every declared resource was looked at, whatever was found. Who stands by is ready to take
/// over.
///
/// # Errors
/// What was not.
pub fn readiness(board: &Board) -> Result<(), Unready> {
    if board.vitals().stands_by() {
        return Ok(());
    }
    let resources = board.resources();
    let declared = resources.iter().filter(|(_, report)| report.declared);
    let unread: Vec<_> = declared
        .filter(|(_, report)| {
            let ready = report.status.condition(ConditionType::Ready);
            ready.is_none_or(|ready| ready.message == NOT_READ_YET)
        })
        .map(|(key, report)| format!("{}/{}", key.kind, report.name))
        .collect();
    match (
        unread.is_empty(),
        resources.is_empty()
            && board.checks().is_empty()
            && board.vitals().source().loaded_at.is_none(),
    ) {
        (true, false) => Ok(()),
        (true, true) => Err(Unready("nothing is declared yet".to_owned())),
        (false, _) => Err(Unready(format!("not read yet: {}", unread.join(", ")))),
    }
}

/// The health report: the standing checks, with the verdicts that gates and alerts go by, several
/// probes in a row; and the managed resources that are not well.
#[must_use]
pub fn health(board: &Board, now: Timestamp) -> Health {
    let checks = board.checks();
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
    let resources = board.resources();
    let troubled = resources.iter().filter(|(_, report)| report.declared);
    let troubled = troubled.filter_map(|(key, report)| {
        health::resource(key.kind, &report.name, &report.status.conditions)
    });
    health::report(&looks, troubled.collect(), now)
}
