//! A plan for a pull request.

use super::plan::{nature, on_failure, rollback, steps_title, values};
use super::plan_data::{ObjectPlan, Report, Verdict, Weight};
use crate::core::digest::short;
use crate::core::plan::{Action, Plan};
use crate::core::steps::describe;
use std::fmt::Write as _;

/// The whole plan.
#[must_use]
pub fn markdown(report: &Report<'_>) -> String {
    let mut out = format!("### evenkeel plan: {}\n\n", report.summary());
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        out,
        "`{}` ({}) against `{}`",
        report.paths, report.revision, report.world
    );
    for one in &report.objects {
        if one.verdict != Verdict::Unchanged {
            object(&mut out, one);
        }
    }
    out
}

fn object(out: &mut String, object: &ObjectPlan) {
    let key = &object.declared.key;
    let verdict = match object.verdict {
        Verdict::Unchanged => "unchanged",
        Verdict::Change => "change",
        Verdict::Create => "create",
        Verdict::Blocked => "blocked",
        Verdict::Unknown => "unreadable",
    };
    let _ = writeln!(
        out,
        "\n#### {verdict}: {} `{}` ({}/{})\n",
        key.kind, object.declared.name, key.project, key.location
    );
    if let Some(plan) = &object.plan {
        changes(out, plan);
        steps(out, object, plan);
    }
    for remark in &object.remarks {
        let word = match remark.weight {
            Weight::Blocks => "Blocked",
            Weight::Waits => "Waits",
            Weight::Info => "Note",
        };
        let _ = writeln!(out, "- **{word}**: {}", cell(&remark.text));
        if let Some(hint) = &remark.hint {
            let _ = writeln!(out, "  - way out: {}", cell(hint));
        }
    }
}

fn changes(out: &mut String, plan: &Plan) {
    if plan.changes.is_empty() {
        return;
    }
    let update = plan.action == Action::Update;
    out.push_str(if update {
        "| field | change | |\n| --- | --- | --- |\n"
    } else {
        "| field | value | |\n| --- | --- | --- |\n"
    });
    for change in &plan.changes {
        let nature = if update {
            nature(change).0
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} |",
            change.field,
            cell(&values(change, plan.action)),
            cell(&nature)
        );
    }
    out.push('\n');
}

fn steps(out: &mut String, object: &ObjectPlan, plan: &Plan) {
    if plan.action == Action::None {
        return;
    }
    if plan.blocked().next().is_none() {
        let _ = writeln!(out, "{}:\n", steps_title(object, plan));
        for (index, step) in plan.steps.iter().enumerate() {
            let _ = writeln!(out, "{}. {}", index + 1, describe(step));
        }
        out.push('\n');
    }
    for note in &object.notes {
        let _ = writeln!(out, "- {note}");
    }
    let _ = writeln!(out, "- rollback: {}", rollback(plan));
    let _ = writeln!(out, "- on failure: {}", on_failure(object, plan));
    let _ = writeln!(out, "- digest: `{}`", short(&plan.digest));
}

/// Text that cannot break out of a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
