//! The one line that lives at the bottom of a terminal, and lines that are printed above it.

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);
const TICK: Duration = Duration::from_millis(120);

fn line() -> MutexGuard<'static, Option<ProgressBar>> {
    // The bar is only drawn, so a panic elsewhere does no harm to it.
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows this text in the living line; `None` takes the line away. Nothing happens where stderr is
/// no terminal.
pub fn show(text: Option<String>) {
    let mut line = line();
    let Some(text) = text.filter(|_| std::io::stderr().is_terminal()) else {
        if let Some(bar) = line.take() {
            bar.finish_and_clear();
        }
        return;
    };
    let plain = AutoStream::choice(&std::io::stderr()) == ColorChoice::Never;
    let text = if plain {
        anstream::adapter::strip_str(&text).to_string()
    } else {
        text
    };
    line.get_or_insert_with(start).set_message(text);
}

fn start() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// Does `work` with the living line out of the way.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    let bar = line().clone();
    match bar {
        Some(bar) => bar.suspend(work),
        None => work(),
    }
}
