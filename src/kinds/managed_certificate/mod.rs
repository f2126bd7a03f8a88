//! `ManagedCertificate`: certificates of Certificate Manager with DNS authorization, wildcards too. What
//! they are for cannot be changed, so a change is a rotation.
//!
//! The live side is a composite: the certificates of the family (`<name>` and `<name>-<8 hex>`), the DNS
//! authorizations that prove their domains, and the map entries that serve them. Sources:
//! certificatemanager v1; Google, "Domain authorization for Google-managed certificates", "Manage
//! certificate map entries".

mod calls;
mod check;
mod content;
mod export;
mod live;
mod removal;
mod rotation;
mod trouble;

use super::export::Export;
use super::{ManagedKind, Names};
use crate::api::status::Mutability;
use crate::api::{Declared, Finding, Key, Kind};
use crate::core::fields::{Fields, diff};
use crate::core::observed::Present;
use crate::core::procedure::Procedures;
use crate::core::rules::{FieldRule, Rules};
use content::{Content, Slot};
use live::{Member, Seen};
use serde_json::{Value, json};

pub(super) struct ManagedCertificate;

/// The label that names the family a certificate or a DNS authorization was made for.
pub const LABEL: &str = "evenkeel";

/// Where the records to publish stand in status.
const RECORDS: &str = "dnsResourceRecords";

static RULES: Rules = Rules {
    procedures: Some(&Procedures {
        change: |scene| Some(rotation::change(scene)),
        removal: |scene| Some(removal::procedure(scene)),
        always: true,
        looks_around: true,
    }),
    exists: |present| Seen::read(Some(&present.raw)).exists(),
    shown: &[RECORDS],
    ..Rules::new(Kind::ManagedCertificate, FIELDS)
};

const FIELDS: &[FieldRule] = &[rotated("managed.domains"), rotated("dnsAuthorization.type")];

const fn rotated(path: &'static str) -> FieldRule {
    FieldRule {
        path,
        mutability: Mutability::Reversible,
        disruption: None,
        refusal: "",
        source: "certificatemanager v1: managed.* is immutable; a change is a new certificate",
    }
}

impl ManagedKind for ManagedCertificate {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn declared(&self, declared: &Declared, _: &dyn Names) -> Fields {
        let mut fields = Content::declared(&declared.resource).fields();
        let slots = Slot::declared(&declared.resource).into_iter();
        fields.extend(slots.map(|slot| (slot.field(), json!(true))));
        fields
    }

    fn derived(&self, live: &Present) -> Fields {
        [("cert.status".to_owned(), live.state.clone().into())].into()
    }

    fn live(&self, raw: Value) -> Present {
        let seen = Seen::read(Some(&raw));
        let mut fields = objects(&seen);
        let mut state = String::new();
        if let Some(member) = seen.serving() {
            let content = Content {
                domains: member.domains.clone(),
                record_type: seen.record_type(member),
            };
            fields.extend(content.fields());
            let slots = seen.entries_with(&member.name).map(|entry| &entry.slot);
            fields.extend(slots.map(|slot| (slot.field(), json!(true))));
            state = describe(&seen, member);
        }
        fields.extend(records(&seen));
        Present {
            fields,
            state,
            expiry: seen
                .serving()
                .and_then(|member| trouble::expiry(&seen, member)),
            ..Present::of(raw)
        }
    }

    fn export(&self, live: &Present, _: &Key) -> Export {
        export::export(&Seen::read(Some(&live.raw)))
    }

    fn check(&self, declared: &Declared) -> Vec<Finding> {
        check::check(declared)
    }

    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String> {
        let Some(live) = live else {
            return vec![
                "the DNS: a person publishes the records that status.observed.dnsResourceRecords shows, and \
                 Google then issues the certificate"
                    .to_owned(),
            ];
        };
        if diff(declared, live).is_empty() {
            return Vec::new();
        }
        vec![
            "a rotation: map entries keep the old certificate until the new one is ACTIVE; the \
             records to publish in the DNS stand in status.observed.dnsResourceRecords"
                .to_owned(),
        ]
    }
}

/// What calls are told to have taken by.
fn objects(seen: &Seen) -> Fields {
    let mut fields = Fields::new();
    let members = seen.members.iter();
    fields.extend(members.map(|m| (calls::certificate_field(&m.name), calls::present())));
    let authorizations = seen.authorizations.iter();
    fields.extend(authorizations.map(|a| (calls::authorization_field(&a.name), calls::present())));
    let maps = seen.maps.iter();
    fields.extend(maps.map(|(name, _)| (calls::map_field(name), calls::present())));
    fields.extend(seen.entries.iter().map(|entry| {
        let names: Vec<String> = entry.short_names().collect();
        (entry.slot.certificates_field(), json!(names))
    }));
    fields
}

/// The records that prove the domains, by name: they stay published, for Google renews by them.
fn records(seen: &Seen) -> Fields {
    let ours = |own: &&live::Authorization| {
        own.is_of(&seen.family) || own.users.iter().any(|user| seen.is_member(user))
    };
    let mut fields = Fields::new();
    for own in seen.authorizations.iter().filter(ours) {
        let [name, kind, data] = &own.record;
        fields.insert(format!("{RECORDS}[{name}].type"), json!(kind));
        fields.insert(format!("{RECORDS}[{name}].data"), json!(data));
    }
    fields
}

/// The state of the certificate that serves, and the maps that no load balancer has.
fn describe(seen: &Seen, member: &Member) -> String {
    let mut state = trouble::describe(member);
    let served: Vec<&str> = seen
        .entries_with(&member.name)
        .map(|entry| entry.slot.map.as_str())
        .collect();
    for (map, attached) in &seen.maps {
        if !attached && served.contains(&map.as_str()) {
            state = format!("{state}; no load balancer has certificate map {map} yet");
        }
    }
    state
}
