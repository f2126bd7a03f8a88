//! Live certificates of a family as a manifest.

use super::{members, objects, proxies, serving};
use crate::api::Key;
use crate::core::observed::Present;
use crate::kinds::export::Export;
use serde_json::{Map, Value, json};

pub(super) fn export(live: &Present, key: &Key) -> Export {
    let mut export = Export::new(Map::new());
    let (members, proxies) = (members(Some(&live.raw)), proxies(Some(&live.raw)));
    let Some(member) = serving(&members, &proxies) else {
        return export;
    };
    if let Some(pem) = own(&live.raw, &member.name) {
        let secret = format!(
            "projects/{}/secrets/{}-key/versions/latest",
            key.project, key.name
        );
        export.remarks.push(format!(
            "nobody can read a private key back from Google, so privateKeyRef is a place that \
             evenkeel made up, and it looks there only when `certificate` changes: put the new key \
             into {secret} first, or name the place where it is"
        ));
        let content = json!({"certificate": pem, "privateKeyRef": {"secretManager": secret}});
        export.resource.insert("selfManaged".to_owned(), content);
    } else {
        let content = json!({"domains": member.content.domains});
        export.resource.insert("managed".to_owned(), content);
    }
    let on = proxies
        .iter()
        .filter(|proxy| proxy.certificates.contains(&member.name));
    let on: Vec<_> = on.map(|proxy| proxy.name.as_str()).collect();
    if !on.is_empty() {
        export.resource.insert("attachTo".to_owned(), json!(on));
    }
    export
}

/// The PEM of a self-managed certificate.
fn own<'r>(raw: &'r Value, name: &str) -> Option<&'r str> {
    let certificate = objects(Some(raw), "certificates").find(|one| one["name"] == name)?;
    if certificate.get("managed").is_some() {
        return None;
    }
    let nested = certificate["selfManaged"]["certificate"].as_str();
    nested.or_else(|| certificate["certificate"].as_str())
}
