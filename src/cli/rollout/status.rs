//! `evenkeel rollout status`: where it stands; with `--watch`, until it is Ready or Stalled.

use crate::cli::args::{Globals, StatusArgs};
use crate::cli::run::screen;
use crate::cli::view::View;
use crate::cli::{CliError, Exit, objects, out};
use crate::core::record::Record;
use crate::render::live::{self, Row};
use crate::render::{message, rollout};
use jiff::Timestamp;
use std::time::{Duration, Instant};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Prints the status, or waits for the end.
pub fn run(globals: &Globals, args: &StatusArgs) -> Result<Exit, CliError> {
    let view = objects::open(globals)?;
    let record = objects::one(&view, &args.object)?;
    let last = if args.watch {
        watch(&view, args, record)?
    } else {
        record
    };
    out::text(&rollout::status(&last, Timestamp::now(), out::width()))?;
    if !view.operator_runs() {
        out::error_text(&message::note(
            "no operator runs on this state file: this is how the last one left it",
        ));
    }
    Ok(if last.status.is_ready() {
        Exit::Success
    } else {
        Exit::Failure
    })
}

/// Looks until it is Ready or Stalled; prints each step once.
fn watch(view: &View, args: &StatusArgs, first: Record) -> Result<Record, CliError> {
    let deadline = Instant::now() + args.timeout.0;
    let mut record = first;
    let mut said = String::new();
    loop {
        if record.status.is_ready() || record.status.is_stalled() {
            screen::show(None);
            return Ok(record);
        }
        if !view.operator_runs() {
            screen::show(None);
            return Err(
                CliError::new("no operator runs on this state file: nothing will change")
                    .hint("start one with `evenkeel run`"),
            );
        }
        if Instant::now() >= deadline {
            screen::show(None);
            return Err(CliError::new(format!("not Ready within {}", args.timeout))
                .hint("it goes on all the same; wait longer with --timeout"));
        }
        tell(&record, &mut said)?;
        std::thread::sleep(LOOK);
        record = objects::one(view, &args.object)?;
    }
}

fn tell(record: &Record, said: &mut String) -> Result<(), CliError> {
    let row = Row {
        key: &record.key,
        name: &record.name,
        status: &record.status,
    };
    screen::show(live::progress(&[row], Timestamp::now()));
    let line = waiting_for(record);
    if line != *said {
        screen::aside(|| out::line(&line))?;
        *said = line;
    }
    Ok(())
}

fn waiting_for(record: &Record) -> String {
    let ready = record
        .status
        .condition(crate::api::ConditionType::Ready)
        .map_or_else(String::new, |ready| ready.message.clone());
    format!("waiting: {ready}")
}
