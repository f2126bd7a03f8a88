//! docs/remediation-plan.md: every row names a line that holds what it says, and a test that is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cells of each row: criterion, `file:line`, text of that line, test.
fn rows() -> Vec<[String; 4]> {
    let text = read("docs/remediation-plan.md");
    let lines = text
        .lines()
        .filter(|line| line.contains("manifests/staging/"));
    lines
        .filter(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<String> = line
                .trim_matches('|')
                .split(" | ")
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect();
            cells.try_into().unwrap_or_else(|cells| panic!("{cells:?}"))
        })
        .collect()
}

#[test]
fn every_row_of_the_plan_has_its_line_and_its_test() {
    let rows = rows();
    assert!(rows.len() >= 30, "{}", rows.len());
    for [row, place, text, _] in &rows {
        let (file, line) = place.rsplit_once(':').unwrap();
        let line: usize = line.parse().unwrap();
        let content = read(file);
        let found = content.lines().nth(line - 1).unwrap_or_default();
        assert!(
            found.contains(text.as_str()),
            "{row}: {place} is `{found}`, not `{text}`"
        );
    }
    let named: BTreeSet<&str> = rows.iter().map(|[_, _, _, test]| test.as_str()).collect();
    let mut tests = String::new();
    for file in ["first", "rows", "settings", "walk"] {
        tests += &read(&format!("tests/staging_plan/{file}.rs"));
    }
    for test in &named {
        assert!(tests.contains(&format!("fn {test}()")), "no test {test}");
    }
    let untold = tests
        .lines()
        .filter_map(|line| line.strip_prefix("fn ")?.strip_suffix("() {"))
        .filter(|test| !named.contains(test));
    assert_eq!(untold.collect::<Vec<_>>(), [""; 0], "tests without a row");
}
