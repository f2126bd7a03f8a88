//! Checks, phases and alerts: their lists, in the columns of `evenkeel get`, and everything about one.

use super::describe::{conditions, events, pairs};
use super::objects::word;
use super::style::{FAINT, NAME, TITLE, of_ready, paint};
use super::table::{Cell, Last, Table};
use super::time;
use crate::api::{Condition, ConditionType, DocumentKind, Event};
use crate::core::fields;
use crate::core::steps::plain;
use jiff::Timestamp;
use serde_json::Value;

/// One document of a list.
#[derive(Debug)]
pub struct Row<'a> {
    pub kind: DocumentKind,
    pub name: &'a str,
    pub conditions: &'a [Condition],
}

impl Row<'_> {
    fn find(&self, kind: ConditionType) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.kind == kind)
    }
}

/// The table. What READY is to a phase, PASSING is to a check: they share a column.
#[must_use]
pub fn list(rows: &[Row<'_>], now: Timestamp, width: Option<usize>) -> String {
    let head = ["NAME", "KIND", "READY", "REASON", "AGE", "MESSAGE"];
    let mut table = Table::new(&head, Last::Cut);
    for row in rows {
        let main = row.find(ConditionType::Ready);
        let main = main.or_else(|| row.find(ConditionType::Passing));
        let stalled = row.find(ConditionType::Stalled).is_some();
        let style = of_ready(main, stalled);
        let state = main.map_or("Unknown", |main| word(main.status));
        let reason = main.map_or("-", |main| main.reason.as_str());
        let age = main.map_or_else(
            || "-".to_owned(),
            |m| time::age(m.last_transition_time, now),
        );
        table.row(vec![
            row.name.into(),
            row.kind.as_str().into(),
            Cell::styled(state, style),
            Cell::styled(reason, style),
            age.into(),
            main.map_or("not looked at yet", |main| &*main.message)
                .into(),
        ]);
    }
    table.render(width)
}

/// What a description is made of.
#[derive(Debug)]
pub struct Facts<'a> {
    pub row: Row<'a>,
    pub status: &'a Value,
    /// `None` where nobody counts them.
    pub generation: Option<i64>,
    /// Oldest first.
    pub events: &'a [Event],
    pub operator_runs: bool,
    pub now: Timestamp,
    pub width: Option<usize>,
}

/// The whole description.
#[must_use]
pub fn describe(facts: &Facts<'_>) -> String {
    let sections = [
        (
            "Conditions",
            conditions(facts.row.conditions, facts.now, facts.width),
        ),
        ("Last probe", last_probe(facts)),
        ("Events", events(facts.events, facts.now, facts.width)),
    ];
    let mut parts = vec![identity(facts)];
    for (title, body) in sections.into_iter().filter(|(_, body)| !body.is_empty()) {
        parts.push(format!("{}\n{body}", paint(TITLE, title)));
    }
    parts.join("\n")
}

fn identity(facts: &Facts<'_>) -> String {
    let operator = if facts.operator_runs {
        "runs"
    } else {
        "does not run now: nothing changes until one starts"
    };
    let mut rows = vec![
        ("name", Cell::styled(facts.row.name, NAME)),
        ("kind", facts.row.kind.as_str().into()),
    ];
    if let Some(generation) = facts.generation {
        rows.push(("generation", generation.to_string().into()));
    }
    rows.push(("operator", operator.into()));
    pairs(rows, 0, facts.width)
}

/// The numbers of a check. Times are in seconds.
fn last_probe(facts: &Facts<'_>) -> String {
    let Some(last) = facts.status["last"].as_object() else {
        return String::new();
    };
    let mut table = Table::new(&[], Last::Wrap).indent(2);
    for (name, value) in fields::flatten(last) {
        table.row(vec![Cell::styled(&*name, FAINT), plain(&value).into()]);
    }
    table.render(facts.width)
}
