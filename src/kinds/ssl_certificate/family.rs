//! The certificates that belong to one manifest, and what each of them is worth.

use crate::core::expiry::Expiry;
use crate::kinds::suffix::{hex, suffixed};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Names that one content can have had: more than a family ever has members.
const NAMES: usize = 64;

/// What a certificate is for: equal content needs no rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// Managed: the domains, sorted. Empty for a self-managed one.
    pub domains: Vec<String>,
    /// Self-managed: the fingerprint of the PEM.
    pub certificate: Option<String>,
}

/// A certificate as GCP reports it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub name: String,
    pub content: Content,
    pub status: String,
    pub domain_status: BTreeMap<String, String>,
    pub expires: Option<Timestamp>,
    pub created: String,
}

impl Member {
    pub fn read(raw: &Value) -> Option<Member> {
        let text = |path: &str| raw.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let managed = raw.get("managed");
        let status = text("/managed/status");
        Some(Member {
            name: text("/name")?,
            content: Content {
                domains: domains(managed.and_then(|m| m.get("domains"))),
                certificate: match managed {
                    Some(_) => None,
                    None => text("/selfManaged/certificate")
                        .or_else(|| text("/certificate"))
                        .map(|pem| fingerprint(&pem)),
                },
            },
            // A certificate of ours serves as soon as it exists.
            status: status.unwrap_or_else(|| "ACTIVE".to_owned()),
            domain_status: domain_status(managed),
            expires: text("/expireTime").and_then(|time| time.parse().ok()),
            created: text("/creationTimestamp").unwrap_or_default(),
        })
    }

    /// Named after its content: nobody but evenkeel names a certificate so.
    pub fn is_made_for(&self, base: &str) -> bool {
        (0..NAMES).any(|round| self.content.name(base, round) == self.name)
    }

    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }

    /// Google will not try again: only a new certificate helps.
    pub fn is_lost(&self) -> bool {
        matches!(
            self.status.as_str(),
            "PROVISIONING_FAILED_PERMANENTLY" | "RENEWAL_FAILED"
        )
    }

    /// When it ends, and how it goes on.
    pub fn expiry(&self) -> Option<Expiry> {
        let way_out = if self.content.certificate.is_some() {
            "Put the renewed certificate and its key into spec.resource.selfManaged, and evenkeel \
             rotates to it"
                .to_owned()
        } else {
            format!(
                "Google renews it by itself from about a month before the end, while each of its \
                 domains points at the load balancer; {}",
                self.trouble()
            )
        };
        Some(Expiry {
            what: format!("certificate {}", self.name),
            at: self.expires?,
            way_out,
        })
    }

    /// Why it does not serve yet, domain by domain.
    pub fn trouble(&self) -> String {
        let waiting: Vec<_> = self
            .domain_status
            .iter()
            .filter(|(_, state)| *state != "ACTIVE")
            .map(|(domain, state)| format!("{domain} {state}{}", advice(state)))
            .collect();
        if waiting.is_empty() {
            return format!("{} is {}", self.name, self.status);
        }
        format!("{} is {}: {}", self.name, self.status, waiting.join("; "))
    }
}

/// What a person can do about the state of a domain. Source: compute v1, `managed.domainStatus`.
fn advice(state: &str) -> &'static str {
    match state {
        "FAILED_NOT_VISIBLE" => " (point its DNS at the load balancer)",
        "FAILED_CAA_CHECKING" => " (its CAA records cannot be read)",
        "FAILED_CAA_FORBIDDEN" => " (its CAA records forbid Google: allow pki.goog)",
        "FAILED_RATE_LIMITED" => " (the authority limits it: wait)",
        _ => "",
    }
}

fn domains(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    let mut domains: Vec<_> = items
        .filter_map(Value::as_str)
        .map(|d| d.trim_end_matches('.').to_lowercase())
        .collect();
    domains.sort();
    domains.dedup();
    domains
}

fn domain_status(managed: Option<&Value>) -> BTreeMap<String, String> {
    let status = managed
        .and_then(|managed| managed.get("domainStatus"))
        .and_then(Value::as_object);
    status
        .into_iter()
        .flatten()
        .filter_map(|(domain, state)| Some((domain.clone(), state.as_str()?.to_owned())))
        .collect()
}

impl Content {
    /// From the declared `spec.resource`.
    pub fn declared(resource: &serde_json::Map<String, Value>) -> Content {
        let pem = resource
            .get("selfManaged")
            .and_then(|own| own.get("certificate"));
        Content {
            domains: domains(resource.get("managed").and_then(|m| m.get("domains"))),
            certificate: pem.and_then(Value::as_str).map(fingerprint),
        }
    }

    /// The name of the `round`-th certificate with this content: equal content, equal name.
    pub fn name(&self, base: &str, round: usize) -> String {
        let certificate = self.certificate.as_deref().unwrap_or_default();
        let domains = self.domains.join(",");
        let round = round.to_be_bytes();
        suffixed(base, &[domains.as_bytes(), certificate.as_bytes(), &round])
    }
}

/// Digest of a PEM text, whatever its line ends.
pub(super) fn fingerprint(pem: &str) -> String {
    let plain: String = pem.split_whitespace().collect();
    format!("sha256:{}", hex(&Sha256::digest(plain.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::suffix::base_of;
    use serde_json::json;

    #[test]
    fn names_of_a_family() {
        for (name, base) in [
            ("staging-cert", "staging-cert"),
            ("staging-cert-1f0c88aa", "staging-cert"),
            ("staging-cert-1f0c88a", "staging-cert-1f0c88a"),
            ("staging-cert-1F0C88AA", "staging-cert-1F0C88AA"),
            ("c-deadbeef", "c"),
        ] {
            assert_eq!(base_of(name), base);
        }
    }

    #[test]
    fn equal_content_gets_an_equal_name_in_any_order() {
        let content = |domains: Value| {
            Content::declared(
                json!({"managed": {"domains": domains}})
                    .as_object()
                    .unwrap(),
            )
        };
        let one = content(json!(["b.example.com", "A.example.com."]));
        let two = content(json!(["a.example.com", "b.example.com"]));
        assert_eq!(one.name("c", 0), two.name("c", 0));
        assert_ne!(one.name("c", 0), one.name("c", 1));
        assert_eq!(base_of(&one.name("staging-cert", 0)), "staging-cert");
    }
}
