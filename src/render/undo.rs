//! What an undo would do, before it is asked for.

use super::live::object;
use super::style::{BAD, GOOD, NAME, paint};
use super::table::{Cell, Last, Table, wrap};
use crate::api::status::ChangeStatus;
use crate::core::plan::change_text;
use crate::core::record::{Record, Revision};
use crate::core::steps::plain;

/// A way back, field by field.
#[derive(Debug)]
pub struct WayBack {
    /// Can go back in place.
    pub back: Vec<ChangeStatus>,
    /// Cannot, and why: the rule's own words.
    pub stuck: Vec<(ChangeStatus, String)>,
}

/// What goes back, what does not and why, and what it means for the manifest.
#[must_use]
pub fn preview(
    record: &Record,
    revision: &Revision,
    way: &WayBack,
    width: Option<usize>,
) -> String {
    let name = paint(NAME, &object(record.key.kind, &record.name));
    let mut out = format!(
        "{name}: back to revision {} ({})\n",
        revision.number,
        super::time::date(revision.at)
    );
    let mut table = Table::new(&[], Last::Wrap).indent(2);
    for change in &way.back {
        table.row(vec![
            Cell::styled("goes back", GOOD),
            change_text(change).into(),
        ]);
    }
    for (change, _) in &way.stuck {
        let now = change
            .from
            .as_ref()
            .map_or_else(|| "unset".to_owned(), plain);
        let text = format!("{} {now} (was {})", change.field, plain(&change.to));
        table.row(vec![Cell::styled("stays", BAD), text.into()]);
    }
    out.push_str(&table.render(width));
    for (fields, why) in reasons(&way.stuck) {
        let text = format!("{fields} cannot go back: {why}");
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(2).max(24));
        for line in wrap(&text, room) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}

/// Reasons, each with all the fields it is about.
fn reasons(stuck: &[(ChangeStatus, String)]) -> Vec<(String, &str)> {
    let mut reasons: Vec<(String, &str)> = Vec::new();
    for (change, why) in stuck {
        match reasons.iter_mut().find(|(_, known)| known == why) {
            Some((fields, _)) => {
                fields.push_str(", ");
                fields.push_str(&change.field);
            }
            None => reasons.push((change.field.clone(), why)),
        }
    }
    reasons
}
