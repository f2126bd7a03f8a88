//! How a managed certificate comes to be, and stays, ACTIVE.
//!
//! PROVISIONING until a proxy has it and every domain is visible; then, after a time, ACTIVE for 90 days, and
//! renewed a month before they end. A domain that cannot be proved shows in `domainStatus`; Google tries again,
//! except after `PROVISIONING_FAILED_PERMANENTLY` and `RENEWAL_FAILED`, which only a new certificate mends.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::collection::{Record, fields, items, text};
use super::{ssl_certificates, time};
use crate::emulator::api::Api;
use crate::emulator::domains::Domain;
use crate::emulator::registry::relative;
use crate::emulator::timing::{Pace, earlier, later};
use crate::emulator::world::World;

const LIFE: Duration = Duration::from_hours(90 * 24);
const RENEWED_BEFORE: Duration = Duration::from_hours(30 * 24);

/// However quick things go, a failed attempt is not followed by another one at once.
const RETRY_MIN: Duration = Duration::from_mins(1);

/// A resource was changed: a proxy may have got a certificate that waits for one.
pub(super) fn changed(world: &mut World, key: &str, at: Timestamp) {
    let record = world.records.truth(key).map(fields);
    let names = record.map_or(&[][..], |record| items(record, "sslCertificates"));
    let waiting: Vec<String> = names
        .iter()
        .filter_map(Value::as_str)
        .map(|name| super::Compute.key(name))
        .filter(|key| is_waiting(status_of(world, key)))
        .collect();
    for key in waiting {
        try_at(world, &key, at);
    }
}

/// Domains changed: what waits is tried again, and a renewal that must fail has failed.
pub(super) fn domains_changed(world: &mut World) {
    let now = world.clock;
    for key in managed(world) {
        if is_waiting(status_of(world, &key)) && is_attached(world, &key) {
            try_at(world, &key, now);
        } else if status_of(world, &key) == "ACTIVE" && fails_renewal(world, &key) {
            set_status(world, &key, now, "RENEWAL_FAILED", Verdict::Failed);
        }
    }
}

/// Certificates that a scenario begins with are looked after too.
pub(super) fn begin(world: &mut World) {
    for key in managed(world) {
        world.alarm(&key, Timestamp::MIN);
    }
}

/// The time has come to look at a certificate.
pub(super) fn wake(world: &mut World, key: &str, at: Timestamp) {
    // An alarm of the beginning goes off when the first time is known.
    let at = if at == Timestamp::MIN {
        world.clock
    } else {
        at
    };
    let status = status_of(world, key);
    if is_waiting(status) && is_attached(world, key) {
        attempt(world, key, at);
    } else if status == "ACTIVE" {
        look_at_active(world, key, at);
    }
}

/// What proving all domains of a certificate came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Proved,
    Pending,
    Failed,
    FailedForGood,
}

fn attempt(world: &mut World, key: &str, at: Timestamp) {
    let verdict = domains(world, key)
        .into_iter()
        .map(|(_, domain)| verdict(domain))
        .max();
    match verdict {
        None => {}
        Some(Verdict::Proved) => {
            set_status(world, key, at, "ACTIVE", Verdict::Proved);
            issue(world, key, at);
        }
        Some(Verdict::FailedForGood) => {
            set_status(
                world,
                key,
                at,
                "PROVISIONING_FAILED_PERMANENTLY",
                Verdict::Failed,
            );
        }
        Some(verdict) => {
            let status = match verdict {
                Verdict::Failed => "PROVISIONING_FAILED",
                _ => "PROVISIONING",
            };
            set_status(world, key, at, status, verdict);
            let wait = world
                .timing
                .draw(Pace::Long, &mut world.dice)
                .max(RETRY_MIN);
            world.alarm(key, later(at, wait));
        }
    }
}

fn verdict(domain: Domain) -> Verdict {
    match domain {
        Domain::Visible | Domain::FailsRenewal => Verdict::Proved,
        Domain::NotVisible | Domain::CaaUnreadable => Verdict::Pending,
        Domain::CaaForbidden | Domain::RateLimited => Verdict::Failed,
        Domain::FailsForGood => Verdict::FailedForGood,
    }
}

fn domain_status(domain: Domain) -> &'static str {
    match domain {
        Domain::Visible => "ACTIVE",
        Domain::NotVisible | Domain::FailsForGood | Domain::FailsRenewal => "FAILED_NOT_VISIBLE",
        Domain::CaaUnreadable => "FAILED_CAA_CHECKING",
        Domain::CaaForbidden => "FAILED_CAA_FORBIDDEN",
        Domain::RateLimited => "FAILED_RATE_LIMITED",
    }
}

/// A month before its end a certificate is renewed, if its domains can still be proved.
fn look_at_active(world: &mut World, key: &str, at: Timestamp) {
    let Some(expires) = expiry(world, key) else {
        return;
    };
    let due = earlier(expires, RENEWED_BEFORE);
    if at < due {
        world.alarm(key, due);
    } else if domains(world, key)
        .iter()
        .all(|(_, domain)| *domain == Domain::Visible)
    {
        issue(world, key, at);
    } else {
        set_status(world, key, at, "RENEWAL_FAILED", Verdict::Failed);
    }
}

/// When a certificate that is issued now ends.
pub(super) fn expiry_of(issued: Timestamp) -> Timestamp {
    later(issued, LIFE)
}

fn issue(world: &mut World, key: &str, at: Timestamp) {
    let expires = expiry_of(at);
    let names: Vec<Value> = domains(world, key)
        .into_iter()
        .map(|(name, _)| name.into())
        .collect();
    change(world, key, at, |certificate| {
        certificate.insert("expireTime".to_owned(), json!(time::text(expires)));
        certificate.insert("subjectAlternativeNames".to_owned(), json!(names));
    });
    world.alarm(key, earlier(expires, RENEWED_BEFORE));
}

/// The status of the whole, and with it that of each domain.
fn set_status(world: &mut World, key: &str, at: Timestamp, status: &str, verdict: Verdict) {
    let domains: Map<String, Value> = domains(world, key)
        .into_iter()
        .map(|(name, domain)| {
            let shown = match verdict {
                Verdict::Proved => "ACTIVE",
                _ => domain_status(domain),
            };
            (name, json!(shown))
        })
        .collect();
    change(world, key, at, |certificate| {
        if let Some(managed) = certificate.get_mut("managed") {
            managed["status"] = json!(status);
            managed["domainStatus"] = Value::Object(domains);
        }
    });
}

fn change(world: &mut World, key: &str, at: Timestamp, edit: impl FnOnce(&mut Record)) {
    let mut lag = world.draw_lag();
    // A late read shows the status before, never a certificate that is not there yet.
    lag.behind = lag.behind.min(1);
    if let Some(mut record) = world.records.truth(key).map(fields).cloned() {
        edit(&mut record);
        world
            .records
            .change(key, at, lag, Some(Value::Object(record)));
    }
}

fn try_at(world: &mut World, key: &str, at: Timestamp) {
    let wait = world.timing.draw(Pace::Long, &mut world.dice);
    world.alarm(key, later(at, wait));
}

fn is_waiting(status: &str) -> bool {
    matches!(status, "PROVISIONING" | "PROVISIONING_FAILED")
}

fn is_attached(world: &World, key: &str) -> bool {
    ssl_certificates::user_of(world, relative(key)).is_some()
}

fn fails_renewal(world: &World, key: &str) -> bool {
    let domains = domains(world, key);
    domains
        .iter()
        .any(|(_, domain)| *domain == Domain::FailsRenewal)
}

fn managed(world: &World) -> Vec<String> {
    let prefix = super::Compute.key("");
    let all = world.records.all_under(&prefix);
    all.filter(|(key, record)| key.contains("/sslCertificates/") && record.get("managed").is_some())
        .map(|(key, _)| key.to_owned())
        .collect()
}

/// Empty for what is not a managed certificate.
fn status_of<'a>(world: &'a World, key: &str) -> &'a str {
    let managed = world
        .records
        .truth(key)
        .and_then(|record| record.get("managed"));
    managed.map_or("", |managed| text(fields(managed), "status"))
}

fn domains(world: &World, key: &str) -> Vec<(String, Domain)> {
    let managed = world
        .records
        .truth(key)
        .and_then(|record| record.get("managed"));
    let names = managed.map_or(&[][..], |managed| items(fields(managed), "domains"));
    let names = names.iter().filter_map(Value::as_str);
    names
        .map(|name| (name.to_owned(), world.domains.of(name)))
        .collect()
}

fn expiry(world: &World, key: &str) -> Option<Timestamp> {
    let record = fields(world.records.truth(key)?);
    text(record, "expireTime").parse().ok()
}
