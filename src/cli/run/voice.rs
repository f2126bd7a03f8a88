//! What a run says, for people or as one JSON object a line.

use super::screen;
use crate::api::Event;
use crate::cli::args::LogFormat;
use crate::cli::{CliError, out};
use crate::render::live::{self, Banner, Row};
use jiff::Timestamp;
use serde_json::{Value, json};

/// How a run speaks.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    json: bool,
}

impl Voice {
    pub fn new(format: LogFormat) -> Self {
        Voice {
            json: format == LogFormat::Json,
        }
    }

    fn object(value: &Value) -> Result<(), CliError> {
        screen::aside(|| out::line(&value.to_string()))
    }

    fn text(text: &str) -> Result<(), CliError> {
        screen::aside(|| out::text(text))
    }

    pub fn start(self, banner: &Banner<'_>) -> Result<(), CliError> {
        if self.json {
            return Self::object(&json!({
                "at": Timestamp::now(), "reason": "Started", "source": banner.paths,
                "revision": banner.revision, "resources": banner.objects, "gcp": banner.world,
                "emulator": banner.address, "state": banner.state, "mode": banner.mode, "serves": banner.serves,
            }));
        }
        Self::text(&live::banner(banner))
    }

    pub fn event(self, event: &Event, name: &str, object_width: usize) -> Result<(), CliError> {
        if self.json {
            let key = event.about.key();
            return Self::object(&json!({
                "at": event.at, "kind": event.about.kind().as_str(), "name": name,
                "project": key.map(|key| &key.project), "location": key.map(|key| &key.location),
                "severity": event.severity, "reason": event.reason, "message": event.message,
            }));
        }
        Self::text(&live::event(event, name, object_width, out::width()))
    }

    /// `goes_on`: the run does not end here.
    pub fn settled(self, rows: &[Row<'_>], now: Timestamp, goes_on: bool) -> Result<(), CliError> {
        if self.json {
            let ready = rows.iter().filter(|row| row.status.is_ready()).count();
            return Self::object(&json!({
                "at": now, "reason": "Settled", "ready": ready, "resources": rows.len(),
            }));
        }
        let tail = if goes_on {
            "; watching for changes (Ctrl-C stops)"
        } else {
            ""
        };
        Self::text(&live::settled(rows, now, tail))
    }

    /// The last table; JSON has it in the events.
    pub fn table(self, table: &str) -> Result<(), CliError> {
        if self.json {
            return Ok(());
        }
        Self::text(&format!("\n{table}"))
    }

    /// Something about the run as a whole.
    pub fn note(self, now: Timestamp, reason: &str, message: &str) -> Result<(), CliError> {
        if self.json {
            return Self::object(&json!({"at": now, "reason": reason, "message": message}));
        }
        Self::text(&live::note(now, message))
    }
}
