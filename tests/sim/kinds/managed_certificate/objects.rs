//! The objects of Certificate Manager: how strangers make them, and how all of them are found.

use super::PLACE;
use crate::sim::kinds::{Call, short};
use evenkeel::emulator::{Domain, Emulator};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SERVICE: &str = "//certificatemanager.googleapis.com/";

pub(super) fn full(collection: &str, name: &str) -> String {
    format!("{PLACE}/{collection}/{name}")
}

fn post(collection: &str, id: &str, body: Value) -> Call {
    let last = short(collection);
    let parameter = last.trim_end_matches('s').replace("Entrie", "Entry");
    Call {
        method: "POST",
        path: format!("/v1/{PLACE}/{collection}?{parameter}Id={id}"),
        body,
    }
}

/// The request that authorizes a domain by hand.
pub fn authorize(id: &str, domain: &str) -> Call {
    post("dnsAuthorizations", id, json!({"domain": domain}))
}

/// The request that makes a certificate with these authorizations.
pub fn make(name: &str, domains: &Value, proofs: &[String]) -> Call {
    let proofs: Vec<_> = proofs
        .iter()
        .map(|id| full("dnsAuthorizations", id))
        .collect();
    let managed = json!({"domains": domains, "dnsAuthorizations": proofs});
    post("certificates", name, json!({"managed": managed}))
}

pub fn make_map(name: &str) -> Call {
    post("certificateMaps", name, json!({}))
}

/// The request that makes an entry for a slot of a manifest.
pub fn make_entry(id: &str, slot: &Value, certificates: &[&str]) -> Call {
    let mut body = slot.clone();
    let map = slot["map"].as_str().unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.remove("map");
    }
    let links: Vec<_> = certificates
        .iter()
        .map(|name| full("certificates", name))
        .collect();
    body["certificates"] = json!(links);
    post(
        &format!("certificateMaps/{map}/certificateMapEntries"),
        id,
        body,
    )
}

/// What people publish: the record of each authorization, but for domains that are not to be seen.
pub fn records(emulator: &Emulator, fates: &BTreeMap<String, Domain>) -> BTreeMap<String, String> {
    let record = |body: &Value| {
        let domain = body["domain"].as_str()?;
        let text = |field: &str| body["dnsResourceRecord"][field].as_str().map(str::to_owned);
        let seen = fates.get(domain) != Some(&Domain::NotVisible);
        Some((text("name")?, text("data")?)).filter(|_| seen)
    };
    let all = all(emulator, "dnsAuthorizations");
    all.iter().filter_map(record).collect()
}

/// Every object of a collection.
pub(super) fn all(emulator: &Emulator, collection: &str) -> Vec<Value> {
    let (scope, holder) = (
        format!("{SERVICE}{PLACE}/"),
        format!("/{collection}/{{id}}"),
    );
    let everything = emulator.everything();
    let found = everything.into_iter().filter(|(name, _)| {
        let id = short(name);
        name.starts_with(&scope) && name.ends_with(&holder.replace("{id}", id))
    });
    found.map(|(_, body)| body).collect()
}
