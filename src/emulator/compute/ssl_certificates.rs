//! The rules of SSL certificates: given by their owner, or managed by Google. Neither can be changed.
//!
//! Invariant: a private key is looked at once, and kept nowhere.
//!
//! Sources: the API reference (compute v1, `SslCertificate`); "Google-managed SSL certificates" for 100 domains
//! and no wildcards; the words about domains and keys are Google's, from public reports.

use serde_json::{Map, Value, json};

use super::checks::holder;
use super::collection::{Proposal, Record, default, items, text};
use super::errors::{invalid, required};
use super::{time, x509};
use crate::emulator::errors::ApiError;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

const DOMAINS_MAX: usize = 100;

/// "The certificate chain must be no greater than 5 certs long."
const CHAIN_MAX: usize = 5;

/// Checks the private key, and takes it away.
pub(super) fn take(body: &mut Record) -> Result<(), ApiError> {
    let inner = |body: &mut Record, field: &str| match body.get_mut("selfManaged") {
        Some(Value::Object(inner)) => inner.remove(field),
        _ => None,
    };
    let key = body
        .remove("privateKey")
        .or_else(|| inner(body, "privateKey"));
    let certificate = inner(body, "certificate");
    if let Some(certificate) = certificate {
        default(body, "certificate", certificate);
    }
    if is_managed(body) {
        return Ok(());
    }
    let key = key.as_ref().and_then(Value::as_str).unwrap_or_default();
    if key.is_empty() {
        return Err(required("resource.privateKey"));
    }
    if x509::pem_blocks(key, "PRIVATE KEY").len() != 1 {
        let error = ApiError::invalid("The SSL key could not be parsed.");
        return Err(error.with_reason("sslCertificateCouldNotParseKey"));
    }
    Ok(())
}

fn is_managed(certificate: &Record) -> bool {
    match text(certificate, "type") {
        "MANAGED" => true,
        "SELF_MANAGED" => false,
        _ => certificate.contains_key("managed"),
    }
}

/// Only ever completes a new one: there is no other change.
pub(super) fn complete(certificate: &mut Record, _: &Proposal) {
    if is_managed(certificate) {
        default(certificate, "type", "MANAGED");
        complete_managed(certificate);
        return;
    }
    default(certificate, "type", "SELF_MANAGED");
    let pem = text(certificate, "certificate").to_owned();
    if let Some(leaf) = x509::leaf(&pem) {
        certificate.insert("expireTime".to_owned(), json!(time::text(leaf.expires)));
        if !leaf.names.is_empty() {
            certificate.insert("subjectAlternativeNames".to_owned(), json!(leaf.names));
        }
    }
    certificate.insert("selfManaged".to_owned(), json!({"certificate": pem}));
}

fn complete_managed(certificate: &mut Record) {
    let Some(Value::Object(managed)) = certificate.get_mut("managed") else {
        return;
    };
    managed.retain(|name, _| name == "domains");
    let domains = items(managed, "domains").iter().filter_map(Value::as_str);
    let status: Map<String, Value> = domains
        .map(|domain| (domain.to_owned(), json!("PROVISIONING")))
        .collect();
    managed.insert("domainStatus".to_owned(), Value::Object(status));
    managed.insert("status".to_owned(), json!("PROVISIONING"));
}

pub(super) fn check(certificate: &Record, proposal: &Proposal) -> Result<(), ApiError> {
    if is_managed(certificate) {
        check_managed(certificate, proposal)
    } else {
        check_own(certificate)
    }
}

fn check_own(certificate: &Record) -> Result<(), ApiError> {
    let pem = text(certificate, "certificate");
    if pem.is_empty() {
        return Err(required("resource.certificate"));
    }
    if x509::leaf(pem).is_none() {
        let error = ApiError::invalid("The SSL certificate could not be parsed.");
        return Err(error.with_reason("sslCertificateCouldNotParseCert"));
    }
    if x509::pem_blocks(pem, "CERTIFICATE").len() > CHAIN_MAX {
        let words = "The certificate chain must be no greater than 5 certs long.";
        return Err(invalid("resource.certificate", &Value::Null, words));
    }
    Ok(())
}

fn check_managed(certificate: &Record, proposal: &Proposal) -> Result<(), ApiError> {
    if !proposal.place.is_global() {
        let words = "Managed certificates are only supported globally.";
        return Err(invalid("resource.type", &json!("MANAGED"), words));
    }
    if certificate.contains_key("certificate") {
        let words = "A managed certificate cannot bring a certificate of its own.";
        return Err(invalid("resource.certificate", &Value::Null, words));
    }
    let Some(Value::Object(managed)) = certificate.get("managed") else {
        return Err(required("resource.managed"));
    };
    let domains = items(managed, "domains");
    if domains.is_empty() {
        return Err(required("resource.managed.domains"));
    }
    if domains.len() > DOMAINS_MAX {
        let words = "At most 100 domains can be specified.";
        return Err(invalid("resource.managed.domains", &Value::Null, words));
    }
    for (index, domain) in domains.iter().enumerate() {
        let field = format!("resource.managed.domains[{index}]");
        let name = domain.as_str().unwrap_or_default();
        if name.contains('*') {
            return Err(invalid(&field, domain, "Wildcard domains not supported."));
        }
        if !is_domain(name) {
            return Err(invalid(&field, domain, "Invalid domain name specified."));
        }
    }
    Ok(())
}

/// RFC 1035: two labels at least, each of letters, digits and inner hyphens.
fn is_domain(name: &str) -> bool {
    let good = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.contains('.') && name.trim_end_matches('.').split('.').all(good)
}

pub(super) fn user_of(world: &World, name: &str) -> Option<String> {
    holder(world, name, "targetHttpsProxies", "sslCertificates")
}

/// "Deletes can take 20-30 minutes ... depend on the provisioning process either succeeding or failing".
pub(super) fn delete_pace(certificate: &Record) -> Pace {
    let status = certificate.get("managed").map(|managed| &managed["status"]);
    if status == Some(&json!("PROVISIONING")) {
        Pace::Long
    } else {
        Pace::Quick
    }
}
