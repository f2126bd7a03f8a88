//! Certificates and the target HTTPS proxies that serve them.
//!
//! A manifest stands for a family: `<name>` and `<name>-<8 hex digits>`.

use super::{Call, Content, Meddle, Place, fields, pick, short, texts};
use crate::sim::content;
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key};
use evenkeel::emulator::{Domain, Emulator};
use fastrand::Rng;
use serde_json::{Map, Value, json};

pub struct Certificate;

pub const PROJECT: &str = "netra-staging";
/// The place of everything here.
pub const SCOPE: &str = "projects/netra-staging/global";
/// A proxy that manifests name, and that is not there unless a stranger makes it.
pub const GHOST: &str = "ghost";
/// Certificates of nobody's family.
pub const THEIRS: [&str; 2] = ["theirs-0", "theirs-1"];
/// Most certificates on a proxy, by the API reference.
pub const PROXY_LIMIT: usize = 15;
/// The suffix of a certificate that is there from the start.
pub const FOUND: &str = "1a2b3c4d";
/// Suffixes of certificates that only look like members of a family: Terraform's `random_id` makes
/// such names.
pub const LOOKALIKES: [&str; 2] = ["0badcafe", "deadbeef"];

const PEM: &str = include_str!("../../wire/certificate.pem");
pub const KEY: &str =
    "-----BEGIN PRIVATE KEY-----\nc2ltdWxhdGVkLXByaXZhdGUta2V5\n-----END PRIVATE KEY-----\n";
pub const SECRET: &str = "projects/netra-staging/secrets/tls-key";

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

/// The base of a family's names.
pub fn base_of(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((base, suffix))
            if suffix.len() == 8
                && suffix
                    .bytes()
                    .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c)) =>
        {
            base
        }
        _ => name,
    }
}

pub fn link(collection: &str, name: &str) -> String {
    format!("{SCOPE}/{collection}/{name}")
}

/// The request that makes a managed certificate.
pub fn make(name: &str, domains: &Value) -> Call {
    Call {
        method: "POST",
        path: format!("/compute/v1/{SCOPE}/sslCertificates"),
        body: json!({"name": name, "type": "MANAGED", "managed": {"domains": domains}}),
    }
}

/// The request that makes a proxy with these certificates.
pub fn make_proxy(name: &str, certificates: &[String]) -> Call {
    let links: Vec<_> = certificates
        .iter()
        .map(|name| link("sslCertificates", name))
        .collect();
    Call {
        method: "POST",
        path: format!("/compute/v1/{SCOPE}/targetHttpsProxies"),
        body: json!({"name": name, "urlMap": link("urlMaps", "map"), "sslCertificates": links}),
    }
}

/// One to three of the place's domains.
pub fn domains(rng: &mut Rng, place: &Place) -> Value {
    let all = texts(&place.lot["domains"]);
    let some: Vec<_> = all.iter().filter(|_| rng.u8(..3) == 0).collect();
    if some.is_empty() {
        json!([all[rng.usize(..all.len())]])
    } else {
        json!(some)
    }
}

/// What the certificate is about: sorted domains, or the PEM.
fn content_of(resource: &Value) -> (Vec<String>, String) {
    let mut domains = texts(&resource["managed"]["domains"]);
    domains.sort();
    let pem = resource["selfManaged"]["certificate"].as_str();
    (domains, pem.unwrap_or_default().to_owned())
}

pub fn is_active(certificate: &Value) -> bool {
    let managed = &certificate["managed"];
    managed.is_null() || managed["status"] == "ACTIVE"
}

/// The names of the certificates on a proxy.
pub fn served(proxy: &Value) -> Vec<String> {
    let links = texts(&proxy["sslCertificates"]);
    links.iter().map(|link| short(link).to_owned()).collect()
}

fn list<'v>(truth: &'v Value, field: &str) -> &'v [Value] {
    truth[field].as_array().map_or(&[], Vec::as_slice)
}

fn name_of(object: &Value) -> &str {
    object["name"].as_str().unwrap_or_default()
}

/// The declared proxies: those that are there, and whether some are not.
fn declared_proxies<'v>(declared: &Declared, truth: &'v Value) -> (Vec<&'v Value>, bool) {
    let names = texts(declared.resource.get("attachTo").unwrap_or(&Value::Null));
    let found: Vec<_> = list(truth, "proxies")
        .iter()
        .filter(|proxy| names.iter().any(|name| name == name_of(proxy)))
        .collect();
    let missing = found.len() < names.len();
    (found, missing)
}

/// A member of the family that a stranger made: whether it was taken over at some time, only the
/// operator knows.
fn is_strange(certificate: &Value) -> bool {
    let name = name_of(certificate);
    let suffix = name.rsplit('-').next().unwrap_or_default();
    base_of(name) == name || suffix == FOUND || LOOKALIKES.contains(&suffix)
}

/// The certificate that serves on every declared proxy.
fn target<'v>(declared: &Declared, truth: &'v Value) -> Option<&'v Value> {
    let (proxies, missing) = declared_proxies(declared, truth);
    let wanted = content_of(&Value::Object(declared.resource.clone()));
    let on_all = |certificate: &Value| {
        let on = |proxy: &Value| {
            served(proxy)
                .iter()
                .any(|name| name == name_of(certificate))
        };
        proxies.iter().all(|proxy| on(proxy))
    };
    let mut family = list(truth, "certificates").iter();
    let found = family.find(|c| is_active(c) && content_of(c) == wanted && on_all(c));
    found.filter(|_| !missing)
}

/// What is left of a family but for its target: members that a proxy serves which the manifest does
/// not name may stay.
fn leftovers<'v>(declared: &Declared, truth: &'v Value, target: &str) -> Vec<&'v Value> {
    let (proxies, _) = declared_proxies(declared, truth);
    let on = |proxy: &Value, certificate: &Value| {
        served(proxy)
            .iter()
            .any(|name| name == name_of(certificate))
    };
    let stays = |certificate: &Value| {
        let own = |proxy: &Value| proxies.iter().any(|own| name_of(own) == name_of(proxy));
        let holders = list(truth, "proxies")
            .iter()
            .filter(|proxy| on(proxy, certificate));
        let (named, others): (Vec<_>, Vec<_>) = holders.partition(|proxy| own(proxy));
        named.is_empty() && !others.is_empty()
    };
    let family = list(truth, "certificates").iter();
    family
        .filter(|member| name_of(member) != target && !stays(member))
        .collect()
}

impl Content for Certificate {
    fn home(&self) -> (&'static str, &'static str) {
        ("compute.googleapis.com", "/compute/v1/")
    }

    fn name(&self, key: &Key) -> String {
        format!(
            "projects/{}/global/sslCertificates/{}",
            key.project, key.name
        )
    }

    fn owns(&self, key: &Key, object: &str) -> bool {
        let scope = format!("projects/{}/global/sslCertificates/", key.project);
        object
            .strip_prefix(&scope)
            .is_some_and(|name| base_of(name) == key.name)
    }

    fn resource(&self, rng: &mut Rng, place: &Place, _: &mut Value) -> Map<String, Value> {
        let proxies = texts(&place.lot["proxies"]);
        let mut on: Vec<_> = proxies.iter().filter(|_| rng.u8(..10) < 7).collect();
        if on.is_empty() && rng.u8(..10) > 0 {
            on.push(&proxies[rng.usize(..proxies.len())]);
        }
        let ghost = GHOST.to_owned();
        if rng.u8(..25) == 0 {
            on.push(&ghost);
        }
        let mut wanted = json!({"attachTo": on});
        match rng.u8(..20) {
            0 => wanted["managed"] = json!({"domains": ["*.example.com"]}),
            // Twice the same certificate is another text, and one that serves.
            times @ 1..3 => {
                let pem = PEM.repeat(usize::from(times));
                let key = json!({"secretManager": format!("{SECRET}/versions/latest")});
                wanted["selfManaged"] = json!({"certificate": pem, "privateKeyRef": key});
            }
            _ => wanted["managed"] = json!({"domains": domains(rng, place)}),
        }
        fields(&wanted)
    }

    fn rollout(&self, rng: &mut Rng) -> Option<RolloutSpec> {
        let bakes = [0, 0, MINUTE, 10 * MINUTE, 40 * MINUTE];
        let spec = content::settings(rng, &bakes, &[0, 0, 0, HOUR, 2 * HOUR]);
        (rng.u8(..10) < 7).then_some(spec)
    }

    fn meddle(&self, rng: &mut Rng, place: &Place) -> Meddle {
        let proxies = texts(&place.lot["proxies"]);
        let proxy = &proxies[rng.usize(..proxies.len())];
        let name = &place.key.name;
        let which = rng.u8(..);
        let lookalike = format!("{name}-{}", pick(rng, &LOOKALIKES));
        let other = pick(rng, &THEIRS);
        Meddle::Deed(match rng.u8(..20) {
            0..3 => json!({"detach": which, "from": proxy}),
            3..6 => json!({"attach": other, "to": proxy}),
            6..8 => json!({"drop": other, "from": proxy}),
            8 => json!({"make": lookalike, "domains": domains(rng, place)}),
            9..11 => json!({"attach": lookalike, "to": proxy}),
            11..13 => json!({"delete": which}),
            13 => json!({"proxy": GHOST}),
            14 => json!({"reverse": proxy}),
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
            return Some(make(name, &deed["domains"]));
        }
        if let Some(name) = text("proxy") {
            return Some(make_proxy(name, &[THEIRS[0].to_owned()]));
        }
        let truth = truth?;
        let members = list(truth, "certificates");
        let chosen = |which: &Value| {
            let index = usize::try_from(which.as_u64()?).ok()?;
            members.get(index % members.len()).map(name_of)
        };
        if let Some(name) = chosen(&deed["delete"]) {
            return Some(Call {
                method: "DELETE",
                path: format!("/compute/v1/{}", link("sslCertificates", name)),
                body: Value::Null,
            });
        }
        let wanted = text("from").or(text("to")).or(text("reverse"))?;
        let proxy = list(truth, "proxies")
            .iter()
            .find(|proxy| name_of(proxy) == wanted)?;
        let mut names = served(proxy);
        if let Some(name) = text("attach") {
            names.push(name.to_owned());
        } else if let Some(name) = text("drop").or_else(|| chosen(&deed["detach"])) {
            names.retain(|other| other != name);
        } else {
            names.reverse();
        }
        let links: Vec<_> = names.iter().map(|n| link("sslCertificates", n)).collect();
        Some(Call {
            method: "PATCH",
            path: format!("/compute/v1/{}", link("targetHttpsProxies", wanted)),
            body: json!({"sslCertificates": links, "fingerprint": proxy["fingerprint"]}),
        })
    }

    /// The family and all proxies; none of the family is none at all.
    fn truth(&self, emulator: &Emulator, key: &Key) -> Option<Value> {
        let everything = emulator.everything();
        let named = |wanted: &'static str| {
            let scope = format!("//{}/{SCOPE}/{wanted}/", self.home().0);
            let objects = everything.iter();
            objects.filter(move |(name, _)| name.starts_with(&scope))
        };
        let family: Vec<_> = named("sslCertificates")
            .filter(|(name, _)| base_of(short(name)) == key.name)
            .map(|(_, body)| body)
            .collect();
        let proxies: Vec<_> = named("targetHttpsProxies").map(|(_, body)| body).collect();
        (!family.is_empty()).then(|| json!({"certificates": family, "proxies": proxies}))
    }

    /// A certificate with this content is ACTIVE on every declared proxy, and none of the family is
    /// left that the operator made.
    fn reached(&self, declared: &Declared, truth: &Value) -> bool {
        let target = target(declared, truth);
        target.is_some_and(|target| {
            let left = leftovers(declared, truth, name_of(target));
            left.into_iter().all(is_strange)
        })
    }

    fn open(&self, declared: &Declared, truth: &Value) -> bool {
        let target = target(declared, truth).map_or("", name_of);
        leftovers(declared, truth, target)
            .into_iter()
            .any(is_strange)
    }

    fn invalid(&self, declared: &Declared, truth: Option<&Value>) -> bool {
        let (domains, _) = content_of(&Value::Object(declared.resource.clone()));
        let full = |truth: &Value| {
            let (proxies, _) = declared_proxies(declared, truth);
            proxies
                .iter()
                .any(|proxy| served(proxy).len() >= PROXY_LIMIT)
        };
        domains.iter().any(|domain| domain.contains('*')) || truth.is_some_and(full)
    }

    /// A proxy is missing, or none is named: Google issues only what a proxy serves.
    fn stuck(&self, declared: &Declared, truth: &Value) -> bool {
        let (proxies, missing) = declared_proxies(declared, truth);
        missing || proxies.is_empty()
    }

    /// Each may take Google's hour and a half.
    fn retries(&self) -> u32 {
        3
    }

    fn version(&self) -> Option<&'static [&'static str]> {
        Some(&["fingerprint"])
    }

    fn brief(&self, truth: &Value) -> String {
        let one = |certificate: &Value| {
            let status = certificate["managed"]["status"].as_str().unwrap_or("OWN");
            format!("{} {status}", name_of(certificate))
        };
        if truth.get("sslCertificates").is_some() {
            return format!("{} {:?}", name_of(truth), served(truth));
        }
        if truth.get("certificates").is_none() {
            return one(truth);
        }
        let family: Vec<_> = list(truth, "certificates").iter().map(one).collect();
        let proxies = list(truth, "proxies").iter();
        let proxies: Vec<_> = proxies.map(|proxy| self.brief(proxy)).collect();
        format!("{}; {}", family.join(", "), proxies.join(", "))
    }
}
