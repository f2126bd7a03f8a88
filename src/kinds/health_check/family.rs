//! The checks that one manifest may have in GCP, and who uses them.
//!
//! A check in use cannot change its protocol, so another check takes over, under a name made of
//! the manifest's name and the protocol. A family is exactly `<name>` and these names.

use super::protocol::{PROTOCOLS, Protocol};
use crate::core::fields::Fields;
use crate::core::observed::Present;
use crate::kinds::compute;
use crate::kinds::suffix::hex;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Hex digits that tell the members of a family apart.
const SUFFIX: usize = 8;
/// Longest name in Compute Engine.
const NAME_LIMIT: usize = 63;

/// Longest name of a manifest that leaves room for the suffix.
pub(super) const BASE_LIMIT: usize = NAME_LIMIT - SUFFIX - 1;

/// The name of the member with this protocol, where `base` itself is taken.
pub(super) fn name_of(base: &str, protocol: &Protocol) -> String {
    format!("{base}-{}", suffix(base, protocol))
}

/// The same each time it is asked for.
fn suffix(base: &str, protocol: &Protocol) -> String {
    let digest = Sha256::digest(format!("{base}\n{}", protocol.name));
    hex(&digest[..SUFFIX / 2])
}

/// The manifest's name behind a name in GCP.
#[must_use]
pub fn base_of(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((base, end))
            if end.len() == SUFFIX && PROTOCOLS.iter().any(|p| suffix(base, p) == end) =>
        {
            base
        }
        _ => name,
    }
}

/// One check of a family.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub name: String,
    pub protocol: String,
    pub fields: Fields,
}

/// A backend service that uses a check of the family.
#[derive(Debug, Clone)]
pub(super) struct User {
    /// `projects/p/global/backendServices/b`.
    pub link: String,
    /// The checks it uses, as links without host and version.
    pub checks: Vec<String>,
    pub fingerprint: Value,
}

impl User {
    /// Of this member, by its short name. A check of the same name in another place is another.
    pub fn uses(&self, collection: &str, name: &str) -> bool {
        let link = format!("{collection}/{name}");
        self.checks.contains(&link)
    }

    fn read(raw: &Value) -> Option<User> {
        let links = raw["healthChecks"].as_array().into_iter().flatten();
        Some(User {
            link: compute::short(raw["selfLink"].as_str()?),
            checks: links
                .filter_map(Value::as_str)
                .map(compute::short)
                .collect(),
            fingerprint: raw["fingerprint"].clone(),
        })
    }
}

/// A reply of GCP: one check as it is, or a composite of several. What is live is the oldest.
pub(super) fn present(raw: Value) -> Present {
    let bodies = bodies(&raw);
    let oldest = oldest(&raw);
    let name = |body: &Value| body["name"].as_str().unwrap_or_default().to_owned();
    let mut fields = super::live_fields(oldest);
    for body in &bodies {
        let all = super::live_fields(body);
        let several = bodies.len() > 1;
        let shown = all.iter().filter(|(path, _)| several || *path == "type");
        fields.extend(shown.map(|(path, value)| (field(&name(body), path), value.clone())));
    }
    for user in users(&raw).into_iter().flatten() {
        fields.insert(checks_of(&user.link), json!(user.checks));
    }
    let object = Some(name(oldest)).filter(|name| base_of(name) != name);
    Present {
        fields,
        object: object.map(|name| object_of(&name)),
        ..Present::of(raw)
    }
}

/// The check that was there first.
pub(super) fn oldest(raw: &Value) -> &Value {
    let created = |body: &&Value| {
        let text = body["creationTimestamp"].as_str();
        let at: Option<Timestamp> = text.and_then(|text| text.parse().ok());
        (at, body["name"].as_str().map(str::to_owned))
    };
    bodies(raw).into_iter().min_by_key(created).unwrap_or(raw)
}

fn bodies(raw: &Value) -> Vec<&Value> {
    match raw["healthChecks"].as_array() {
        Some(members) => members.iter().collect(),
        None => vec![raw],
    }
}

/// The object of a call.
pub(super) fn object_of(name: &str) -> String {
    format!("{}/{name}", super::COLLECTION)
}

/// A field of one member.
pub(super) fn field(member: &str, path: &str) -> String {
    format!("{}[{member}].{path}", super::COLLECTION)
}

/// The checks that a backend service uses.
pub(super) fn checks_of(link: &str) -> String {
    format!("backendServices[{link}].healthChecks")
}

/// The members, by name; told from the fields, so that a LIST without bodies does.
pub(super) fn members(live: &Present) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for (path, value) in &live.fields {
        let entry = path.strip_prefix(super::COLLECTION);
        let entry = entry.and_then(|entry| entry.strip_prefix('[')?.split_once("]."));
        let Some((name, path)) = entry else {
            continue;
        };
        if members.last().is_none_or(|last| last.name != name) {
            members.push(Member {
                name: name.to_owned(),
                protocol: String::new(),
                fields: Fields::new(),
            });
        }
        if let Some(member) = members.last_mut() {
            if path == "type" {
                value
                    .as_str()
                    .unwrap_or_default()
                    .clone_into(&mut member.protocol);
            }
            member.fields.insert(path.to_owned(), value.clone());
        }
    }
    if let [only] = members.as_mut_slice() {
        only.fields.clone_from(&live.fields);
    }
    members
}

/// Who uses the family; `None` where that was not read.
pub(super) fn users(raw: &Value) -> Option<Vec<User>> {
    let services = raw["backendServices"].as_array()?;
    Some(services.iter().filter_map(User::read).collect())
}

/// The body of a member, as it was read.
pub(super) fn body(raw: &Value, name: &str) -> Value {
    let found = bodies(raw).into_iter().find(|body| body["name"] == name);
    found.cloned().unwrap_or_default()
}

/// `projects/p/global/healthChecks`, where the family is.
pub(super) fn collection(raw: &Value) -> Option<String> {
    let link = bodies(raw).first()?["selfLink"].as_str()?;
    let short = compute::short(link);
    Some(short.rsplit_once('/')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_family_is_a_name_and_seven_more() {
        let names: BTreeSet<_> = PROTOCOLS.iter().map(|p| name_of("web", p)).collect();
        assert_eq!(names.len(), PROTOCOLS.len());
        for name in names.iter().map(String::as_str).chain(["web"]) {
            assert_eq!(base_of(name), "web");
        }
        let other = &names.iter().next().unwrap()["web-".len()..];
        for stranger in ["web-1f0c88aa", "web-1f0c88a", "webs", "web-", "we"] {
            assert_eq!(base_of(stranger), stranger);
        }
        let stranger = format!("api-{other}");
        assert_eq!(
            base_of(&stranger),
            stranger,
            "the suffix is of another name"
        );
    }
}
