//! How phases rest in the end.

use super::phases::sets;
use super::status::is_ready;
use super::{Violation, violation};
use crate::sim::trace::{Fact, What};
use evenkeel::api::{Approval, ConditionType, Reason};
use evenkeel::engine::PhaseReport;
use std::collections::BTreeMap;

/// In the end each phase is Ready, or rests for a visible reason.
pub fn phases(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let mut ends: BTreeMap<&str, bool> = BTreeMap::new();
    for (index, fact) in trace.iter().enumerate() {
        if matches!(fact.what, What::Quiet { .. }) {
            ends.clear();
        }
        let What::PhaseEnd {
            name,
            report,
            helped,
        } = &fact.what
        else {
            continue;
        };
        ends.insert(
            name,
            report.as_ref().is_some_and(|report| report.is_ready()),
        );
        let why = match report {
            None => Some("it is not on the board".to_owned()),
            Some(report) => objects(trace, index, name, report, *helped, &ends),
        };
        if let Some(why) = why {
            let text = format!("{name}: {why}");
            broken.push(violation("a phase is Ready, or says why not", index, text));
        }
    }
    broken
}

fn objects(
    trace: &[Fact],
    index: usize,
    name: &str,
    report: &PhaseReport,
    helped: bool,
    ends: &BTreeMap<&str, bool>,
) -> Option<String> {
    let set = sets(trace, index).next()?;
    let spec = set.phase(name)?;
    let ready = report
        .status
        .conditions
        .iter()
        .find(|c| c.kind == ConditionType::Ready)?;
    let members = || {
        report.members.iter().map(|key| {
            let shown = trace[..index]
                .iter()
                .rev()
                .find_map(|fact| match &fact.what {
                    What::Shown {
                        key: of, status, ..
                    } if of == key => Some(&**status),
                    _ => None,
                });
            (key, shown)
        })
    };
    let unready = || members().find(|(_, status)| !status.is_some_and(is_ready));
    let fine = match ready.reason {
        Reason::UpToDate => unready().is_none(),
        Reason::Progressing => unready().is_some(),
        Reason::WaitingForDependency => {
            let mut on = spec.depends_on.iter();
            on.any(|on| ends.get(on.name.as_str()) == Some(&false))
        }
        Reason::AwaitingApproval => !helped && spec.approval == Approval::Manual,
        // Failed: by its criteria, or by a member that needs a person.
        _ => report.failed.is_some() && !ready.message.is_empty(),
    };
    (!fine).then(|| format!("{}: {}", ready.reason, ready.message))
}
