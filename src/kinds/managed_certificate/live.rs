//! What is live: the members of a family, what proves their domains, and the entries that serve them.

use super::content::{Content, PRIMARY, Slot, canonical, names};
use super::{LABEL, trouble};
use jiff::Timestamp;
use serde_json::Value;

/// A certificate as GCP reports it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub name: String,
    /// From `projects` on.
    pub full_name: String,
    pub domains: Vec<String>,
    pub state: String,
    /// Short names.
    pub authorizations: Vec<String>,
    /// What kept each domain from being proved, in Google's words.
    pub attempts: Vec<Attempt>,
    pub issue: Option<String>,
    pub expires: Option<Timestamp>,
    /// What makes it another kind of certificate than this one keeps.
    pub foreign: Option<&'static str>,
    /// Who uses it besides map entries.
    pub other_users: Vec<String>,
    /// The family it was made for.
    maker: Option<String>,
    created: String,
}

/// Google's last try to prove a domain.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub domain: String,
    pub state: String,
    pub reason: String,
    pub details: String,
}

/// What proves a domain and its wildcard.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    pub name: String,
    pub full_name: String,
    pub domain: String,
    pub record_type: String,
    /// Name, type and data of the record to publish.
    pub record: [String; 3],
    /// The family it was made for.
    pub maker: Option<String>,
    /// Short names of the certificates that use it.
    pub users: Vec<String>,
}

/// An entry of a certificate map.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub name: String,
    pub slot: Slot,
    /// As GCP names them, with the project's number.
    pub certificates: Vec<String>,
}

/// ACTIVE, usable; entries; age; name.
type Rank<'m> = ((bool, bool), usize, &'m str, &'m str);

/// Everything that was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub family: String,
    pub members: Vec<Member>,
    pub authorizations: Vec<Authorization>,
    pub entries: Vec<Entry>,
    /// Short names, and whether a load balancer has the map.
    pub maps: Vec<(String, bool)>,
}

impl Seen {
    pub fn read(raw: Option<&Value>) -> Seen {
        let Some(raw) = raw else {
            return Seen::default();
        };
        let items = |field: &str| raw[field].as_array().map_or(&[][..], Vec::as_slice);
        let map = |item: &Value| {
            let attached = item["gclbTargets"].as_array();
            (
                short(&text(item, "/name")),
                attached.is_some_and(|list| !list.is_empty()),
            )
        };
        Seen {
            family: text(raw, "/name"),
            members: items("certificates").iter().map(Member::read).collect(),
            authorizations: items("dnsAuthorizations")
                .iter()
                .map(Authorization::read)
                .collect(),
            entries: items("certificateMapEntries")
                .iter()
                .map(Entry::read)
                .collect(),
            maps: items("certificateMaps").iter().map(map).collect(),
        }
    }

    /// Without the certificates that evenkeel may not take away again. Others may have a name of the
    /// same form: Terraform's `random_id` makes such suffixes too.
    pub fn own(mut self, family: &str, adopted: bool) -> Seen {
        let is_own = |member: &Member| adopted || member.maker.as_deref() == Some(family);
        self.members.retain(is_own);
        self
    }

    /// The family has anything of its own. An authorization that others use is not counted: it stays.
    pub fn exists(&self) -> bool {
        let left = |own: &Authorization| own.is_of(&self.family) && own.users.is_empty();
        !self.members.is_empty() || self.authorizations.iter().any(left)
    }

    pub fn entry(&self, slot: &Slot) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.slot == *slot)
    }

    pub fn entries_with<'s>(&'s self, certificate: &'s str) -> impl Iterator<Item = &'s Entry> {
        self.entries.iter().filter(|entry| entry.has(certificate))
    }

    pub fn is_member(&self, certificate: &str) -> bool {
        self.members.iter().any(|member| member.name == certificate)
    }

    /// The member that serves: ACTIVE, in the most entries, the newest.
    pub fn serving(&self) -> Option<&Member> {
        self.members.iter().max_by_key(|member| self.rank(member))
    }

    /// The member to keep for this content.
    pub fn best(&self, content: &Content) -> Option<&Member> {
        let fits = |member: &&Member| !member.is_lost() && self.fits(member, content);
        let fitting = self.members.iter().filter(fits);
        fitting.max_by_key(|member| self.rank(member))
    }

    pub fn fits(&self, member: &Member, content: &Content) -> bool {
        let kind = content.record_type.as_ref();
        member.foreign.is_none()
            && member.domains == content.domains
            && kind.is_none_or(|kind| self.record_type(member).as_ref() == Some(kind))
    }

    /// The type of the records that prove a member's domains, where it is one.
    pub fn record_type(&self, member: &Member) -> Option<String> {
        let mut types = self.proofs(member).map(|own| &own.record_type);
        let first = types.next()?;
        types.all(|other| other == first).then(|| first.clone())
    }

    /// The authorizations that a member names.
    pub fn proofs<'s>(&'s self, member: &'s Member) -> impl Iterator<Item = &'s Authorization> {
        self.authorizations.iter().filter(|own| member.uses(own))
    }

    /// The authorization to use for a domain: the family's own before those of others.
    pub fn proof_of(&self, domain: &str, content: &Content) -> Option<&Authorization> {
        let kind = content.record_type.as_ref();
        let fits = |own: &&Authorization| {
            own.domain == domain && kind.is_none_or(|kind| own.record_type == *kind)
        };
        let fitting = self.authorizations.iter().filter(fits);
        fitting.min_by_key(|own| (!own.is_of(&self.family), &own.name))
    }

    fn rank<'m>(&self, member: &'m Member) -> Rank<'m> {
        let served = self.entries_with(&member.name).count();
        let fitness = (member.is_active(), member.is_usable());
        (fitness, served, &member.created, &member.name)
    }
}

impl Member {
    fn read(raw: &Value) -> Member {
        let texts = |pointer: &str| {
            let items = raw.pointer(pointer).and_then(Value::as_array);
            items.into_iter().flatten().filter_map(Value::as_str)
        };
        let attempts = raw.pointer("/managed/authorizationAttemptInfo");
        let state = text(raw, "/managed/state");
        let users = raw["usedBy"].as_array().into_iter().flatten();
        let users = users.filter_map(|user| user["name"].as_str());
        Member {
            name: short(&text(raw, "/name")),
            full_name: text(raw, "/name"),
            domains: names(raw.pointer("/managed/domains")),
            // One that its owner brought serves as soon as it exists.
            state: if raw["managed"].is_null() {
                "ACTIVE".to_owned()
            } else {
                state
            },
            authorizations: texts("/managed/dnsAuthorizations").map(short).collect(),
            attempts: attempts
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(Attempt::read)
                .collect(),
            foreign: foreign(raw),
            issue: trouble::issue(raw.pointer("/managed/provisioningIssue")),
            expires: text(raw, "/expireTime").parse().ok(),
            other_users: users
                .filter(|user| !user.contains("/certificateMapEntries/"))
                .map(str::to_owned)
                .collect(),
            maker: maker_of(raw),
            created: text(raw, "/createTime"),
        }
    }

    pub fn is_active(&self) -> bool {
        self.state == "ACTIVE"
    }

    /// It was issued and serves, whether or not Google is about to renew it.
    pub fn is_usable(&self) -> bool {
        self.is_active() || self.is_issued() && !self.is_lost()
    }

    pub fn uses(&self, authorization: &Authorization) -> bool {
        self.authorizations.contains(&authorization.name)
    }

    pub fn is_issued(&self) -> bool {
        self.expires.is_some()
    }

    /// Google will not try again: only a new certificate helps.
    pub fn is_lost(&self) -> bool {
        self.state == "FAILED"
    }
}

impl Attempt {
    fn read(raw: &Value) -> Attempt {
        Attempt {
            domain: text(raw, "/domain"),
            state: text(raw, "/state"),
            reason: text(raw, "/failureReason"),
            details: text(raw, "/details"),
        }
    }
}

impl Authorization {
    fn read(raw: &Value) -> Authorization {
        let record = |field: &str| text(raw, &format!("/dnsResourceRecord/{field}"));
        let users = raw["usedBy"].as_array().into_iter().flatten();
        Authorization {
            name: short(&text(raw, "/name")),
            full_name: text(raw, "/name"),
            domain: canonical(&text(raw, "/domain")),
            record_type: text(raw, "/type"),
            record: ["name", "type", "data"].map(record),
            maker: maker_of(raw),
            users: users.filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }

    pub fn is_of(&self, family: &str) -> bool {
        self.maker.as_deref() == Some(family)
    }
}

impl Entry {
    fn read(raw: &Value) -> Entry {
        let name = text(raw, "/name");
        let map = name.rsplit('/').nth(2).unwrap_or_default().to_owned();
        let host = Some(canonical(&text(raw, "/hostname"))).filter(|host| !host.is_empty());
        let certificates = raw["certificates"].as_array().into_iter().flatten();
        Entry {
            slot: Slot {
                map,
                host: host.unwrap_or_else(|| PRIMARY.to_owned()),
            },
            certificates: certificates
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            name: short(&name),
        }
    }

    pub fn has(&self, certificate: &str) -> bool {
        self.short_names().any(|name| name == certificate)
    }

    pub fn short_names(&self) -> impl Iterator<Item = String> {
        self.certificates.iter().map(|name| short(name))
    }

    /// In a collection of the map it is in.
    pub fn object(&self) -> String {
        format!(
            "certificateMaps/{}/certificateMapEntries/{}",
            self.slot.map, self.name
        )
    }
}

/// The family in the label of an object.
fn maker_of(raw: &Value) -> Option<String> {
    raw["labels"][LABEL].as_str().map(str::to_owned)
}

fn foreign(raw: &Value) -> Option<&'static str> {
    let managed = raw.get("managed").filter(|managed| !managed.is_null());
    let proofs = managed.and_then(|managed| managed["dnsAuthorizations"].as_array());
    if managed.is_none() {
        return Some("its owner brought it and renews it");
    }
    if managed.is_some_and(|managed| managed["issuanceConfig"].is_string()) {
        return Some("a private CA issues it");
    }
    if proofs.is_none_or(Vec::is_empty) {
        return Some("its domains are not proved by DNS authorizations");
    }
    match raw["scope"].as_str() {
        None | Some("" | "DEFAULT") => None,
        Some(_) => Some("its scope is not DEFAULT"),
    }
}

fn text(raw: &Value, pointer: &str) -> String {
    let found = raw.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

pub(super) fn short(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
}
