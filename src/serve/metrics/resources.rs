//! Of managed resources and phases: one row for each, gone when they are.

use super::operator::unix;
use super::sheet::{About, Labels, Sheet, about, seconds};
use crate::api::{ConditionStatus, ConditionType, Key, Reason, Saturation, Status};
use crate::engine::{PhaseReport, Report};
use std::collections::BTreeMap;
use std::fmt;

type Reports = BTreeMap<Key, Report>;

pub fn write(sheet: &mut Sheet<'_>, reports: &Reports) -> fmt::Result {
    let state = |status: &Status, kind| f64::from(u8::from(holds(status, kind)));
    let mut all =
        |family, value: &dyn Fn(&Status) -> Option<f64>| rows(sheet, reports, family, value);
    all(
        about(
            "evenkeel_resource_ready",
            "1 where live equals declared and all is proved",
        ),
        &|status| Some(state(status, ConditionType::Ready)),
    )?;
    all(
        about(
            "evenkeel_resource_held",
            "1 where the declared content is held: observed only",
        ),
        &|status| Some(f64::from(u8::from(status.held.is_some()))),
    )?;
    all(
        about(
            "evenkeel_resource_drifted_fields",
            "Fields whose live value is not the declared one",
        ),
        &|status| Some(drifted(status)),
    )?;
    all(
        about(
            "evenkeel_rollout_step",
            "The step that a rollout is at, from 1",
        ),
        &|status| status.rollout.as_ref().map(|rollout| count(rollout.step)),
    )?;
    all(
        about("evenkeel_rollout_steps", "Steps of the rollout under way"),
        &|status| status.rollout.as_ref().map(|rollout| count(rollout.steps)),
    )?;
    all(
        seconds(
            "evenkeel_resource_expiry_timestamp",
            "When what it serves ends, such as a certificate (Unix time)",
        ),
        &|status| status.expire_time().map(unix),
    )?;
    stalled(sheet, reports)?;
    saturation(sheet, reports)
}

/// Why people are needed, in the words of the conditions.
fn stalled(sheet: &mut Sheet<'_>, reports: &Reports) -> fmt::Result {
    let family = about(
        "evenkeel_resource_stalled",
        "1 where a person or new content is needed, by reason",
    );
    let rows = reports.iter().filter_map(|(key, report)| {
        let stalled = report.status.condition(ConditionType::Stalled)?;
        let mut labels = labels(key, report);
        labels.push(("reason", Reason::as_str(stalled.reason).to_owned()));
        Some((labels, 1.0))
    });
    sheet.gauge(family, rows)
}

fn saturation(sheet: &mut Sheet<'_>, reports: &Reports) -> fmt::Result {
    let mut all = |family, value: &dyn Fn(&Saturation) -> Option<f64>| {
        let value = |status: &Status| value(status.saturation.as_deref()?);
        rows(sheet, reports, family, &value)
    };
    all(
        about(
            "evenkeel_connector_used_mbps",
            "Traffic of the busier direction, Mbit/s",
        ),
        &|found| Some(found.used_mbps),
    )?;
    all(
        about(
            "evenkeel_connector_limit_mbps",
            "What the most instances carry, Mbit/s",
        ),
        &|found| Some(found.limit_mbps),
    )?;
    all(
        about(
            "evenkeel_connector_cpu_ratio",
            "The busiest instances' CPU, 0 to 1",
        ),
        &|found| found.cpu,
    )?;
    all(
        about("evenkeel_connector_instances", "Instances that run now"),
        &|found| found.instances.map(f64::from),
    )?;
    all(
        seconds(
            "evenkeel_connector_full_timestamp",
            "When it is full at the present trend (Unix time)",
        ),
        &|found| found.full_at.map(unix),
    )
}

pub fn write_phases(sheet: &mut Sheet<'_>, reports: &BTreeMap<String, PhaseReport>) -> fmt::Result {
    let family = about(
        "evenkeel_phase_ready",
        "1 where the phase is done and proved",
    );
    let rows = reports.iter().map(|(name, report)| {
        let ready = f64::from(u8::from(report.is_ready()));
        (vec![("phase", name.clone())], ready)
    });
    sheet.gauge(family, rows)
}

fn rows(
    sheet: &mut Sheet<'_>,
    reports: &Reports,
    family: About,
    value: &dyn Fn(&Status) -> Option<f64>,
) -> fmt::Result {
    let row = |(key, report): (&Key, &Report)| Some((labels(key, report), value(&report.status)?));
    sheet.gauge(family, reports.iter().filter_map(row))
}

fn labels(key: &Key, report: &Report) -> Labels {
    vec![
        ("kind", key.kind.as_str().to_owned()),
        ("name", report.name.clone()),
        ("project", key.project.clone()),
        ("location", key.location.clone()),
    ]
}

fn holds(status: &Status, kind: ConditionType) -> bool {
    let holds = |condition: &crate::api::Condition| condition.status == ConditionStatus::True;
    status.condition(kind).is_some_and(holds)
}

/// The plan says which fields; a drift without one is told as one.
fn drifted(status: &Status) -> f64 {
    if !holds(status, ConditionType::Drifted) {
        return 0.0;
    }
    let fields = status.plan.as_ref().map_or(1, |plan| plan.changes.len());
    count(fields.max(1))
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}
