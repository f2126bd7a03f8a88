//! Of managed resources and phases: one row for each, gone when they are.

use super::labels_of;
use super::operator::unix;
use super::sheet::{About, Labels, Sheet, about, seconds};
use crate::api::{ConditionStatus, ConditionType, Key, Reason, Saturation, Status};
use crate::engine::Report;
use crate::serve::Place;
use std::fmt;

/// Every resource, with its labels.
type Reports = [(Labels, Report)];

pub fn write(sheet: &mut Sheet<'_>, places: &[Place]) -> fmt::Result {
    let reports = &reports(places);
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
    let rows = reports.iter().filter_map(|(labels, report)| {
        let stalled = report.status.condition(ConditionType::Stalled)?;
        let mut labels = labels.clone();
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

pub fn write_phases(sheet: &mut Sheet<'_>, places: &[Place]) -> fmt::Result {
    let family = about(
        "evenkeel_phase_ready",
        "1 where the phase is done and proved",
    );
    let rows = places.iter().flat_map(|place| {
        let row = move |(name, report): (String, crate::engine::PhaseReport)| {
            let mut labels = labels_of(place);
            labels.push(("phase", name));
            (labels, f64::from(u8::from(report.is_ready())))
        };
        place.board.phases().into_iter().map(row)
    });
    sheet.gauge(family, rows)
}

fn rows(
    sheet: &mut Sheet<'_>,
    reports: &Reports,
    family: About,
    value: &dyn Fn(&Status) -> Option<f64>,
) -> fmt::Result {
    let row = |(labels, report): &(Labels, Report)| Some((labels.clone(), value(&report.status)?));
    sheet.gauge(family, reports.iter().filter_map(row))
}

fn reports(places: &[Place]) -> Vec<(Labels, Report)> {
    let of = |place: &Place| -> Vec<(Labels, Report)> {
        let mut resources = place.board.resources();
        // What was released is nobody's business any more; what is being deleted is.
        resources.retain(|_, report| report.declared || !report.settled);
        let named = |(key, report): (Key, Report)| (labels(place, &key, &report), report);
        resources.into_iter().map(named).collect()
    };
    places.iter().flat_map(of).collect()
}

fn labels(place: &Place, key: &Key, report: &Report) -> Labels {
    let mut labels = labels_of(place);
    labels.extend([
        ("kind", key.kind.as_str().to_owned()),
        ("name", report.name.clone()),
        ("project", key.project.clone()),
        ("location", key.location.clone()),
    ]);
    labels
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
