//! `evenkeel rollout undo`: back to a saved state, as far as fields go back.

use super::{ask, diff};
use crate::api::status::{ChangeStatus, Mutability};
use crate::cli::args::{Globals, UndoArgs};
use crate::cli::{CliError, Exit, objects, out};
use crate::core::plan::way_back;
use crate::core::record::{Record, Revision};
use crate::core::token::Ask;
use crate::kinds;
use crate::render::undo::{WayBack, preview};
use crate::render::{live, message, rollout};

/// Shows what goes back, asks, and writes the request down.
pub fn run(globals: &Globals, args: &UndoArgs) -> Result<Exit, CliError> {
    let view = objects::open(globals)?;
    let record = objects::one(&view, &args.ask.object)?;
    let revisions = view.revisions(&record.key)?;
    let revision = diff::pick(&record, &revisions, args.to_revision)?;
    let way = way(&record, revision)?;
    let name = live::object(record.key.kind, &record.name);
    if way.back.is_empty() && way.stuck.is_empty() {
        out::line(&format!(
            "{name} is as in revision {} already: nothing to do",
            revision.number
        ))?;
        return Ok(Exit::Success);
    }
    out::text(&preview(&record, revision, &way, out::width()))?;
    if way.back.is_empty() {
        return Err(CliError::new(format!(
            "nothing of {name} can go back to revision {} in place",
            revision.number
        ))
        .hint("see the reasons above"));
    }
    out::error_text(&message::note(&format!(
        "the manifest is held from then on, until other content is committed or \
         `evenkeel rollout retry {name}`"
    )));
    if !args.yes && !agreed()? {
        return Err(CliError::new("nothing was done").exit(Exit::Failure));
    }
    let ask = Ask::Undo {
        why: None,
        to: revision.number,
        fields: revision.fields.clone(),
    };
    ask::send(&view, &record, &ask, args.ask.no_wait)
}

fn agreed() -> Result<bool, CliError> {
    if !out::is_interactive() {
        return Err(
            CliError::new("nobody can be asked: this is no terminal").hint("add --yes to go back")
        );
    }
    out::confirm("Go back?")
}

fn way(record: &Record, revision: &Revision) -> Result<WayBack, CliError> {
    if revision.raw.is_null() {
        return Err(CliError::new(format!(
            "in revision {} the resource did not exist: going back would be a delete",
            revision.number
        ))
        .hint("take the manifest away, with deletion: Delete, if that is what you want"));
    }
    let live = diff::observed(record);
    if live.is_empty() {
        return Err(CliError::new("the live state is not known yet")
            .hint("start the operator and try again"));
    }
    let rules = kinds::of(record.key.kind).rules();
    let saved = rollout::managed(record, &revision.fields);
    let (back, stuck) = way_back(rules, &saved, &live);
    let stuck = stuck
        .into_iter()
        .map(|change| {
            let rule = rules.field(&change.field);
            let why = rule.map_or("", |rule| rule.refusal);
            let why = if why.is_empty() { reason(&change) } else { why };
            (change, why.to_owned())
        })
        .collect();
    Ok(WayBack { back, stuck })
}

/// Where the kind has no words of its own.
fn reason(change: &ChangeStatus) -> &'static str {
    match change.mutability {
        Mutability::GrowOnly => "GCP only lets it grow in place",
        Mutability::WriteOnly => "its old value cannot be read back",
        Mutability::Immutable => "it is fixed at creation",
        Mutability::Reversible => "GCP does not take it back",
    }
}
