//! The rules of certificates: brought by their owner, or managed by Google.
//!
//! Invariant: a private key is looked at once, and kept nowhere.
//!
//! Sources: the API reference (certificatemanager v1, `Certificate`); "Domain authorization" for wildcards and for
//! what load balancer authorization cannot do; "Quotas and limits" for the number of domains.

use serde_json::{Value, json};

use super::collection::{Record, fields, set_or_remove, text, texts};
use super::names::{self, base};
use super::refusal::{not_found, refuse};
use crate::emulator::api::Api;
use crate::emulator::compute::x509;
use crate::emulator::errors::ApiError;
use crate::emulator::world::World;

const DOMAINS_MAX: usize = 100;

pub(super) fn managed(certificate: &Record) -> Option<&Record> {
    certificate.get("managed").and_then(Value::as_object)
}

pub(super) fn take(world: &World, name: &str, certificate: &mut Record) -> Result<(), ApiError> {
    if certificate.contains_key("managedIdentity") {
        let words = "managed identity certificates are not served by this emulator";
        return Err(refuse("certificate.managed_identity", words));
    }
    // "DEFAULT" is what is meant where nothing is shown.
    if text(certificate, "scope") == "DEFAULT" {
        certificate.remove("scope");
    }
    match (
        certificate.remove("managed"),
        certificate.remove("selfManaged"),
    ) {
        (Some(Value::Object(managed)), None) => {
            let managed = take_managed(world, name, &managed)?;
            let domains = managed.get("domains").cloned().unwrap_or(json!([]));
            set_or_remove(certificate, "sanDnsnames", domains);
            certificate.insert("managed".to_owned(), Value::Object(managed));
            Ok(())
        }
        (None, Some(Value::Object(own))) => take_own(certificate, &own),
        _ => Err(refuse(
            "certificate",
            "exactly one of managed and self_managed must be set",
        )),
    }
}

/// A patch brings the pair again, or leaves it as it is.
pub(super) fn take_change(_: &World, _: &str, certificate: &mut Record) -> Result<(), ApiError> {
    let Some(Value::Object(own)) = certificate.remove("selfManaged") else {
        return Ok(());
    };
    if managed(certificate).is_some() {
        let words = "a managed certificate cannot become self-managed";
        return Err(refuse("certificate.self_managed", words));
    }
    if own.is_empty() {
        certificate.insert("selfManaged".to_owned(), json!({}));
        return Ok(());
    }
    take_own(certificate, &own)
}

pub(super) fn stands(world: &World, name: &str, certificate: &Record) -> Result<(), ApiError> {
    let managed = managed(certificate);
    managed.map_or(Ok(()), |managed| {
        authorizations(world, name, managed).map(drop)
    })
}

fn take_own(certificate: &mut Record, own: &Record) -> Result<(), ApiError> {
    let pem = text(own, "pemCertificate");
    let field = "certificate.self_managed";
    let Some(leaf) = x509::leaf(pem) else {
        let words = "could not parse the PEM encoded certificate";
        return Err(refuse(&format!("{field}.pem_certificate"), words));
    };
    if x509::pem_blocks(text(own, "pemPrivateKey"), "PRIVATE KEY").len() != 1 {
        let words = "could not parse the PEM encoded private key";
        return Err(refuse(&format!("{field}.pem_private_key"), words));
    }
    certificate.insert("selfManaged".to_owned(), json!({}));
    certificate.insert("pemCertificate".to_owned(), json!(pem));
    certificate.insert("expireTime".to_owned(), json!(leaf.expires.to_string()));
    set_or_remove(certificate, "sanDnsnames", json!(leaf.names));
    Ok(())
}

fn take_managed(world: &World, name: &str, sent: &Record) -> Result<Record, ApiError> {
    let domains: Vec<String> = texts(sent, "domains")
        .map(|domain| domain.trim_end_matches('.').to_ascii_lowercase())
        .collect();
    check_domains(&domains)?;
    if let Some(config) = sent.get("issuanceConfig").and_then(Value::as_str)
        && !config.is_empty()
    {
        // There are none in this emulator.
        return Err(not_found(config));
    }
    let authorizations = authorizations(world, name, sent)?;
    check_authorized(world, name, &domains, &authorizations)?;
    let attempts: Vec<Value> = domains
        .iter()
        .map(|domain| json!({"domain": domain, "state": "AUTHORIZING"}))
        .collect();
    let mut managed = Record::new();
    set_or_remove(&mut managed, "dnsAuthorizations", json!(authorizations));
    managed.insert("domains".to_owned(), json!(domains));
    managed.insert("authorizationAttemptInfo".to_owned(), json!(attempts));
    managed.insert("state".to_owned(), json!("PROVISIONING"));
    Ok(managed)
}

fn check_domains(domains: &[String]) -> Result<(), ApiError> {
    let field = "certificate.managed.domains";
    if domains.is_empty() {
        return Err(refuse(field, "at least one domain must be specified"));
    }
    if domains.len() > DOMAINS_MAX {
        let words = format!("at most {DOMAINS_MAX} domains can be specified");
        return Err(refuse(field, &words));
    }
    for (index, domain) in domains.iter().enumerate() {
        let place = format!("{field}[{index}]");
        if !names::is_domain(base(domain)) {
            return Err(refuse(&place, &format!("invalid domain \"{domain}\"")));
        }
        if domains[..index].contains(domain) {
            return Err(refuse(&place, &format!("duplicate domain \"{domain}\"")));
        }
    }
    Ok(())
}

/// The authorizations that are named, each of which must exist. "invalid name" is Google's text.
fn authorizations(world: &World, name: &str, sent: &Record) -> Result<Vec<String>, ApiError> {
    let named = texts(sent, "dnsAuthorizations").enumerate();
    named
        .map(|(index, text)| {
            let place = format!("managed.dns_authorizations[{index}]");
            let name = names::read_reference(text, "dnsAuthorizations", name)
                .ok_or_else(|| refuse(&place, "invalid name"))?;
            let key = super::CertificateManager.key(&name);
            world.records.truth(&key).ok_or_else(|| not_found(&name))?;
            Ok(name)
        })
        .collect()
}

/// "Wildcard domains are only supported with DNS challenge resolution."
fn check_authorized(
    world: &World,
    name: &str,
    domains: &[String],
    authorizations: &[String],
) -> Result<(), ApiError> {
    let of = |name: &String| {
        let record = world.records.truth(&super::CertificateManager.key(name));
        record.map_or("", |record| text(fields(record), "domain"))
    };
    let proved: Vec<&str> = authorizations.iter().map(of).collect();
    for (index, domain) in domains.iter().enumerate() {
        let place = format!("certificate.managed.domains[{index}]");
        if proved.contains(&base(domain)) {
            continue;
        }
        if !authorizations.is_empty() {
            let words = format!("no DNS authorization covers domain \"{domain}\"");
            return Err(refuse(&place, &words));
        }
        if domain.starts_with("*.") {
            let words = format!("wildcard domain \"{domain}\" requires a DNS authorization");
            return Err(refuse(&place, &words));
        }
        if names::location(name) != "global" {
            let words = "load balancer authorization is not supported for regional certificates";
            return Err(refuse(&place, words));
        }
    }
    Ok(())
}

/// The map entries, and the proxies that have it without a map.
pub(super) fn users(world: &World, name: &str) -> Vec<String> {
    let prefix = super::CertificateManager.key(&format!("{}/certificateMaps/", names::place(name)));
    let entries = world.records.all_under(&prefix);
    let entries = entries.filter(|(_, record)| {
        let mut own = texts(fields(record), "certificates");
        own.any(|certificate| certificate == name)
    });
    entries
        .map(|(key, _)| key.to_owned())
        .chain(super::maps::holders(world, name, "sslCertificates"))
        .collect()
}

pub(super) fn look_around(world: &World, name: &str, shown: &mut Record) {
    let users = users(world, name).into_iter();
    let users: Vec<Value> = users.map(|name| json!({"name": name})).collect();
    set_or_remove(shown, "usedBy", json!(users));
}
