//! Certificates of Certificate Manager, what proves their domains, and the map entries that serve
//! them.
//!
//! A manifest stands for a family: `<name>` and `<name>-<8 hex digits>`.

use super::certificate::{FOUND, LOOKALIKES, THEIRS, base_of};
use super::{Call, Content, Meddle, Place, fields, pick, short, texts};
use crate::sim::content;
use crate::sim::trace::Sent;
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key};
use evenkeel::emulator::{Domain, Emulator};
use fastrand::Rng;
use serde_json::{Map, Value, json};

mod objects;

use objects::{all, full};
pub use objects::{authorize, make, make_entry, make_map, records};

pub struct ManagedCertificate;

/// The place of everything here.
pub const PLACE: &str = "projects/netra-staging/locations/global";
/// The maps that manifests name; the second is not there unless somebody makes it.
pub const MAPS: [&str; 2] = ["front", "back"];
/// Most certificates of an entry, by the API reference.
pub const ENTRY_LIMIT: usize = 4;
const TYPES: [&str; 2] = ["FIXED_RECORD", "PER_PROJECT_RECORD"];

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

/// One to three domains of the place and their wildcards.
pub fn domains(rng: &mut Rng, place: &Place) -> Value {
    let mut some = Vec::new();
    for base in texts(&place.lot["domains"]) {
        let drawn = rng.u8(..6);
        if matches!(drawn, 0 | 2) {
            some.push(base.clone());
        }
        if matches!(drawn, 1 | 2) {
            some.push(format!("*.{base}"));
        }
    }
    if some.is_empty() {
        some.push(texts(&place.lot["domains"])[0].clone());
    }
    json!(some)
}

pub fn is_active(certificate: &Value) -> bool {
    certificate["managed"]["state"] == "ACTIVE"
}

/// The names of the certificates of an entry.
pub fn served(entry: &Value) -> Vec<String> {
    let links = texts(&entry["certificates"]);
    links.iter().map(|link| short(link).to_owned()).collect()
}

fn list<'v>(truth: &'v Value, field: &str) -> &'v [Value] {
    truth[field].as_array().map_or(&[], Vec::as_slice)
}

fn name_of(object: &Value) -> &str {
    short(object["name"].as_str().unwrap_or_default())
}

/// Where an entry serves: its map, and its host or matcher.
fn place_of(entry: &Value) -> (String, String) {
    let map = entry["name"].as_str().unwrap_or_default();
    let map = map.rsplit('/').nth(2).unwrap_or_default();
    (map.to_owned(), host_of(entry))
}

fn host_of(slot: &Value) -> String {
    let host = slot["hostname"].as_str().or(slot["matcher"].as_str());
    host.unwrap_or_default().to_owned()
}

/// Where the manifest wants it to serve.
fn slots(declared: &Declared) -> Vec<(String, String)> {
    let slots = declared.resource.get("attachTo").and_then(Value::as_array);
    let slots = slots.into_iter().flatten();
    let map = |slot: &Value| slot["map"].as_str().unwrap_or_default().to_owned();
    slots.map(|slot| (map(slot), host_of(slot))).collect()
}

fn sorted(domains: &Value) -> Vec<String> {
    let mut domains = texts(domains);
    domains.sort();
    domains
}

/// A member of the family that a stranger made: whether it was taken over at some time, only the
/// operator knows.
fn is_strange(certificate: &Value) -> bool {
    let name = name_of(certificate);
    let suffix = name.rsplit('-').next().unwrap_or_default();
    base_of(name) == name || suffix == FOUND || LOOKALIKES.contains(&suffix)
}

/// The record types that prove a certificate.
fn types<'v>(truth: &'v Value, certificate: &Value) -> Vec<&'v Value> {
    let named = texts(&certificate["managed"]["dnsAuthorizations"]);
    let authorizations = list(truth, "authorizations").iter();
    let own = authorizations.filter(|own| named.iter().any(|link| short(link) == name_of(own)));
    own.map(|own| &own["type"]).collect()
}

/// The certificate that serves on every declared entry, and alone of its family.
fn target<'v>(declared: &Declared, truth: &'v Value) -> Option<&'v Value> {
    let resource = Value::Object(declared.resource.clone());
    let wanted = sorted(&resource["managed"]["domains"]);
    let kind = &resource["dnsAuthorization"]["type"];
    let family = list(truth, "certificates");
    let fits = |certificate: &&Value| {
        is_active(certificate)
            && sorted(&certificate["managed"]["domains"]) == wanted
            && (kind.is_null() || types(truth, certificate).iter().all(|own| *own == kind))
    };
    let on = |slot: &(String, String), certificate: &Value| {
        let entries = list(truth, "entries").iter();
        let mut found = entries.filter(|entry| place_of(entry) == *slot);
        found.any(|entry| {
            let names = served(entry);
            let mut others = family
                .iter()
                .filter(|c| name_of(c) != name_of(certificate) && !is_strange(c));
            names.iter().any(|name| name == name_of(certificate))
                && !others.any(|other| names.iter().any(|name| name == name_of(other)))
        })
    };
    let on_all = |certificate: &&Value| slots(declared).iter().all(|slot| on(slot, certificate));
    let mut fitting = family.iter().filter(fits);
    fitting.find(on_all)
}

/// What is left of a family but for its target: members in entries that the manifest does not name
/// may stay.
fn leftovers<'v>(declared: &Declared, truth: &'v Value, target: &str) -> Vec<&'v Value> {
    let slots = slots(declared);
    let stays = |certificate: &Value| {
        let mut entries = list(truth, "entries").iter();
        entries.any(|entry| {
            let has = served(entry)
                .iter()
                .any(|name| name == name_of(certificate));
            has && !slots.contains(&place_of(entry))
        })
    };
    let family = list(truth, "certificates").iter();
    family
        .filter(|member| name_of(member) != target && !stays(member))
        .collect()
}

/// An authorization that was made for the family and proves nothing.
fn has_idle(truth: &Value, family: &str) -> bool {
    let mut own = list(truth, "authorizations").iter();
    own.any(|own| {
        let used = list(truth, "users").iter().any(|link| {
            let link = link.as_str().unwrap_or_default();
            short(link) == name_of(own)
        });
        own["labels"]["evenkeel"] == family && !used
    })
}

impl Content for ManagedCertificate {
    fn home(&self) -> (&'static str, &'static str) {
        ("certificatemanager.googleapis.com", "/v1/")
    }

    fn name(&self, key: &Key) -> String {
        full("certificates", &key.name)
    }

    fn owns(&self, key: &Key, object: &str) -> bool {
        let name = object.strip_prefix(&full("certificates", ""));
        name.is_some_and(|name| base_of(name) == key.name)
    }

    fn resource(&self, rng: &mut Rng, place: &Place, _: &mut Value) -> Map<String, Value> {
        let all = list(&place.lot, "slots").iter();
        let on: Vec<_> = all.filter(|_| rng.u8(..10) < 7).collect();
        let mut wanted = json!({"managed": {"domains": domains(rng, place)}, "attachTo": on});
        if rng.u8(..6) == 0 {
            wanted["dnsAuthorization"] = json!({"type": pick(rng, &TYPES)});
        }
        fields(&wanted)
    }

    fn rollout(&self, rng: &mut Rng) -> Option<RolloutSpec> {
        let bakes = [0, 0, MINUTE, 10 * MINUTE, 40 * MINUTE];
        let spec = content::settings(rng, &bakes, &[0, 0, 0, HOUR, 2 * HOUR]);
        (rng.u8(..10) < 7).then_some(spec)
    }

    fn meddle(&self, rng: &mut Rng, place: &Place) -> Meddle {
        let which = rng.u8(..);
        let other = pick(rng, &THEIRS);
        let lookalike = format!("{}-{}", place.key.name, pick(rng, &LOOKALIKES));
        Meddle::Deed(match rng.u8(..20) {
            0..3 => json!({"replace": other, "in": which}),
            3..6 => json!({"add": other, "in": which}),
            6..8 => json!({"drop": other, "in": which}),
            8..10 => json!({"make": lookalike, "for": other}),
            10 => json!({"add": lookalike, "in": which}),
            11..13 => json!({"delete": "certificates", "which": which}),
            13 => json!({"delete": "authorizations", "which": which}),
            14 => json!({"delete": "entries", "which": which}),
            _ => {
                let domains = texts(&place.lot["domains"]);
                let fates = [
                    Domain::Visible,
                    Domain::Visible,
                    Domain::NotVisible,
                    Domain::CaaForbidden,
                    Domain::RateLimited,
                    Domain::FailsForGood,
                    Domain::FailsRenewal,
                ];
                let domain = domains[rng.usize(..domains.len())].clone();
                return Meddle::Domain(domain, pick(rng, &fates));
            }
        })
    }

    fn deed(&self, _: &Place, deed: &Value, truth: Option<&Value>) -> Option<Call> {
        let text = |field: &str| deed[field].as_str();
        if let Some(name) = text("make") {
            let other = text("for")?;
            let domains = json!([format!("{other}.example.com")]);
            return Some(make(name, &domains, &[other.to_owned()]));
        }
        let truth = truth?;
        let chosen = |among: &str, which: &Value| {
            let all = list(truth, among);
            let index = usize::try_from(which.as_u64()?).ok()?;
            all.get(index % all.len().max(1))
        };
        if let Some(what) = text("delete") {
            let object = chosen(what, &deed["which"])?["name"].as_str()?;
            return Some(Call {
                method: "DELETE",
                path: format!("/v1/{object}"),
                body: Value::Null,
            });
        }
        let entry = chosen("entries", &deed["in"])?;
        let mut names = served(entry);
        if let Some(name) = text("replace") {
            names = vec![name.to_owned()];
        } else if let Some(name) = text("add") {
            names.push(name.to_owned());
        } else {
            names.retain(|name| Some(name.as_str()) != text("drop"));
        }
        let links: Vec<_> = names.iter().map(|n| full("certificates", n)).collect();
        Some(Call {
            method: "PATCH",
            path: format!("/v1/{}?updateMask=certificates", entry["name"].as_str()?),
            body: json!({"certificates": links}),
        })
    }

    /// The family, what proves it, and all entries; none of the family is none at all.
    fn truth(&self, emulator: &Emulator, key: &Key) -> Option<Value> {
        let certificates = all(emulator, "certificates");
        let proofs = |c: &Value| texts(&c["managed"]["dnsAuthorizations"]);
        let users: Vec<_> = certificates.iter().flat_map(proofs).collect();
        let family = certificates.iter();
        let family: Vec<_> = family
            .filter(|c| base_of(name_of(c)) == key.name)
            .cloned()
            .collect();
        (!family.is_empty()).then(|| {
            json!({
                "certificates": family, "users": users,
                "authorizations": all(emulator, "dnsAuthorizations"),
                "entries": all(emulator, "certificateMapEntries"),
            })
        })
    }

    /// A certificate with this content is ACTIVE in every declared entry, and nothing of the family is
    /// left that the operator made.
    fn reached(&self, declared: &Declared, truth: &Value) -> bool {
        let target = target(declared, truth);
        target.is_some_and(|target| {
            let left = leftovers(declared, truth, name_of(target));
            left.into_iter().all(is_strange) && !has_idle(truth, &declared.key.name)
        })
    }

    fn open(&self, declared: &Declared, truth: &Value) -> bool {
        let target = target(declared, truth).map_or("", name_of);
        leftovers(declared, truth, target)
            .into_iter()
            .any(is_strange)
    }

    /// An entry has no room.
    fn invalid(&self, declared: &Declared, truth: Option<&Value>) -> bool {
        let slots = slots(declared);
        let entries = truth.into_iter().flat_map(|truth| list(truth, "entries"));
        let mut wanted = entries.filter(|entry| slots.contains(&place_of(entry)));
        wanted.any(|entry| served(entry).len() >= ENTRY_LIMIT)
    }

    /// Each may take Google's hour and a half.
    fn retries(&self) -> u32 {
        3
    }

    /// The mask names the fields of the body.
    fn malformed(&self, sent: &Sent) -> Option<String> {
        let (mut mask, mut parts) = (
            sent.mask.clone(),
            fields(&sent.body)
                .into_iter()
                .map(|(part, _)| part)
                .collect::<Vec<_>>(),
        );
        mask.sort();
        parts.sort();
        (mask != parts).then(|| format!("the body has {parts:?}"))
    }

    fn idle(&self, sent: &Sent, before: &Value) -> Option<String> {
        (served(&sent.body) == served(before)).then(|| "certificates".to_owned())
    }

    fn brief(&self, truth: &Value) -> String {
        let one = |certificate: &Value| {
            format!(
                "{} {} for {}",
                name_of(certificate),
                certificate["managed"]["state"].as_str().unwrap_or("OWN"),
                texts(&certificate["managed"]["domains"]).join(" "),
            )
        };
        let entry = |entry: &Value| format!("{:?} {:?}", place_of(entry), served(entry));
        if truth.get("authorizations").is_some() {
            let family: Vec<_> = list(truth, "certificates").iter().map(one).collect();
            let entries: Vec<_> = list(truth, "entries").iter().map(entry).collect();
            return format!("{}; {}", family.join(", "), entries.join(", "));
        }
        if truth.get("certificates").is_some() {
            return entry(truth);
        }
        if truth.get("managed").is_some() {
            return one(truth);
        }
        format!("{} {}", name_of(truth), truth["domain"])
    }
}
