//! DNS authorizations: a domain, and the record that proves whose it is.
//!
//! Sources: the API reference (certificatemanager v1, `DnsAuthorization`); "Manage DNS authorizations" for the form
//! of the records.

use serde_json::{Value, json};

use super::collection::{Record, fields, text, texts};
use super::refusal::refuse;
use super::{certificates, names};
use crate::emulator::api::Api;
use crate::emulator::errors::ApiError;
use crate::emulator::query::checksum;
use crate::emulator::world::World;

const FIXED: &str = "FIXED_RECORD";
const PER_PROJECT: &str = "PER_PROJECT_RECORD";

pub(super) fn take(_: &World, name: &str, authorization: &mut Record) -> Result<(), ApiError> {
    let domain = text(authorization, "domain").to_ascii_lowercase();
    if !names::is_domain(&domain) {
        let words = format!("invalid domain \"{domain}\"");
        return Err(refuse("dns_authorization.domain", &words));
    }
    let kind = match text(authorization, "type") {
        "" | "TYPE_UNSPECIFIED" if names::location(name) == "global" => FIXED,
        FIXED => FIXED,
        _ => PER_PROJECT,
    };
    let project = name.split('/').nth(1).unwrap_or_default();
    authorization.insert(
        "dnsResourceRecord".to_owned(),
        record(project, &domain, kind),
    );
    authorization.insert("type".to_owned(), json!(kind));
    authorization.insert("domain".to_owned(), json!(domain));
    Ok(())
}

/// The same for every authorization of the domain in the project: one name can have one CNAME record only.
fn record(project: &str, domain: &str, kind: &str) -> Value {
    let secret = checksum(domain, &format!("{project} {kind}"));
    let label = match kind {
        FIXED => "_acme-challenge".to_owned(),
        _ => format!("_acme-challenge_{}", letters(checksum(project, kind))),
    };
    let (high, low) = (checksum(domain, kind), secret);
    let data = format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}.{}.authorize.certificatemanager.goog.",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff,
        secret % 20,
    );
    json!({"name": format!("{label}.{domain}."), "type": "CNAME", "data": data})
}

/// Sixteen of `a-p`.
fn letters(number: u64) -> String {
    let nibbles = (0..16).map(|nibble| u8::try_from(number >> (4 * nibble) & 0xf));
    nibbles
        .map(|nibble| char::from(b'a' + nibble.unwrap_or_default()))
        .collect()
}

/// The certificates of the place that name it.
pub(super) fn users(world: &World, name: &str) -> Vec<String> {
    let prefix = super::CertificateManager.key(&format!("{}/certificates/", names::place(name)));
    let all = world.records.all_under(&prefix);
    all.filter(|(_, record)| {
        certificates::managed(fields(record))
            .is_some_and(|managed| texts(managed, "dnsAuthorizations").any(|own| own == name))
    })
    .map(|(key, _)| key.to_owned())
    .collect()
}
