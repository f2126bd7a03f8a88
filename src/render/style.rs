//! Colors, with a meaning each.

use crate::api::{Condition, ConditionStatus, Reason};
use anstyle::{AnsiColor, Style};

/// As wished.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Under way, or worth a look.
pub const BUSY: Style = AnsiColor::Yellow.on_default();
/// Needs a person.
pub const BAD: Style = AnsiColor::Red.on_default();
/// What a person may type or look up.
pub const NAME: Style = AnsiColor::Cyan.on_default();
/// Titles.
pub const TITLE: Style = Style::new().bold();
/// What can be skipped.
pub const FAINT: Style = Style::new().dimmed();
/// No style at all.
pub const PLAIN: Style = Style::new();

/// Text in a style.
#[must_use]
pub fn paint(style: Style, text: &str) -> String {
    if style == PLAIN || text.is_empty() {
        return text.to_owned();
    }
    format!("{style}{text}{style:#}")
}

/// The style of a Ready condition.
#[must_use]
pub fn of_ready(ready: Option<&Condition>, stalled: bool) -> Style {
    match ready {
        Some(ready) if ready.status == ConditionStatus::True => GOOD,
        Some(_) if stalled => BAD,
        Some(ready) if ready.reason == Reason::Error => BAD,
        _ => BUSY,
    }
}
