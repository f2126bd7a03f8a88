//! Lists of checks and phases, in the columns of `evenkeel get`.

use super::objects::word;
use super::style::of_ready;
use super::table::{Cell, Last, Table};
use super::time;
use crate::api::{Condition, ConditionType, DocumentKind};
use jiff::Timestamp;

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
