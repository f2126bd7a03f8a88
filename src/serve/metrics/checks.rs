//! Of checks: under the names that the blackbox exporter made known, where it has one.

use super::labels_of;
use super::operator::unix;
use super::sheet::{Labels, Sheet, about, seconds};
use crate::api::Source;
use crate::api::check::LastProbe;
use crate::core::check::Verdict;
use crate::engine::CheckReport;
use crate::serve::Place;
use serde_json::Value;
use std::fmt;

/// Every check, with its labels.
type Reports = [(Labels, CheckReport)];

/// Fields that are times of a target.
const PHASES: [&str; 7] = ["dns", "connect", "tls", "handshake", "ttfb", "rtt", "query"];

pub fn write(sheet: &mut Sheet<'_>, places: &[Place]) -> fmt::Result {
    let reports = &reports(places)[..];
    let known = |(labels, report): &(Labels, CheckReport)| {
        let verdict = match report.verdict {
            Verdict::Passing => 1.0,
            Verdict::Failing => 0.0,
            Verdict::Unknown => return None,
        };
        Some((labels.clone(), verdict))
    };
    sheet.gauge(
        about(
            "probe_success",
            "1 while what the check expects holds; left out while that is not known",
        ),
        reports.iter().filter_map(known),
    )?;
    let warning = |(labels, report): &(Labels, CheckReport)| {
        (labels.clone(), f64::from(u8::from(report.warning)))
    };
    sheet.gauge(
        about(
            "evenkeel_check_warning",
            "1 while the check is close to failing",
        ),
        reports.iter().map(warning),
    )?;
    let at = |(labels, report): &(Labels, CheckReport)| {
        Some((labels.clone(), unix(report.status.last.as_ref()?.at)))
    };
    sheet.gauge(
        seconds(
            "evenkeel_check_probe_timestamp",
            "When the newest probe started (Unix time)",
        ),
        reports.iter().filter_map(at),
    )?;
    times(sheet, reports)?;
    certificates(sheet, reports)?;
    values(sheet, reports)
}

/// How long the slowest sample of the newest probe took, and its parts.
fn times(sheet: &mut Sheet<'_>, reports: &Reports) -> fmt::Result {
    let total = |(labels, report): &(Labels, CheckReport)| {
        let last = report.status.last.as_ref()?;
        Some((labels.clone(), stat(last, "total", "max")?))
    };
    sheet.gauge(
        seconds("probe_duration", "The slowest request of the newest probe"),
        reports.iter().filter_map(total),
    )?;
    let parts = reports.iter().flat_map(|(labels, report)| {
        let last = report.status.last.as_ref();
        PHASES.iter().filter_map(move |phase| {
            let mut labels = labels.clone();
            labels.push(("phase", (*phase).to_owned()));
            Some((labels, stat(last?, phase, "max")?))
        })
    });
    sheet.gauge(
        seconds(
            "probe_phase_duration",
            "The slowest of each part of the newest probe",
        ),
        parts,
    )
}

fn certificates(sheet: &mut Sheet<'_>, reports: &Reports) -> fmt::Result {
    let expiry = |(labels, report): &(Labels, CheckReport)| {
        let last = report.status.last.as_ref()?;
        let left = stat(last, "expiry", "p50")?;
        Some((labels.clone(), unix(last.at) + left))
    };
    sheet.gauge(
        about(
            "probe_ssl_earliest_cert_expiry",
            "When the certificate ends (Unix time)",
        ),
        reports.iter().filter_map(expiry),
    )
}

/// Everything else that is a number: metrics, counts of logs, fields of replies.
fn values(sheet: &mut Sheet<'_>, reports: &Reports) -> fmt::Result {
    let rows = reports.iter().flat_map(|(labels, report)| {
        let last = report.status.last.iter();
        let fields = last.flat_map(|last| &last.fields);
        fields.filter_map(move |(field, value)| {
            let value = match value {
                Value::Object(stats) => stats.get("max")?.as_f64()?,
                other => other.as_f64()?,
            };
            let mut labels = labels.clone();
            labels.push(("field", field.clone()));
            Some((labels, value))
        })
    });
    sheet.gauge(
        about(
            "evenkeel_check_value",
            "Of each field of the newest probe the largest; of true or false, how many were true",
        ),
        rows,
    )
}

fn stat(last: &LastProbe, field: &str, stat: &str) -> Option<f64> {
    last.fields.get(field)?.get(stat)?.as_f64()
}

fn reports(places: &[Place]) -> Vec<(Labels, CheckReport)> {
    let of = |place: &Place| -> Vec<(Labels, CheckReport)> {
        let checks = place.board.checks().into_iter();
        let named = |(name, report): (String, CheckReport)| (labels(place, name, &report), report);
        checks.map(named).collect()
    };
    places.iter().flat_map(of).collect()
}

fn labels(place: &Place, name: String, report: &CheckReport) -> Labels {
    let spec = &report.document.spec;
    let source = spec.source().map(Source::as_str).unwrap_or_default();
    let mut labels = labels_of(place);
    labels.extend([
        ("check", name),
        ("component", spec.component.clone().unwrap_or_default()),
        ("source", source.to_owned()),
    ]);
    labels
}
