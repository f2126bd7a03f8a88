//! Certificates on target HTTPS proxies and in map entries, judged by the true state of GCP at every
//! event.

use super::{Violation, calls, seconds, violation};
use crate::sim::kinds::certificate::{PROXY_LIMIT, base_of, is_active, served};
use crate::sim::kinds::managed_certificate::{self, ENTRY_LIMIT};
use crate::sim::kinds::{short, texts};
use crate::sim::trace::{Fact, What};
use crate::sim::world::object_in;
use evenkeel::api::{Declared, Key, Kind};
use evenkeel::core::record::Verb;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A status that changed this shortly before cannot have been known: an operation may run this long.
const UNKNOWN_FOR: i64 = 900;

/// Every proxy and every map entry that ever served an ACTIVE certificate always serves one, but for
/// what strangers and authorities do to it.
pub fn always_served(trace: &[Fact]) -> Vec<Violation> {
    let mut edge = Edge::default();
    let mut broken = Vec::new();
    for (index, fact) in trace.iter().enumerate() {
        let What::Became { name, body } = &fact.what else {
            continue;
        };
        edge.take(fact.at, name, body.as_ref());
        // What comes about at one moment is one event.
        let next = trace.get(index + 1);
        if next.is_some_and(|next| matches!(next.what, What::Became { .. }) && next.at == fact.at) {
            continue;
        }
        for proxy in edge.darkened() {
            if edge.is_ours(&trace[..index], &proxy, fact.at) {
                let list = &edge.lists[&proxy];
                let text = format!("{} serves {list:?}, none of them ACTIVE", short(&proxy));
                let rule = "every proxy and entry always serves an ACTIVE certificate";
                broken.push(violation(rule, index, text));
            }
        }
    }
    broken
}

/// The names of the certificates of a proxy or an entry.
fn names_in(body: &Value) -> Vec<String> {
    let mut names = served(body);
    names.extend(managed_certificate::served(body));
    names
}

/// Certificates, proxies and map entries as they are.
#[derive(Default)]
struct Edge {
    active: BTreeMap<String, bool>,
    lists: BTreeMap<String, Vec<String>>,
    /// When a certificate ceased to be ACTIVE.
    lost: BTreeMap<String, Timestamp>,
    /// When a proxy's list changed.
    changed: BTreeMap<String, Timestamp>,
    /// Proxies that serve an ACTIVE certificate.
    bright: BTreeSet<String>,
}

impl Edge {
    fn take(&mut self, at: Timestamp, name: &str, body: Option<&Value>) {
        let (certificate, shared) = (
            name.contains("/sslCertificates/"),
            name.contains("/certificates/"),
        );
        if certificate || shared {
            let id = short(name).to_owned();
            let active = body.is_some_and(|body| {
                if shared {
                    managed_certificate::is_active(body)
                } else {
                    is_active(body)
                }
            });
            if self.active.insert(id.clone(), active) == Some(true) && !active {
                self.lost.insert(id, at);
            }
        } else if name.contains("/targetHttpsProxies/") || name.contains("/certificateMapEntries/")
        {
            self.changed.insert(name.to_owned(), at);
            match body {
                Some(body) => self.lists.insert(name.to_owned(), names_in(body)),
                None => self.lists.remove(name),
            };
        }
    }

    /// The proxies that no longer serve an ACTIVE certificate, and did until now.
    fn darkened(&mut self) -> Vec<String> {
        let active = |name: &String| self.active.get(name) == Some(&true);
        let lists = self.lists.iter();
        let bright: BTreeSet<String> = lists
            .filter(|(_, list)| list.iter().any(active))
            .map(|(proxy, _)| proxy.clone())
            .collect();
        let before = std::mem::replace(&mut self.bright, bright);
        let gone = |proxy: &String| self.lists.contains_key(proxy) && !self.bright.contains(proxy);
        before.into_iter().filter(gone).collect()
    }

    /// The list of this proxy changed just now, by a call of ours that could have known better.
    fn is_ours(&self, past: &[Fact], proxy: &str, now: Timestamp) -> bool {
        let recent = |name: &String| {
            let lost = self.lost.get(name);
            lost.is_some_and(|at| seconds(*at, now) < UNKNOWN_FOR)
        };
        let ours = past.iter().rev().find_map(|fact| match &fact.what {
            What::Landed { entry, .. } if entry.landed => {
                proxy.ends_with(&object_in(entry)?).then_some(true)
            }
            What::Foreign { entry, .. } => proxy.ends_with(&object_in(entry)?).then_some(false),
            _ => None,
        });
        self.changed.get(proxy) == Some(&now)
            && ours == Some(true)
            && !self.lists[proxy].iter().any(recent)
    }
}

/// Nobody's certificates but those that evenkeel made, or was told to take over, are deleted or
/// leave a proxy or an entry; and none of these gets more than it can hold.
pub fn only_ours(trace: &[Fact]) -> Vec<Violation> {
    let mut broken = Vec::new();
    let calls = calls(trace);
    for call in &calls {
        let limit = match call.key().kind {
            Kind::SslCertificate => PROXY_LIMIT,
            Kind::ManagedCertificate => ENTRY_LIMIT,
            _ => continue,
        };
        let Some((at, entry)) = call.accepted() else {
            continue;
        };
        let before = entry.before.as_ref().map(names_in).unwrap_or_default();
        let after = names_in(&call.sent.body);
        let object = &call.sent.object;
        let taken: Vec<&str> = match call.sent.verb {
            Verb::Create => Vec::new(),
            Verb::Delete if object.contains("ertificates/") => vec![short(object)],
            Verb::Delete if object.contains("/dnsAuthorizations/") => {
                if !was_made(&trace[..call.sent_at], call.key(), object) {
                    let text = format!("{} deletes {object}", call.key());
                    broken.push(violation("authorizations of others stay", at, text));
                }
                Vec::new()
            }
            Verb::Delete | Verb::Patch => before
                .iter()
                .filter(|name| !after.contains(name))
                .map(String::as_str)
                .collect(),
        };
        let strange = taken
            .into_iter()
            .find(|name| !is_ours(&trace[..call.sent_at], call.key(), name));
        if let Some(name) = strange {
            let text = format!("{} takes {name} away by {:?}", call.key(), call.sent.verb);
            broken.push(violation("certificates of others stay", at, text));
        }
        if after.len() > limit {
            let text = format!("{} sends {} certificates", call.key(), after.len());
            broken.push(violation("no more certificates than fit", at, text));
        }
    }
    broken
}

/// A certificate of the family that was made by a call of ours, or any of the family where a
/// manifest says `adopt: true`.
fn is_ours(past: &[Fact], key: &Key, name: &str) -> bool {
    base_of(name) == key.name
        && past.iter().any(|fact| match &fact.what {
            What::Declare(set) => set.iter().any(|d| d.key == *key && d.policy.adopt),
            What::Landed { key: of, entry, .. } => {
                let made = object_in(entry).is_some_and(|object| short(&object) == name);
                of == key && entry.landed && entry.method == "POST" && made
            }
            _ => false,
        })
}

/// An object that a call of ours made for this resource.
fn was_made(past: &[Fact], key: &Key, object: &str) -> bool {
    past.iter().any(|fact| match &fact.what {
        What::Landed { key: of, entry, .. } => {
            let made = entry.landed && entry.method == "POST";
            of == key && made && object_in(entry).as_deref() == Some(object)
        }
        _ => false,
    })
}

/// A declared proxy could take no more at some time.
pub fn were_full(trace: &[Fact], declared: &Declared) -> bool {
    let names = texts(declared.resource.get("attachTo").unwrap_or(&Value::Null));
    trace.iter().any(|fact| match &fact.what {
        What::Became {
            name,
            body: Some(body),
        } => {
            let proxy = name.contains("/targetHttpsProxies/");
            let named = names.iter().any(|wanted| wanted == short(name));
            proxy && named && served(body).len() >= PROXY_LIMIT
        }
        _ => false,
    })
}
