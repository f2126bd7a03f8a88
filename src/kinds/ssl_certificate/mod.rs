//! `SslCertificate`: compute certificates, which cannot be changed, so a change is a rotation.
//!
//! The live side is a composite: the certificates of the family (`<name>` and `<name>-<8 hex>`) and
//! the target HTTPS proxies of the scope. Sources: compute v1 (`sslCertificates`,
//! `targetHttpsProxies`); Google, "Use Google-managed SSL certificates".

mod export;
mod family;
mod proxy;
mod rotation;

use super::compute::name_path;
use super::export::Export;
use super::{ManagedKind, Names};
use crate::api::status::Mutability;
use crate::api::{Declared, Finding, Key, Kind, Severity};
use crate::core::fields::{Fields, diff};
use crate::core::observed::Present;
use crate::core::procedure::Procedures;
use crate::core::rules::{FieldRule, Rules};
use family::{Content, Member};
use proxy::Proxy;
use serde_json::{Map, Value, json};

use super::suffix::base_of;

pub(super) struct SslCertificate;

/// Longest base: `-` and eight hex digits must fit into compute's 63 characters.
const NAME_LIMIT: usize = 54;
const COMPUTE: &str = "compute v1, sslCertificates";

static RULES: Rules = Rules {
    procedures: Some(&Procedures {
        change: |scene| Some(rotation::change(scene)),
        removal: |scene| Some(rotation::removal(scene)),
        always: true,
        looks_around: false,
    }),
    ..Rules::new(Kind::SslCertificate, FIELDS)
};

const FIELDS: &[FieldRule] = &[
    rotated("managed.domains"),
    rotated("selfManaged.certificate"),
];

const fn rotated(path: &'static str) -> FieldRule {
    FieldRule {
        path,
        mutability: Mutability::Reversible,
        disruption: None,
        refusal: "",
        source: "compute v1: certificates have no update; a change is a new certificate",
    }
}

impl ManagedKind for SslCertificate {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn declared(&self, declared: &Declared, _: &dyn Names) -> Fields {
        let resource = &declared.resource;
        let content = Content::declared(resource);
        let mut fields = content_fields(&content);
        for name in list(resource.get("attachTo")) {
            fields.insert(format!("attachTo[{name}]"), json!(true));
        }
        fields
    }

    fn derived(&self, live: &Present) -> Fields {
        [("cert.status".to_owned(), live.state.clone().into())].into()
    }

    fn live(&self, raw: Value) -> Present {
        let members = members(Some(&raw));
        let proxies = proxies(Some(&raw));
        let serving = serving(&members, &proxies);
        let mut fields = Fields::new();
        if let Some(member) = serving {
            fields.extend(content_fields(&member.content));
            let on = proxies
                .iter()
                .filter(|proxy| proxy.certificates.contains(&member.name));
            fields.extend(on.map(|proxy| (format!("attachTo[{}]", proxy.name), json!(true))));
        }
        for member in &members {
            fields.insert(certificates_field(&member.name), json!("present"));
        }
        for proxy in &proxies {
            fields.insert(proxy_field(&proxy.name), json!(proxy.certificates));
        }
        Present {
            fields,
            state: serving.map_or_else(|| "ABSENT".to_owned(), |member| member.status.clone()),
            expiry: lasting(&members, &proxies).and_then(Member::expiry),
            ..Present::of(raw)
        }
    }

    fn export(&self, live: &Present, key: &Key) -> Export {
        export::export(live, key)
    }

    fn check(&self, declared: &Declared) -> Vec<Finding> {
        let mut findings = Vec::new();
        check_name(declared, &mut findings);
        check_content(declared, &mut findings);
        check_domains(declared, &mut findings);
        findings
    }

    fn notes(&self, live: Option<&Fields>, declared: &Fields) -> Vec<String> {
        let same = live.is_some_and(|live| diff(declared, live).is_empty());
        if same {
            return Vec::new();
        }
        vec![
            "a rotation: the old certificate serves until the new one is ACTIVE everywhere"
                .to_owned(),
        ]
    }
}

fn content_fields(content: &Content) -> Fields {
    let mut fields = Fields::new();
    if !content.domains.is_empty() {
        fields.insert("managed.domains".to_owned(), json!(content.domains));
    }
    if let Some(certificate) = &content.certificate {
        fields.insert("selfManaged.certificate".to_owned(), json!(certificate));
    }
    fields
}

/// The inverse of [`content_fields`]; `None` when nothing is declared.
fn content_of(declared: &Fields) -> Option<Content> {
    let domains = list(declared.get("managed.domains"));
    let certificate = declared
        .get("selfManaged.certificate")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let content = Content {
        domains,
        certificate,
    };
    (!content.domains.is_empty() || content.certificate.is_some()).then_some(content)
}

/// The body of a new certificate. The private key is a reference here; the call resolves it.
fn body(resource: &Map<String, Value>, content: &Content, name: &str) -> Value {
    match resource.get("selfManaged") {
        Some(own) => json!({"name": name, "type": "SELF_MANAGED", "selfManaged": own}),
        None => json!({
            "name": name, "type": "MANAGED", "managed": {"domains": content.domains},
        }),
    }
}

fn attach_to(declared: &Fields) -> Vec<String> {
    let name = |field: &String| {
        Some(
            field
                .strip_prefix("attachTo[")?
                .strip_suffix(']')?
                .to_owned(),
        )
    };
    declared.keys().filter_map(name).collect()
}

/// The composite field that says whether a certificate exists.
fn certificates_field(name: &str) -> String {
    format!("certificates[{name}]")
}

/// The composite field with a proxy's list of certificates.
fn proxy_field(name: &str) -> String {
    format!("proxies[{name}].sslCertificates")
}

fn members(raw: Option<&Value>) -> Vec<Member> {
    objects(raw, "certificates")
        .filter_map(Member::read)
        .collect()
}

fn proxies(raw: Option<&Value>) -> Vec<Proxy> {
    objects(raw, "proxies").filter_map(Proxy::read).collect()
}

fn objects<'a>(raw: Option<&'a Value>, field: &str) -> impl Iterator<Item = &'a Value> {
    raw.and_then(|raw| raw.get(field))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The member that serves: on the most proxies, ACTIVE, the newest.
fn serving<'m>(members: &'m [Member], proxies: &[Proxy]) -> Option<&'m Member> {
    let attached = |member: &Member| {
        proxies
            .iter()
            .filter(|p| p.certificates.contains(&member.name))
            .count()
    };
    members.iter().max_by_key(|m| {
        (
            m.is_active(),
            attached(m),
            m.created.clone(),
            m.name.clone(),
        )
    })
}

/// The member whose end is the end of the service: the one that serves, or, while none is ACTIVE,
/// the last to end of those that proxies still have.
fn lasting<'m>(members: &'m [Member], proxies: &[Proxy]) -> Option<&'m Member> {
    let serving = serving(members, proxies)?;
    if serving.is_active() {
        return Some(serving);
    }
    let attached = |member: &&Member| {
        proxies
            .iter()
            .any(|proxy| proxy.certificates.contains(&member.name))
    };
    members.iter().filter(attached).max_by_key(|m| m.expires)
}

fn list(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn check_name(declared: &Declared, findings: &mut Vec<Finding>) {
    let name = &declared.key.name;
    if name.len() <= NAME_LIMIT && base_of(name) == name {
        return;
    }
    findings.push(Finding {
        path: name_path(declared).to_owned(),
        message: format!("`{name}` leaves no room for the suffix of a rotation"),
        limit: Some(format!(
            "at most {NAME_LIMIT} characters, not ending in a hyphen and eight hex digits ({COMPUTE})"
        )),
        help: "choose a shorter name; evenkeel names the certificates <name>-<8 hex digits>".to_owned(),
        severity: Severity::Error,
    });
}

fn check_content(declared: &Declared, findings: &mut Vec<Finding>) {
    let has = |field: &str| declared.resource.contains_key(field);
    let message = match (has("managed"), has("selfManaged")) {
        (false, false) => "it does not say what the certificate is for",
        (true, true) => "both managed and selfManaged are given",
        _ => return,
    };
    findings.push(refusal(
        "spec.resource",
        message.to_owned(),
        "one of managed and selfManaged (compute v1)",
        "give managed.domains for a certificate that Google issues, or selfManaged for one of yours",
    ));
}

fn check_domains(declared: &Declared, findings: &mut Vec<Finding>) {
    let Some(managed) = declared.resource.get("managed").and_then(Value::as_object) else {
        return;
    };
    for domain in list(managed.get("domains"))
        .iter()
        .filter(|domain| domain.contains('*'))
    {
        findings.push(refusal(
            "spec.resource.managed.domains",
            format!("`{domain}` is a wildcard, and Google issues none for a load balancer's certificate"),
            "no wildcards with load balancer authorization (Google, \"Use Google-managed SSL certificates\")",
            &format!(
                "name each host, or declare a ManagedCertificate, which proves the domain by a DNS \
                 record: kind: ManagedCertificate, spec.resource: {{managed: {{domains: \
                 [\"{domain}\"]}}, attachTo: [{{map: MAP, hostname: \"{domain}\"}}]}}"
            ),
        ));
    }
    if declared.key.location != "global" {
        findings.push(refusal(
            "spec.location",
            format!(
                "a Google-managed certificate cannot live in `{}`",
                declared.key.location
            ),
            "compute-managed certificates are global (compute v1)",
            "use location: global, or a selfManaged certificate in the region",
        ));
    }
}

fn refusal(path: &str, message: String, limit: &str, help: &str) -> Finding {
    Finding {
        path: path.to_owned(),
        message,
        limit: Some(limit.to_owned()),
        help: help.to_owned(),
        severity: Severity::Error,
    }
}
