//! The calls that a rotation and a removal make, each on one object.

use super::LABEL;
use super::content::{Content, PRIMARY, Slot};
use super::live::{Authorization, Entry, Member, short};
use crate::core::fields::Fields;
use crate::core::procedure::{Call, Next};
use crate::core::record::Verb;
use serde_json::{Value, json};

const PRESENT: &str = "present";

/// The composite field that says whether a certificate exists.
pub(super) fn certificate_field(name: &str) -> String {
    format!("certificates[{name}]")
}

pub(super) fn authorization_field(name: &str) -> String {
    format!("dnsAuthorizations[{name}]")
}

pub(super) fn map_field(name: &str) -> String {
    format!("certificateMaps[{name}]")
}

/// The value of these fields while the object is there.
pub(super) fn present() -> Value {
    json!(PRESENT)
}

pub(super) fn authorize(family: &str, domain: &str, content: &Content) -> Next {
    let name = content.authorization_name(family, domain);
    let mut body = json!({"domain": domain, "labels": {LABEL: family}});
    if let Some(kind) = &content.record_type {
        body["type"] = json!(kind);
    }
    let field = authorization_field(&name);
    create(format!("dnsAuthorizations/{name}"), body, field, present())
}

pub(super) fn certify(
    family: &str,
    name: &str,
    content: &Content,
    proofs: &[&Authorization],
) -> Next {
    let proofs: Vec<&str> = proofs.iter().map(|own| own.full_name.as_str()).collect();
    let body = json!({
        "managed": {"domains": content.domains, "dnsAuthorizations": proofs},
        "labels": {LABEL: family},
    });
    let field = certificate_field(name);
    create(format!("certificates/{name}"), body, field, present())
}

pub(super) fn make_map(name: &str) -> Next {
    let object = format!("certificateMaps/{name}");
    create(object, json!({}), map_field(name), present())
}

pub(super) fn make_entry(family: &str, slot: &Slot, certificate: &Member) -> Next {
    let object = format!(
        "certificateMaps/{}/certificateMapEntries/{}",
        slot.map,
        slot.entry_name(family)
    );
    let mut body = json!({"certificates": [certificate.full_name]});
    match slot.host.as_str() {
        PRIMARY => body["matcher"] = json!(PRIMARY),
        host => body["hostname"] = json!(host),
    }
    create(
        object,
        body,
        slot.certificates_field(),
        json!([certificate.name]),
    )
}

/// The entry's whole list, which is what GCP takes.
pub(super) fn point(entry: &Entry, certificates: &[String]) -> Next {
    let field = entry.slot.certificates_field();
    let before: Vec<String> = entry.short_names().collect();
    let after: Vec<String> = certificates.iter().map(|name| short(name)).collect();
    Next::Call(Box::new(Call {
        verb: Verb::Patch,
        object: entry.object(),
        body: json!({"certificates": certificates}),
        before: [(field.clone(), json!(before))].into(),
        after: [(field, json!(after))].into(),
    }))
}

pub(super) fn delete_entry(entry: &Entry) -> Next {
    let before: Vec<String> = entry.short_names().collect();
    delete(
        entry.object(),
        entry.slot.certificates_field(),
        json!(before),
    )
}

pub(super) fn delete_certificate(name: &str) -> Next {
    delete(
        format!("certificates/{name}"),
        certificate_field(name),
        present(),
    )
}

pub(super) fn delete_authorization(name: &str) -> Next {
    let object = format!("dnsAuthorizations/{name}");
    delete(object, authorization_field(name), present())
}

fn create(object: String, body: Value, field: String, after: Value) -> Next {
    Next::Call(Box::new(Call {
        verb: Verb::Create,
        object,
        body,
        before: Fields::new(),
        after: [(field, after)].into(),
    }))
}

fn delete(object: String, field: String, before: Value) -> Next {
    Next::Call(Box::new(Call {
        verb: Verb::Delete,
        object,
        body: Value::Null,
        before: [(field.clone(), before)].into(),
        after: [(field, Value::Null)].into(),
    }))
}
