//! How a managed certificate comes to be, and stays, ACTIVE.
//!
//! PROVISIONING until every domain is proved: by the record of its DNS authorization, published as it was given,
//! or by a load balancer that has the certificate. Then, after a time, ACTIVE for 90 days, and renewed a month
//! before they end by the same proof. What keeps a domain from being proved shows per domain, and Google tries
//! again; FAILED is for good.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::certificates::{self, managed};
use super::collection::{Record, fields, set_or_remove, text, texts};
use super::names::base;
use crate::emulator::api::Api;
use crate::emulator::domains::Domain;
use crate::emulator::registry::relative;
use crate::emulator::timing::{Pace, earlier, later};
use crate::emulator::world::World;

const LIFE: Duration = Duration::from_hours(90 * 24);
const RENEWED_BEFORE: Duration = Duration::from_hours(30 * 24);
/// Between two attempts to renew.
const RENEWAL_RETRY: Duration = Duration::from_hours(24);
/// However quick things go, a failed attempt is not followed by another one at once.
const RETRY_MIN: Duration = Duration::from_mins(1);

/// What proving one domain came to.
struct Attempt {
    domain: String,
    failure: Option<Failure>,
}

struct Failure {
    reason: &'static str,
    details: String,
    troubleshooting: Value,
    for_good: bool,
}

/// A resource was changed: a certificate that is new waits for its first attempt.
pub(super) fn changed(world: &mut World, key: &str, at: Timestamp) {
    if state_of(world, key) == "PROVISIONING" {
        try_at(world, key, at);
    }
    if key.contains("/certificateMapEntries/") {
        show_state_of_entry(world, key, at);
    }
}

/// Records were published or taken back: what waits is tried again.
pub(super) fn dns_changed(world: &mut World) {
    let now = world.clock;
    for key in all_managed(world) {
        if state_of(world, &key) == "PROVISIONING" {
            try_at(world, &key, now);
        }
    }
}

/// The same for what else keeps a domain from being proved; a renewal that must fail has failed.
pub(super) fn domains_changed(world: &mut World) {
    dns_changed(world);
    let now = world.clock;
    for key in all_managed(world) {
        if state_of(world, &key) == "ACTIVE" && fails_renewal(world, &key) {
            let attempts = attempts(world, &key);
            show(world, &key, now, "FAILED", &attempts);
        }
    }
}

/// The time has come to look at a certificate.
pub(super) fn wake(world: &mut World, key: &str, at: Timestamp) {
    match (state_of(world, key), expiry(world, key)) {
        ("PROVISIONING", None) => provision(world, key, at),
        ("ACTIVE" | "PROVISIONING", Some(expires)) => renew(world, key, at, expires),
        _ => {}
    }
}

fn provision(world: &mut World, key: &str, at: Timestamp) {
    let attempts = attempts(world, key);
    if attempts.iter().all(|attempt| attempt.failure.is_none()) {
        show(world, key, at, "ACTIVE", &attempts);
        issue(world, key, at);
        return;
    }
    let given_up = attempts.iter().any(is_for_good);
    let state = if given_up { "FAILED" } else { "PROVISIONING" };
    show(world, key, at, state, &attempts);
    if !given_up {
        let wait = world.timing.draw(Pace::Long, &mut world.dice);
        world.alarm(key, later(at, wait.max(RETRY_MIN)));
    }
}

/// A certificate that cannot be renewed serves until its end.
fn renew(world: &mut World, key: &str, at: Timestamp, expires: Timestamp) {
    let due = earlier(expires, RENEWED_BEFORE);
    if at < due {
        world.alarm(key, due);
        return;
    }
    let attempts = attempts(world, key);
    if attempts.iter().all(|attempt| attempt.failure.is_none()) {
        show(world, key, at, "ACTIVE", &attempts);
        issue(world, key, at);
    } else if at >= expires || attempts.iter().any(is_for_good) {
        show(world, key, at, "FAILED", &attempts);
    } else {
        show(world, key, at, "PROVISIONING", &attempts);
        world.alarm(key, later(at, RENEWAL_RETRY));
    }
}

fn is_for_good(attempt: &Attempt) -> bool {
    attempt
        .failure
        .as_ref()
        .is_some_and(|failure| failure.for_good)
}

fn attempts(world: &World, key: &str) -> Vec<Attempt> {
    let Some(certificate) = world.records.truth(key).map(fields) else {
        return Vec::new();
    };
    let managed = managed(certificate);
    let domains = managed
        .into_iter()
        .flat_map(|managed| texts(managed, "domains"));
    domains
        .map(|domain| Attempt {
            domain: domain.to_owned(),
            failure: failure(world, key, managed, domain),
        })
        .collect()
}

fn failure(world: &World, key: &str, managed: Option<&Record>, domain: &str) -> Option<Failure> {
    let said = match world.domains.of(domain) {
        Domain::Visible => world.domains.of(base(domain)),
        said => said,
    };
    match said {
        Domain::FailsForGood => Some(Failure::gave_up()),
        Domain::FailsRenewal if expiry(world, key).is_some() => Some(Failure::gave_up()),
        Domain::CaaForbidden => Some(Failure::new(
            "CAA",
            "Certificate issuance is forbidden by a CAA record of the domain.",
        )),
        Domain::CaaUnreadable => Some(Failure::new(
            "CAA",
            "The CAA records of the domain could not be checked.",
        )),
        Domain::RateLimited => Some(Failure::new(
            "RATE_LIMITED",
            "A rate limit for the domain was reached.",
        )),
        Domain::Visible | Domain::NotVisible | Domain::FailsRenewal => {
            match authorization(world, managed, domain) {
                Some(authorization) => unpublished(world, authorization),
                None => unserved(world, key, said),
            }
        }
    }
}

impl Failure {
    fn new(reason: &'static str, details: impl Into<String>) -> Self {
        Self {
            reason,
            details: details.into(),
            troubleshooting: Value::Null,
            for_good: false,
        }
    }

    fn gave_up() -> Self {
        Self {
            for_good: true,
            ..Self::new(
                "CONFIG",
                "Multiple attempts to authorize the domain failed.",
            )
        }
    }

    fn looked_into(mut self, troubleshooting: Value) -> Self {
        self.troubleshooting = troubleshooting;
        self
    }
}

/// The authorization that the certificate names for this domain.
fn authorization<'a>(
    world: &'a World,
    managed: Option<&Record>,
    domain: &str,
) -> Option<&'a Record> {
    let mut named = texts(managed?, "dnsAuthorizations");
    named.find_map(|name| {
        let key = super::CertificateManager.key(name);
        let authorization = world.records.truth(&key).map(fields)?;
        (text(authorization, "domain") == base(domain)).then_some(authorization)
    })
}

/// The record must be in the DNS, with exactly these data.
fn unpublished(world: &World, authorization: &Record) -> Option<Failure> {
    let record = authorization.get("dnsResourceRecord").map(fields)?;
    let (name, data) = (text(record, "name"), text(record, "data"));
    let found = world.dns.get(name);
    if found.is_some_and(|found| found == data.trim_end_matches('.')) {
        return None;
    }
    let resolved: Vec<String> = found.map(|found| format!("{found}.")).into_iter().collect();
    let details = match resolved.first() {
        None => format!("The CNAME record {name} was not found."),
        Some(other) => format!("The CNAME record {name} is {other}, expected {data}."),
    };
    let mut cname = json!({"name": name, "expectedData": data});
    if !resolved.is_empty() {
        cname["resolvedData"] = json!(resolved);
    }
    let troubleshooting = json!({"cname": cname, "issues": ["CNAME_MISMATCH"]});
    Some(Failure::new("CONFIG", details).looked_into(troubleshooting))
}

/// Without DNS authorization a load balancer must have the certificate, and the domain lead to it.
fn unserved(world: &World, key: &str, said: Domain) -> Option<Failure> {
    let entries = certificates::users(world, relative(key));
    let served = entries.iter().any(|entry| {
        let map = relative(entry).split("/certificateMapEntries/").next();
        map.is_some_and(|map| !super::maps::proxies(world, map).is_empty())
    });
    let (issue, details) = match (served, said) {
        (true, Domain::NotVisible) => ("NO_RESOLVED_IPS", "The domain has no A or AAAA records."),
        (true, _) => return None,
        (false, _) => (
            "CERTIFICATE_NOT_ATTACHED",
            "The certificate is not attached to any load balancer.",
        ),
    };
    Some(Failure::new("CONFIG", details).looked_into(json!({"issues": [issue]})))
}

/// The state of the whole, and with it that of each domain.
fn show(world: &mut World, key: &str, at: Timestamp, state: &str, attempts: &[Attempt]) {
    let issue = provisioning_issue(attempts);
    let told: Vec<Value> = attempts.iter().map(|attempt| attempt.body(at)).collect();
    change(world, key, at, |certificate| {
        if let Some(Value::Object(managed)) = certificate.get_mut("managed") {
            managed.insert("state".to_owned(), json!(state));
            managed.insert("authorizationAttemptInfo".to_owned(), json!(told));
            set_or_remove(managed, "provisioningIssue", issue);
        }
    });
}

fn provisioning_issue(attempts: &[Attempt]) -> Value {
    let failed = |attempt: &Attempt| {
        let failure = attempt.failure.as_ref()?;
        Some((attempt.domain.clone(), failure.reason))
    };
    let failed: Vec<(String, &str)> = attempts.iter().filter_map(failed).collect();
    if failed.is_empty() {
        return Value::Null;
    }
    if failed.iter().all(|(_, reason)| *reason == "RATE_LIMITED") {
        let details = "Rate limits of the certificate authority were exceeded.";
        return json!({"reason": "RATE_LIMITED", "details": details});
    }
    let names: Vec<&str> = failed.iter().map(|(domain, _)| domain.as_str()).collect();
    let details = format!("Domains could not be authorized: {}.", names.join(", "));
    json!({"reason": "AUTHORIZATION_ISSUE", "details": details})
}

impl Attempt {
    fn body(&self, at: Timestamp) -> Value {
        let Some(failure) = &self.failure else {
            return json!({"domain": self.domain, "state": "AUTHORIZED"});
        };
        let mut body = json!({
            "domain": self.domain,
            "state": "FAILED",
            "failureReason": failure.reason,
            "details": failure.details,
            "attemptTime": at.to_string(),
        });
        if !failure.troubleshooting.is_null() {
            body["troubleshooting"] = failure.troubleshooting.clone();
        }
        body
    }
}

fn issue(world: &mut World, key: &str, at: Timestamp) {
    let expires = later(at, LIFE);
    change(world, key, at, |certificate| {
        certificate.insert("expireTime".to_owned(), json!(expires.to_string()));
        certificate.insert("updateTime".to_owned(), json!(at.to_string()));
    });
    world.alarm(key, earlier(expires, RENEWED_BEFORE));
    for entry in certificates::users(world, relative(key)) {
        show_state_of_entry(world, &entry, at);
    }
}

/// An entry serves once one of its certificates can.
fn show_state_of_entry(world: &mut World, key: &str, at: Timestamp) {
    let state = if serves(world, key) {
        "ACTIVE"
    } else {
        "PENDING"
    };
    let entry = world.records.truth(key).map(fields);
    if entry.is_some_and(|entry| text(entry, "state") != state) {
        change(world, key, at, |entry| {
            entry.insert("state".to_owned(), json!(state));
        });
    }
}

fn serves(world: &World, key: &str) -> bool {
    let entry = world.records.truth(key).map(fields);
    let mut names = entry
        .into_iter()
        .flat_map(|entry| texts(entry, "certificates"));
    names.any(|name| {
        let key = super::CertificateManager.key(name);
        let certificate = world.records.truth(&key).map(fields);
        certificate.is_some_and(|certificate| certificate.contains_key("expireTime"))
    })
}

fn change(world: &mut World, key: &str, at: Timestamp, edit: impl FnOnce(&mut Record)) {
    let mut lag = world.draw_lag();
    // A late read shows the state before, never a resource that is not there yet.
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

/// Empty for what is not a managed certificate.
fn state_of<'a>(world: &'a World, key: &str) -> &'a str {
    let certificate = world.records.truth(key).map(fields);
    let managed = certificate.and_then(managed);
    managed.map_or("", |managed| text(managed, "state"))
}

fn expiry(world: &World, key: &str) -> Option<Timestamp> {
    let certificate = world.records.truth(key).map(fields)?;
    text(certificate, "expireTime").parse().ok()
}

fn fails_renewal(world: &World, key: &str) -> bool {
    let certificate = world.records.truth(key).map(fields);
    let managed = certificate.and_then(managed);
    let mut domains = managed
        .into_iter()
        .flat_map(|managed| texts(managed, "domains"));
    domains.any(|domain| {
        let named = [world.domains.of(domain), world.domains.of(base(domain))];
        named.contains(&Domain::FailsRenewal)
    })
}

fn all_managed(world: &World) -> Vec<String> {
    let prefix = super::CertificateManager.key("");
    let all = world.records.all_under(&prefix);
    all.filter(|(key, record)| key.contains("/certificates/") && managed(fields(record)).is_some())
        .map(|(key, _)| key.to_owned())
        .collect()
}
