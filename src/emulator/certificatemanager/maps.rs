//! Certificate maps and their entries: which certificates a load balancer shows for which host name.
//!
//! Sources: the API reference (certificatemanager v1, `CertificateMapEntry`: up to four certificates); "Manage
//! certificate map entries". "invalid certificate name" is Google's text.

use serde_json::{Value, json};

use super::collection::{Record, fields, set_or_remove, text, texts};
use super::names::{self, base};
use super::refusal::{already_exists, not_found, refuse, refuse_plainly};
use crate::emulator::api::Api;
use crate::emulator::errors::ApiError;
use crate::emulator::registry::relative;
use crate::emulator::world::World;

const CERTIFICATES_MAX: usize = 4;

const COMPUTE: &str = "//compute.googleapis.com/";

/// For the entry with this name. A patch comes by here too: it leaves host name and matcher as they are.
pub(super) fn take_entry(world: &World, name: &str, entry: &mut Record) -> Result<(), ApiError> {
    let map = name.rsplitn(3, '/').nth(2).unwrap_or_default();
    if world
        .records
        .truth(&super::CertificateManager.key(map))
        .is_none()
    {
        return Err(not_found(map));
    }
    let hostname = text(entry, "hostname").to_ascii_lowercase();
    let primary = text(entry, "matcher") == "PRIMARY";
    if hostname.is_empty() != primary {
        let words = "exactly one of hostname and matcher must be set";
        return Err(refuse("certificate_map_entry.hostname", words));
    }
    if !primary {
        if !names::is_domain(base(&hostname)) {
            let words = format!("invalid hostname \"{hostname}\"");
            return Err(refuse("certificate_map_entry.hostname", &words));
        }
        entry.insert("hostname".to_owned(), json!(hostname));
    }
    if let Some(other) = twin(world, map, name, entry) {
        return Err(already_exists(relative(&other)));
    }
    let certificates = certificates(world, name, entry)?;
    entry.insert("certificates".to_owned(), json!(certificates));
    Ok(())
}

/// The other entry of the map for the same host name.
fn twin(world: &World, map: &str, name: &str, entry: &Record) -> Option<String> {
    let prefix = super::CertificateManager.key(&format!("{map}/certificateMapEntries/"));
    let mut all = world.records.all_under(&prefix);
    all.find(|(key, record)| {
        let record = fields(record);
        relative(key) != name
            && text(record, "hostname") == text(entry, "hostname")
            && text(record, "matcher") == text(entry, "matcher")
    })
    .map(|(key, _)| key.to_owned())
}

fn certificates(world: &World, name: &str, entry: &Record) -> Result<Vec<String>, ApiError> {
    let named: Vec<&str> = texts(entry, "certificates").collect();
    let field = "certificates";
    if named.is_empty() {
        return Err(refuse(field, "at least one certificate must be specified"));
    }
    if named.len() > CERTIFICATES_MAX {
        let words = format!("at most {CERTIFICATES_MAX} certificates can be specified");
        return Err(refuse(field, &words));
    }
    let read = |text: &&str| {
        let invalid = || refuse_plainly(field, &format!("invalid certificate name \"{text}\""));
        let name = names::read_reference(text, "certificates", name).ok_or_else(invalid)?;
        let key = super::CertificateManager.key(&name);
        world.records.truth(&key).ok_or_else(|| not_found(&name))?;
        Ok(name)
    };
    named.iter().map(read).collect()
}

/// The target proxies that have a map.
pub(super) fn proxies(world: &World, name: &str) -> Vec<String> {
    holders(world, name, "certificateMap")
}

/// Compute's resources in whose `field` this resource is named, whatever stands before its name.
pub(super) fn holders(world: &World, name: &str, field: &str) -> Vec<String> {
    let project = name.split('/').nth(1).unwrap_or_default();
    let prefix = format!("{COMPUTE}projects/{project}/");
    let ours = |value: &Value| {
        let link = value.as_str().unwrap_or_default();
        let at = link.find("/projects/").map_or(0, |at| at + 1);
        link.contains(super::SERVICE) && read(&link[at..], name)
    };
    let holds = |record: &Value| match &record[field] {
        Value::Array(items) => items.iter().any(ours),
        value => ours(value),
    };
    let all = world.records.all_under(&prefix);
    all.filter(|(key, record)| key.contains("/targetHttpsProxies/") && holds(record))
        .map(|(key, _)| key.to_owned())
        .collect()
}

/// Whether a link without its host names this resource, by the project's id or number.
fn read(link: &str, name: &str) -> bool {
    let collection = name.split('/').nth(4).unwrap_or_default();
    names::read_reference(link, collection, name).as_deref() == Some(name)
}

pub(super) fn look_around(world: &World, name: &str, shown: &mut Record) {
    let proxies = proxies(world, name).into_iter();
    let targets: Vec<Value> = proxies
        .map(|proxy| json!({"targetHttpsProxy": proxy}))
        .collect();
    set_or_remove(shown, "gclbTargets", json!(targets));
}
