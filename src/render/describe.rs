//! Everything about one resource, in sections.

use super::objects::word;
use super::rollout::{outcome_style, step_line};
use super::style::{BAD, BUSY, FAINT, GOOD, NAME, PLAIN, TITLE, of_ready, paint};
use super::table::{Cell, Last, Table};
use super::time;
use crate::api::event::Severity;
use crate::api::status::{PlanStatus, RollbackScope, StepCheck};
use crate::api::{Condition, ConditionStatus, ConditionType, Event, SaturationLevel};
use crate::core::digest::short;
use crate::core::plan::change_text;
use crate::core::record::Record;
use crate::core::steps::plain;
use anstyle::Style;
use jiff::Timestamp;

/// Events shown; the state file keeps more.
const EVENTS: usize = 20;

/// What a description is made of.
#[derive(Debug)]
pub struct Facts<'a> {
    pub record: &'a Record,
    /// Oldest first.
    pub events: &'a [Event],
    pub operator_runs: bool,
    pub now: Timestamp,
    pub width: Option<usize>,
}

/// The whole description.
#[must_use]
pub fn text(facts: &Facts<'_>) -> String {
    let sections = [
        ("", identity(facts)),
        (
            "Conditions",
            conditions(&facts.record.status.conditions, facts.now, facts.width),
        ),
        ("Observed", observed(facts)),
        ("Saturation", saturation(facts)),
        ("Plan", plan(facts)),
        ("Rollout", rollout(facts)),
        ("Held", held(facts)),
        ("History", history(facts)),
        ("Events", events(facts.events, facts.now, facts.width)),
    ];
    let parts: Vec<_> = sections
        .into_iter()
        .filter(|(_, body)| !body.is_empty())
        .map(|(title, body)| match title {
            "" => body,
            _ => format!("{}\n{body}", paint(TITLE, title)),
        })
        .collect();
    parts.join("\n")
}

pub(super) fn pairs(rows: Vec<(&str, Cell)>, indent: usize, width: Option<usize>) -> String {
    let mut table = Table::new(&[], Last::Wrap).indent(indent);
    for (name, value) in rows {
        table.row(vec![Cell::styled(name, FAINT), value]);
    }
    table.render(width)
}

fn identity(facts: &Facts<'_>) -> String {
    let record = facts.record;
    let key = &record.key;
    let ready = record.status.condition(ConditionType::Ready);
    let state = ready.map_or("not looked at yet", |ready| ready.reason.as_str());
    let operator = if facts.operator_runs {
        "runs"
    } else {
        "does not run now: nothing changes until one starts"
    };
    let ownership = match (record.owned, record.released) {
        (_, true) => "released: the manifest is gone, and the resource was left as it is",
        (true, false) => "created or adopted by evenkeel",
        (false, false) => "not owned: nothing is written",
    };
    let mut rows = vec![
        ("name", Cell::styled(&*record.name, NAME)),
        ("kind", key.kind.as_str().into()),
        ("project", key.project.as_str().into()),
        ("location", key.location.as_str().into()),
    ];
    if record.gcp_name() != record.name {
        rows.push(("name in GCP", record.gcp_name().into()));
    }
    rows.push((
        "ready",
        Cell::styled(state, of_ready(ready, record.status.is_stalled())),
    ));
    rows.push(("generation", record.generation.to_string().into()));
    rows.push(("source", record.status.source_revision.as_str().into()));
    rows.push(("owned", ownership.into()));
    if record.paused {
        let text = "by a person; `evenkeel rollout resume` goes on";
        rows.push(("paused", Cell::styled(text, BUSY)));
    }
    rows.push(("operator", operator.into()));
    pairs(rows, 0, facts.width)
}

pub(super) fn conditions(all: &[Condition], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(
        &["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"],
        Last::Wrap,
    )
    .indent(2);
    let ready = all.iter().find(|c| c.kind == ConditionType::Ready);
    for condition in all {
        let repeats = condition.kind != ConditionType::Ready
            && ready.is_some_and(|ready| ready.message == condition.message);
        table.row(vec![
            format!("{:?}", condition.kind).into(),
            Cell::styled(word(condition.status), tone(condition)),
            condition.reason.as_str().into(),
            time::age(condition.last_transition_time, now).into(),
            if repeats {
                Cell::styled("as Ready", FAINT)
            } else {
                condition.message.as_str().into()
            },
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    table.render(width)
}

/// `Ready` and `Passing` are good when true; the others are not.
fn tone(condition: &Condition) -> Style {
    let wished = match condition.kind {
        ConditionType::Ready | ConditionType::Passing | ConditionType::Verified => {
            ConditionStatus::True
        }
        _ => ConditionStatus::False,
    };
    match condition.status {
        ConditionStatus::Unknown => FAINT,
        status if status == wished => GOOD,
        _ if matches!(
            condition.kind,
            ConditionType::Stalled | ConditionType::Passing | ConditionType::Verified
        ) =>
        {
            BAD
        }
        _ => BUSY,
    }
}

fn observed(facts: &Facts<'_>) -> String {
    let fields = crate::core::fields::flatten(&facts.record.status.observed);
    let rows = fields
        .iter()
        .map(|(name, value)| (name.as_str(), plain(value).into()))
        .collect();
    pairs(rows, 2, facts.width)
}

fn saturation(facts: &Facts<'_>) -> String {
    let Some(full) = &facts.record.status.saturation else {
        return String::new();
    };
    let share = 100.0 * full.used_mbps / full.limit_mbps;
    let traffic = format!(
        "{:.0} of {:.0} Mbps ({share:.0}%), {} ago",
        full.used_mbps,
        full.limit_mbps,
        time::age(full.at, facts.now)
    );
    let tone = match full.level {
        SaturationLevel::Room => GOOD,
        SaturationLevel::FillingUp | SaturationLevel::NearCapacity => BUSY,
        SaturationLevel::AtCapacity => BAD,
    };
    let now = full.instances.map_or("?".to_owned(), |now| now.to_string());
    let mut rows = vec![
        ("traffic", Cell::styled(traffic, tone)),
        (
            "instances",
            format!("{now} of {} {}", full.max_instances, full.machine_type).into(),
        ),
    ];
    if let Some(cpu) = full.cpu {
        rows.push(("CPU", format!("{:.0}%", cpu * 100.0).into()));
    }
    if let Some(at) = full.full_at {
        rows.push(("full at", time::date(at).into()));
    }
    if !full.shared_by.is_empty() {
        rows.push(("shared by", full.shared_by.join(", ").into()));
    }
    for (index, way) in full.ways_out.iter().enumerate() {
        let title = if index == 0 { "ways out" } else { "" };
        rows.push((title, way.as_str().into()));
    }
    pairs(rows, 2, facts.width)
}

fn plan(facts: &Facts<'_>) -> String {
    let Some(plan) = &facts.record.status.plan else {
        return String::new();
    };
    let changes: Vec<_> = plan.changes.iter().map(change_text).collect();
    let rows = vec![
        ("changes", changes.join(", ").into()),
        ("rollback", rollback(plan).into()),
        ("disruptive", yes(plan.disruptive).into()),
        ("digest", short(&plan.digest).into()),
    ];
    pairs(rows, 2, facts.width)
}

fn rollback(plan: &PlanStatus) -> &'static str {
    match plan.rollback {
        RollbackScope::Full => "full",
        RollbackScope::Partial => "partial",
        RollbackScope::None => "none",
    }
}

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn rollout(facts: &Facts<'_>) -> String {
    let Some(rollout) = &facts.record.status.rollout else {
        return String::new();
    };
    let mut rows = vec![
        ("attempt", rollout.attempt.to_string().into()),
        ("now", step_line(rollout, facts.now).into()),
    ];
    if let Some(operation) = &rollout.operation {
        rows.push(("operation", operation.as_str().into()));
    }
    let mut out = pairs(rows, 2, facts.width);
    if let Some(running) = &facts.record.rollout {
        let mut table = Table::new(&[], Last::Wrap).indent(2);
        for (index, step) in running.steps.iter().enumerate() {
            let (mark, style) = match index.cmp(&running.step) {
                std::cmp::Ordering::Less => ("done", GOOD),
                std::cmp::Ordering::Equal => ("now", BUSY),
                std::cmp::Ordering::Greater => ("", PLAIN),
            };
            table.row(vec![
                Cell::styled(format!("{:>2}", index + 1), FAINT),
                Cell::styled(format!("{mark:4}"), style),
                crate::core::steps::describe(step).into(),
            ]);
        }
        out.push_str(&table.render(facts.width));
    }
    out.push_str(&step_checks(&rollout.checks, facts.width));
    out
}

/// What the step is judged by: before it, and since it landed.
fn step_checks(checks: &[StepCheck], width: Option<usize>) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["CHECK", "PROBES", "BEFORE", "NOW"], Last::Wrap).indent(2);
    for check in checks {
        table.row(vec![
            check.name.as_str().into(),
            check.samples.to_string().into(),
            check.baseline.as_str().into(),
            check.now.as_deref().unwrap_or("-").into(),
        ]);
    }
    table.render(width)
}

fn held(facts: &Facts<'_>) -> String {
    let Some(held) = &facts.record.held else {
        return String::new();
    };
    let since = format!(
        "{} ({} ago)",
        time::date(held.since),
        time::age(held.since, facts.now)
    );
    let mut rows = vec![
        ("reason", Cell::styled(held.reason.as_str(), BAD)),
        ("why", held.message.as_str().into()),
        ("since", since.into()),
        ("content", short(&held.digest).into()),
    ];
    if let Some(to) = held.rolled_back_to {
        rows.push(("back to", format!("revision {to}").into()));
    }
    pairs(rows, 2, facts.width)
}

fn history(facts: &Facts<'_>) -> String {
    let mut table = Table::new(
        &["REVISION", "STARTED", "TOOK", "OUTCOME", "CHANGE"],
        Last::Wrap,
    )
    .indent(2);
    for entry in facts.record.history.iter().rev() {
        let took = match entry.finished_at {
            Some(end) => time::age(entry.started_at, end),
            None => "-".to_owned(),
        };
        table.row(vec![
            entry.revision.to_string().into(),
            time::date(entry.started_at).into(),
            took.into(),
            Cell::styled(format!("{:?}", entry.outcome), outcome_style(entry.outcome)),
            entry.summary.as_str().into(),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    table.render(facts.width)
}

pub(super) fn events(all: &[Event], now: Timestamp, width: Option<usize>) -> String {
    let shown = all.len().saturating_sub(EVENTS);
    let mut table = Table::new(&["AGE", "REASON", "MESSAGE"], Last::Wrap).indent(2);
    for event in &all[shown..] {
        let style = match event.severity {
            Severity::Warning => BAD,
            Severity::Normal => PLAIN,
        };
        table.row(vec![
            time::age(event.at, now).into(),
            Cell::styled(&*event.reason, style),
            event.message.as_str().into(),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    let mut out = table.render(width);
    if shown > 0 {
        out.push_str(&paint(FAINT, &format!("  and {shown} before\n")));
    }
    out
}
