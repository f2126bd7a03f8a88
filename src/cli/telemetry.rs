//! The log on stderr. It steps aside for the progress line.

use super::args::{Globals, LogFormat};
use super::run::screen;
use std::io::Write;
use tracing_subscriber::EnvFilter;

/// Starts the log: warnings by default, more with `-v`; `RUST_LOG` goes before both.
pub fn start(globals: &Globals) {
    let level = match globals.verbose {
        0 => "evenkeel=warn",
        1 => "evenkeel=info",
        2 => "evenkeel=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Stderr)
        .with_target(false);
    // A second start in one process keeps the first log.
    let _ = match globals.log_format {
        LogFormat::Text => builder.with_ansi(true).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

/// stderr, with the progress line taken away while a line is written.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        screen::aside(|| anstream::stderr().lock().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        anstream::stderr().lock().flush()
    }
}
