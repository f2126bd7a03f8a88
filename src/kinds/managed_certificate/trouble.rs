//! What keeps a certificate from serving, in words: Google's own, and the record that a person publishes.

use super::live::{Attempt, Authorization, Member, Seen};
use crate::core::expiry::Expiry;
use serde_json::Value;

/// `AUTHORIZATION_ISSUE: ...`, as Google words it.
pub(super) fn issue(raw: Option<&Value>) -> Option<String> {
    let raw = raw?;
    let text = |field: &str| raw[field].as_str().unwrap_or_default();
    match (text("reason"), text("details")) {
        ("", "") => None,
        (reason, "") => Some(reason.to_owned()),
        (reason, details) => Some(format!("{reason}: {details}")),
    }
}

/// When it ends, and how it goes on.
pub(super) fn expiry(seen: &Seen, member: &Member) -> Option<Expiry> {
    let mut way_out = match member.foreign {
        None => {
            "Google renews it by itself from about a month before the end, while the records of \
                 its DNS authorizations are published"
                .to_owned()
        }
        Some(_) => "evenkeel puts another one in its place".to_owned(),
    };
    if !member.is_active() {
        way_out = format!("{way_out}; {}", tell(seen, member));
    }
    Some(Expiry {
        what: format!("certificate {}", member.name),
        at: member.expires?,
        way_out,
    })
}

/// `PROVISIONING, RATE_LIMITED: ...`.
pub(super) fn describe(member: &Member) -> String {
    let mut parts = vec![member.state.clone()];
    if member.state != "ACTIVE" {
        parts.extend(member.issue.clone());
    }
    parts.join(", ")
}

/// Why it does not serve yet. What a person has to do comes first, should the text be cut.
pub(super) fn tell(seen: &Seen, member: &Member) -> String {
    let mut parts = vec![format!("{} is {}", member.name, member.state)];
    parts.extend(records(seen, member));
    parts.extend(member.issue.clone());
    let failed = member.attempts.iter().filter(|attempt| !attempt.is_good());
    parts.extend(failed.map(Attempt::tell));
    parts.join("; ")
}

/// The records that must be in the DNS for the domains that are not proved yet.
fn records(seen: &Seen, member: &Member) -> Option<String> {
    let is_proved = |own: &Authorization| {
        let of_it = |attempt: &&Attempt| super::content::base(&attempt.domain) == own.domain;
        let attempts: Vec<&Attempt> = member.attempts.iter().filter(of_it).collect();
        // One that is not tried yet has been published, if a certificate was issued by it.
        let before = seen.members.iter().any(|m| m.is_usable() && m.uses(own));
        attempts.iter().all(|attempt| attempt.is_authorized())
            || before && attempts.iter().all(|attempt| attempt.is_good())
    };
    let records: Vec<String> = seen
        .proofs(member)
        .filter(|own| !is_proved(own))
        .map(|own| own.record.join(" "))
        .collect();
    (!records.is_empty()).then(|| format!("publish in the DNS: {}", records.join(", ")))
}

impl Attempt {
    fn is_authorized(&self) -> bool {
        self.state == "AUTHORIZED"
    }

    /// Proved, or not tried yet.
    fn is_good(&self) -> bool {
        self.state != "FAILED"
    }

    fn tell(&self) -> String {
        let mut text = format!("{} {} {}", self.domain, self.state, self.reason);
        if !self.details.is_empty() {
            text = format!("{text}: {}", self.details.trim_end_matches('.'));
        }
        match self.reason.as_str() {
            "CAA" => format!("{text} (allow pki.goog in its CAA records)"),
            "RATE_LIMITED" => format!("{text} (the authority limits it: wait)"),
            _ => text,
        }
    }
}
