//! What Cloud Run accepts as a probe. Sources: the run v2 API reference (Probe); "About container health checks":
//! a container gets 240 s to start.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::check::number;
use super::refusal::{Checked, refuse};

const STARTUP_SECONDS_MAX: i64 = 240;
const SECONDS_MAX: i64 = 3_600;

/// Looks at the probes of one container, which stands at `at`.
pub(super) fn check(container: &Value, at: &str) -> Checked {
    let kinds = [
        ("startupProbe", "startup_probe", STARTUP_SECONDS_MAX),
        ("livenessProbe", "liveness_probe", SECONDS_MAX),
        ("readinessProbe", "readiness_probe", SECONDS_MAX),
    ];
    for (name, proto, max) in kinds {
        let probe = &container[name];
        if probe.is_object() {
            ranges(probe, &format!("{at}.{proto}"), max)?;
            one_action(probe, &format!("{at}.{proto}"))?;
        }
    }
    let probe = &container["startupProbe"];
    let window = number(probe, "failureThreshold") * number(probe, "periodSeconds");
    if window <= STARTUP_SECONDS_MAX {
        return Ok(());
    }
    refuse(
        format!("{at}.startup_probe"),
        format!(
            "failure_threshold * period_seconds must be at most {STARTUP_SECONDS_MAX} seconds, got {window}."
        ),
    )
}

fn ranges(probe: &Value, at: &str, max: i64) -> Checked {
    in_range(probe, at, "initialDelaySeconds", 0..=max)?;
    in_range(probe, at, "periodSeconds", 1..=max)?;
    in_range(probe, at, "timeoutSeconds", 1..=SECONDS_MAX)?;
    in_range(probe, at, "failureThreshold", 1..=i64::MAX)?;
    let (timeout, period) = (
        number(probe, "timeoutSeconds"),
        number(probe, "periodSeconds"),
    );
    if timeout > period {
        return refuse(
            format!("{at}.timeout_seconds"),
            format!(
                "must be less than or equal to period_seconds: {timeout} is more than {period}."
            ),
        );
    }
    Ok(())
}

fn in_range(probe: &Value, at: &str, name: &str, range: RangeInclusive<i64>) -> Checked {
    let value = number(probe, name);
    if range.contains(&value) {
        return Ok(());
    }
    let field = format!("{at}.{}", crate::emulator::query::snake(name));
    let (low, high) = (range.start(), range.end());
    if *high == i64::MAX {
        return refuse(field, format!("must be at least {low}, got {value}."));
    }
    refuse(
        field,
        format!("must be between {low} and {high}, inclusive, got {value}."),
    )
}

fn one_action(probe: &Value, at: &str) -> Checked {
    let actions = ["httpGet", "tcpSocket", "grpc"];
    let given = actions.iter().filter(|name| probe[**name].is_object());
    if given.count() == 1 {
        return Ok(());
    }
    refuse(
        at,
        "exactly one of http_get, tcp_socket, or grpc must be set.",
    )
}
