//! stdout and stderr. Text comes styled; what cannot show styles gets it plain.

use super::CliError;
use super::args::Color;
use anstream::ColorChoice;
use std::io::{IsTerminal, Write as _};

/// Obeys `--color`; `auto` also honours `NO_COLOR` and `CLICOLOR`.
pub fn use_color(color: Color) {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Prints to stdout as it is; the text brings its own line ends.
pub fn text(text: &str) -> Result<(), CliError> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Prints one line, or several, to stdout.
pub fn line(line: &str) -> Result<(), CliError> {
    text(&format!("{line}\n"))
}

/// Prints data as indented JSON.
pub fn json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let rendered = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::new(format!("cannot be written as JSON: {error}")))?;
    line(&rendered)
}

/// Prints to stderr. Where stderr is gone there is nobody left to tell.
pub fn error_text(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Columns of the terminal behind stdout; `None` when it is a pipe or a file.
pub fn width() -> Option<usize> {
    let (columns, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(usize::from(columns.0))
}

/// Whether a person may answer a question.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on stderr; anything but `y` or `yes` is no.
pub fn confirm(question: &str) -> Result<bool, CliError> {
    error_text(&format!("{question} [y/N] "));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(
        answer.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}
