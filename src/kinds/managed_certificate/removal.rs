//! The removal: the entries that serve the certificates, the certificates, and the authorizations that
//! were made for them and prove nothing else. Maps stay: load balancers may name them.

use super::calls;
use super::content::Slot;
use super::live::{Authorization, Entry, Member, Seen};
use crate::core::procedure::{Next, Procedure, Scene};
use crate::kinds::suffix::base_of;

pub(super) fn procedure(scene: &Scene<'_>) -> Procedure {
    let seen = Seen::read(scene.live.map(|present| &present.raw)).own(scene.name, scene.adopted);
    Procedure {
        steps: vec!["delete".to_owned()],
        at: 0,
        marks: Vec::new(),
        object: None,
        next: next(scene, &seen),
    }
}

fn next(scene: &Scene<'_>, seen: &Seen) -> Next {
    let users = foreign_users(scene, seen);
    if !users.is_empty() {
        let message = format!(
            "in use by {}; give these another certificate first",
            users.join(", ")
        );
        return Next::Wait {
            message,
            limit: None,
        };
    }
    if let Some(entry) = serving_entries(seen).next() {
        let others = entry.certificates.iter();
        let others = others.filter(|name| !seen.is_member(&super::live::short(name)));
        let others: Vec<String> = others.cloned().collect();
        return if others.is_empty() {
            calls::delete_entry(entry)
        } else {
            calls::point(entry, &others)
        };
    }
    if let Some(member) = seen.members.first() {
        return calls::delete_certificate(&member.name);
    }
    let idle = |own: &&Authorization| own.is_of(scene.name) && own.users.is_empty();
    let idle = seen.authorizations.iter().find(idle);
    idle.map_or(Next::Done, |own| calls::delete_authorization(&own.name))
}

fn serving_entries(seen: &Seen) -> impl Iterator<Item = &Entry> {
    let serves = |entry: &&Entry| entry.short_names().any(|name| seen.is_member(&name));
    seen.entries.iter().filter(serves)
}

/// Who uses the certificates and is not ours to change: entries that were never attached by this
/// manifest, and load balancers that have a certificate without a map.
fn foreign_users(scene: &Scene<'_>, seen: &Seen) -> Vec<String> {
    let attached = Slot::all(scene.applied);
    let foreign =
        |entry: &&Entry| base_of(&entry.name) != scene.name && !attached.contains(&entry.slot);
    let entries = serving_entries(seen).filter(foreign);
    let entries = entries.map(|entry| format!("entry {} of map {}", entry.name, entry.slot.map));
    let others = seen
        .members
        .iter()
        .flat_map(|member: &Member| &member.other_users);
    entries.chain(others.cloned()).collect()
}
