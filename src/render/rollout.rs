//! Rollouts: where one stands, what was saved, how two saved states differ.

use super::live::object;
use super::style::{BAD, BUSY, FAINT, GOOD, NAME, TITLE, of_ready, paint};
use super::table::{Cell, Last, Table};
use super::time;
use crate::api::ConditionType;
use crate::api::status::{Outcome, RolloutStatus};
use crate::core::digest::short;
use crate::core::fields::Fields;
use crate::core::plan::change_text;
use crate::core::record::{Record, Revision};
use crate::core::steps::plain;
use anstyle::Style;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// `step 2/5: maxInstances 5, minInstances 3 (landed, holds 2s more)`.
#[must_use]
pub fn step_line(rollout: &RolloutStatus, now: Timestamp) -> String {
    let state = match rollout.bake_until {
        Some(until) => format!("landed, holds {} more", time::left(until, now)),
        None => format!("since {}", time::age(rollout.step_started_at, now)),
    };
    format!(
        "step {}/{}: {} ({state})",
        rollout.step, rollout.steps, rollout.doing
    )
}

/// The color of an outcome.
#[must_use]
pub fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Succeeded => GOOD,
        Outcome::Running | Outcome::Superseded => BUSY,
        Outcome::Failed | Outcome::RolledBack | Outcome::Aborted => BAD,
    }
}

/// Where a resource stands, in a few lines.
#[must_use]
pub fn status(record: &Record, now: Timestamp, width: Option<usize>) -> String {
    let status = &record.status;
    let ready = status.condition(ConditionType::Ready);
    let style = of_ready(ready, status.is_stalled());
    let name = paint(NAME, &object(record.key.kind, &record.name));
    let Some(ready) = ready else {
        return format!("{name} was not looked at yet\n");
    };
    let word = match (status.is_ready(), status.is_stalled()) {
        (true, _) => "Ready",
        (false, true) => "Stalled",
        (false, false) => "not Ready",
    };
    let mut out = format!(
        "{name}: {}\n",
        paint(style, &format!("{word} ({})", ready.reason))
    );
    let mut table = Table::new(&[], Last::Wrap).indent(2);
    let mut row = |name: &str, value: String| {
        table.row(vec![Cell::styled(name, FAINT), value.into()]);
    };
    row("message", ready.message.clone());
    if let Some(rollout) = &status.rollout {
        row("rollout", step_line(rollout, now));
    }
    if let Some(plan) = &status.plan {
        let changes: Vec<_> = plan.changes.iter().map(change_text).collect();
        row(
            "plan",
            format!("{} ({})", changes.join(", "), short(&plan.digest)),
        );
    }
    if record.paused {
        row("paused", "by a person".to_owned());
    }
    out.push_str(&table.render(width));
    out
}

/// The saved states, newest last, each with what was done after it was saved.
#[must_use]
pub fn history(record: &Record, revisions: &[Revision], width: Option<usize>) -> String {
    let mut table = Table::new(
        &["REVISION", "SAVED", "STATE", "THEN", "OUTCOME", "SOURCE"],
        Last::Cut,
    );
    for revision in revisions {
        let attempt = record
            .history
            .iter()
            .rev()
            .find(|entry| entry.revision == revision.number);
        let (then, outcome) = match attempt {
            Some(entry) => (
                entry.summary.clone(),
                Cell::styled(format!("{:?}", entry.outcome), outcome_style(entry.outcome)),
            ),
            None => ("-".to_owned(), "-".into()),
        };
        table.row(vec![
            revision.number.to_string().into(),
            time::date(revision.at).into(),
            state(&managed(record, &revision.fields), &revision.raw).into(),
            then.into(),
            outcome,
            revision.source.as_str().into(),
        ]);
    }
    table.render(width)
}

/// The saved fields that evenkeel manages now.
#[must_use]
pub fn managed(record: &Record, saved: &Fields) -> Fields {
    let observed = crate::core::fields::flatten(&record.status.observed);
    if observed.is_empty() {
        return saved.clone();
    }
    crate::core::fields::restrict(saved, &observed)
}

fn state(fields: &Fields, raw: &serde_json::Value) -> String {
    if raw.is_null() {
        return "did not exist".to_owned();
    }
    let parts: Vec<_> = fields
        .iter()
        .map(|(field, value)| format!("{field} {}", plain(value)))
        .collect();
    parts.join(", ")
}

/// How two states differ, field by field.
#[must_use]
pub fn diff(from: (&str, &Fields), to: (&str, &Fields), width: Option<usize>) -> String {
    let names: BTreeSet<_> = from.1.keys().chain(to.1.keys()).collect();
    let mut table = Table::new(&[], Last::Cut);
    table.row(vec![
        Cell::styled("FIELD", TITLE),
        Cell::styled(from.0.to_uppercase(), TITLE),
        Cell::styled(to.0.to_uppercase(), TITLE),
    ]);
    let mut same = true;
    for name in names {
        let (old, new) = (from.1.get(name), to.1.get(name));
        if old == new {
            continue;
        }
        same = false;
        let text = |value: Option<&serde_json::Value>| value.map_or_else(|| "-".to_owned(), plain);
        table.row(vec![
            name.as_str().into(),
            Cell::styled(text(old), BAD),
            Cell::styled(text(new), GOOD),
        ]);
    }
    if same {
        return format!("no difference between {} and {}\n", from.0, to.0);
    }
    table.render(width)
}
