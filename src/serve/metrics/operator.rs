//! Of the operator itself: its loop, its source, its calls to Google.

use super::labels_of;
use super::sheet::{Labels, Sheet, about, seconds};
use crate::engine::Vitals;
use crate::gcp::client::Client;
use crate::serve::Place;
use jiff::Timestamp;
use std::fmt;

pub fn write(sheet: &mut Sheet<'_>, places: &[Place], client: &Client) -> fmt::Result {
    let build = about("evenkeel_build", "This program");
    sheet.info(build, &[("version", env!("CARGO_PKG_VERSION"))])?;
    loops_and_sources(sheet, places)?;
    passes(sheet, places)?;
    calls(sheet, client)
}

fn loops_and_sources(sheet: &mut Sheet<'_>, places: &[Place]) -> fmt::Result {
    let of = |value: fn(&Vitals) -> Option<f64>| {
        let row = move |place: &Place| Some((labels_of(place), value(place.board.vitals())?));
        places.iter().filter_map(row)
    };
    sheet.gauge(
        seconds(
            "evenkeel_loop_timestamp",
            "When the loop last went round (Unix time)",
        ),
        of(|vitals| vitals.turned_at().map(unix)),
    )?;
    sheet.gauge(
        seconds(
            "evenkeel_source_loaded_timestamp",
            "When the manifests last loaded (Unix time)",
        ),
        of(|vitals| vitals.source().loaded_at.map(unix)),
    )?;
    sheet.gauge(
        about(
            "evenkeel_source_failed",
            "1 while the manifests do not load; the last set stays in force",
        ),
        of(|vitals| Some(f64::from(u8::from(vitals.source().failed)))),
    )
}

fn passes(sheet: &mut Sheet<'_>, places: &[Place]) -> fmt::Result {
    let family = seconds(
        "evenkeel_reconcile_duration",
        "Time of one pass over a resource",
    );
    sheet.histogram(family, |rows| {
        for place in places {
            for (kind, histogram) in place.board.vitals().passes() {
                let mut labels = labels_of(place);
                labels.push(("kind", kind.as_str().to_owned()));
                rows(labels, &histogram)?;
            }
        }
        Ok(())
    })
}

fn calls(sheet: &mut Sheet<'_>, client: &Client) -> fmt::Result {
    let counts = client.counts();
    let counts = counts.iter().map(|(call, count)| {
        let code = match call.code {
            0 => "none".to_owned(),
            code => code.to_string(),
        };
        let labels = vec![
            ("api", call.api.as_str().to_owned()),
            ("method", call.method.clone()),
            ("code", code),
        ];
        (labels, whole(*count))
    });
    sheet.counter(
        about(
            "evenkeel_gcp_requests",
            "Calls to Google; code none: no reply",
        ),
        counts,
    )?;
    let waits = client.waits();
    let rows = |value: fn(&crate::gcp::budget::Waits) -> f64| -> Vec<(Labels, f64)> {
        let row = |((api, lane), waits): (&(_, crate::gcp::budget::Lane), _)| {
            let api: &crate::gcp::endpoint::Api = api;
            let labels = vec![
                ("api", api.as_str().to_owned()),
                ("lane", lane.as_str().to_owned()),
            ];
            (labels, value(waits))
        };
        waits.iter().map(row).collect()
    };
    sheet.counter(
        seconds(
            "evenkeel_gcp_quota_wait",
            "Time that calls waited for our own rate budget",
        ),
        rows(|waits| waits.total.as_secs_f64()),
    )?;
    sheet.counter(
        about(
            "evenkeel_gcp_quota_refused",
            "Calls put off because the wait would have been long",
        ),
        rows(|waits| whole(waits.refused)),
    )
}

/// Seconds since 1970.
pub fn unix(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

#[allow(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn whole(count: u64) -> f64 {
    count as f64
}
