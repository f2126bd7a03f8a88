//! A plan for the terminal.

use super::plan_data::{ObjectPlan, Remark, Report, Verdict, Weight};
use super::style::{BAD, BUSY, FAINT, GOOD, NAME, PLAIN, TITLE, paint};
use super::table::{Cell, Last, Table, wrap};
use super::validate::count;
use crate::api::envelope::OnFailure;
use crate::api::status::{ChangeStatus, Mutability, RollbackScope};
use crate::core::digest::short;
use crate::core::plan::{Action, Plan};
use crate::core::record::Step;
use crate::core::steps::{describe, plain};
use anstyle::Style;

/// Left edge of what belongs to a resource.
const INDENT: usize = 4;

/// The whole plan, and the line that sums up.
#[must_use]
pub fn table(report: &Report<'_>, width: Option<usize>) -> String {
    let mut out = format!(
        "{} {} ({}) against {}\n\n",
        paint(TITLE, "Plan for"),
        report.paths,
        report.revision,
        report.world
    );
    for one in &report.objects {
        out.push_str(&object(one, width));
    }
    let unchanged = report
        .objects
        .iter()
        .all(|object| object.verdict == Verdict::Unchanged);
    if unchanged {
        out.push_str("Live equals declared: nothing to do.\n");
    }
    out.push_str(&format!(
        "{} {}.\n",
        paint(TITLE, "Plan:"),
        report.summary()
    ));
    out
}

fn object(object: &ObjectPlan, width: Option<usize>) -> String {
    let (sign, style) = sign(object.verdict);
    let key = &object.declared.key;
    let mut out = format!(
        "{} {} {}  {}\n",
        paint(style, sign),
        key.kind,
        paint(NAME, &object.declared.name),
        paint(
            FAINT,
            &format!(
                "{}/{}  {}:{}",
                key.project, key.location, object.declared.origin.file, object.declared.origin.line
            )
        ),
    );
    let mut parts = Vec::new();
    if let Some(plan) = object
        .plan
        .as_ref()
        .filter(|plan| plan.action != Action::None)
    {
        parts.push(changes(plan, width));
        let refused = plan.blocked().next().is_some();
        if !refused && object.verdict != Verdict::Unknown {
            parts.push(steps(object, plan, width));
        }
        if !refused {
            parts.push(facts(object, plan, width));
        }
    }
    if !object.remarks.is_empty() {
        parts.push(remarks(&object.remarks, width));
    }
    for part in parts {
        out.push('\n');
        out.push_str(&part);
    }
    out.push('\n');
    out
}

fn sign(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Unchanged => ("=", FAINT),
        Verdict::Change => ("~", BUSY),
        Verdict::Create => ("+", GOOD),
        Verdict::Blocked => ("!", BAD),
        Verdict::Unknown => ("?", BAD),
    }
}

fn changes(plan: &Plan, width: Option<usize>) -> String {
    let mut table = Table::new(&[], Last::Wrap).indent(INDENT);
    for change in &plan.changes {
        let mut cells: Vec<Cell> = vec![change.field.as_str().into()];
        cells.push(Cell::styled(values(change, plan.action), BUSY));
        if plan.action == Action::Update {
            let (text, style) = nature(change);
            cells.push(Cell::styled(text, style));
        }
        table.row(cells);
    }
    table.render(width)
}

/// `2 -> 5`.
#[must_use]
pub fn values(change: &ChangeStatus, action: Action) -> String {
    let to = plain(&change.to);
    if action == Action::Create {
        return to;
    }
    let from = change
        .from
        .as_ref()
        .map_or_else(|| "unset".to_owned(), plain);
    format!("{from} -> {to}")
}

/// Whether a change can go back, and whether it hurts.
#[must_use]
pub fn nature(change: &ChangeStatus) -> (String, Style) {
    if change.blocked.is_some() {
        return ("GCP does not make this change".to_owned(), BAD);
    }
    let back = match change.mutability {
        Mutability::Reversible => "can go back",
        Mutability::GrowOnly => "only grows: cannot go back",
        Mutability::WriteOnly => "can be set, cannot be read back",
        Mutability::Immutable => "fixed at creation",
    };
    match &change.disruption {
        Some(why) => (format!("{back}; disruptive: {why}"), BUSY),
        None => (back.to_owned(), PLAIN),
    }
}

fn steps(object: &ObjectPlan, plan: &Plan, width: Option<usize>) -> String {
    let mut out = format!("{}{}\n", " ".repeat(INDENT), steps_title(object, plan));
    let mut table = Table::new(&[], Last::Wrap).indent(INDENT);
    for (index, step) in plan.steps.iter().enumerate() {
        table.row(vec![
            Cell::styled(format!("{:>2}", index + 1), FAINT),
            describe(step).into(),
        ]);
    }
    out.push_str(&table.render(width));
    out
}

/// `5 steps, each holds 2s before the next, at most 2m each`.
#[must_use]
pub fn steps_title(object: &ObjectPlan, plan: &Plan) -> String {
    let mut title = count(plan.steps.len(), "step");
    if object.drift {
        title.push_str(" (correcting drift)");
    }
    // A procedure holds in a step of its own.
    if !object.bake().0.is_zero() && !is_procedure(plan) {
        let which = if plan.steps.len() == 1 { "" } else { "each " };
        title.push_str(&format!(", {which}must hold {}", object.bake()));
    }
    if let Some(timeout) = object.timeout() {
        title.push_str(&format!(", done within {timeout}"));
    }
    title
}

fn facts(object: &ObjectPlan, plan: &Plan, width: Option<usize>) -> String {
    let mut table = Table::new(&[], Last::Wrap).indent(INDENT);
    for note in &object.notes {
        let (name, value) = note.split_once(": ").unwrap_or(("note", note));
        table.row(vec![Cell::styled(name, FAINT), value.into()]);
    }
    table.row(vec![Cell::styled("rollback", FAINT), rollback(plan).into()]);
    table.row(vec![
        Cell::styled("on failure", FAINT),
        on_failure(object, plan).into(),
    ]);
    table.row(vec![
        Cell::styled("digest", FAINT),
        short(&plan.digest).into(),
    ]);
    table.render(width)
}

/// How much can be taken back, in words.
#[must_use]
pub fn rollback(plan: &Plan) -> String {
    if plan.action == Action::Create {
        return "none: going back would be a delete, and nothing is deleted unasked".to_owned();
    }
    let names = |back: bool| {
        let fields = plan
            .changes
            .iter()
            .filter(|change| (change.mutability == Mutability::Reversible) == back)
            .map(|change| change.field.as_str());
        fields.collect::<Vec<_>>().join(", ")
    };
    match plan.rollback {
        RollbackScope::Full => "full: every change can go back".to_owned(),
        RollbackScope::Partial => format!(
            "partial: {} can go back; {} cannot",
            names(true),
            names(false)
        ),
        RollbackScope::None => format!("none: {} cannot go back in place", names(false)),
    }
}

fn is_procedure(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step, Step::Named(_)))
}

/// What a failed step leads to.
#[must_use]
pub fn on_failure(object: &ObjectPlan, plan: &Plan) -> &'static str {
    let rollout = object.declared.policy.rollout.as_ref();
    if is_procedure(plan) {
        return "stays where it is, with the old one in place, and holds this content";
    }
    match rollout.map(|spec| spec.on_failure).unwrap_or_default() {
        OnFailure::Hold => "stays where it is, and holds this content",
        OnFailure::Rollback if plan.rollback == RollbackScope::None => "holds this content",
        OnFailure::Rollback => "goes back that far, and holds this content",
    }
}

fn remarks(remarks: &[Remark], width: Option<usize>) -> String {
    let mut out = String::new();
    for remark in remarks {
        let (word, style) = match remark.weight {
            Weight::Blocks => ("blocked", BAD),
            Weight::Waits => ("waits", BUSY),
            Weight::Info => ("note", FAINT),
        };
        out.push_str(&labelled(word, style, &remark.text, width));
        if let Some(hint) = &remark.hint {
            out.push_str(&labelled("hint", NAME, hint, width));
        }
    }
    out
}

fn labelled(word: &str, style: Style, text: &str, width: Option<usize>) -> String {
    let before = INDENT + word.len() + 2;
    let lines = match width {
        Some(width) => wrap(text, width.saturating_sub(before).max(24)),
        None => vec![text.to_owned()],
    };
    let rest = format!("\n{}", " ".repeat(before));
    format!(
        "{}{} {}\n",
        " ".repeat(INDENT),
        paint(style, &format!("{word}:")),
        lines.join(&rest)
    )
}
