//! What the traffic model sees of certificates and their maps.

use super::collection::{fields, text, texts};
use crate::emulator::api::Api;
use crate::emulator::traffic::handshake::{Leaf, managed};
use crate::emulator::world::World;

/// The certificate behind a link, in whatever form; None while it is still being issued.
pub(in crate::emulator) fn leaf_of(world: &World, link: &str, project: &str) -> Option<Leaf> {
    let record = world.records.truth(&key(link, project))?;
    let certificate = fields(record);
    let expires = text(certificate, "expireTime").parse().ok()?;
    let names: Vec<String> = texts(certificate, "sanDnsnames")
        .map(str::to_owned)
        .collect();
    (!names.is_empty()).then(|| managed(names, expires))
}

/// What a map shows, by host name; the entry that is primary stands under no name. Of the certificates of an entry
/// the first one that is there.
pub(in crate::emulator) fn leaves_of_map(
    world: &World,
    link: &str,
    project: &str,
) -> Vec<(String, Leaf)> {
    let prefix = format!("{}/certificateMapEntries/", key(link, project));
    let entries = world.records.all_under(&prefix);
    let shown = entries.filter_map(|(_, record)| {
        let entry = fields(record);
        let mut certificates = texts(entry, "certificates");
        let leaf = certificates.find_map(|name| leaf_of(world, name, project))?;
        Some((text(entry, "hostname").to_owned(), leaf))
    });
    shown.collect()
}

/// Links may name the project by its number: the one that links is the one that is linked to.
fn key(link: &str, project: &str) -> String {
    let name = link.find("projects/").and_then(|at| link.get(at..));
    let rest = name.and_then(|name| name.splitn(3, '/').nth(2));
    super::CertificateManager.key(&format!("projects/{project}/{}", rest.unwrap_or_default()))
}
