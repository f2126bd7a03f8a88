//! `evenkeel describe`: everything known about one object.

use super::args::{DescribeArgs, Globals};
use super::{CliError, Exit, documents, objects, out};
use crate::render::describe::{Facts, text};
use jiff::Timestamp;

/// Prints the resource.
pub fn run(globals: &Globals, args: &DescribeArgs) -> Result<Exit, CliError> {
    if let Some((kind, name)) = documents::named(&args.object) {
        return documents::describe(globals, kind, &name);
    }
    let view = objects::open(globals)?;
    let record = objects::one(&view, &args.object)?;
    let events = view.events(&record.key)?;
    let facts = Facts {
        record: &record,
        events: &events,
        operator_runs: view.operator_runs(),
        now: Timestamp::now(),
        width: out::width(),
    };
    out::text(&text(&facts))?;
    Ok(Exit::Success)
}
