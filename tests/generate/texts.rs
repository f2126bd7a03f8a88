//! Texts that YAML readers trip over, all of them values that GCP takes.

use proptest::prelude::*;

const TRICKY: &[&str] = &[
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "null",
    "~",
    "true",
    "False",
    "1",
    "-1",
    "1.0",
    "010",
    "0x1F",
    "0o7",
    "1e3",
    "1_000",
    ".inf",
    "-.NaN",
    "12:30:45",
    "2026-01-01",
    "- a",
    "a: b",
    "a:",
    "#x",
    "x #y",
    "'q'",
    "\"d\"",
    "|",
    "> x",
    "*a",
    "&a b",
    "!t",
    "%d",
    "@x",
    "`b`",
    "{a}",
    "[a]",
    "a, b",
    "<<",
    "=",
    "---",
    "...",
    "--- a",
    "? a",
    " lead",
    "trail ",
    "tab\tin",
    "two\nlines",
    "two\nlines\n",
    "\n",
    "\n\nx\n\n",
    " \n x",
    "\r\n",
    "cr\ronly",
    "é ü 漢字",
    "🙂",
    "\u{85}x",
    "\u{2028}y",
    "\u{feff}z",
    "back\\slash",
    "\u{1b}[0m",
    "\u{7f}",
    "\u{0}",
];

/// Any text.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(TRICKY).prop_map(str::to_owned),
        2 => "[a-zA-Z0-9 .,:;/_=-]{0,40}",
        1 => "[ -~]{1,200}",
        1 => any::<String>(),
    ]
}

/// Printable ASCII.
pub fn ascii() -> impl Strategy<Value = String> {
    let tricky: Vec<&str> = TRICKY
        .iter()
        .copied()
        .filter(|text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
        .collect();
    prop_oneof![
        proptest::sample::select(tricky).prop_map(str::to_owned),
        "[ -~]{0,30}",
    ]
}

pub fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,4})?".prop_filter("a name of its own", |name| {
        !name.starts_with("staging") && !name.starts_with("netra")
    })
}

/// The value of a label.
pub fn label() -> impl Strategy<Value = String> {
    let tricky = vec!["yes", "no", "1", "010", "null", "true", "1e3"];
    prop_oneof![
        "[a-z0-9_-]{0,12}",
        proptest::sample::select(tricky).prop_map(str::to_owned),
    ]
}
