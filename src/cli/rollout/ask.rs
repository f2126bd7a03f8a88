//! Requests to the operator: written down, then a short wait for what it makes of them.

use crate::api::Key;
use crate::api::status::LastHandled;
use crate::cli::args::{AskArgs, Globals};
use crate::cli::view::View;
use crate::cli::{CliError, Exit, objects, out, phases};
use crate::core::record::Record;
use crate::core::token::Ask;
use crate::render::{live, message, rollout};
use jiff::Timestamp;
use std::time::{Duration, Instant};

/// How long to wait for the operator.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// Asks, and says what came of it.
pub fn run(globals: &Globals, args: &AskArgs, ask: &Ask) -> Result<Exit, CliError> {
    if let Some(phase) = phases::named(&args.object) {
        return phases::ask(globals, &phase, ask);
    }
    let view = objects::open(globals)?;
    let record = objects::one(&view, &args.object)?;
    send(&view, &record, ask, args.no_wait)
}

/// Writes the request down, and waits unless told not to.
pub fn send(view: &View, record: &Record, ask: &Ask, no_wait: bool) -> Result<Exit, CliError> {
    let word = word(ask);
    let since = Timestamp::now();
    let id = view.ask(&record.key, ask)?;
    let object = live::object(record.key.kind, &record.name);
    if !view.operator_runs() {
        out::line(&format!("{word} of {object} is written down"))?;
        out::error_text(&message::note(
            "no operator runs on this state file: it acts on this when it starts",
        ));
        return Ok(Exit::Success);
    }
    if no_wait {
        out::line(&format!("asked for {word} of {object}"))?;
        return Ok(Exit::Success);
    }
    let Some(after) = wait(view, &record.key, ask, &id)? else {
        out::line(&format!("asked for {word} of {object}"))?;
        out::error_text(&message::note(&format!(
            "the operator has not acted yet, after {} s; it will once the call under way is settled",
            PATIENCE.as_secs()
        )));
        return Ok(Exit::Success);
    };
    for event in view.events(&record.key)?.iter().filter(|e| e.at >= since) {
        let width = object.chars().count();
        out::text(&live::event(event, &record.name, width, out::width()))?;
    }
    out::text(&rollout::status(&after, Timestamp::now(), out::width()))?;
    Ok(Exit::Success)
}

/// The record after the operator acted; `None` when it takes longer.
fn wait(view: &View, key: &Key, ask: &Ask, id: &str) -> Result<Option<Record>, CliError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let records = view.records()?;
        let Some(record) = records.into_iter().find(|record| record.key == *key) else {
            return Err(CliError::new("the resource is gone from the state file"));
        };
        if handled(&record.status.last_handled, ask) == Some(id) {
            return Ok(Some(record));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

fn handled<'a>(last: &'a LastHandled, ask: &Ask) -> Option<&'a str> {
    match ask {
        Ask::Retry => &last.retry,
        Ask::Approve { .. } => &last.approve,
        Ask::Pause => &last.pause,
        Ask::Resume => &last.promote,
        Ask::Abort => &last.abort,
        Ask::Undo { .. } => &last.rollback_to,
    }
    .as_deref()
}

fn word(ask: &Ask) -> &'static str {
    match ask {
        Ask::Retry => "retry",
        Ask::Approve { .. } => "approval",
        Ask::Pause => "pause",
        Ask::Resume => "resume",
        Ask::Abort => "abort",
        Ask::Undo { .. } => "undo",
    }
}
