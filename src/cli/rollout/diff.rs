//! `evenkeel rollout diff`

use crate::cli::args::{DiffArgs, Globals};
use crate::cli::{CliError, Exit, objects, out};
use crate::core::fields::{self, Fields};
use crate::core::record::{Record, Revision};
use crate::render::{live, rollout};

/// Compares a saved state with another, or with the live one as last seen.
pub fn run(globals: &Globals, args: &DiffArgs) -> Result<Exit, CliError> {
    let view = objects::open(globals)?;
    let record = objects::one(&view, &args.object)?;
    let revisions = view.revisions(&record.key)?;
    let from = pick(&record, &revisions, args.revision)?;
    let old = rollout::managed(&record, &from.fields);
    let (name, new) = if args.to.is_none() {
        ("live".to_owned(), observed(&record))
    } else {
        let to = pick(&record, &revisions, args.to)?;
        let fields = rollout::managed(&record, &to.fields);
        (format!("revision {}", to.number), fields)
    };
    let title = format!("revision {}", from.number);
    let text = rollout::diff((&title, &old), (&name, &new), out::width());
    out::text(&text)?;
    Ok(Exit::Success)
}

/// The live managed fields, as the operator last saw them.
pub fn observed(record: &Record) -> Fields {
    let mut fields = fields::flatten(&record.status.observed);
    fields.remove("state");
    fields
}

/// A saved state by number, by default the newest.
pub fn pick<'a>(
    record: &Record,
    revisions: &'a [Revision],
    wanted: Option<i64>,
) -> Result<&'a Revision, CliError> {
    let name = live::object(record.key.kind, &record.name);
    let found = match wanted {
        None => revisions.last(),
        Some(number) => revisions.iter().find(|r| r.number == number),
    };
    found.ok_or_else(|| match (wanted, revisions.first(), revisions.last()) {
        (Some(number), Some(first), Some(last)) => {
            CliError::new(format!("{name} has no saved state {number}")).hint(format!(
                "there are {} to {}: `evenkeel rollout history {name}`",
                first.number, last.number
            ))
        }
        _ => CliError::new(format!("nothing was saved for {name}"))
            .hint("a state is saved before the first write of a rollout"),
    })
}
