//! What `run` prints while it runs: banner, events, progress, the state when all is settled.

use super::style::{BAD, FAINT, GOOD, NAME, PLAIN, TITLE, paint};
use super::table::{Cell, Last, Table};
use super::time;
use super::validate::count;
use crate::api::event::Severity;
use crate::api::{ConditionType, DocumentKind, Event, Key, Status};
use jiff::Timestamp;

/// What the banner says.
#[derive(Debug)]
pub struct Banner<'a> {
    pub paths: &'a str,
    pub revision: &'a str,
    pub objects: usize,
    pub world: &'a str,
    /// Where the emulator of this process can be reached.
    pub address: Option<String>,
    /// Where this operator serves its own state.
    pub serves: Option<String>,
    pub state: &'a str,
    pub mode: &'a str,
}

/// The first lines of a run.
#[must_use]
pub fn banner(banner: &Banner<'_>) -> String {
    let mut table = Table::new(&[], Last::Wrap);
    let mut row = |name: &str, value: String| {
        table.row(vec![Cell::styled(name, FAINT), value.into()]);
    };
    row(
        "source",
        format!(
            "{} ({}, {})",
            banner.paths,
            banner.revision,
            count(banner.objects, "resource")
        ),
    );
    row("gcp", banner.world.to_owned());
    if let Some(address) = &banner.address {
        row("", format!("http://{address} for curl and gcloud"));
    }
    row("state", banner.state.to_owned());
    row("mode", banner.mode.to_owned());
    if let Some(address) = &banner.serves {
        row("serves", format!("http://{address}/api/v1/health"));
    }
    let title = paint(TITLE, concat!("evenkeel ", env!("CARGO_PKG_VERSION")));
    format!("{title}\n{}\n", table.render(None))
}

/// `vac/staging-connector`.
#[must_use]
pub fn object(kind: impl Into<DocumentKind>, name: &str) -> String {
    format!("{}/{name}", kind.into().short_name())
}

/// One event, in columns; `object_width` lines them up with those before and after.
#[must_use]
pub fn event(event: &Event, name: &str, object_width: usize, width: Option<usize>) -> String {
    let style = match event.severity {
        Severity::Warning => BAD,
        Severity::Normal if GOOD_NEWS.contains(&event.reason.as_str()) => GOOD,
        Severity::Normal => PLAIN,
    };
    let mut table = Table::new(&[], Last::Wrap).least(&[9, object_width, REASON_WIDTH]);
    table.row(vec![
        Cell::styled(time::clock(event.at), FAINT),
        Cell::styled(object(event.about.kind(), name), NAME),
        Cell::styled(&*event.reason, style),
        event.message.as_str().into(),
    ]);
    table.render(width)
}

/// The reasons of events that end something well.
const GOOD_NEWS: [&str; 2] = ["StepLanded", "RolloutSucceeded"];
/// Most reasons are no longer than this.
const REASON_WIDTH: usize = 16;

/// One resource, as the progress line and the last lines see it.
#[derive(Debug)]
pub struct Row<'a> {
    pub key: &'a Key,
    pub name: &'a str,
    pub status: &'a Status,
}

/// The line that lives while a rollout runs; `None` when nothing is under way.
#[must_use]
pub fn progress(rows: &[Row<'_>], now: Timestamp) -> Option<String> {
    let rolling: Vec<_> = rows
        .iter()
        .filter_map(|row| Some((row, row.status.rollout.as_ref()?)))
        .collect();
    let (row, rollout) = rolling.first()?;
    let what = match rollout.bake_until {
        Some(until) => {
            format!("landed, holds {} more", time::left(until, now))
        }
        None => format!("since {}", time::age(rollout.step_started_at, now)),
    };
    let mut line = format!(
        "{}  {} {}  {}  {what}",
        paint(NAME, &object(row.key.kind, row.name)),
        meter(rollout.step, rollout.steps, rollout.bake_until.is_some()),
        paint(TITLE, &format!("step {}/{}", rollout.step, rollout.steps)),
        rollout.doing,
    );
    if rolling.len() > 1 {
        line.push_str(&format!("  (and {} more)", rolling.len() - 1));
    }
    Some(line)
}

fn meter(step: usize, steps: usize, landed: bool) -> String {
    let width = steps.clamp(1, 12);
    let done = if landed { step } else { step.saturating_sub(1) };
    let full = (done * width).checked_div(steps).unwrap_or(0).min(width);
    paint(GOOD, &"━".repeat(full)) + &paint(FAINT, &"━".repeat(width - full))
}

/// What is said once nothing is pending: `1 of 1 ready`, and who is not and why.
#[must_use]
pub fn settled(rows: &[Row<'_>], now: Timestamp, tail: &str) -> String {
    let ready = rows.iter().filter(|row| row.status.is_ready()).count();
    let style = if ready == rows.len() { GOOD } else { BAD };
    let sum = paint(style, &format!("{ready} of {} ready", rows.len()));
    let clock = paint(FAINT, &time::clock(now));
    let mut out = String::new();
    for row in rows.iter().filter(|row| !row.status.is_ready()) {
        if let Some(condition) = row.status.condition(ConditionType::Ready) {
            out.push_str(&format!(
                "{clock}  {} is not ready: {}: {}\n",
                paint(NAME, &object(row.key.kind, row.name)),
                paint(BAD, condition.reason.as_str()),
                condition.message
            ));
        }
    }
    out.push_str(&format!("{clock}  {sum}{tail}\n"));
    out
}

/// A line about the run as a whole.
#[must_use]
pub fn note(now: Timestamp, message: &str) -> String {
    format!("{}  {message}\n", paint(FAINT, &time::clock(now)))
}
