//! Lists of resources, as `kubectl get` shows them.

use super::style::{BAD, BUSY, FAINT, GOOD, PLAIN, of_ready};
use super::table::{Cell, Last, Table};
use super::time;
use crate::api::{ConditionStatus, ConditionType, Key, Kind, Status};
use jiff::Timestamp;

/// One resource of a list.
#[derive(Debug)]
pub struct Object<'a> {
    pub key: &'a Key,
    pub name: &'a str,
    pub generation: i64,
    pub revision: i64,
    pub status: &'a Status,
}

/// How to print a list.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    pub wide: bool,
    pub head: bool,
    pub now: Timestamp,
    pub width: Option<usize>,
}

/// From this width on, kinds are written out.
const ROOMY: usize = 100;
const NARROW: [&str; 6] = ["NAME", "KIND", "READY", "REASON", "AGE", "MESSAGE"];
const WIDE: [&str; 13] = [
    "NAME", "KIND", "READY", "REASON", "AGE", "PROJECT", "LOCATION", "GEN", "REV", "STEP",
    "DRIFTED", "EXPIRES", "MESSAGE",
];

/// The table.
#[must_use]
pub fn list(objects: &[Object<'_>], layout: Layout) -> String {
    let head: &[&str] = match (layout.head, layout.wide) {
        (false, _) => &[],
        (true, false) => &NARROW,
        (true, true) => &WIDE,
    };
    let mut table = Table::new(head, Last::Cut);
    for object in objects {
        table.row(row(object, layout));
    }
    table.render(layout.width)
}

fn row(object: &Object<'_>, layout: Layout) -> Vec<Cell> {
    let status = object.status;
    let ready = status.condition(ConditionType::Ready);
    let style = of_ready(ready, status.is_stalled());
    let (state, reason, message, age) = match ready {
        None => ("Unknown", "-", "not looked at yet", "-".to_owned()),
        Some(ready) => (
            word(ready.status),
            ready.reason.as_str(),
            ready.message.as_str(),
            time::age(ready.last_transition_time, layout.now),
        ),
    };
    let mut cells = vec![
        object.name.into(),
        kind(object.key.kind, layout.width).into(),
        Cell::styled(state, style),
        Cell::styled(reason, style),
        age.into(),
    ];
    if layout.wide {
        cells.extend(wide(object, layout.now));
    }
    cells.push(message.into());
    cells
}

/// A narrow terminal keeps its room for the message.
fn kind(kind: Kind, width: Option<usize>) -> &'static str {
    match width {
        Some(width) if width < ROOMY => kind.short_name(),
        _ => kind.as_str(),
    }
}

fn wide(object: &Object<'_>, now: Timestamp) -> Vec<Cell> {
    let step = object.status.rollout.as_ref().map_or_else(
        || "-".to_owned(),
        |rollout| format!("{}/{}", rollout.step, rollout.steps),
    );
    let drifted = object.status.condition(ConditionType::Drifted);
    let drifted = drifted.map_or(ConditionStatus::Unknown, |condition| condition.status);
    let style = match drifted {
        ConditionStatus::True => BUSY,
        ConditionStatus::False => GOOD,
        ConditionStatus::Unknown => FAINT,
    };
    vec![
        object.key.project.as_str().into(),
        object.key.location.as_str().into(),
        object.generation.to_string().into(),
        object.revision.to_string().into(),
        step.into(),
        Cell::styled(word(drifted), style),
        expires(object.status, now),
    ]
}

/// What is left of what the resource serves: `61d`.
fn expires(status: &Status, now: Timestamp) -> Cell {
    let Some(at) = status.expire_time() else {
        return "-".into();
    };
    if at <= now {
        return Cell::styled("expired", BAD);
    }
    let near = status.condition(ConditionType::Expiring).is_some();
    Cell::styled(time::left(at, now), if near { BUSY } else { PLAIN })
}

/// `True`, `False` or `Unknown`.
#[must_use]
pub fn word(status: ConditionStatus) -> &'static str {
    match status {
        ConditionStatus::True => "True",
        ConditionStatus::False => "False",
        ConditionStatus::Unknown => "Unknown",
    }
}
