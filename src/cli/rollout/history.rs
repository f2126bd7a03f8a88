//! `evenkeel rollout history`

use crate::cli::args::{Globals, HistoryArgs};
use crate::cli::{CliError, Exit, objects, out};
use crate::render::{live, message, rollout};

/// Lists the saved states.
pub fn run(globals: &Globals, args: &HistoryArgs) -> Result<Exit, CliError> {
    let view = objects::open(globals)?;
    let record = objects::one(&view, &args.object)?;
    let revisions = view.revisions(&record.key)?;
    if revisions.is_empty() {
        let name = live::object(record.key.kind, &record.name);
        out::error_text(&message::note(&format!(
            "nothing was saved for {name}: a state is saved before the first write"
        )));
        return Ok(Exit::Success);
    }
    out::text(&rollout::history(&record, &revisions, out::width()))?;
    Ok(Exit::Success)
}
