//! The import rules between rooms, held by reading the source.
//!
//! A room may use what its row allows and nothing else of ours; see ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Room, and the rooms (or parts of rooms) it may use besides itself.
const RULES: &[(&str, &[&str])] = &[
    ("alert", &["api", "core"]),
    ("api", &[]),
    ("core", &["api"]),
    ("kinds", &["api", "core"]),
    (
        "gcp",
        &[
            "core::error",
            "core::observed",
            "core::permit",
            "core::record",
        ],
    ),
    ("journal", &["api", "core"]),
    ("source", &["api", "core::check", "core::graph", "secrets"]),
    ("secrets", &["api"]),
    (
        "check",
        &["api", "core::check", "core::error", "gcp", "secrets"],
    ),
    (
        "engine",
        &["api", "check", "core", "kinds", "gcp", "journal", "source"],
    ),
    (
        "kubernetes",
        &[
            "api",
            "core",
            "kinds",
            "gcp::clock",
            "gcp::entropy",
            "journal",
            "source",
            "secrets",
            "engine",
        ],
    ),
    ("serve", &["api", "core", "engine", "gcp", "secrets"]),
    ("emulator", &[]),
    (
        "render",
        &["api", "core", "kinds", "engine", "source", "journal"],
    ),
    (
        "cli",
        &[
            "alert",
            "api",
            "check",
            "core",
            "kinds",
            "gcp",
            "journal",
            "secrets",
            "source",
            "engine",
            "emulator",
            "kubernetes",
            "render",
            "serve",
        ],
    ),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of a file: no comments, and no test modules at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

fn room_files(room: &str) -> Vec<PathBuf> {
    let folder = Path::new("src").join(room);
    let files = if folder.is_dir() {
        sources(&folder)
    } else {
        Vec::new()
    };
    let is_test = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.ends_with("tests.rs") || name == "testing.rs"
    };
    files.into_iter().filter(|path| !is_test(path)).collect()
}

/// Every `crate::x::y` that a text names, also inside `use crate::{a, b::c}`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (index, _) in text.match_indices("crate::") {
        let rest = &text[index + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let end = group.find('}').unwrap_or(group.len());
            for item in group[..end].split(',') {
                found.insert(item.trim().to_owned());
            }
        } else {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                .unwrap_or(rest.len());
            found.insert(rest[..end].trim_end_matches(':').to_owned());
        }
    }
    found
}

fn allowed(room: &str, import: &str, rules: &[&str]) -> bool {
    let within = |prefix: &str| import == prefix || import.starts_with(&format!("{prefix}::"));
    within(room) || rules.iter().any(|rule| within(rule))
}

#[test]
fn rooms_use_only_what_their_row_allows() {
    let mut broken = Vec::new();
    for (room, rules) in RULES {
        for file in room_files(room) {
            for import in imports(&code(&file)) {
                if !allowed(room, &import, rules) {
                    broken.push(format!("{} uses crate::{import}", file.display()));
                }
            }
        }
    }
    assert!(
        broken.is_empty(),
        "not allowed by ARCHITECTURE.md:\n{}",
        broken.join("\n")
    );
}

#[test]
fn every_room_has_a_row() {
    let known: BTreeSet<_> = RULES.iter().map(|(room, _)| (*room).to_owned()).collect();
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(known.contains(&name), "src/{name} has no row in this test");
        }
    }
}

/// `room` names none of `words`.
fn lacks(room: &str, words: &[&str]) {
    for file in room_files(room) {
        let text = code(&file);
        for word in words {
            assert!(!text.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn the_core_is_pure() {
    let io = [
        "tokio",
        "async ",
        "std::fs",
        "std::env",
        "std::net::Tcp",
        "std::process",
    ];
    let chance = [
        "Timestamp::now",
        "SystemTime",
        "Instant::now",
        "fastrand",
        "rand::",
    ];
    for room in ["core", "api", "kinds"] {
        lacks(room, &io);
        lacks(room, &chance);
        lacks(room, &["println!", "eprintln!", "tracing::"]);
    }
}

#[test]
fn only_gcp_speaks_http_to_google() {
    for (room, _) in RULES.iter().filter(|(room, _)| *room != "gcp") {
        lacks(room, &["google_cloud_auth"]);
        // Receivers of alerts and servers of git are not Google.
        if !["alert", "source"].contains(room) {
            lacks(room, &["reqwest"]);
        }
    }
}

#[test]
fn only_render_and_the_command_line_print() {
    let quiet = RULES
        .iter()
        .filter(|(room, _)| !["cli", "render"].contains(room));
    for (room, _) in quiet {
        lacks(room, &["println!", "eprintln!", "print!("]);
    }
}

#[test]
fn proofs_are_made_in_one_place_each() {
    for (room, _) in RULES {
        if !["journal", "kubernetes", "core"].contains(room) {
            lacks(room, &["Durable::attest"]);
        }
        if *room != "engine" && *room != "core" {
            lacks(room, &[".permit("]);
        }
    }
}

#[test]
fn the_test_can_fail() {
    let found = imports("use crate::gcp::client::Client;\nuse crate::{api::Key, engine};");
    let names: Vec<_> = found.iter().map(String::as_str).collect();
    assert_eq!(names, ["api::Key", "engine", "gcp::client::Client"]);
    assert!(!allowed("core", "gcp::client::Client", &["api"]));
    assert!(!allowed("gcp", "core::decide", &["core::error"]));
    assert!(allowed("gcp", "core::error::Fault", &["core::error"]));
    assert!(!allowed("api", "apiary", &[]));
}
