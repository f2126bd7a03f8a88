//! The health report and the result of a load test.

use super::style::{BAD, BUSY, FAINT, GOOD, NAME, TITLE, paint};
use super::table::{Cell, Last, Table};
use super::time;
use crate::core::check::{Role, Value, Verdict, seconds};
use crate::core::health::load::{LoadReport, STATS};
use crate::core::health::{CheckHealth, Diagnosis, Health, Number, State};
use anstyle::Style;
use std::time::Duration;

/// The report. `wide`: every number, with what was measured and how often.
#[must_use]
pub fn report(health: &Health, wide: bool, width: Option<usize>) -> String {
    let mut parts = vec![head(health), checks(health, wide, width)];
    if let Some(diagnosis) = &health.diagnosis {
        parts.push(evidence(diagnosis, width));
    }
    parts.push(remedies(health, width));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// A report among others: on a terminal it takes the place of the one before.
#[must_use]
pub fn next(health: &Health, wide: bool, width: Option<usize>) -> String {
    let at = paint(FAINT, &time::date(health.at));
    let (before, after) = match width {
        Some(_) => ("\u{1b}[H\u{1b}[2J", ""),
        None => ("", "\n"),
    };
    format!("{before}{at}\n{}{after}", report(health, wide, width))
}

fn tone(state: State) -> Style {
    match state {
        State::Healthy => GOOD,
        State::Warning => BUSY,
        State::Unknown => FAINT,
        State::Unhealthy => BAD,
    }
}

fn head(health: &Health) -> String {
    let state = paint(tone(health.state), health.state.as_str());
    let Some(diagnosis) = &health.diagnosis else {
        return format!("{state}\n");
    };
    let side = paint(TITLE, diagnosis.classification.as_str());
    format!("{state}: {side}: {}\n", diagnosis.because)
}

fn checks(health: &Health, wide: bool, width: Option<usize>) -> String {
    let mut titles = vec!["COMPONENT", "CHECK", "STATE"];
    if wide {
        titles.extend(["SOURCE", "SAMPLES"]);
    }
    titles.push("NUMBERS");
    let mut table = Table::new(&titles, Last::Wrap);
    for component in &health.components {
        for check in &component.checks {
            let mut row = vec![
                component.component.as_str().into(),
                Cell::styled(&*check.name, NAME),
                Cell::styled(check.state.as_str(), tone(check.state)),
            ];
            if wide {
                row.push(check.source.into());
                row.push(check.samples.to_string().into());
            }
            row.push(numbers(check, wide).into());
            table.row(row);
        }
    }
    table.render(width)
}

/// What matters, or everything.
fn numbers(check: &CheckHealth, wide: bool) -> String {
    if !wide || check.numbers.is_empty() {
        return check.message.clone();
    }
    let texts = check.numbers.iter().map(|number| number.text.clone());
    let all: Vec<_> = texts.chain(check.failures.iter().cloned()).collect();
    all.join("; ")
}

fn evidence(diagnosis: &Diagnosis, width: Option<usize>) -> String {
    let mut table = Table::new(&[], Last::Wrap).indent(2);
    for symptom in &diagnosis.evidence {
        if symptom.because.is_empty() {
            continue;
        }
        table.row(vec![
            Cell::styled(&*symptom.object, NAME),
            symptom.because.as_str().into(),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    format!("{}\n{}", paint(TITLE, "Evidence"), table.render(width))
}

/// What the checks that are not well say about the way out.
fn remedies(health: &Health, width: Option<usize>) -> String {
    let mut table = Table::new(&[], Last::Wrap).indent(2);
    let all = health.components.iter().flat_map(|part| &part.checks);
    for check in all.filter(|check| check.state != State::Healthy) {
        let text = match (&check.remediation, &check.escalation) {
            (Some(remedy), Some(who)) => format!("{remedy}; else call {who}"),
            (Some(remedy), None) => remedy.clone(),
            (None, Some(who)) => format!("call {who}"),
            (None, None) => continue,
        };
        table.row(vec![Cell::styled(&*check.name, NAME), text.into()]);
    }
    if table.is_empty() {
        return String::new();
    }
    format!("{}\n{}", paint(TITLE, "What to do"), table.render(width))
}

/// `golden-path: 120 of 500, 12s`, for the living line.
#[must_use]
pub fn progress(
    check: &str,
    done: u64,
    requests: Option<u32>,
    (elapsed, duration): (Duration, Option<Duration>),
) -> String {
    let of = requests.map_or_else(String::new, |all| format!(" of {all}"));
    let until = duration.map_or_else(String::new, |all| format!(" of {}s", all.as_secs()));
    format!("{check}: {done}{of} done, {}s{until}", elapsed.as_secs())
}

/// The result of a load test. `wide`: every statistic.
#[must_use]
pub fn load(report: &LoadReport, wide: bool, width: Option<usize>) -> String {
    let parts = [
        load_head(report),
        phases(report, wide),
        failures(report, width),
        expectations(report, width),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn load_head(report: &LoadReport) -> String {
    let (word, style) = verdict(report.verdict);
    let tail = match &report.unknown {
        Some(why) => format!(": {why}"),
        None => format!(
            ": {} of {} samples ok, {} at a time, in {}",
            report.ok,
            report.samples,
            report.concurrency,
            seconds(report.took)
        ),
    };
    let so_far = if report.stopped {
        " (stopped; so far)"
    } else {
        ""
    };
    format!(
        "{} {}{so_far}{tail}\n",
        paint(NAME, &report.check),
        paint(style, word)
    )
}

fn verdict(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Passing => ("passing", GOOD),
        Verdict::Failing => ("failing", BAD),
        Verdict::Unknown => ("unknown", BUSY),
    }
}

fn phases(report: &LoadReport, wide: bool) -> String {
    let shown =
        |index: usize| wide || ["p50", "p90", "p99", "max"].contains(&STATS[index].as_str());
    let titles = ["MIN", "AVG", "P50", "P90", "P95", "P99", "MAX"];
    let mut head = vec!["PHASE"];
    head.extend((0..STATS.len()).filter(|i| shown(*i)).map(|i| titles[i]));
    let mut table = Table::new(&head, Last::Cut);
    for phase in &report.phases {
        let mut row: Vec<Cell> = vec![phase.phase.as_str().into()];
        let values = phase.values().into_iter().enumerate();
        row.extend(values.filter(|(i, _)| shown(*i)).map(|(_, v)| cell(v)));
        table.row(row);
    }
    if table.is_empty() {
        return String::new();
    }
    table.render(None)
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Number(number) => seconds(*number).into(),
        Value::Never => Cell::styled("never", BAD),
        Value::Flag(_) | Value::Word(_) => "-".into(),
    }
}

fn failures(report: &LoadReport, width: Option<usize>) -> String {
    let mut table = Table::new(&["FAILED", "PHASE", "REASON"], Last::Wrap);
    for failure in &report.failures {
        table.row(vec![
            Cell::styled(failure.count.to_string(), BAD),
            failure.phase.into(),
            failure.reason.as_str().into(),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    table.render(width)
}

fn expectations(report: &LoadReport, width: Option<usize>) -> String {
    let mut table = Table::new(&["EXPECTED", "NUMBERS"], Last::Wrap);
    for number in &report.expectations {
        let (word, style) = holds(number);
        table.row(vec![Cell::styled(word, style), number.text.as_str().into()]);
    }
    if table.is_empty() {
        return String::new();
    }
    table.render(width)
}

fn holds(number: &Number) -> (&'static str, Style) {
    let measured = &number.measured;
    match (measured.holds, measured.role) {
        _ if measured.value.is_none() => ("no data", BUSY),
        (true, _) => ("holds", GOOD),
        (false, Role::Expect) => ("missed", BAD),
        (false, Role::Warn) => ("near", BUSY),
    }
}
