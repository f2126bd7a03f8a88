//! Target HTTPS proxies: their rules, and the two methods that set one field each.
//!
//! Neither of the two takes a fingerprint: the last writer wins.

use serde_json::{Value, json};

use super::checks::referenced;
use super::collection::{Proposal, Record, default, items, text};
use super::errors::{invalid, required};
use super::messages::proxy::{
    TARGET_HTTPS_PROXIES_SET_CERTIFICATE_MAP_REQUEST as MAP_REQUEST,
    TARGET_HTTPS_PROXIES_SET_SSL_CERTIFICATES_REQUEST as CERTIFICATES_REQUEST,
};
use super::place::Name;
use super::resource::{Change, before, change};
use super::{links, operations};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::world::World;

/// Compute's own certificates on one proxy: "1 to 15", says the API reference.
const CERTIFICATES_MAX: usize = 15;

const CERTIFICATE_MANAGER: &str = "certificatemanager.googleapis.com";

pub(super) fn complete(proxy: &mut Record, proposal: &Proposal) {
    if proposal.place.is_global() {
        default(proxy, "quicOverride", "NONE");
    }
}

pub(super) fn check(proxy: &Record, proposal: &Proposal) -> Result<(), ApiError> {
    if text(proxy, "urlMap").is_empty() {
        return Err(required("resource.urlMap"));
    }
    let map = text(proxy, "certificateMap");
    if !map.is_empty() && !map.contains(CERTIFICATE_MANAGER) {
        let words = "The URL is malformed.";
        return Err(invalid("resource.certificateMap", &json!(map), words));
    }
    let certificates = items(proxy, "sslCertificates");
    if certificates.is_empty() && map.is_empty() {
        return Err(no_certificate());
    }
    check_certificates(certificates, proposal)
}

/// Google's words.
fn no_certificate() -> ApiError {
    let words = "At least 1 SSL certificate must be specified for setting SSL certificates in TargetHttpsProxy.";
    ApiError::invalid(words).with_reason("invalid")
}

fn check_certificates(certificates: &[Value], proposal: &Proposal) -> Result<(), ApiError> {
    let refuse = |words: &str| Err(invalid("resource.sslCertificates", &Value::Null, words));
    let managed_elsewhere = certificates.iter().filter(|certificate| {
        let name = certificate.as_str().unwrap_or_default();
        name.contains(CERTIFICATE_MANAGER)
    });
    match managed_elsewhere.count() {
        0 => {}
        count if count == certificates.len() => return Ok(()),
        _ => {
            return refuse("Compute Engine and Certificate Manager certificates cannot be mixed.");
        }
    }
    if certificates.len() > CERTIFICATES_MAX {
        return refuse("At most 15 SSL certificates can be specified.");
    }
    for (index, certificate) in certificates.iter().enumerate() {
        let name = certificate.as_str().unwrap_or_default();
        let parsed = Name::parse(name).filter(|name| name.collection == "sslCertificates");
        let field = format!("resource.sslCertificates[{index}]");
        let Some(parsed) = parsed else {
            return Err(invalid(&field, certificate, "The URL is malformed."));
        };
        if parsed.scope != proposal.place.scope.name() {
            let words = "The SSL certificate must be in the scope of the proxy.";
            return Err(invalid(&field, certificate, words));
        }
        referenced(proposal.world, name)?;
    }
    Ok(())
}

pub(super) fn set_ssl_certificates(
    world: &mut World,
    request: &Request,
) -> Result<Value, ApiError> {
    if let Some(first) = operations::repeated(world, request)? {
        return Ok(first);
    }
    let before = before(world, request)?;
    let mut body = request.body.clone();
    links::read(&CERTIFICATES_REQUEST, &mut body, request.route.project())?;
    let certificates = body.remove("sslCertificates").unwrap_or(json!([]));
    if certificates == json!([]) {
        return Err(no_certificate());
    }
    let patch = patch("sslCertificates", certificates);
    change(world, request, &before, "setSslCertificates", patch)
}

/// An empty map takes the map away.
pub(super) fn set_certificate_map(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    if let Some(first) = operations::repeated(world, request)? {
        return Ok(first);
    }
    let before = before(world, request)?;
    let mut body = request.body.clone();
    links::read(&MAP_REQUEST, &mut body, request.route.project())?;
    let map = body
        .remove("certificateMap")
        .filter(|map| *map != json!(""));
    let patch = patch("certificateMap", map.unwrap_or(Value::Null));
    change(world, request, &before, "setCertificateMap", patch)
}

fn patch(field: &str, value: Value) -> Change {
    let mut patch = Record::new();
    patch.insert(field.to_owned(), value);
    Change::Merge { patch }
}
